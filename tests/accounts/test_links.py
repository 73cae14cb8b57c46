"""Links in mails: once, for a while, and silent about who is here."""

import pytest
from sqlalchemy import select

from hub.accounts import links, service
from hub.accounts.models import LinkPurpose, OneTimeLink, User
from hub.core.access import Role
from hub.core.database import db, transaction
from hub.core.errors import Invalid

from .conftest import alike, is_in
from .factories import PASSWORD

NEW = "a lighthouse in the fog"


@pytest.fixture
def reset_link(person, client, letters, link_in):
    client.post("/reset", data={"email": "NINA@example.org"})
    return link_in(letters()[-1])


@pytest.fixture
def invitation_link(admin, letters, link_in):
    with transaction():
        service.invite(admin, "new@example.org", name="Newman", role=Role.AGENT, locale="pl")
    return link_in(letters()[-1])


def test_asking_for_a_link_answers_alike_for_everybody(person, client, letters):
    known = client.post("/reset", data={"email": person.email})
    unknown = client.post("/reset", data={"email": "nobody@example.org"})
    assert known.status_code == unknown.status_code == 200
    assert alike(known, person.email) == alike(unknown, "nobody@example.org")
    assert [mail.address for mail in letters()] == [person.email]


def test_the_link_leads_to_the_configured_address_whatever_the_host_says(person, client, letters):
    client.post("/reset", data={"email": person.email}, headers={"Host": "localhost"})
    assert "http://127.0.0.1:8000/reset/" in letters()[-1].text


def test_a_reset_link_sets_a_password_once(reset_link, client, sign_in, person):
    assert client.post(reset_link, data={"password": NEW}).status_code == 303
    assert sign_in(person.email, NEW)[1].status_code == 303
    again = client.post(reset_link, data={"password": "another lighthouse"})
    assert again.status_code == 410
    assert sign_in(person.email, NEW)[1].status_code == 303


def test_looking_does_not_use_a_link_up(reset_link, client):
    assert [client.get(reset_link).status_code, client.head(reset_link).status_code] == [200, 200]
    assert client.post(reset_link, data={"password": NEW}).status_code == 303


def test_a_refused_password_does_not_use_the_link_up(reset_link, client):
    assert client.post(reset_link, data={"password": "password1"}).status_code == 422
    assert client.post(reset_link, data={"password": NEW}).status_code == 303


def test_a_reset_link_is_good_for_an_hour(reset_link, client, later):
    with later(minutes=59):
        assert client.get(reset_link).status_code == 200
    with later(minutes=61):
        assert client.get(reset_link).status_code == 410
        assert client.post(reset_link, data={"password": NEW}).status_code == 410


def test_the_second_link_replaces_the_first(reset_link, person, client, letters, link_in):
    client.post("/reset", data={"email": person.email})
    assert client.get(reset_link).status_code == 410
    assert client.get(link_in(letters()[-1])).status_code == 200


def test_links_are_stored_hashed(reset_link):
    assert reset_link.rpartition("/")[2] not in db.session.scalars(select(OneTimeLink.token_hash)).all()


def test_a_new_password_signs_every_browser_out(person, sign_in, client, letters, link_in):
    browser, _ = sign_in(person.email)
    client.post("/reset", data={"email": person.email})
    client.post(link_in(letters()[-1]), data={"password": NEW})
    assert not is_in(browser)
    assert letters()[-1].template == "accounts/mail/password-changed"


def test_a_disabled_person_gets_no_link_and_the_old_one_dies(reset_link, person, client, letters):
    with transaction():
        db.session.get(User, person.id).disabled_at = person.created_at
    before = len(letters())
    assert client.get(reset_link).status_code == 410
    assert client.post("/reset", data={"email": person.email}).status_code == 200
    assert len(letters()) == before


def test_nobody_is_flooded_with_links(person, client, letters, throttled):
    answers = {client.post("/reset", data={"email": person.email}).status_code for _ in range(6)}
    assert (answers, len(letters())) == ({200}, 3)


def test_a_reset_link_is_no_invitation(reset_link, client):
    token = reset_link.rpartition("/")[2]
    assert client.get(f"/invitation/{token}").status_code == 410


def test_secret_pages_are_kept_by_nobody(reset_link, client):
    headers = client.get(reset_link).headers
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_an_invitation_lets_in_with_a_name_and_a_password(invitation_link, client, sign_in):
    page = client.get(invitation_link)
    assert (page.status_code, 'lang="pl"' in page.text) == (200, True)
    data = {"name": "Nela Nowak", "password": NEW, "locale": "pl", "time_zone": "Europe/Warsaw"}
    assert client.post(invitation_link, data=data).location == "/"
    assert is_in(client)
    user = service.find("new@example.org")
    assert (user.name, user.time_zone, user.role) == ("Nela Nowak", "Europe/Warsaw", Role.AGENT)
    assert client.post(invitation_link, data=data).status_code == 410


def test_an_invitation_is_good_for_three_days(invitation_link, client, later):
    with later(hours=71):
        assert client.get(invitation_link).status_code == 200
    with later(hours=73):
        assert client.get(invitation_link).status_code == 410


def test_an_unknown_zone_or_language_is_refused(invitation_link, client):
    data = {"name": "N", "password": NEW, "locale": "xx", "time_zone": "Mars/Base"}
    assert client.post(invitation_link, data=data).status_code == 422


def test_a_taken_address_is_not_invited(admin, person):
    with pytest.raises(Invalid) as refused, transaction():
        service.invite(admin, "Nina@Example.org", name="Nina", role=Role.AGENT)
    assert "email" in refused.value.errors


def test_an_invitation_speaks_of_the_organisation(admin, letters):
    with transaction():
        user = service.invite(
            admin,
            "m@example.org",
            name="Maria",
            role=Role.PARTNER,
            locale="ru",
            organisation="Студия Краснова",
        )
    assert user.time_zone == "Europe/Oslo"
    assert (letters()[-1].locale, "Студия Краснова" in letters()[-1].text) == ("ru", True)


def test_of_two_who_use_a_link_at_once_one_gets_in(person):
    with transaction():
        secret = links.make(person, LinkPurpose.RESET)
    with transaction():
        links.use(secret, LinkPurpose.RESET)
    with pytest.raises(links.LinkGone), transaction():
        links.use(secret, LinkPurpose.RESET)


def test_the_old_password_opens_nothing_after_a_reset(reset_link, client, sign_in, person):
    client.post(reset_link, data={"password": NEW})
    assert sign_in(person.email, PASSWORD)[1].status_code == 422
