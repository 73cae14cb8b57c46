"""After sleep, a restart, a lost line: everything that changed comes, not new messages alone."""

from datetime import timedelta

import pytest

from hub.core import clock
from hub.core.database import db, transaction
from hub.tickets import service
from hub.tickets.catching_up import since
from hub.tickets.errors import NotToBeChanged, TicketClosed, TooManyMessages
from hub.tickets.messages import MOST_A_MINUTE
from hub.tickets.models import Channel, Message, Status, Visibility

from .factories import an_id, make_ticket


@pytest.fixture
def ticket(cast):
    return make_ticket(cast.partner)


def say(ticket, author, body="Try again, please.", **more):
    with transaction():
        return service.reply(ticket, author, body, seen=99, client_id=an_id(), **more)


def change(message, editor, body):
    with transaction():
        service.edit(message, editor, body)


def test_catching_up_covers_status_assignment_read_marks_and_new_words(cast, ticket):
    first = say(ticket, cast.agent, "Frist")
    here = since(ticket, cast.partner, after=2)
    change(first, cast.agent, "First")
    with transaction():
        service.mark_read(ticket, cast.manager, 2)
        service.assign(ticket, cast.manager, cast.manager)
    with transaction():
        service.set_status(ticket, cast.manager, Status.RESOLVED)
    missed = since(ticket, cast.partner, after=2, event=here["state"]["event"])
    assert missed["messages"] == []
    assert [(m["seq"], m["body"]) for m in missed["edited"]] == [(2, "First")]
    assert missed["edited"][0]["edited_at"] is not None
    assert (missed["state"]["status"], missed["state"]["assignee"]) == ("resolved", cast.manager.name)
    assert {"user": cast.manager.id, "seq": 2, "team": True} in missed["state"]["read"]
    later = since(ticket, cast.partner, after=2, event=missed["state"]["event"])
    assert later["edited"] == []


def test_who_knows_no_events_gets_every_message_with_new_words(cast, ticket):
    change(say(ticket, cast.agent, "Frist"), cast.agent, "First")
    assert [m["body"] for m in since(ticket, cast.partner, after=2)["edited"]] == ["First"]
    fresh = since(ticket, cast.partner, after=0)
    assert ([m["body"] for m in fresh["messages"]][1], fresh["edited"]) == ("First", [])


def test_a_changed_note_stays_with_the_team(cast, ticket):
    with transaction():
        note = service.note(ticket, cast.agent, "Old", client_id=an_id())
    change(note, cast.agent, "MARKER-NOTE")
    assert "MARKER-NOTE" not in str(since(ticket, cast.partner, after=9))
    assert "MARKER-NOTE" in str(since(ticket, cast.agent, after=9))


def test_only_its_author_changes_a_message_and_only_for_a_while(cast, ticket):
    message = say(ticket, cast.agent)
    for other in (cast.manager, cast.partner):
        with pytest.raises(NotToBeChanged):
            change(message, other, "Other words")
    with clock.frozen(clock.now() + timedelta(minutes=16)), pytest.raises(NotToBeChanged):
        change(message, cast.agent, "Too late")
    mailed = say(ticket, cast.partner, channel=Channel.MAIL)
    with pytest.raises(NotToBeChanged):
        change(mailed, cast.partner, "It is in a mailbox")
    with transaction():
        service.set_status(ticket, cast.agent, Status.CLOSED)
    with pytest.raises(TicketClosed):
        change(message, cast.agent, "Closed")


def test_the_old_words_stay_in_the_history(cast, ticket):
    message = say(ticket, cast.agent, "Before")
    change(message, cast.agent, "After")
    change(message, cast.agent, "After")
    told = [event.data for event in service.events(ticket) if event.kind == "edited"]
    assert told == [{"seq": 2, "before": "Before"}]
    assert ticket.preview == "After"


def test_an_open_page_gets_the_new_words_in_place_of_the_old(browse, cast, ticket):
    with transaction():
        message = service.thread(ticket, cast.partner)[0]
        service.edit(message, cast.partner, "NEW WORDS")
    url = f"/tickets/{ticket.number}/messages?after=1&event=0"
    part = browse(cast.agent).get(url).text
    assert 'data-seq="1"' in part
    assert "data-changed" in part
    assert "NEW WORDS" in part
    assert "NEW WORDS" not in browse(cast.agent).get(url.replace("event=0", f"event={2**31 - 1}")).text


def test_changing_through_the_page(browse, cast, ticket):
    url = f"/tickets/{ticket.number}/messages/1"
    assert browse(cast.partner).post(url, data={"body": "Better"}).status_code == 303
    assert "Better" in browse(cast.partner).get(f"/tickets/{ticket.number}").text
    assert browse(cast.agent).post(url, data={"body": "Worse"}).status_code == 409
    refused = browse(cast.partner).post(url, data={"body": " "}, headers={"Accept": "application/json"})
    assert (refused.status_code, "error" in refused.json) == (422, True)


def test_a_flood_from_a_partner_is_stopped_with_a_reason_and_the_draft_kept(app, cast, ticket):
    app.extensions["hub.settings"].rate_limits = "on"
    try:
        with transaction():
            service.save_draft(ticket, cast.partner, Visibility.PUBLIC, "One more")
        with transaction() as session:
            for seq in range(2, MOST_A_MINUTE + 1):
                session.add(
                    Message(
                        ticket_id=ticket.id, seq=seq, author_id=cast.partner.id, body="!", client_id=an_id()
                    )
                )
            session.get(type(ticket), ticket.id).last_seq = MOST_A_MINUTE
        with pytest.raises(TooManyMessages):
            say(ticket, cast.partner, "One more")
        db.session.rollback()
        assert service.drafts(ticket, cast.partner)[Visibility.PUBLIC].body == "One more"
        say(ticket, cast.agent, "The team is never stopped")
        with clock.frozen(clock.now() + timedelta(minutes=2)):
            say(ticket, cast.partner, "One more")
    finally:
        app.extensions["hub.settings"].rate_limits = "off"
