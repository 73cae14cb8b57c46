"""What becomes of a mail."""

import json
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import func, select

from hub.core import clock, storage
from hub.core import mail as core_mail
from hub.core.database import db, transaction
from hub.notifications.models import Notification
from hub.partners.models import Membership
from hub.tickets import mail_in, service
from hub.tickets.mail_tokens import Token, reply_address
from hub.tickets.models import Attachment, Channel, Message, Status, Ticket, TicketEvent
from hub.tickets.models_mail import Door, InboundMail, Outcome

from ..factories import make_member, make_user
from .factories import an_id, make_ticket
from .mails import mail, receive


@pytest.fixture
def ticket(cast):
    """Acme's ticket, which an agent has answered."""
    ticket = make_ticket(cast.partner)
    with transaction():
        service.reply(ticket, cast.agent, "Try again, please.", seen=1, client_id=an_id())
    return ticket


def token_of(ticket, user, seq=2) -> Token:
    return Token(ticket.id, user.id, seq)


def an_answer(ticket, user, **values) -> bytes:
    """What the mail program of `user` sends when they answer the copy they got."""
    ids = {"In_Reply_To": f"<{token_of(ticket, user)}@nordbill.example>"}
    return mail(
        **({"sender": user.email, "subject": "Re: Commission", "body": "It works now."} | ids | values)
    )


def last(ticket) -> Message:
    return db.session.scalars(
        select(Message).where(Message.ticket_id == ticket.id).order_by(Message.seq.desc()).limit(1)
    ).one()


def fresh(ticket) -> Ticket:
    return db.session.get_one(Ticket, ticket.id, populate_existing=True)


def state_of(ticket) -> tuple[object, ...]:
    now = fresh(ticket)
    return now.status, now.last_seq, now.updated_at, now.first_replied_at, now.resolved_at, now.preview


def row() -> InboundMail:
    return db.session.scalars(select(InboundMail).order_by(InboundMail.id.desc()).limit(1)).one()


# --- A new ticket ----------------------------------------------------------------


def test_a_members_mail_opens_a_ticket(cast):
    report = receive(mail(subject="Re: Missing sale", body="Order 4711 is missing."))
    ticket = db.session.scalars(select(Ticket)).one()
    assert report.as_json() == {"outcome": "created", "ticket": ticket.number, "message": 1, "reason": ""}
    assert (ticket.subject, ticket.channel, ticket.status) == ("Missing sale", Channel.MAIL, Status.NEW)
    assert (ticket.partner_id, ticket.requester_id) == (cast.acme.id, cast.partner.id)
    assert ticket.preview == "Order 4711 is missing."


def test_the_senders_case_does_not_matter(cast):
    assert receive(mail(sender="Pat <PARTNER@Example.ORG>")).outcome is Outcome.CREATED


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("nobody@elsewhere.example", "unknown_sender"),
        ("agent@example.org", "from_team"),
        ("", "no_sender"),
        ("eve@elsewhere.example, partner@example.org", "several_senders"),
    ],
)
def test_who_cannot_ask_is_parked(cast, sender, reason):
    report = receive(mail(sender=sender or None))
    assert report.as_json() == {"outcome": "parked", "ticket": None, "message": None, "reason": reason}
    assert db.session.scalar(select(func.count(Ticket.id))) == 0


def test_disabled_people_and_people_without_a_partner_are_parked(cast):
    make_user(email="loose@example.org")
    make_member(cast.acme, email="gone@example.org", disabled_at=clock.now())
    db.session.commit()
    assert receive(mail(sender="loose@example.org")).reason == "no_partner"
    assert receive(mail(sender="gone@example.org")).reason == "disabled"


def test_a_mail_that_its_server_calls_forged_is_parked(cast):
    verdict = "mx.nordbill.example; spf=fail; dkim=none; dmarc=fail header.from=example.org"
    assert receive(mail(Authentication_Results=verdict)).reason == "forged"


def test_a_mail_with_a_subject_alone_says_its_subject(cast):
    receive(mail(subject="Call me back", body="\n"))
    assert db.session.scalars(select(Message.body)).one() == "Call me back"


def test_a_mail_with_nothing_in_it_is_parked(cast):
    assert receive(mail(subject="", body="\n")).reason == "empty"


