"""A library is imported as if what it looks for were not there."""

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
