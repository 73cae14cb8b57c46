"""Settings that are wrong are named in a line; those that hardly do what was meant are warned of."""

import pytest
from pydantic import ValidationError

from hub import cli
from hub.core.settings import Settings, complaints, warnings

pytestmark = pytest.mark.once
SECRET = "a-secret-of-our-own-that-is-long-enough"


@pytest.mark.parametrize(
    ("name", "value", "example"),
    [
        ("storage_url", "nope", "file:///path"),
        ("storage_url", "file://var/files", "file:///path"),
        ("storage_url", "s3://bucket?signed=soon", "signed=60"),
        ("database_url", "nonsense", "postgresql://"),
        ("database_url", "mysql://hub:hunter2@db/hub", "postgresql://"),
        ("redis_url", "cache:6379", "redis://host"),
        ("base_url", "nonsense", "https://hub.example"),
        ("base_url", "https://hub:port", "https://hub.example"),
        ("mail_url", "smtp:", "smtp://user"),
        ("mail_url", "sendgrid:", "sendgrid:KEY"),
        ("mail_from", "Nordbill", "<name@hub.example>"),
        ("imap_url", "http://mail.example", "imaps://"),
        ("dkim_key", "/nowhere/dkim.pem", "dkim.pem"),
        ("dkim_key", __file__, "openssl genrsa"),
        ("default_locale", "de", "en, ru, uk, pl"),
        ("programme_timezone", "Mars/Olympus", "Europe/Oslo"),
        ("programme_site", "nordbill.example", "https://"),
        ("port", "many", "integer"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_should_look_like(name, value, example):
    with pytest.raises(ValidationError) as wrong:
        Settings(**{name: value})
    (line,) = complaints(wrong.value)
    assert line.startswith(f"HUB_{name.upper()}: ")
    assert example in line
    assert "hunter2" not in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("storage_url", "s3://key:secret@bucket/prefix?endpoint=http://127.0.0.1:9000&signed=60"),
        ("storage_url", "file:///srv/hub/files"),
        ("storage_url", ""),
        ("database_url", "postgresql:///hub?host=/run/postgresql"),
        ("database_url", "sqlite:////srv/hub.db"),
        ("redis_url", "rediss://:secret@cache:6379/0"),
        ("mail_url", "outbox:"),
        ("mail_url", "smtps://me:secret@mail.example"),
        ("base_url", " https://hub.example/ "),
    ],
)
def test_a_right_setting_is_taken(name, value):
    assert value.strip().rstrip("/") in str(getattr(Settings(**{name: value}), name)).replace("+psycopg", "")


def test_the_command_ends_without_a_traceback(monkeypatch, capsys):
    monkeypatch.setenv("HUB_STORAGE_URL", "nope")
    monkeypatch.setenv("HUB_DEFAULT_LOCALE", "de")
    monkeypatch.setattr("sys.argv", ["hub", "routes"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    lines = capsys.readouterr().err.splitlines()
    assert (ended.value.code, [line.partition(":")[0] for line in lines]) == (
        1,
        ["HUB_STORAGE_URL", "HUB_DEFAULT_LOCALE"],
    )


def test_a_misspelt_name_is_warned_of(monkeypatch):
    monkeypatch.setenv("HUB_BASE_ULR", "https://hub.example")
    monkeypatch.setenv("HUB_MAIL_URL", "outbox:")
    (line,) = [line for line in warnings(Settings()) if "ULR" in line]
    assert "Is HUB_BASE_URL meant?" in line
    assert not [line for line in warnings(Settings()) if line.startswith("HUB_MAIL_URL")]


def test_production_is_warned_of_mail_and_links_that_reach_nobody():
    alone = Settings(env="production", secret_key=SECRET, mail_url="outbox:", base_url="")
    named = [line.partition(" ")[0] for line in warnings(alone)]
    assert {"HUB_MAIL_URL", "HUB_BASE_URL"} <= set(named)
    ready = alone.model_copy(update={"mail_url": "smtp://mail.example", "base_url": "https://hub.example"})
    assert len(warnings(ready)) == len(warnings(alone)) - 2
