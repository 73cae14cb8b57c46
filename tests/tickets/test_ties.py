"""Following, linking, and the timeline that tells of all of it."""

from sqlalchemy import select

from hub.core.database import db, transaction
from hub.notifications.models import Notification
from hub.tickets import service, ties
from hub.tickets.models import Priority, Status

from .factories import an_id, make_ticket


def told(user) -> list[str]:
    """What the bell has of tickets for somebody, and takes it away."""
    found = db.session.scalars(
        select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
    ).all()
    kinds = [each.kind for each in found]
    with transaction() as session:
        session.execute(db.delete(Notification))
    return kinds


def test_who_follows_hears_of_every_message_whoever_has_the_ticket(cast, browse):
    ticket = make_ticket(cast.partner)
    with transaction():
        service.assign(ticket, cast.agent, cast.agent)
    manager = browse(cast.manager)
    assert manager.post(f"/inbox/{ticket.number}/follow").status_code == 303
    assert cast.manager.name in manager.get(f"/inbox/{ticket.number}/context").text
    told(cast.manager)
    for speak in (
        lambda: service.reply(ticket, cast.partner, "Well?", seen=1, client_id=an_id()),
        lambda: service.reply(ticket, cast.agent, "Soon.", seen=9, client_id=an_id()),
        lambda: service.note(ticket, cast.agent, "Ask the bank.", client_id=an_id()),
    ):
        with transaction():
            speak()
        assert len(told(cast.manager)) == 1
    other = make_ticket(cast.partner)
    with transaction():
        service.merge(ticket, other, cast.agent)
    assert [each.id for each in ties.followers(other)] == [cast.manager.id]
    manager.post(f"/inbox/{other.number}/follow")
    told(cast.manager)
    with transaction():
        service.assign(other, cast.agent, cast.agent)
        service.reply(other, cast.partner, "And?", seen=9, client_id=an_id())
    assert told(cast.manager) == []


def test_two_tickets_are_linked_once_seen_from_both_and_parted(cast, browse):
    one, two = make_ticket(cast.partner, "Payout"), make_ticket(cast.other_partner, "Bank")
    agent = browse(cast.agent)
    for here, there in ((one, two), (two, one)):
        assert agent.post(f"/inbox/{here.number}/ties", data={"other": there.number}).status_code == 303
    assert ties.around(one).tied == [two.id]
    assert "Bank" in agent.get(f"/inbox/{one.number}/context").text
    assert "Payout" in agent.get(f"/inbox/{two.number}/context").text
    # Nothing of it reaches a partner: the other ticket is another partner's.
    assert str(two.number) not in browse(cast.partner).get(f"/tickets/{one.number}").text
    agent.post(f"/inbox/{one.number}/ties", data={"other": two.number, "part": "y"})
    assert ties.around(two).tied == []
    for wrong in (one.number, 999_999):
        agent.post(f"/inbox/{one.number}/ties", data={"other": wrong})
    assert ties.around(one).tied == []


def test_the_timeline_leaves_nothing_out(cast, browse):
    ticket = make_ticket(cast.partner)
    with transaction():
        service.classify(ticket, cast.agent, priority=Priority.HIGH, category=ticket.category)
        service.set_tags(ticket, cast.agent, ["bank"])
        service.reply(ticket, cast.agent, "Paid.", seen=1, client_id=an_id())
        service.set_status(ticket, cast.agent, Status.RESOLVED)
    page = browse(cast.agent).get(f"/inbox/{ticket.number}/timeline").text
    said = (
        "opened the ticket",
        "set the priority to “High”",
        "set the tags: bank",
        "took the ticket",
        "“Waiting”",
        "“Resolved”",
        "First answer",
        "18 hr",
    )
    assert [each for each in said if each not in page] == []
