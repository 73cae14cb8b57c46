"""Migrations lead in one line to exactly what the models say."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import stamp, upgrade
from sqlalchemy import text

from hub.core.database import db
from hub.core.migrations import FOLDER, prepare


def test_the_history_is_one_line():
    history = ScriptDirectory(str(FOLDER))
    assert len(history.get_heads()) == len(history.get_bases()) == 1
    assert [
        step.revision for step in history.walk_revisions() if step.is_merge_point or step.is_branch_point
    ] == []


def start_over():
    db.drop_all()
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def test_migrations_and_models_agree(the_app):
    with the_app.app_context():
        db.session.remove()
        prepare(the_app)
        try:
            start_over()
            upgrade()
            with db.engine.connect() as connection:
                context = MigrationContext.configure(connection, opts={"compare_type": True})
                differences = compare_metadata(context, db.metadata)
        finally:
            start_over()
            db.create_all()
            stamp()
    assert differences == []
