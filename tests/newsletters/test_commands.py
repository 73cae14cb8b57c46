"""Newsletters from the command line."""

import json

import pytest

from hub.core.database import db, transaction
from hub.newsletters.commands import newsletters
from hub.newsletters.models import Newsletter, Status, Topic

from .factories import make_audience


@pytest.fixture
def run(app):
    def run(*arguments):
        result = app.test_cli_runner().invoke(newsletters, list(map(str, arguments)))
        db.session.rollback()
        return result

    return run


@pytest.fixture
def files(tmp_path):
    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
        return [tmp_path / f"{name}.md" for name in texts]

    return write


ENGLISH = "---\nsubject: December\ntopic: product_news\nlanguage: en\n---\nHello {user.first_name|there}\n"
RUSSIAN = "---\nsubject: Декабрь\nlanguage: ru\n---\nПривет\n"


def test_from_files_to_everyones_mailbox(run, files, cast, worker):
    with transaction():
        make_audience(3, "ru")
    result = run("create", *files(en=ENGLISH, ru=RUSSIAN))
    number = int(result.stdout.strip())
    newsletter = db.session.get(Newsletter, number)
    assert newsletter.topic is Topic.PRODUCT
    assert {each.locale: each.subject for each in newsletter.contents} == {"en": "December", "ru": "Декабрь"}
    assert run("send", number, "--to", "all").exit_code == 0
    before = json.loads(run("status", number, "--json").stdout)
    assert (before["status"], before["total"], before["pending"], before["sent"]) == ("sending", 5, 5, 0)
    assert run("pause", number).exit_code == 0
    worker()
    assert json.loads(run("status", number, "--json").stdout)["pending"] == 5
    assert run("resume", number).exit_code == 0
    worker()
    after = json.loads(run("status", number, "--json").stdout)
    assert (after["status"], after["sent"], after["pending"]) == ("sent", 5, 0)
    assert run("cancel", number).exit_code == 1, "it is over"


def test_what_cannot_be_sent_is_said(run, files, cast):
    assert "lacks a subject" in run("create", *files(a="---\nlanguage: en\ntopic: service\n---\nx")).stderr
    assert "topic is one of" in run("create", *files(a=ENGLISH.replace("product_news", "gossip"))).stderr
    assert "language is one of" in run("create", *files(a=ENGLISH.replace("language: en", ""))).stderr
    assert "one topic" in run("create", *files(a=RUSSIAN)).stderr
    assert "in one language" in run("create", *files(a=ENGLISH, b=ENGLISH)).stderr
    number = int(run("create", *files(a=ENGLISH.replace("{user.first_name|there}", "{nobody}"))).stdout)
    result = run("send", number, "--to", "all")
    assert (result.exit_code, "{nobody}" in result.stderr) == (1, True)
    assert "no segment" in run("send", number, "--to", "Nobody at all").stderr
    assert "no newsletter" in run("status", 99_999).stderr
    assert db.session.get(Newsletter, number).status is Status.DRAFT
