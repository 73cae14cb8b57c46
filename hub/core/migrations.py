"""Migrations through Alembic, which is loaded when there is something to migrate: nobody else needs its 7 MB."""

from pathlib import Path

from flask import Flask, current_app

from .database import db

FOLDER = Path(__file__).parent.parent / "migrations"


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
