"""`hub doctor` names what is well and what is not, and ends with a status to match."""

import pytest

from hub.core import doctor
from hub.core.settings import Settings


@pytest.fixture
def examine(app):
    return lambda: {name: (is_well, words) for name, is_well, words in doctor.examine()}


@pytest.fixture
def set_to(app, monkeypatch):
    """`set_to(mail_url=…)` changes settings for this test."""

    def set_to(**values):
        now = app.extensions["hub.settings"]
        kept = {"home": now.home, "database_url": now.database_url, "redis_url": now.redis_url}
        monkeypatch.setitem(app.extensions, "hub.settings", Settings(env="test", **kept, **values))

    return set_to


def test_what_is_well(examine):
    found = examine()
    assert {name for name in ("database", "queue", "mail", "files", "secret key") if found[name][0]} == {
        "database", "queue", "mail", "files", "secret key"
    }  # fmt: skip


def test_a_mail_server_that_does_not_answer(examine, set_to):
    set_to(mail_url="smtp://127.0.0.1:1")
    assert examine()["mail"][0] is False


def test_front_end_files_that_are_missing(examine, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "STATIC", tmp_path)
    is_well, words = examine()["front end"]
    assert (is_well, "htmx.min.js" in words, "make run" in words) == (False, True, True)


def test_one_failure_stops_no_other_check(examine, monkeypatch):
    def fail():
        raise ZeroDivisionError

    monkeypatch.setitem(doctor.CHECKS, "database", fail)
    found = examine()
    assert (found["database"][0], found["files"][0], len(found)) == (False, True, len(doctor.CHECKS))


def test_the_exit_status_tells(app, monkeypatch):
    runner = app.test_cli_runner()
    monkeypatch.setattr(doctor, "CHECKS", {"weather": lambda: "fine"})
    assert (runner.invoke(doctor.doctor).exit_code, "fine" in runner.invoke(doctor.doctor).output) == (
        0,
        True,
    )

    def rain():
        raise doctor.Problem("take an umbrella")

    monkeypatch.setattr(doctor, "CHECKS", {"weather": rain})
    result = runner.invoke(doctor.doctor)
    assert (result.exit_code, "PROBLEM" in result.output, "umbrella" in result.output) == (1, True, True)
