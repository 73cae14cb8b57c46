"""A library is imported as if what it looks for were not there."""

import subprocess
import sys

import pytest

from hub.core.lean import without


def test_a_package_is_hidden_from_an_import_and_comes_back(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    with without("this", "json"):
        with pytest.raises(ImportError):
            import this  # noqa: F401
        import json
    assert json.loads("1") == 1
    assert "this" not in sys.modules


def test_it_comes_back_after_a_failure(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    with pytest.raises(ZeroDivisionError), without("this"):
        1 / 0  # noqa: B018
    assert "this" not in sys.modules


def test_a_web_process_begins_without_what_no_hub_uses():
    """Greenlets are installed with the browser of the tests; each of these is a megabyte or more."""
    command = (
        "import sys, hub.app; print(*({'greenlet', 'requests', 'websocket', 'psycopg'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
