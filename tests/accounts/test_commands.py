"""`hub user`, `hub token` and `hub demo`."""

import json

import pytest

from hub.accounts import service, tokens
from hub.accounts.commands import commands
from hub.accounts.passwords import DEMO_PASSWORD
from hub.core.access import Role
from hub.core.database import transaction
from hub.core.settings import Settings
from hub.demo import demo, fill, sign_ins


@pytest.fixture
def hub(app):
    """`hub("user", "create", …)`: a command's result."""
    runner = app.test_cli_runner()
    known = {command.name: command for command in [*commands, demo]}

    def hub(name, *arguments, **options):
        return runner.invoke(known[name], arguments, **options)

    return hub


def test_the_first_admin_gets_a_link(hub, client):
    result = hub("user", "create", "Erik@Example.org", "--role", "admin", "--name", "Erik")
    assert result.exit_code == 0
    assert client.get(result.output.split()[-1].removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_a_password_comes_from_standard_input(hub, sign_in):
    result = hub(
        "user",
        "create",
        "e@example.org",
        "--role",
        "admin",
        "--name",
        "E",
        "--password-stdin",
        input="heather on the hill\n",
    )
    assert (result.exit_code, "invitation" in result.output) == (0, False)
    assert sign_in("e@example.org")[1].status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("agent@example.org", "heather on the hill"),
        ("new@example.org", "password"),
        ("bad address", "heather on the hill"),
    ],
)
def test_a_refused_person_is_not_added(hub, cast, email, password):
    before = service.find("new@example.org")
    result = hub(
        "user", "create", email, "--role", "agent", "--name", "N", "--password-stdin", input=password + "\n"
    )
    assert (result.exit_code, result.output.startswith("Error: "), before) == (1, True, None)
    assert (service.find("new@example.org"), service.find("bad address")) == (None, None)


@pytest.mark.parametrize(
    "email", ["bad address", "a@b@example.org", "<a@example.org>", "a@example.org\nBcc: b@example.org", ""]
)
def test_nobody_is_invited_without_an_address(cast, admin, email):
    with pytest.raises(service.NoAddress) as refused, transaction():
        service.invite(admin, email, name="N", role=Role.AGENT)
    assert email in str(refused.value.errors["email"][0])


def test_a_token_is_printed_and_works(hub, agent):
    result = hub("token", "create", agent.email)
    assert tokens.user_for_token(result.output.strip()) == agent
    assert hub("token", "create", "nobody@example.org").exit_code == 1


def test_the_demo_lists_its_sign_ins_and_they_work(app, sign_in):
    fill()
    rows = sign_ins()
    assert {row["role"] for row in rows} >= {"agent", "manager", "admin"}
    staff = {name: service.find(f"{name}@nordbill.example").role for name in ("anna", "tomasz", "erik")}
    assert staff == {"anna": Role.MANAGER, "tomasz": Role.AGENT, "erik": Role.ADMIN}
    for row in rows:
        assert sign_in(row["email"], row["password"])[1].status_code == 303


def test_the_demo_is_refused_in_production(hub, app, monkeypatch):
    production = Settings(env="production", secret_key="x" * 40, home=app.extensions["hub.settings"].home)
    monkeypatch.setitem(app.extensions, "hub.settings", production)
    result = hub("demo", "--json")
    assert (result.exit_code, DEMO_PASSWORD in result.output) == (1, False)
    assert service.find("anna@nordbill.example") is None


def test_the_demo_leaves_a_hub_with_data_alone(hub, cast):
    result = hub("demo", "--if-empty", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert service.find("anna@nordbill.example") is None
