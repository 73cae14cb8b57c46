"""How the help was: asked once a solution, given once, never by opening a link."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from hub.core import clock, jobs, mail
from hub.core.database import db, transaction
from hub.tickets import context, rating, service
from hub.tickets.models import Status, Ticket
from hub.tickets.models_rating import Rating

from .factories import an_id, make_ticket
from .mails import mail as mail_of
from .mails import receive

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def monday():
    with clock.frozen(MONDAY):
        yield


def solve(ticket, agent, status=Status.RESOLVED) -> Rating | None:
    with transaction():
        if ticket.first_replied_at is None:
            service.reply(ticket, agent, "It is paid.", seen=9, client_id=an_id())
        service.set_status(ticket, agent, status)
    return rating.latest(ticket)


def mails() -> list[mail.MailMessage]:
    """Those that ask for a rating."""
    wanted = select(mail.MailMessage).where(mail.MailMessage.template == "tickets/mail/rating")
    return list(db.session.scalars(wanted.order_by(mail.MailMessage.id)))


def later(**time) -> None:
    with clock.frozen(MONDAY + timedelta(**time)):
        jobs.run("tickets.ratings")


def test_the_link_of_a_mail_asks_and_only_its_form_rates_once(cast, browse, client):
    ticket = make_ticket(cast.partner)
    asked = solve(ticket, cast.agent)
    later(minutes=59)
    assert mails() == []
    later(minutes=60)
    later(minutes=61)
    (letter,) = mails()
    assert (letter.address, letter.headers["Auto-Submitted"]) == (cast.partner.email, "auto-generated")
    link = re.search(r"/tickets/rating/[\w.]+\?score=4", letter.text)[0]
    page = client.get(link)
    assert (page.status_code, client.head(link).status_code) == (200, 200)
    assert re.search(r"<input[^>]*checked[^>]*value=\"4\"", page.text)
    assert db.session.get(Rating, asked.id, populate_existing=True).rated_at is None
    address = link.partition("?")[0]
    assert client.post(address, data={"score": "6"}).status_code == 422
    assert client.post(address, data={"score": "4", "comment": "Quick, thanks"}).status_code == 303
    assert "Your answer: Good" in client.get(address).text
    assert client.post(address, data={"score": "1"}).status_code == 409
    kept = db.session.get(Rating, asked.id, populate_existing=True)
    assert (kept.score, kept.rater_id, kept.agent_id) == (4, cast.partner.id, cast.agent.id)
    beside = browse(cast.agent).get(f"/inbox/{ticket.number}/context").text
    assert "Quick, thanks" in beside
    assert "rated the help: Good" in browse(cast.agent).get(f"/inbox/{ticket.number}").text
    assert client.get(address[:-1] + ("b" if address[-1] == "a" else "a")).status_code == 404


def test_beside_the_thread_the_partner_rates_each_solution_once(cast, browse):
    ticket = make_ticket(cast.partner)
    partner, url = browse(cast.partner), f"/tickets/{ticket.number}"
    assert partner.post(f"{url}/rating", data={"score": "5"}).status_code == 404
    solve(ticket, cast.agent)
    assert "How was our help?" in partner.get(url).text
    # A page that was open before hears of it, and the team is not asked.
    news = f"{url}/messages?after=1&event=0"
    assert 'data-is="rating" data-version="1?"' in partner.get(news).text
    assert "data-version" not in browse(cast.agent).get(news).text
    assert partner.post(f"{url}/rating", data={"comment": "?"}).status_code == 422
    assert partner.post(f"{url}/rating", data={"score": "2"}).status_code == 303
    assert partner.post(f"{url}/rating", data={"score": "5"}).status_code == 409
    with transaction():
        service.set_status(ticket, cast.partner, Status.OPEN)
    solve(ticket, cast.agent)
    assert partner.post(f"{url}/rating", data={"score": "5"}).status_code == 303
    assert [(each.version, each.score) for each in context.beside(ticket, ()).ratings] == [(2, 5), (1, 2)]


def test_what_was_reopened_is_not_asked_about_until_it_is_solved_again(cast, client):
    ticket = make_ticket(cast.partner)
    asked = solve(ticket, cast.agent)
    with transaction():
        service.set_status(ticket, cast.partner, Status.OPEN)
    later(hours=2)
    assert mails() == []
    address = f"/tickets/rating/{rating.token(asked)}"
    assert "open again" in client.get(address).text
    assert client.post(address, data={"score": "1"}).status_code == 409
    solve(ticket, cast.agent)
    later(hours=4)
    assert (len(mails()), rating.latest(ticket).version) == (1, 1)
    with clock.frozen(MONDAY + timedelta(days=31)):
        assert "solved long ago" in client.get(address).text
        assert client.post(address, data={"score": "1"}).status_code == 409


def test_nobody_is_asked_who_was_not_helped_and_no_program_brings_it_about(cast):
    unanswered = make_ticket(cast.partner)
    with transaction():
        service.set_status(unanswered, cast.agent, Status.RESOLVED)
    closed = make_ticket(cast.partner)
    solve(closed, cast.agent, Status.CLOSED)
    assert db.session.scalar(select(func.count()).select_from(Rating)) == 0
    solved = make_ticket(cast.partner)
    solve(solved, cast.agent)
    later(hours=2)
    count = len(mails())
    token = re.search(r"\+(t[\w.]+)@", mails()[0].headers["Reply-To"])[1]
    to = f"partners+{token}@nordbill.example"
    assert (
        receive(mail_of(cast.partner.email, "I am away.", To=to, Auto_Submitted="auto-replied")).outcome
        == "stored"
    )
    assert db.session.get(Ticket, solved.id, populate_existing=True).status is Status.RESOLVED
    later(hours=9)
    assert len(mails()) == count
    # A person's answer to that mail goes on in the thread.
    receive(mail_of(cast.partner.email, "Still not paid.", To=to))
    assert db.session.get(Ticket, solved.id, populate_existing=True).status is Status.OPEN


def test_who_has_left_the_partner_is_neither_mailed_nor_let_in(cast, client):
    ticket = make_ticket(cast.partner)
    asked = solve(ticket, cast.agent)
    with transaction():
        cast.partner.disabled_at = clock.now()
    later(hours=2)
    assert mails() == []
    assert client.get(f"/tickets/rating/{rating.token(asked)}").status_code == 404