# --- Joining ---------------------------------------------------------------------


def test_an_answer_to_our_mail_joins_its_thread(cast, ticket):
    report = receive(an_answer(ticket, cast.partner))
    assert report.as_json() == {"outcome": "joined", "ticket": ticket.number, "message": 3, "reason": ""}
    message = last(ticket)
    assert (message.author_id, message.channel, message.body) == (
        cast.partner.id,
        Channel.MAIL,
        "It works now.",
    )
    assert fresh(ticket).status is Status.OPEN


def test_the_signed_address_joins_when_the_ids_are_lost(cast, ticket):
    to = reply_address(token_of(ticket, cast.partner)).upper()
    assert receive(mail(To=to)).outcome is Outcome.JOINED


def test_a_stranger_with_a_signed_id_speaks_for_whose_copy_it_was(cast, ticket):
    report = receive(an_answer(ticket, cast.partner, sender="pat.private@mail.example"))
    assert (report.outcome, report.reason) == (Outcome.JOINED, "other_address")
    assert last(ticket).author_id == cast.partner.id


def test_a_colleague_may_answer_a_forwarded_copy_in_their_own_name(cast, ticket):
    colleague = make_member(cast.acme, email="colleague@example.org")
    db.session.commit()
    receive(an_answer(ticket, cast.partner, sender="colleague@example.org"))
    assert last(ticket).author_id == colleague.id


def test_a_member_joins_by_the_references_of_a_mail_in_the_thread(cast):
    first = receive(mail(Message_ID="<first@example.org>"))
    second = receive(mail(References="<x@y.example> <first@example.org>", body="One more thing."))
    assert (second.outcome, second.ticket) == (Outcome.JOINED, first.ticket)


def test_strangers_do_not_join_by_references(cast):
    receive(mail(Message_ID="<first@example.org>"))
    report = receive(mail(sender="stranger@elsewhere.example", In_Reply_To="<first@example.org>"))
    assert report.reason == "unknown_sender"


def test_another_partner_never_comes_into_the_thread(cast, ticket):
    answer = an_answer(ticket, cast.partner, sender="other@example.org", body="MARKER-OTHER")
    report = receive(answer)
    assert (report.outcome, report.reason) == (Outcome.CREATED, "foreign_thread")
    assert report.ticket != ticket.number
    assert "MARKER-OTHER" not in [message.body for message in service.thread(ticket, cast.partner)]
    opened = db.session.scalars(select(Ticket).where(Ticket.number == report.ticket)).one()
    assert opened.partner_id == cast.other_org.id


def test_nobody_speaks_as_the_team_by_mail(cast, ticket):
    assert receive(an_answer(ticket, cast.partner, sender="agent@example.org")).reason == "from_team"
    assert fresh(ticket).last_seq == 2


def test_who_left_the_partner_joins_no_more(cast, ticket):
    leaver = make_member(cast.acme, email="leaver@example.org")
    db.session.commit()
    with transaction() as session:
        session.query(Membership).filter_by(user_id=leaver.id).delete()
    assert receive(an_answer(ticket, leaver, sender="leaver.private@mail.example")).reason == "unknown_sender"
    assert receive(an_answer(ticket, leaver)).reason == "no_partner"


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1] + ("a" if t[-1] != "a" else "b"), lambda t: t.replace("t", "t1", 1)]
)
def test_a_changed_signature_proves_nothing(cast, ticket, spoil):
    forged = spoil(str(token_of(ticket, cast.partner)))
    report = receive(mail(sender="stranger@elsewhere.example", In_Reply_To=f"<{forged}@nordbill.example>"))
    assert report.reason == "unknown_sender"
    assert fresh(ticket).last_seq == 2


@pytest.mark.parametrize("subject", ["Re: Commission [#{}]", "№ {}", "Re: ticket #{}"])
def test_a_number_in_the_subject_proves_nothing_and_is_flagged(cast, ticket, subject):
    report = receive(mail(subject=subject.format(ticket.number)))
    assert (report.outcome, report.reason) == (Outcome.CREATED, "number_only")
    assert report.ticket != ticket.number
    opened = db.session.scalars(select(Ticket).where(Ticket.number == report.ticket)).one()
    flag = db.session.scalars(select(TicketEvent).where(TicketEvent.kind == "mail_number")).one()
    assert (flag.ticket_id, flag.data) == (opened.id, {"number": ticket.number})


