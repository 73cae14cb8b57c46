"""An active partner keeps at least one owner, also when all of them leave at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from hub.accounts.models import User
from hub.accounts.service import AddressTaken
from hub.core.database import db, transaction
from hub.core.extensions import socketio
from hub.partners import members
from hub.partners.models import MemberRole, Membership

from ..factories import make_member
from ..tickets.factories import make_ticket
from .factories import make_colleague

THREADS = 20


def owners(partner):
    statement = select(func.count()).where(
        Membership.partner_id == partner.id, Membership.role == MemberRole.OWNER
    )
    return db.session.scalar(statement)


def owner_of(partner):
    db.session.refresh(partner)
    return partner.memberships[0]


@pytest.mark.parametrize("step", ["remove", "demote"])
def test_twenty_owners_leaving_at_once_leave_one(app, cast, step):
    for _ in range(THREADS - 1):
        make_member(cast.acme)
    db.session.commit()
    ids = list(db.session.scalars(select(Membership.id).where(Membership.partner_id == cast.acme.id)))
    manager_id, start = cast.manager.id, Barrier(THREADS)

    def leave(id):
        with app.app_context():
            start.wait()
            try:
                with transaction() as session:
                    membership = session.get(Membership, id)
                    manager = session.get(User, manager_id)
                    if step == "remove":
                        members.remove(membership, manager)
                    else:
                        members.set_role(membership, MemberRole.MEMBER, manager)
            except members.LastOwner:
                return "stays"
            finally:
                db.session.remove()
            return "left"

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(leave, ids))
    assert sorted(answers) == ["left"] * (THREADS - 1) + ["stays"]
    db.session.rollback()
    assert owners(cast.acme) == 1


def test_the_only_owner_cannot_be_removed_or_made_a_member(cast, manager):
    membership = owner_of(cast.acme)
    with pytest.raises(members.LastOwner), transaction():
        members.remove(membership, manager)
    with pytest.raises(members.LastOwner), transaction():
        members.set_role(membership, MemberRole.MEMBER, manager)
    assert owners(cast.acme) == 1


def test_who_is_removed_is_shut_out(cast, partner):
    colleague = make_colleague(cast.acme)
    db.session.commit()
    with transaction():
        members.remove(colleague, partner)
    assert not colleague.user.is_active


def test_who_leaves_hears_its_conversations_no_more(app, cast, browse):
    make_member(cast.acme)
    db.session.commit()
    ticket, client = make_ticket(cast.partner), browse(cast.partner)
    page = socketio.test_client(app, flask_test_client=client)
    assert page.emit("join", {"ticket": ticket.number, "after": 0}, callback=True)["ok"]
    with transaction():
        members.remove(owner_of(cast.acme), cast.partner)
    assert cast.partner.is_active
    assert not page.is_connected()
    page = socketio.test_client(app, flask_test_client=client)  # as the page does by itself
    assert page.is_connected()
    assert not page.emit("join", {"ticket": ticket.number, "after": 0}, callback=True)["ok"]


def test_an_owner_invites_a_colleague_and_a_member_may_not(cast, partner, browse):
    data = {"name": "Mia Member", "email": "mia@example.org", "role": "member"}
    browse(partner).post("/partners/ACME/members", data=data)
    db.session.refresh(cast.acme)
    mia = cast.acme.memberships[-1].user
    assert (mia.email, mia.is_invited) == ("mia@example.org", True)
    with transaction():
        mia.password_hash = "something"
    refused = browse(mia).post("/partners/ACME/members", data=data | {"email": "new@example.org"})
    assert refused.status_code == 403


def test_an_address_that_is_taken_is_told(cast, partner, browse):
    with pytest.raises(AddressTaken), transaction():
        members.invite(cast.acme, partner, email="OTHER@example.org", name="Otto")
    data = {"name": "Otto", "email": "other@example.org", "role": "member"}
    answer = browse(partner).post("/partners/ACME/members", data=data)
    assert answer.status_code == 422
    assert "is here already" in answer.text
