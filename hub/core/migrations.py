"""Migrations through Alembic, which only commands load: a web process does without its 12 MB."""

from pathlib import Path

import flask_migrate
from flask import Flask, current_app

from .database import db

FOLDER = Path(__file__).parent.parent / "migrations"


def bring_up_to_date() -> None:
    """Run the migrations that the database has not seen."""
    if any(FOLDER.glob("versions/*.py")):
        prepare(current_app._get_current_object())  # type: ignore[attr-defined]
        flask_migrate.upgrade()
    else:
        db.create_all()


def write(message: str) -> None:
    """Write a migration from what the models have and the database has not."""
    prepare(current_app._get_current_object())  # type: ignore[attr-defined]
    flask_migrate.migrate(message=message)


def prepare(app: Flask) -> None:
    """Tell Alembic about the application's database."""
    # Batches let SQLite change columns: it copies the table.
    flask_migrate.Migrate(app, db, directory=str(FOLDER), render_as_batch=True)
