"""Parked mails before a person, and what a thread shows of a mail."""

import io
import re
from email.message import EmailMessage

import pytest
from PIL import Image
from sqlalchemy import select

from hub.core.database import db
from hub.notifications.models import Notification
from hub.tickets.models import Message, Ticket
from hub.tickets.models_mail import InboundMail, Outcome

from .mails import mail, receive


def a_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def parked(cast):
    """A stranger's mail that waits."""
    receive(mail(sender="Sam Stranger <sam@elsewhere.example>", subject="Who helps?", body="MARKER-PARKED"))
    return latest()


def latest() -> InboundMail:
    return db.session.scalars(select(InboundMail).order_by(InboundMail.id.desc()).limit(1)).one()


def test_parked_mails_are_listed_with_their_reason(browse, cast, parked):
    receive(mail(subject="Found its place"))
    waiting = browse(cast.agent).get("/inbox/mails").text
    assert "Who helps?" in waiting
    assert "Nobody in the hub has this address." in waiting
    assert "Found its place" not in waiting
    assert "Found its place" in browse(cast.agent).get("/inbox/mails?show=all").text


def test_the_team_hears_of_parked_mails_once_an_hour(browse, cast, parked):
    receive(mail(sender="sue@elsewhere.example"))
    told = db.session.scalars(select(Notification).where(Notification.kind == "ticket.mail_parked")).all()
    assert {each.user_id for each in told} == {cast.agent.id, cast.manager.id, cast.admin.id}
    assert len(told) == 3
    assert told[0].params == {"sender": "Sam Stranger", "subject": "Who helps?"}


def test_a_parked_mail_becomes_a_ticket_for_someone(browse, cast, parked):
    agent = browse(cast.agent)
    assert "MARKER-PARKED" in agent.get(f"/inbox/mails/{parked.id}").text
    answer = agent.post(f"/inbox/mails/{parked.id}/open", data={"email": "Partner@example.org"})
    ticket = db.session.scalars(select(Ticket)).one()
    assert (answer.status_code, answer.location) == (303, f"/inbox/{ticket.number}")
    assert (ticket.requester_id, ticket.subject) == (cast.partner.id, "Who helps?")
    assert db.session.scalars(select(Message.body)).one() == "MARKER-PARKED"
    thread = agent.get(answer.location).text
    assert "Agnes Agent opened this ticket with a mail from sam@elsewhere.example" in thread
    again = agent.post(f"/inbox/mails/{parked.id}/open", data={"email": "partner@example.org"})
    assert again.status_code == 422
    assert len(db.session.scalars(select(Ticket)).all()) == 1


@pytest.mark.parametrize("email", ["sam@elsewhere.example", "agent@example.org", ""])
def test_only_members_of_partners_get_tickets(browse, cast, parked, email):
    answer = browse(cast.agent).post(f"/inbox/mails/{parked.id}/open", data={"email": email})
    assert answer.status_code == 422
    assert db.session.get(InboundMail, parked.id, populate_existing=True).waits_for_a_person


def test_a_dismissed_mail_waits_no_more_and_is_kept(browse, cast, parked):
    agent = browse(cast.agent)
    assert agent.post(f"/inbox/mails/{parked.id}/dismiss").status_code == 303
    assert "Who helps?" not in agent.get("/inbox/mails").text
    assert "Who helps?" in agent.get("/inbox/mails?show=all").text
    row = db.session.get(InboundMail, parked.id, populate_existing=True)
    assert (row.outcome, row.settled_by_id) == (Outcome.PARKED, cast.agent.id)


def test_the_mail_can_be_saved_as_it_came(browse, cast):
    raw = b"From: sam@elsewhere.example\r\nSubject: x\r\n\r\n\xff\x00raw"
    receive(raw)
    answer = browse(cast.agent).get(f"/inbox/mails/{latest().id}/raw")
    assert answer.data == raw
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "raw", [b"", b"\x00\xff" * 99, b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 50]
)
def test_even_what_cannot_be_read_has_its_page(browse, cast, raw):
    receive(raw)
    agent = browse(cast.agent)
    for address in ("", "/page", "/raw"):
        assert agent.get(f"/inbox/mails/{latest().id}{address}").status_code == 200


def a_page_with_pictures() -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = (
        "partner@example.org",
        "Look",
        "<look@example.org>",
    )
    message.set_content("Look at this.")
    message.add_alternative(
        '<p>Look</p><script>alert(1)</script><img src="cid:logo"><img src="http://tracker.example/p.png">',
        subtype="html",
    )
    message.get_payload()[1].add_related(a_picture(), "image", "png", cid="<logo>")
    return message.as_bytes()


def test_a_mail_shown_as_it_was_sent_can_do_nothing_and_asks_nobody(browse, cast):
    receive(a_page_with_pictures())
    agent = browse(cast.agent)
    page = agent.get(f"/inbox/mails/{latest().id}/page")
    assert 'src="data:image/png;base64,' in page.text
    assert "tracker.example" not in page.text
    assert "script" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert re.search(r"img-src data:;", policy)
    asked = agent.get(f"/inbox/mails/{latest().id}/page?pictures=1")
    assert 'src="http://tracker.example/p.png"' in asked.text
    assert "img-src data: https: http:;" in asked.headers["Content-Security-Policy"]


def test_a_thread_folds_the_quotation_and_shows_words_as_typed(browse, cast):
    body = "*Stars* and <b>signs</b> stay\nas typed.\n\nOn Mon, 2 Nov 2026 at 10:00, Agnes <a@b.example> wrote:\n> MARKER-QUOTED\n"
    number = receive(mail(body=body)).ticket
    for viewer, address in ((cast.partner, "/tickets"), (cast.agent, "/inbox")):
        thread = browse(viewer).get(f"{address}/{number}").text
        assert "*Stars* and &lt;b&gt;signs&lt;/b&gt; stay<br>as typed." in thread
        folded = thread.partition("<details")[2]
        assert "MARKER-QUOTED" in folded
    assert "The mail as it came" not in browse(cast.partner).get(f"/tickets/{number}").text


def test_the_team_sees_that_a_mail_came_from_elsewhere(browse, cast):
    from hub.tickets.mail_tokens import Token

    ticket = db.session.scalars(select(Ticket).where(Ticket.number == receive(mail()).ticket)).one()
    token = Token(ticket.id, cast.partner.id, 1)
    receive(
        mail(sender="pat.private@mail.example", In_Reply_To=f"<{token}@nordbill.example>", body="Me again")
    )
    assert "From pat.private@mail.example." in browse(cast.agent).get(f"/inbox/{ticket.number}").text
