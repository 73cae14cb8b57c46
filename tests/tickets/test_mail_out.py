"""Messages that leave by mail, and the answers that come back."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.core.mail import MailMessage
from hub.core.mail.outgoing import MailState
from hub.notifications import digest
from hub.partners.models import Membership
from hub.tickets import mail_out, mail_tokens, service
from hub.tickets.models import Channel, Message, Ticket
from hub.tickets.models_mail import CopyState, MailCopy, Outcome

from ..factories import make_member
from .factories import an_id, make_ticket
from .mails import mail, receive


@pytest.fixture
def outbox(app, worker):
    """`outbox()` lets the worker work and returns what has left by mail, oldest first."""
    folder = app.extensions["hub.settings"].home / "outbox"
    for old in folder.glob("*.eml"):
        old.unlink()

    def read():
        for user_id in mail_out.waiting():
            with transaction():
                mail_out.send(user_id)
        worker()
        keys = db.session.scalars(select(MailMessage.key).order_by(MailMessage.id))
        return [message_from_bytes((folder / f"{key}.eml").read_bytes(), policy=default) for key in keys]

    return read


def answer(ticket, author, body="Try again, please.", **values) -> Message:
    with transaction():
        return service.reply(ticket, author, body, seen=99, client_id=an_id(), **values)


def text(letter) -> str:
    return letter.get_body(("plain",)).get_content()


def reply_to(letter, body="It works now.", sender="partner@example.org") -> bytes:
    """What a mail program makes of “Reply”."""
    references = f"{letter['References'] or ''} {letter['Message-ID']}".strip()
    return mail(
        sender=sender,
        body=f"{body}\n\nOn Mon, 2 Nov 2026 at 10:00, Agnes wrote:\n> Try again, please.\n",
        subject=f"Re: {letter['Subject']}",
        To=str(letter["Reply-To"]),
        In_Reply_To=str(letter["Message-ID"]),
        References=references,
    )


def test_an_answer_goes_by_mail_and_its_answer_comes_back(cast, outbox):
    ticket = make_ticket(cast.partner)
    answer(ticket, cast.agent)
    (letter,) = outbox()
    assert letter["To"].addresses[0].addr_spec == "partner@example.org"
    assert "Try again, please." in text(letter)
    assert "> Order 48213 is not in my earnings." in text(letter)
    assert letter["Auto-Submitted"] is None
    assert letter["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    report = receive(reply_to(letter))
    assert (report.outcome, report.ticket, report.message) == (Outcome.JOINED, ticket.number, 3)
    assert service.thread(ticket, cast.agent)[-1].body == "It works now."


def test_a_thread_holds_together_in_a_mail_program(cast, outbox):
    receive(mail(Message_ID="<first@example.org>"))
    ticket = db.session.scalars(select(Ticket)).one()
    answer(ticket, cast.agent)
    (first,) = outbox()
    assert (first["In-Reply-To"], first["References"]) == ("<first@example.org>", "<first@example.org>")
    answer(ticket, cast.agent, "And clear the cache.")
    second = outbox()[-1]
    assert second["References"].split() == ["<first@example.org>", first["Message-ID"]]
    assert second["Message-ID"] != first["Message-ID"]


def test_a_note_never_leaves(cast, outbox):
    ticket = make_ticket(cast.partner)
    with transaction():
        service.note(ticket, cast.agent, "MARKER-NOTE", client_id=an_id())
    assert outbox() == []
    answer(ticket, cast.agent)
    assert "MARKER-NOTE" not in outbox()[0].as_string()


def test_what_was_read_is_not_mailed_to_who_is_here(cast, outbox):
    ticket = make_ticket(cast.partner)
    with transaction():
        db.session.get(type(cast.partner), cast.partner.id).last_seen_at = clock.now()
    answer(ticket, cast.agent, "Seen")
    assert outbox() == []
    with transaction():
        service.mark_read(ticket, cast.partner, 2)
    answer(ticket, cast.agent, "First unseen")
    answer(ticket, cast.agent, "Second unseen")
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        (letter,) = outbox()
    head = text(letter).partition("Open the conversation")[0]
    assert "First unseen" in head
    assert "Second unseen" in head
    assert "Seen\n" not in head
    states = db.session.scalars(select(MailCopy.state).order_by(MailCopy.id))
    assert list(states) == [CopyState.READ, CopyState.SENT, CopyState.SENT]


def test_what_waits_in_several_tickets_is_one_mail_with_an_address_for_each(cast, outbox):
    with transaction():
        db.session.get(type(cast.partner), cast.partner.id).last_seen_at = clock.now()
    one, two, three = (make_ticket(cast.partner, subject) for subject in ("One", "Two", "Three"))
    answer(one, cast.agent, "To the first.")
    with clock.frozen(clock.now() + timedelta(minutes=3)):
        answer(two, cast.agent, "To the second.")
        answer(three, cast.agent, "Read meanwhile.")
        with transaction():
            service.mark_read(three, cast.partner, 2)
    with clock.frozen(clock.now() + timedelta(minutes=9)):
        (letter,) = outbox()
    said = text(letter)
    assert letter["Subject"] == "2 conversations have something new"
    assert ("To the first." in said, "To the second." in said, "Read meanwhile." in said) == (
        True,
        True,
        False,
    )
    assert "/notifications" in said
    # The mail is none of the threads': its answers go to the address below each of them.
    assert str(letter["Reply-To"]) == mail_tokens.inbox()
    addresses = re.findall(r"mailto:([^?\s)]+)\?", said)
    assert [mail_tokens.in_addresses([each]).ticket_id for each in addresses] == [one.id, two.id]
    back = mail(sender="partner@example.org", body="It works now.\n", subject="Re: Two", To=addresses[1])
    assert receive(back).ticket == two.number
    with clock.frozen(clock.now() + timedelta(minutes=20)):
        assert len(outbox()) == 1


def test_a_chat_waits_for_its_reader_even_when_they_have_gone(cast, outbox):
    ticket = make_ticket(cast.partner)
    answer(ticket, cast.agent, "Said just now.", channel=Channel.CHAT)
    assert outbox() == []
    answer(make_ticket(cast.partner), cast.agent)  # what is due takes nothing along that is not
    (letter,) = outbox()
    assert "Said just now." not in text(letter)
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        assert "Said just now." in text(outbox()[1])


def test_nothing_in_a_message_acts_on_what_stands_around_it(cast, outbox):
    bodies = ["Look:\n```\ncode", "~~~~\nx", "<div>\nx", "> [#{}\n]: https://evil.example", "- [a]: x\n  ```"]
    tickets = [make_ticket(cast.partner, f"About {n}") for n in range(len(bodies))]
    for ticket, body in zip(tickets, bodies, strict=True):
        answer(ticket, cast.agent, body.format(tickets[0].number))
    (letter,) = outbox()
    html = letter.get_body(("html",)).get_content()
    assert (html.count('href="mailto:'), html.count("<h2"), html.count("<pre")) == (5, 5, 2)
    assert 'href="https://evil' not in html
    assert "]: https://evil.example" in text(letter)


def test_who_wants_no_mail_gets_none_unless_they_write_by_mail(cast, outbox):
    with transaction():
        digest.choose_mail(cast.partner, False)
    ticket = make_ticket(cast.partner)
    answer(ticket, cast.agent)
    assert outbox() == []
    with transaction():
        digest.choose_mail(cast.partner, True)
    answer(ticket, cast.agent, channel=Channel.CHAT)
    with transaction():
        digest.choose_mail(cast.partner, False)  # before it was due
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        assert outbox() == []
    receive(mail())
    answer(db.session.scalars(select(Ticket).order_by(Ticket.id.desc())).first(), cast.agent)
    assert len(outbox()) == 1


def test_who_left_the_partner_gets_no_mail_any_more(cast, outbox):
    ticket = make_ticket(cast.partner)
    answer(ticket, cast.agent)
    with transaction() as session:
        session.query(Membership).filter_by(user_id=cast.partner.id).delete()
    assert outbox() == []


def test_colleagues_who_take_part_hear_of_each_other(cast, outbox):
    colleague = make_member(cast.acme, email="colleague@example.org")
    db.session.commit()
    ticket = make_ticket(cast.partner)
    answer(ticket, colleague, "I have it too.")
    assert [str(letter["To"]) for letter in outbox()] == ["Pat Partner <partner@example.org>"]


def test_a_reader_is_written_to_in_their_language(cast, outbox):
    with transaction():
        db.session.get(type(cast.partner), cast.partner.id).locale = "ru"
    with clock.frozen(datetime(2026, 11, 2, 9, tzinfo=UTC)):
        answer(make_ticket(cast.partner, subject="Комиссия"), cast.agent)
    (letter,) = outbox()
    assert letter["Content-Language"] == "ru"
    assert letter["Subject"].startswith("Re: Комиссия [#")
    assert "нояб." in text(letter)


def test_a_subject_with_line_ends_makes_no_header(cast, outbox):
    answer(make_ticket(cast.partner, subject="Hi\r\nBcc: x@y.example"), cast.agent)
    (letter,) = outbox()
    assert letter["Bcc"] is None


def test_two_workers_send_one_mail(cast, outbox):
    ticket = make_ticket(cast.partner)
    answer(ticket, cast.agent)
    (due,) = mail_out.waiting()
    for _ in range(2):
        with transaction():
            mail_out.send(due)
    assert len(outbox()) == 1


def test_two_help_desks_writing_to_each_other_end(cast, outbox):
    """Two members' addresses are programs that acknowledge whatever they get, and do not say what they are."""
    desk = make_member(cast.acme, email="desk@example.org", name="Other Desk")
    db.session.commit()
    ticket = make_ticket(cast.partner)
    answer(ticket, desk, "We take part.")
    answer(ticket, cast.agent)
    answered: set[str] = set()
    for number in range(200):
        fresh = [letter for letter in outbox() if letter["Message-ID"] not in answered]
        if not fresh:
            break
        for letter in fresh:
            answered.add(letter["Message-ID"])
            address = letter["To"].addresses[0].addr_spec
            receive(reply_to(letter, body=f"Your request {number}-{address} was received.", sender=address))
    assert 3 < len(answered) < 40
    assert db.session.get(Ticket, ticket.id, populate_existing=True).last_seq < 40
    assert db.session.scalars(select(MailMessage.state).distinct()).all() == [MailState.SENT]