def test_an_answer_to_a_merged_ticket_arrives_where_that_goes_on(cast, ticket):
    target = make_ticket(cast.partner, subject="The same matter")
    with transaction():
        service.merge(ticket, target, cast.agent)
    report = receive(an_answer(ticket, cast.partner))
    assert (report.outcome, report.ticket) == (Outcome.JOINED, target.number)
    assert last(target).body == "It works now."


# --- Settled tickets ---------------------------------------------------------------


def test_an_answer_opens_again_what_was_resolved(cast, ticket):
    with transaction():
        service.set_status(ticket, cast.agent, Status.RESOLVED)
    assert receive(an_answer(ticket, cast.partner)).outcome is Outcome.JOINED
    assert fresh(ticket).status is Status.OPEN


def test_a_late_answer_opens_the_ticket_that_follows(cast, ticket):
    with transaction():
        service.set_status(ticket, cast.agent, Status.CLOSED)
    assert receive(an_answer(ticket, cast.partner, body="Soon after")).outcome is Outcome.JOINED
    with transaction():
        service.set_status(ticket, cast.agent, Status.CLOSED)
    with clock.frozen(clock.now() + timedelta(days=15)):
        report = receive(an_answer(ticket, cast.partner, body="Much later"))
    assert (report.outcome, report.reason, report.message) == (Outcome.CREATED, "follow_up", 1)
    following = db.session.scalars(select(Ticket).where(Ticket.number == report.ticket)).one()
    assert following.follows_id == ticket.id
    assert fresh(ticket).status is Status.CLOSED


# --- What programs write -------------------------------------------------------------

