"""Administration: inviting, roles, shutting out, and who may not do what to whom."""

import threading

import pytest
from sqlalchemy import select

from hub.accounts import service
from hub.accounts.models import User
from hub.core import clock
from hub.core.access import Role
from hub.core.audit import AuditEvent
from hub.core.database import db, transaction

from ..factories import make_user
from .conftest import is_in
from .factories import make_person


@pytest.fixture
def office(browse, admin):
    """The admin's browser."""
    return browse(admin)


def fresh(user: User) -> User:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get(User, user.id)


def test_the_list_finds_by_name_address_role_and_state(office, cast, person):
    with transaction():
        make_user(Role.AGENT, name="Invited Ida", email="ida@example.org")
        make_person(Role.AGENT, name="Former Frank", disabled_at=clock.now())

    def found(query):
        page = office.get(f"/settings/users?{query}").text
        return {name for name in ("Nina Holm", "Invited Ida", "Former Frank", "Pat Partner") if name in page}

    assert found("q=holm") == {"Nina Holm"}
    assert found("q=IDA@example") == {"Invited Ida"}
    assert found("role=manager") == {"Nina Holm"}
    assert found("state=disabled") == {"Former Frank"}
    assert "Invited Ida" in found("state=invited")
    assert "Former Frank" not in found("state=active")
    assert found("q=%25") == set()
    assert found("role=king&state=odd&cursor=broken") == {
        "Nina Holm",
        "Invited Ida",
        "Former Frank",
        "Pat Partner",
    }


def test_the_list_pages_through_everybody_once(office):
    with transaction():
        for n in range(60):
            make_user(Role.PARTNER, name=f"Someone {n:02d}")
    url, seen = "/settings/users?q=someone", []
    while url:
        page = office.get(url).text
        seen += [n for n in range(60) if f"Someone {n:02d}" in page]
        url = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen == list(range(60))


def test_inviting_a_colleague(office, letters):
    data = {"email": "Lars@Example.org", "name": "Lars", "role": "agent", "locale": "uk"}
    assert office.post("/settings/users/invite", data=data).status_code == 303
    user = service.find("lars@example.org")
    assert (user.role, user.is_invited, letters()[-1].locale) == (Role.AGENT, True, "uk")


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nina@example.org"), ("email", "not an address"), ("role", "partner"), ("name", " ")],
)
def test_a_bad_invitation_changes_nothing(office, person, letters, field, value):
    data = {"email": "lars@example.org", "name": "Lars", "role": "agent", "locale": "en"} | {field: value}
    answer = office.post("/settings/users/invite", data=data)
    assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True)
    assert letters() == []
    assert service.find("lars@example.org") is None


def test_inviting_again_sends_another_link(office, admin, letters, link_in, client):
    with transaction():
        user = service.invite(admin, "new@example.org", name="New", role=Role.AGENT)
    office.post(f"/settings/users/{user.id}/invite-again")
    first, second = map(link_in, letters())
    assert [client.get(first).status_code, client.get(second).status_code] == [410, 200]


def test_who_is_in_is_not_invited_again(office, person, letters):
    office.post(f"/settings/users/{person.id}/invite-again")
    assert letters() == []


def test_disabling_ends_every_session_and_enabling_lets_in_again(office, person, browse, sign_in):
    theirs = browse(person)
    office.post(f"/settings/users/{person.id}/disable")
    assert not is_in(theirs)
    assert sign_in(person.email)[1].status_code == 422
    office.post(f"/settings/users/{person.id}/enable")
    assert not is_in(theirs)
    assert sign_in(person.email)[1].status_code == 303


def test_a_new_role_takes_effect_at_once(office, person, browse, sign_in):
    theirs = browse(person)
    office.post(f"/settings/users/{person.id}/role", data={"role": "admin"})
    assert not is_in(theirs)
    browser, _ = sign_in(person.email)
    assert browser.get("/settings/users").status_code == 200


