"""The rules of a thread, at no door in particular."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql

from hub.accounts.models import User
from hub.core import clock, jobs
from hub.core.access import Role
from hub.core.clock import frozen
from hub.core.database import db, transaction
from hub.core.errors import Forbidden
from hub.core.settings import settings
from hub.notifications.models import Notification
from hub.tickets import history, service
from hub.tickets.errors import (
    EmptyMessage,
    MessageTooLong,
    NoPartner,
    NotOnTheTeam,
    TicketClosed,
    UnseenReply,
)
from hub.tickets.inbox import Asked, View, counts, tickets
from hub.tickets.models import Category, Message, Priority, Side, Status, Ticket, Visibility

from ..factories import make_user
from .factories import an_id, make_ticket


@pytest.fixture
def ticket(cast):
    return make_ticket(cast.partner)


def say(ticket, author, body="Try again, please.", seen=99, client_id=None) -> Message:
    with transaction():
        return service.reply(ticket, author, body, seen=seen, client_id=client_id or an_id())


def jot(ticket, author, body="He is close to Gold.") -> Message:
    with transaction():
        return service.note(ticket, author, body, client_id=an_id())


def move(ticket, actor, status) -> None:
    with transaction():
        service.set_status(ticket, actor, status)


def fresh(ticket) -> Ticket:
    return db.session.get(Ticket, ticket.id, populate_existing=True)


def told(user) -> list[str]:
    return list(
        db.session.scalars(
            select(Notification.kind).where(Notification.user_id == user.id).order_by(Notification.id)
        )
    )


def test_a_new_ticket_waits_for_the_team_and_all_of_it_hears(cast, ticket):
    assert (ticket.status, ticket.waiting_on, ticket.last_seq) == (Status.NEW, Side.TEAM, 1)
    assert ticket.partner_id == cast.acme.id
    assert told(cast.agent) == told(cast.manager) == ["ticket.opened"]
    assert told(cast.partner) == told(cast.other_partner) == []


def test_reply_hands_the_turn_to_the_partner(cast, ticket):
    say(ticket, cast.agent)
    assert ticket.waiting_on is Side.PARTNER
    assert ticket.first_replied_at is not None
    assert told(cast.partner) == ["ticket.reply"]
    say(ticket, cast.partner, "Thank you.")
    assert ticket.status is Status.OPEN


def test_who_answers_first_takes_the_ticket_and_alone_hears_the_answer(cast, ticket):
    say(ticket, cast.agent)
    assert ticket.assignee_id == cast.agent.id
    say(ticket, cast.partner, "Thank you.")
    assert told(cast.agent) == ["ticket.opened", "ticket.reply"]
    assert told(cast.manager) == ["ticket.opened"]


def test_a_second_message_of_the_partner_leaves_a_new_ticket_new(cast, ticket):
    say(ticket, cast.partner, "One more thing.")
    assert ticket.status is Status.NEW


def test_the_same_client_id_makes_no_twin(cast, ticket):
    first = say(ticket, cast.agent, client_id="retry-me-1")
    second = say(ticket, cast.agent, "Other words", client_id="retry-me-1")
    assert first.id == second.id
    assert ticket.last_seq == 2
    with transaction():
        again = service.open_ticket(cast.partner, "Twice", "Text", client_id="retry-me-2")
    with transaction():
        assert service.open_ticket(cast.partner, "Twice", "Text", client_id="retry-me-2").id == again.id


def test_an_answer_past_what_was_seen_is_held_back(cast, ticket):
    say(ticket, cast.agent)
    with pytest.raises(UnseenReply):
        say(ticket, cast.manager, seen=1)
    say(ticket, cast.manager, seen=2)
    say(ticket, cast.partner, "Wait, I found it myself.")
    with pytest.raises(UnseenReply):
        say(ticket, cast.manager, seen=3)
    jot(ticket, cast.agent, "Do not promise him the bonus.")
    with pytest.raises(UnseenReply):
        say(ticket, cast.manager, seen=4)
    say(ticket, cast.manager, seen=5)
    say(ticket, cast.manager, seen=5)  # one's own message is no news


def test_a_partner_is_never_held_back(cast, ticket):
    say(ticket, cast.agent)
    assert say(ticket, cast.partner, seen=0).seq == 3


def test_a_note_changes_nothing_the_partner_sees(cast, ticket):
    before = (ticket.status, ticket.preview, ticket.updated_at)
    jot(ticket, cast.agent, "SECRET-NOTE")
    assert (ticket.status, ticket.preview, ticket.updated_at) == before
    assert told(cast.partner) == []
    assert [m.seq for m in service.thread(ticket, cast.partner)] == [1]
    assert [m.seq for m in service.thread(ticket, cast.agent)] == [1, 2]


def test_a_stranger_sees_no_message(cast, ticket):
    assert service.thread(ticket, cast.other_partner) == []


def test_a_reply_reopens_what_is_settled(cast, ticket):
    say(ticket, cast.agent)
    move(ticket, cast.partner, Status.RESOLVED)
    say(ticket, cast.partner, "It came back.")
    assert (ticket.status, ticket.settled_at) == (Status.OPEN, None)
    move(ticket, cast.agent, Status.CLOSED)
    with pytest.raises(TicketClosed):
        say(ticket, cast.agent)
    say(ticket, cast.partner, "And again.")
    assert (ticket.status, ticket.settled_at) == (Status.OPEN, None)


def test_an_answer_to_what_is_long_closed_opens_a_ticket_that_follows(cast, ticket):
    move(ticket, cast.agent, Status.RESOLVED)
    days = settings.ticket_reopen_days
    with frozen(clock.now() + timedelta(days=days - 1)):
        jobs.run("tickets.close")
        assert fresh(ticket).status is Status.RESOLVED
    with frozen(clock.now() + timedelta(days=days, minutes=1)):
        jobs.run("tickets.close")
        assert fresh(ticket).status is Status.CLOSED
        with pytest.raises(TicketClosed):
            move(ticket, cast.partner, Status.OPEN)
        late = say(ticket, cast.partner, "It is back.", client_id="late-answer-1")
        assert say(ticket, cast.partner, "It is back.", client_id="late-answer-1").id == late.id
        more = say(ticket, cast.partner, "One more thing.")
    assert (late.ticket.follows_id, late.seq, late.ticket.status) == (ticket.id, 1, Status.NEW)
    assert (more.ticket_id, more.seq) == (late.ticket_id, 2)
    assert (fresh(ticket).status, ticket.last_seq) == (Status.CLOSED, 1)
    assert db.session.scalar(select(func.count()).select_from(Ticket)) == 2


def test_a_partner_may_resolve_and_reopen_but_nothing_else(cast, ticket):
    for status in (Status.CLOSED, Status.WAITING, Status.NEW):
        with pytest.raises(Forbidden):
            move(ticket, cast.partner, status)


@pytest.mark.parametrize(("body", "error"), [("  \n ", EmptyMessage), ("x" * 100_001, MessageTooLong)])
def test_bad_messages_leave_nothing_behind(cast, ticket, body, error):
    with pytest.raises(error):
        say(ticket, cast.agent, body)
    db.session.rollback()
    assert db.session.get(Ticket, ticket.id, populate_existing=True).last_seq == 1


def test_someone_without_a_partner_cannot_ask(app):
    with pytest.raises(NoPartner), transaction():
        service.open_ticket(make_user(), "Hello", "Text", client_id=an_id())


def test_only_the_team_gets_tickets(cast, ticket):
    with transaction():
        service.assign(ticket, cast.manager, cast.agent)
    assert told(cast.agent)[-1] == "ticket.assigned"
    for nobody in (cast.partner, make_user(Role.AGENT, disabled_at=ticket.created_at)):
        db.session.commit()
        with pytest.raises(NotOnTheTeam), transaction():
            service.assign(ticket, cast.manager, nobody)
    assert db.session.get(Ticket, ticket.id, populate_existing=True).assignee_id == cast.agent.id


def test_every_change_is_an_event(cast, ticket):
    with transaction():
        service.assign(ticket, cast.manager, cast.agent)
    with transaction():
        service.classify(ticket, cast.agent, priority=Priority.HIGH, category=Category.PAYOUT)
    move(ticket, cast.agent, Status.RESOLVED)
    assert [event.kind for event in service.events(ticket)] == [
        "opened",
        "assigned",
        "priority",
        "category",
        "status",
    ]


def test_reading_never_goes_back_and_is_seen_by_the_other_side_only(cast, ticket):
    say(ticket, cast.agent)
    for seq in (2, 1, 99):
        with transaction():
            service.mark_read(ticket, cast.partner, seq)
    assert service.seen_by_other_side(ticket, cast.agent) == 2
    assert service.seen_by_other_side(ticket, cast.partner) == 2  # the agent wrote it
    jot(ticket, cast.manager)
    assert service.seen_by_other_side(ticket, cast.agent) == 2


def test_a_draft_is_kept_until_it_is_sent(cast, ticket):
    with transaction():
        service.save_draft(ticket, cast.agent, Visibility.PUBLIC, "Half a thought")
        service.save_draft(ticket, cast.agent, Visibility.INTERNAL, "For us")
    assert service.drafts(ticket, cast.agent)[Visibility.PUBLIC].body == "Half a thought"
    assert service.drafts(ticket, cast.manager) == {}
    say(ticket, cast.agent)
    assert list(service.drafts(ticket, cast.agent)) == [Visibility.INTERNAL]


def test_views_hold_what_they_say(cast, ticket):
    taken, waiting = make_ticket(cast.partner), make_ticket(cast.other_partner)
    with transaction():
        service.assign(taken, cast.agent, cast.agent)
    say(waiting, cast.agent)
    held = {
        View.MINE: [taken],
        View.UNASSIGNED: [ticket],
        View.WAITING: [waiting],
        View.OVERDUE: [],
        View.LATER: [],
    }
    held[View.LIVE] = [waiting, taken, ticket]
    assert counts(cast.agent) == {view: len(those) for view, those in held.items()}
    for view, those in held.items():
        assert {t.id for t in tickets(Asked(view), cast.agent)} == {t.id for t in those}
    move(ticket, cast.agent, Status.CLOSED)
    assert len(tickets(Asked(View.LIVE), cast.agent)) == 2
    assert len(tickets(Asked(View.ALL), cast.agent)) == 3
    with frozen(clock.now() + timedelta(days=30)):
        assert [t.id for t in tickets(Asked(View.OVERDUE), cast.agent)] == [taken.id]
        assert counts(cast.agent)[View.OVERDUE] == 1


def test_numbers_have_no_gap_when_twenty_write_at_once(app, cast, ticket):
    number, authors = ticket.id, [cast.partner.id, cast.agent.id]

    def write(n):
        with app.app_context():
            with transaction() as session:
                author = session.get(User, authors[n % 2])
                service.reply(
                    session.get(Ticket, number), author, f"Message {n}", seen=99, client_id=f"thread-{n:04d}"
                )
            db.session.remove()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    assert sorted(db.session.scalars(select(Message.seq).where(Message.ticket_id == number))) == list(
        range(1, 22)
    )


@pytest.mark.once
def test_rows_that_point_to_a_ticket_need_not_wait_for_who_writes_in_it():
    # PostgreSQL checks a foreign key by FOR KEY SHARE, for which FOR UPDATE has to be over.
    assert str(history._to_lock(Role.PARTNER).compile(dialect=postgresql.dialect())).endswith(
        "FOR NO KEY UPDATE OF ticket"
    )