PROGRAMS = {
    "rfc 3834": {"Auto-Submitted": "auto-replied"},
    "exchange": {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "X-MS-Exchange-Generated-Message-Source": "Mailbox Rules Agent",
    },
    "exchange, its subject alone": {"Subject": "Automatic reply: Commission"},
    "gmail": {"Precedence": "bulk", "X-Autoreply": "yes", "Auto-Submitted": "auto-replied"},
    "yandex": {"X-Autoreply": "YES", "Precedence": "auto_reply"},
    "in russian": {"Subject": "Автоответ: я в отпуске"},
    "in ukrainian": {"Subject": "Автоматична відповідь: відпустка"},
    "in polish": {"Subject": "Odpowiedź automatyczna: urlop"},
    "empty path": {"Return-Path": "<>"},
    "a list": {"List-Id": "<news.elsewhere.example>", "Precedence": "list"},
}


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("headers", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_automatic_replies_change_nothing(cast, ticket, headers, settled):
    if settled:
        with transaction():
            service.set_status(ticket, cast.agent, Status.RESOLVED)
    before = state_of(ticket)
    notified = db.session.scalar(select(func.count(Notification.id)))
    extra = {name.replace("-", "_"): value for name, value in headers.items() if name != "Subject"}
    report = receive(
        an_answer(ticket, cast.partner, subject=headers.get("Subject", "Re: Commission"), **extra)
    )
    assert (report.outcome, report.ticket, report.message) == (Outcome.STORED, ticket.number, None)
    assert state_of(ticket) == before
    assert db.session.scalar(select(func.count(Notification.id))) == notified
    assert db.session.scalar(select(func.count(InboundMail.id))) == 1
    assert [event.kind for event in service.events(ticket)][-1] == "mail_automatic"


def test_an_automatic_mail_opens_no_ticket(cast):
    assert receive(mail(Auto_Submitted="auto-replied")).outcome is Outcome.STORED
    assert db.session.scalar(select(func.count(Ticket.id))) == 0


def test_who_writes_through_a_group_address_of_ours_is_a_person(cast):
    group = {"List_Id": "<partners.nordbill.example>", "Precedence": "list"}
    assert receive(mail(**group)).outcome is Outcome.CREATED


def a_bounce(original: str) -> bytes:
    return "\r\n".join(
        [
            "Return-Path: <>",
            "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>",
            "To: partners@nordbill.example",
            "Subject: Undelivered Mail Returned to Sender",
            "Message-ID: <bounce1@mx.example.org>",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "MIME-Version: 1.0",
            "",
            "--b",
            "Content-Type: text/plain",
            "",
            "I am sorry.",
            "--b",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.example.org",
            "",
            "Final-Recipient: rfc822; partner@example.org",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 No such user",
            "",
            "--b",
            "Content-Type: text/rfc822-headers",
            "",
            f"Message-ID: <{original}@nordbill.example>",
            "Subject: Re: Commission",
            "",
            "--b--",
            "",
        ]
    ).encode()


def test_a_bounce_is_told_to_the_team_and_changes_nothing(cast, ticket):
    before = state_of(ticket)
    report = receive(a_bounce(str(token_of(ticket, cast.partner))))
    assert (report.outcome, report.reason, report.ticket) == (Outcome.STORED, "bounce", ticket.number)
    assert state_of(ticket) == before
    event = service.events(ticket)[-1]
    assert (event.kind, event.data["address"], event.data["why"]) == (
        "mail_undelivered",
        "partner@example.org",
        "550 5.1.1 No such user",
    )


# --- Once, and never for ever ----------------------------------------------------------


def test_the_same_mail_is_stored_once(cast):
    raw = mail()
    first, again = receive(raw), receive(raw)
    assert (again.outcome, again.ticket, again.message) == (Outcome.DUPLICATE, first.ticket, 1)
    assert db.session.scalar(select(func.count(InboundMail.id))) == 1


def test_the_same_mail_by_another_way_is_stored_once(cast):
    raw = mail()
    first = receive(raw)
    again = receive(
        b"Received: from a by b; Mon, 2 Nov 2026 10:00:01 +0100\r\nDelivered-To: x@y.example\r\n" + raw
    )
    assert (again.outcome, again.ticket) == (Outcome.DUPLICATE, first.ticket)
    assert db.session.scalar(select(func.count(InboundMail.id))) == 1


def test_one_message_id_for_different_mails_loses_none(cast):
    for words in ("The first", "The second"):
        assert receive(mail(body=words, Message_ID="<same@broken.example>")).outcome is Outcome.CREATED


def test_the_raw_mail_is_kept_as_it_came(cast):
    raw = mail(
        body="Ünïcödé\n\nOn Mon, 2 Nov 2026 at 10:00, Agnes <a@b.example> wrote:\n> Try again, please.\n"
    )
    receive(raw)
    with storage.open(row().raw_key) as stream:
        assert stream.read() == raw
    assert row().rest.startswith("On Mon, 2 Nov 2026")
    assert db.session.scalars(select(Message.body)).one() == "Ünïcödé"


def test_our_own_mail_never_comes_back_in(cast, ticket):
    for loop in (
        mail(sender="Nordbill <partners@nordbill.example>"),
        mail(Message_ID=f"<{token_of(ticket, cast.partner)}@nordbill.example>"),
        mail(X_Loop="partners@nordbill.example"),
        mail(sender=reply_address(token_of(ticket, cast.partner))),
    ):
        report = receive(loop)
        assert (report.outcome, report.reason) == (Outcome.STORED, "own_mail")
    assert fresh(ticket).last_seq == 2


def test_an_address_that_writes_without_end_is_held_back(cast):
    outcomes = [receive(mail(body=f"Question {n}")).as_json() for n in range(12)]
    assert [each["outcome"] for each in outcomes] == ["created"] * 10 + ["parked"] * 2
    assert outcomes[-1]["reason"] == "too_many_from_address"
    assert receive(mail(sender="other@example.org")).outcome is Outcome.CREATED


def test_a_thread_takes_so_many_mails_an_hour(cast, ticket):
    reports = [receive(an_answer(ticket, cast.partner, body=f"And {n}")) for n in range(13)]
    assert [report.outcome for report in reports] == [Outcome.JOINED] * 12 + [Outcome.PARKED]
    assert (reports[-1].reason, reports[-1].ticket) == ("too_many_in_thread", ticket.number)


def test_the_same_words_again_and_again_are_a_programs(cast, ticket):
    reports = [
        receive(an_answer(ticket, cast.partner, body="We have received your request.")) for _ in range(4)
    ]
    assert [report.outcome for report in reports] == [
        Outcome.JOINED,
        Outcome.JOINED,
        Outcome.STORED,
        Outcome.STORED,
    ]
    assert reports[-1].reason == "repeats"
    thanks = [receive(an_answer(ticket, cast.partner, body="Thank you!")).outcome for _ in range(3)]
    assert thanks == [Outcome.JOINED] * 3


# --- Poison ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff" * 500, b"\r\n\r\nno head at all", b"From: partner@example.org"]
)
def test_what_is_no_mail_is_parked(cast, raw):
    assert receive(raw).outcome is Outcome.PARKED
    with storage.open(row().raw_key) as stream:
        assert stream.read() == raw