def test_what_cannot_be_written_holds_up_no_other_mail(partner, other_partner, agent, outbox, monkeypatch):
    """A message that cannot be shown keeps its ticket back alone, and only what is due there."""
    bad, good = make_ticket(partner), make_ticket(partner)
    for ticket in (bad, good):
        answer(ticket, agent, "Due now.")
    answer(bad, agent, "Later.", channel=Channel.CHAT)
    formatted = mail_out._formatted

    def refuse(message):
        if message.ticket_id == bad.id:
            raise ValueError
        return formatted(message)

    monkeypatch.setattr(mail_out, "_formatted", refuse)
    jobs.run("tickets.mail_out")
    states = db.session.execute(select(MailCopy.ticket_id, MailCopy.state).order_by(MailCopy.id)).all()
    assert [tuple(each) for each in states] == [
        (bad.id, CopyState.REFUSED),
        (good.id, CopyState.SENT),
        (bad.id, CopyState.PENDING),
    ]
    with transaction() as session:
        session.query(MailCopy).delete()
        session.query(MailMessage).delete()
    # Of an address from before they were checked a mail cannot even be begun.
    for requester in (partner, other_partner):
        answer(make_ticket(requester), agent)
    with transaction():
        partner.email = "bad address"
    jobs.run("tickets.mail_out")
    assert [letter["To"].addresses[0].addr_spec for letter in outbox()] == [other_partner.email]
    assert mail_out.waiting() == []
    assert (
        db.session.scalar(select(MailCopy.state).where(MailCopy.user_id == partner.id)) is CopyState.REFUSED
    )
