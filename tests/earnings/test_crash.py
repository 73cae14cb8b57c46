"""A process that dies in the middle of an import leaves nothing of it behind."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from hub.core.database import db
from hub.earnings.models import Conversion, LedgerEntry, Refund

from .factories import csv

ROWS = 400
COUNTS = (Conversion, Refund, LedgerEntry)


@pytest.fixture
def file(tmp_path):
    sales = [f"C{n},2026-06-{n % 28 + 1:02d}T10:00,ACME,,{n + 1}.05,EUR,Start,sale," for n in range(ROWS)]
    refunds = [f"C{n},2026-07-15T10:00,,,{n + 1}.05,EUR,Start,refund,{n + 1}.05" for n in range(0, ROWS, 8)]
    path = tmp_path / "sales.csv"
    path.write_bytes(csv(*sales, *refunds))
    return path


def run(app, file, crash_at=""):
    settings = app.extensions["hub.settings"]
    environment = os.environ | {
        "HUB_ENV": "test",
        "HUB_HOME": str(settings.home),
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_REDIS_URL": settings.redis_url,
        "HUB_CRASH_AT": crash_at,
    }
    command = [sys.executable, "-m", "hub.cli", "sales", "import", str(file)]
    return subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=300)


def counts():
    db.session.rollback()
    return [db.session.scalar(select(func.count()).select_from(model)) for model in COUNTS]


@pytest.mark.crash
@pytest.mark.parametrize("point", ["sales_booked", "refunds_booked", "import_applied"])
def test_killed_in_the_middle_nothing_is_imported_and_a_second_run_imports_all(app, cast, file, point):
    killed = run(app, file, f"{point}:1")
    assert (killed.returncode, counts()) == (137, [0, 0, 0])
    done = run(app, file)
    assert done.returncode == 0, done.stderr
    full = [ROWS, ROWS // 8, ROWS + ROWS // 8]
    assert counts() == full
    assert run(app, file).returncode == 0
    assert counts() == full
