"""What admins read: settings without secrets, and the audit log."""

import re
from datetime import UTC, datetime

import pytest

from hub.accounts import tokens
from hub.accounts.models import COMMAND_LINE
from hub.accounts.views.settings import shown
from hub.core import audit, clock
from hub.core.database import transaction
from hub.core.settings import Settings


@pytest.fixture
def office(browse, admin):
    return browse(admin)


def test_every_setting_is_listed(office):
    page = office.get("/settings").text
    assert [name for name in Settings.model_fields if f"HUB_{name.upper()}" not in page] == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("secret_key", "development-only-secret", "••••••••"),
        ("metrics_token", "", ""),
        ("mail_url", "smtp://me:hunter2@mail.example:587", "smtp://••••••••@mail.example:587"),
        ("mail_url", "sendgrid:SG.hunter2", "sendgrid:••••••••"),
        ("mail_url", "outbox:", "outbox:"),
        (
            "database_url",
            "postgresql+psycopg://hub:hunter2@db/hub?password=hunter2",
            "postgresql+psycopg://••••••••@db/hub",
        ),
        ("database_url", "sqlite:////var/hub/hub.db", "sqlite:////var/hub/hub.db"),
        ("storage_url", "s3://key:hunter2@bucket?endpoint=http://x", "s3://••••••••@bucket"),
        ("redis_url", "redis://:hunter2@cache:6379/0", "redis://••••••••@cache:6379/0"),
    ],
)
def test_secrets_are_masked(name, value, expected):
    assert shown(name, value) == expected


@pytest.fixture
def history(admin, manager, partner):
    """Three things that happened on two days."""
    with transaction():
        with clock.frozen(datetime(2026, 11, 1, 22, 30, tzinfo=UTC)):
            audit.record(
                manager,
                "partner.edited",
                "partner:17",
                before={"name": "Old", "code": "A"},
                after={"name": "New", "code": "A"},
            )
        with clock.frozen(datetime(2026, 11, 1, 23, 30, tzinfo=UTC)):
            audit.record(None, "user.created", f"user:{partner.id}", after={"role": "partner"})
        with clock.frozen(datetime(2026, 11, 2, 12, 0, tzinfo=UTC)):
            audit.record(admin, "user.role_changed", f"user:{manager.id}", before="agent", after="manager")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"partner.edited", "user.created", "user.role_changed"}),
        ("who=max", {"partner.edited"}),
        ("action=user.", {"user.created", "user.role_changed"}),
        ("object=partner:17", {"partner.edited"}),
        (
            "since=2026-11-02",
            {"user.created", "user.role_changed"},
        ),  # Oslo: an hour before midnight is the next day
        ("until=2026-11-01", {"partner.edited"}),
        ("since=nonsense", set()),
        ("action=%25", set()),
    ],
)
def test_the_audit_log_filters(office, history, query, expected):
    page = office.get(f"/settings/audit?{query}").text
    assert {
        name
        for name in ("partner.edited", "user.created", "user.role_changed")
        if f"<code>{name}</code>" in page
    } == expected


def test_the_audit_log_shows_what_changed_and_who(office, history):
    page = office.get("/settings/audit").text
    assert "<del>Old</del> New" in page
    assert "<del>Agent</del> Manager" in page
    assert "Max Manager" in page
    assert "the hub" in page


def test_the_audit_log_pages(office, admin):
    with transaction():
        for n in range(40):
            audit.record(admin, "thing.done", f"thing:{n}")
    first = office.get("/settings/audit?action=thing").text
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = office.get(older).text
    seen = [n for n in range(40) if f"<code>thing:{n}</code>" in first] + [
        n for n in range(40) if f"<code>thing:{n}</code>" in second
    ]
    assert sorted(seen) == list(range(40))


@pytest.fixture
def office_in_ukrainian(browse, admin):
    with transaction():
        admin.locale = "uk"
    return browse(admin)


def test_the_audit_log_speaks_the_readers_language(office_in_ukrainian, admin):
    """States, a yes or a no and known names are translated; what a person wrote and unknown names are not."""
    before = {"needs_approval": False, "status": "draft", "title": "published", "strange_key": 1}
    after = {"needs_approval": True, "status": "published", "title": "draft", "strange_key": 2}
    with transaction():
        audit.record(admin, "asset.edited", "asset:1", before=before, after=after)
        audit.record(
            admin, "user.profile_edited", "user:1", after={"time_zone": "Europe/Kyiv", "locale": "pl"}
        )
        audit.record(
            admin, "category.created", "category:1", after={"names": {"en": "Payouts", "uk": "Виплати"}}
        )
    cells = re.sub(r"<[^>]+>", "", office_in_ukrainian.get("/settings/audit").text)
    for expected in (
        "Потрібне погодження ні так; Статус Чернетка Опубліковано; Назва published draft; strange key 1 2",
        "Часовий пояс Київ; Мова Polski",
        "English: Payouts; Українська: Виплати",
    ):
        assert expected in cells


def test_settings_are_explained_in_the_readers_language(office_in_ukrainian):
    page = office_in_ukrainian.get("/settings").text
    assert "Порт, на якому слухає вебсервер." in page
    assert "Port the web server listens on." not in page


def test_a_token_of_the_command_line_is_named_in_the_readers_language(office_in_ukrainian, admin):
    with transaction():
        tokens.create(admin, COMMAND_LINE)
        tokens.create(admin, "Export to Excel")
    page = office_in_ukrainian.get("/profile/security").text
    assert "<b>командний рядок</b>" in page
    assert "<b>Export to Excel</b>" in page
