"""Migrations through Alembic, which is loaded when there is something to migrate: nobody else needs its 7 MB."""

import sqlite3
from contextlib import closing
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import make_url

from .database import db
from .settings import Settings

FOLDER = Path(__file__).parent.parent / "migrations"


def is_up_to_date(settings: Settings) -> bool:
    """Has the embedded database seen the newest migration, and people? Needs no application, and so takes no time.

    One without people may be given the demo, a single long write that others would have to wait for.
    """
    newest = max((file.name.partition("_")[0] for file in FOLDER.glob("versions/[0-9]*.py")), default="")
    if not settings.is_sqlite:
        return False
    try:
        with closing(
            sqlite3.connect(f"file:{make_url(settings.database_url).database}?mode=ro", uri=True)
        ) as its:
            version = its.execute("SELECT version_num FROM alembic_version").fetchall()
            return version == [(newest,)] and its.execute("SELECT 1 FROM user LIMIT 1").fetchone() is not None
    except sqlite3.Error:
        return False


def bring_up_to_date() -> None:
    """Run the migrations that the database has not seen."""
    if any(FOLDER.glob("versions/*.py")):
        prepare(current_app._get_current_object())  # type: ignore[attr-defined]
        from flask_migrate import upgrade

        upgrade()
    else:
        db.create_all()


def write(message: str) -> None:
    """Write a migration from what the models have and the database has not."""
    prepare(current_app._get_current_object())  # type: ignore[attr-defined]
    from flask_migrate import migrate

    migrate(message=message)


def prepare(app: Flask) -> None:
    """Tell Alembic about the application's database."""
    from flask_migrate import Migrate

    # Batches let SQLite change columns: it copies the table.
    Migrate(app, db, directory=str(FOLDER), render_as_batch=True)
