"""Alembic's environment: the application's database, and its models as the wanted form."""

from alembic import context
from flask import current_app

config = context.config
migrate = current_app.extensions["migrate"]
metadata = migrate.db.metadata


def only_real_changes(_context, _revision, directives):
    """Write no migration when the models have not changed."""
    if getattr(config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def run():
    """Migrate over a connection of the application's own engine."""
    with migrate.db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            process_revision_directives=only_real_changes,
            compare_server_default=True,
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
