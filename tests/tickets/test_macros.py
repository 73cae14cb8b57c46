"""Canned replies, what a composer offers, and one change to many tickets."""

import pytest
from sqlalchemy import select

from hub.core.database import db, transaction
from hub.notifications.models import Notification
from hub.tickets import bulk, service
from hub.tickets.errors import UnfilledVariable
from hub.tickets.models import BulkRun, Macro, Message, Outcome, Priority, Status, Ticket

from .factories import an_id, make_ticket


@pytest.fixture
def ticket(cast):
    return make_ticket(cast.partner)


def fresh(ticket) -> Ticket:
    return db.session.get(Ticket, ticket.id, populate_existing=True)


def a_macro(owner=None, **values) -> Macro:
    with transaction() as session:
        macro = Macro(
            **({"name": "Paid", "body": "Hi {{first_name}}, {{partner}} is paid. {{agent}}"} | values)
        )
        macro.owner_id = owner and owner.id
        session.add(macro)
    return macro


def test_a_macro_is_filled_in_and_does_what_belongs_to_it(cast, ticket, browse):
    macro = a_macro(actions={"status": "resolved", "priority": "high", "tag": "payout"})
    browser = browse(cast.agent)
    (offer,) = browser.get(f"/inbox/{ticket.number}/offer", query_string={"kind": "/", "q": "pa"}).json
    assert offer["text"] == "Hi Pat, Acme Media is paid. Agnes Agent"
    form = {"body": offer["text"], "seen": 1, "client_id": an_id(), "macro": macro.id}
    assert browser.post(f"/tickets/{ticket.number}/reply", data=form).status_code == 303
    now = fresh(ticket)
    assert (now.status, now.priority, now.tags, now.assignee_id) == (
        Status.RESOLVED,
        Priority.HIGH,
        ["payout"],
        cast.agent.id,
    )


def test_an_empty_place_holds_the_answer_back_at_every_door_of_the_team(cast, ticket, browse):
    a_macro(body="Your level is {{tier}}.")
    (offer,) = (
        browse(cast.agent).get(f"/inbox/{ticket.number}/offer", query_string={"kind": "/", "q": ""}).json
    )
    assert offer["text"] == "Your level is {{tier}}."
    with pytest.raises(UnfilledVariable), transaction():
        service.reply(ticket, cast.agent, offer["text"], seen=1, client_id=an_id())
    form = {"body": offer["text"], "seen": 1, "client_id": an_id()}
    answer = browse(cast.agent).post(f"/tickets/{ticket.number}/reply", data=form)
    assert answer.status_code == 422
    assert "tier" in answer.text
    assert db.session.scalars(select(Message).where(Message.ticket_id == ticket.id)).one().seq == 1
    with transaction():  # what a partner writes is theirs
        service.reply(ticket, cast.partner, "What does {{tier}} mean?", seen=1, client_id=an_id())


def test_ones_own_macro_is_nobody_elses_and_the_teams_is_changed_by_managers(cast, ticket, browse):
    own, team = a_macro(cast.agent, name="OWN-ONE"), a_macro(name="TEAM-ONE")
    others = browse(cast.manager)
    offered = others.get(f"/inbox/{ticket.number}/offer", query_string={"kind": "/", "q": ""}).json
    assert [each["label"] for each in offered] == ["TEAM-ONE"]
    assert others.get(f"/inbox/macros/{own.id}").status_code == 404
    assert browse(cast.agent).get(f"/inbox/macros/{team.id}").status_code == 403
    form = {"name": "TEAM-TWO", "body": "Text", "is_shared": "y"}
    assert others.post(f"/inbox/macros/{team.id}", data=form).status_code == 303
    assert db.session.get(Macro, team.id, populate_existing=True).name == "TEAM-TWO"
    # An agent cannot make one for everybody, nor use a stranger's by its number.
    browse(cast.agent).post("/inbox/macros", data=form | {"name": "SNEAKED"})
    assert db.session.scalars(select(Macro).where(Macro.name == "SNEAKED")).one().owner_id == cast.agent.id
    assert others.post(f"/inbox/macros/{team.id}", data={"remove": "y"}).status_code == 303


def test_colleagues_are_offered_and_a_note_that_names_one_reaches_them(cast, ticket, browse):
    (offer,) = (
        browse(cast.agent).get(f"/inbox/{ticket.number}/offer", query_string={"kind": "@", "q": "max"}).json
    )
    with transaction():
        service.note(ticket, cast.agent, f"{offer['text']}can we pay a bonus?", client_id=an_id())
    told = select(Notification.user_id).where(Notification.kind == "ticket.named")
    assert db.session.scalars(told).all() == [cast.manager.id]
    assert browse(cast.agent).get(f"/inbox/{ticket.number}/offer", query_string={"kind": "?"}).json == []


def test_one_change_to_many_is_shown_first_made_per_ticket_and_taken_back(cast, ticket, browse):
    second, merged, target = (make_ticket(cast.partner) for _ in range(3))
    with transaction():
        service.merge(merged, target, cast.agent)
        service.set_status(second, cast.agent, Status.RESOLVED)
    numbers = [ticket.number, second.number, merged.number]
    browser = browse(cast.agent)
    shown = browser.get("/inbox/bulk", query_string={"ticket": numbers, "change": "status:resolved"})
    assert shown.status_code == 200
    assert fresh(ticket).status is Status.NEW  # only shown
    answer = browser.post("/inbox/bulk", data={"ticket": numbers, "change": "status:resolved"})
    made = db.session.scalars(select(BulkRun)).one()
    assert answer.location == f"/inbox/bulk/{made.id}"
    assert [row.outcome for row in made.rows] == [Outcome.DONE, Outcome.SAME, Outcome.REFUSED]
    assert fresh(ticket).status is Status.RESOLVED
    assert browser.get(answer.location).status_code == 200
    assert browse(cast.manager).get(answer.location).status_code == 404
    assert browser.post(f"{answer.location}/undo").status_code == 303
    assert (fresh(ticket).status, fresh(second).status) == (Status.NEW, Status.RESOLVED)


def test_what_somebody_changed_since_is_not_taken_back(cast, ticket):
    other = make_ticket(cast.partner)
    with transaction():
        made = bulk.run([ticket, other], bulk.Change("priority", "urgent"), cast.agent)
    with transaction():
        service.classify(other, cast.manager, priority=Priority.LOW, category=other.category)
    with transaction():
        bulk.undo(made, cast.agent)
    assert (fresh(ticket).priority, fresh(other).priority) == (Priority.NORMAL, Priority.LOW)
    assert [row.outcome for row in made.rows] == [Outcome.UNDONE, Outcome.MOVED]


@pytest.mark.parametrize("change", ["", "status:nonsense", "priority", "assignee:x", "tag:", "colour:red"])
def test_nonsense_changes_nothing(cast, ticket, browse, change):
    answer = browse(cast.agent).post("/inbox/bulk", data={"ticket": ticket.number, "change": change})
    assert answer.status_code == 422
    assert db.session.scalars(select(BulkRun)).all() == []
