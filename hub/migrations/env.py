"""Alembic's environment: the application's database, and its models as the wanted form."""

from alembic import context
from flask import current_app

from hub.core.database import UTCDateTime

config = context.config
migrate = current_app.extensions["migrate"]
metadata = migrate.db.metadata


def only_real_changes(_context, _revision, directives):
    """Write no migration when the models have not changed."""
    if getattr(config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def plain_type(kind, thing, _context):
    """Write a moment as the database's own type: migrations outlive our classes."""
    is_moment = kind == "type" and isinstance(thing, UTCDateTime)
    return "sa.DateTime(timezone=True)" if is_moment else False


def run():
    """Migrate over a connection of the application's own engine."""
    with migrate.db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            process_revision_directives=only_real_changes,
            render_item=plain_type,
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