def test_a_mail_that_breaks_the_parser_is_parked_and_the_next_goes_on(cast, monkeypatch):
    parse = core_mail.receive.parse

    def break_on_poison(raw, **options):
        if b"POISON" in raw:
            raise KeyError("poison")
        return parse(raw, **options)

    monkeypatch.setattr(mail_in.receive, "parse", break_on_poison)
    assert receive(mail(body="POISON")).reason == "broken:KeyError"
    assert row().sender == "partner@example.org"  # so that a person sees whose it is
    assert receive(mail()).outcome is Outcome.CREATED


def test_a_mail_that_ends_its_process_is_parked_unread(cast):
    mail_id = mail_in.keep(mail(), Door.IMAP)[0].id
    with transaction():
        row().attempts = mail_in.MOST_ATTEMPTS
    assert mail_in.handle(mail_id).reason == "poison"


def test_a_mail_kept_before_a_crash_is_judged_by_the_worker(cast, worker):
    from hub.core import jobs

    mail_in.keep(mail(), Door.HOOK)
    jobs.run("tickets.mail_in")
    assert row().outcome is Outcome.CREATED


def test_two_who_judge_the_same_mail_make_one_ticket(cast):
    mail_id = mail_in.keep(mail(), Door.IMAP)[0].id
    assert mail_in.handle(mail_id).outcome is Outcome.CREATED
    assert mail_in.handle(mail_id).outcome is Outcome.CREATED
    assert db.session.scalar(select(func.count(Ticket.id))) == 1


# --- Files -----------------------------------------------------------------------------------


def with_files(*files: tuple[str, bytes, str], body="See the files.") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "partner@example.org",
        "partners@nordbill.example",
        "Files",
    )
    message["Message-ID"] = "<files@example.org>"
    message.set_content(body)
    for name, content, mime in files:
        main, _, sub = mime.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def test_files_pass_the_same_rules_as_uploads(cast):
    receive(
        with_files(
            ("../../orders.csv", b"a,b\n1,2\n", "text/csv"),
            ("virus.exe", b"MZ\x90\x00\xff" * 50, "application/octet-stream"),
            ("page.html", b"<html><script>alert(1)</script>", "text/html"),
            ("fake.png", b"%PDF-1.4 not a picture", "image/png"),
        )
    )
    assert [(file.name, file.mime) for file in db.session.scalars(select(Attachment))] == [
        ("orders.csv", "text/csv")
    ]
    assert [file["name"] for file in row().left_out] == ["virus.exe", "page.html", "fake.png"]


def test_a_mail_of_files_alone_is_a_message(cast):
    assert receive(with_files(("list.txt", b"one\ntwo\n", "text/plain"), body="")).outcome is Outcome.CREATED
    message = db.session.scalars(select(Message)).one()
    assert (message.body, len(message.attachments)) == ("", 1)


def test_a_mail_beyond_all_limits_is_parked_with_its_head(cast, monkeypatch):
    monkeypatch.setattr(mail_in, "largest", lambda: 2000)
    report = receive(mail(body="x" * 3000))
    assert (report.outcome, report.reason) == (Outcome.PARKED, "too_large")
    assert (row().sender, row().subject) == ("partner@example.org", "Commission")


# --- The command -----------------------------------------------------------------------------


def test_the_command_prints_one_line_of_json(app, cast):
    from hub.tickets.commands import mail as command

    answer = app.test_cli_runner().invoke(command, ["receive"], input=mail())
    assert answer.exit_code == 0
    assert answer.output.count("\n") == 1
    assert json.loads(answer.output)["outcome"] == "created"
    parked = app.test_cli_runner().invoke(command, ["receive"], input=b"nonsense")
    assert (parked.exit_code, json.loads(parked.output)["outcome"]) == (0, "parked")
