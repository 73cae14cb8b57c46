"""Alembic's environment: the application's database, and its models as the wanted form."""

from contextlib import contextmanager

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


@contextmanager
def foreign_keys_off(connection):
    """Let SQLite make tables anew that rows of others point to; look afterwards that all still do."""
    if connection.dialect.name != "sqlite":
        yield
        return
    set_foreign_keys(connection, "OFF")
    try:
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"rows point to nothing after the migration: {broken[:5]}")
    finally:
        set_foreign_keys(connection, "ON")


def set_foreign_keys(connection, state):
    """Switch the checks; inside a transaction SQLite ignores that."""
    for statement in ("COMMIT", f"PRAGMA foreign_keys={state}", "BEGIN"):
        connection.exec_driver_sql(statement)


def run():
    """Migrate over a connection of the application's own engine."""
    with migrate.db.engine.connect() as connection, foreign_keys_off(connection):
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