def test_every_change_leaves_a_trace(office, person, admin):
    office.post(f"/settings/users/{person.id}/role", data={"role": "agent"})
    office.post(f"/settings/users/{person.id}/disable")
    events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [(e.actor_id, e.action, e.object, e.before, e.after) for e in events] == [
        (admin.id, "user.role_changed", f"user:{person.id}", "manager", "agent"),
        (admin.id, "user.disabled", f"user:{person.id}", None, None),
    ]


def test_nobody_disables_or_demotes_themselves(office, admin):
    office.post(f"/settings/users/{admin.id}/disable")
    page = office.post(f"/settings/users/{admin.id}/role", data={"role": "agent"}, follow_redirects=True)
    assert "Another admin has to do this for you." in page.text
    assert (fresh(admin).role, fresh(admin).is_active) == (Role.ADMIN, True)


def test_the_last_admin_stays(admin):
    with transaction():
        second = make_person(Role.ADMIN)
        service.disable(second, admin)
    with pytest.raises(service.LastAdmin), transaction():
        service.change_role(make_person(Role.ADMIN, disabled_at=clock.now()), second, Role.AGENT)
    with pytest.raises(service.LastAdmin), transaction():
        service.disable(make_person(Role.MANAGER), second)


def test_two_admins_cannot_take_each_others_place_at_once(app, admin):
    with transaction():
        second = make_person(Role.ADMIN)
    pairs, gate, outcomes = [(admin.id, second.id), (second.id, admin.id)], threading.Barrier(2), []

    def demote(actor, user):
        with app.app_context():
            gate.wait()
            try:
                with transaction() as session:
                    service.change_role(session.get(User, actor), session.get(User, user), Role.AGENT)
                outcomes.append("done")
            except service.LastAdmin:
                outcomes.append("refused")

    threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]
    db.session.rollback()
    assert len(db.session.scalars(select(User.id).where(User.role == Role.ADMIN)).all()) == 1


def test_people_of_a_partner_do_not_become_staff(office, partner, person):
    answer = office.post(f"/settings/users/{partner.id}/role", data={"role": "admin"}, follow_redirects=True)
    assert "People of a partner stay with the partner." in answer.text
    assert office.post(f"/settings/users/{person.id}/role", data={"role": "partner"}).status_code == 422
    assert (fresh(partner).role, fresh(person).role) == (Role.PARTNER, Role.MANAGER)


def test_signing_somebody_out_everywhere(office, person, browse):
    theirs = browse(person)
    office.post(f"/settings/users/{person.id}/end-sessions")
    assert not is_in(theirs)


def test_helping_somebody_who_lost_the_second_factor(office, person, browse, sign_in, letters):
    with transaction():
        db.session.get(User, person.id).totp_secret = "JBSWY3DPEHPK3PXP"
    office.post(f"/settings/users/{person.id}/second-factor")
    assert fresh(person).totp_secret is None
    assert letters()[-1].template == "accounts/mail/second-factor-off"


def test_roles_ask_for_the_password_after_a_while(office, person, admin, later):
    with later(minutes=16):
        answer = office.post(
            f"/settings/users/{person.id}/role",
            data={"role": "agent"},
            headers={"Referer": f"http://localhost/settings/users/{person.id}"},
        )
        assert answer.location == f"/confirm?next=/settings/users/{person.id}"
        assert fresh(person).role == Role.MANAGER
        assert office.post("/confirm", data={"password": "wrong"}).status_code == 422


def test_the_password_opens_what_it_was_asked_for(browse, person, later):
    with transaction():
        db.session.get(User, person.id).role = Role.ADMIN
    browser = browse(person)
    with later(minutes=16):
        answer = browser.get("/settings/users/invite")
        assert answer.location == "/confirm?next=/settings/users/invite"
        answer = browser.post(answer.location, data={"password": "heather on the hill"})
        assert answer.location == "/settings/users/invite"
        assert browser.get("/settings/users/invite").status_code == 200


def test_a_referrer_from_elsewhere_is_not_followed(office, person, later):
    with later(minutes=16):
        answer = office.post(
            f"/settings/users/{person.id}/disable", headers={"Referer": "https://evil.example/x"}
        )
        assert answer.location == "/confirm?next=/"
