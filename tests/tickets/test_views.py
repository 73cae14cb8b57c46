"""Tickets through a browser's eyes: forms, fragments, files, and what is hidden."""

import io

import pytest
from PIL import Image

from hub.core.database import db, transaction
from hub.tickets import service
from hub.tickets.models import Attachment, Priority, Status, Ticket

from .factories import an_id, make_ticket


@pytest.fixture
def ticket(cast):
    return make_ticket(cast.partner)


def fresh(ticket) -> Ticket:
    db.session.rollback()
    return db.session.get(Ticket, ticket.id, populate_existing=True)


def png() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    file.seek(0)
    return file


def test_a_partner_asks_and_lands_on_the_thread(browse, partner):
    form = {
        "subject": "Where is it?",
        "category": "payout",
        "body": "The October payout.",
        "client_id": "form-0001",
    }
    answer = browse(partner).post("/tickets", data=form)
    assert answer.status_code == 303
    page = browse(partner).get(answer.location).text
    assert "Where is it?" in page
    assert "The October payout." in page


def test_sending_the_form_twice_opens_one_ticket(browse, partner):
    form = {"subject": "Twice", "category": "other", "body": "Text", "client_id": "form-0002"}
    browser = browse(partner)
    assert browser.post("/tickets", data=form).location == browser.post("/tickets", data=form).location


def test_a_bad_form_keeps_what_was_written(browse, partner):
    answer = browse(partner).post(
        "/tickets", data={"subject": "", "category": "other", "body": "My words", "client_id": "form-0003"}
    )
    assert answer.status_code == 422
    assert "My words" in answer.text


def test_a_banner_is_asked_for_with_its_size(browse, partner):
    browser = browse(partner)
    assert 'value="300 × 250"' in browser.get("/tickets/banner?size=300x250&lang=pl").text
    form = {
        "size": "728х90", "language": "uk", "purpose": "A guide for florists", "place": "acme.example/flowers",
        "needed_by": "2026-12-01", "client_id": "banner-0001",
    }  # fmt: skip
    wrong = browser.post("/tickets/banner", data=form | {"size": "large"})
    assert wrong.status_code == 422
    assert "A guide for florists" in wrong.text
    page = browser.get(browser.post("/tickets/banner", data=form).location).text
    said = ["Banner 728 × 90, Українська", "A guide for florists", "acme.example/flowers", "1 Dec 2026"]
    assert [text for text in said if text not in page] == []
    assert db.session.query(Ticket).one().category == "materials"


def test_the_team_answers_from_the_inbox(browse, agent, partner, ticket):
    form = {"body": "Found it.", "client_id": an_id(), "seen": "1"}
    assert browse(agent).post(f"/tickets/{ticket.number}/reply", data=form).status_code == 303
    assert "Found it." in browse(partner).get(f"/tickets/{ticket.number}").text
    assert fresh(ticket).status is Status.WAITING


def test_a_note_shows_in_the_inbox_and_nowhere_else(browse, agent, partner, ticket):
    browse(agent).post(f"/tickets/{ticket.number}/note", data={"body": "MARKER-NOTE", "client_id": an_id()})
    assert "MARKER-NOTE" in browse(agent).get(f"/inbox/{ticket.number}").text
    for url in (f"/tickets/{ticket.number}", f"/tickets/{ticket.number}/messages?after=0", "/tickets"):
        assert "MARKER-NOTE" not in browse(partner).get(url).text


def test_another_partners_ticket_shows_nowhere(browse, other_partner, ticket):
    assert ticket.subject not in browse(other_partner).get("/tickets").text
    assert browse(other_partner).get(f"/tickets/{ticket.number}").status_code == 404


def test_a_script_gets_its_answer_as_json(browse, agent, cast, ticket):
    accept = {"Accept": "application/json"}
    url, form = f"/tickets/{ticket.number}/reply", {"body": "One", "client_id": "json-0001", "seen": "1"}
    assert browse(agent).post(url, data=form, headers=accept).json == {"seq": 2}
    assert browse(agent).post(url, data=form, headers=accept).json == {"seq": 2}
    refused = browse(cast.manager).post(url, data=form | {"client_id": "json-0002"}, headers=accept)
    assert refused.status_code == 409
    assert "something new" in refused.json["error"]


def test_a_refused_reply_gives_the_text_back(browse, agent, cast, ticket):
    url = f"/tickets/{ticket.number}/reply"
    browse(agent).post(url, data={"body": "First", "client_id": an_id(), "seen": "1"})
    answer = browse(cast.manager).post(
        url, data={"body": "MY-LONG-ANSWER", "client_id": an_id(), "seen": "1"}
    )
    assert answer.status_code == 409
    assert "MY-LONG-ANSWER" in answer.text


def test_catching_up_brings_only_what_is_new(browse, agent, partner, ticket):
    with transaction():
        service.reply(ticket, agent, "Second message", seen=1, client_id=an_id())
    part = browse(partner).get(f"/tickets/{ticket.number}/messages?after=1").text
    assert 'data-seq="2"' in part
    assert 'data-seq="1"' not in part


def test_an_attached_picture_is_kept_and_only_theirs(browse, cast, ticket):
    form = {"body": "", "client_id": an_id(), "seen": "1", "files": (png(), "../../proof.png")}
    answer = browse(cast.partner).post(
        f"/tickets/{ticket.number}/reply", data=form, content_type="multipart/form-data"
    )
    assert answer.status_code == 303
    file = db.session.scalars(db.select(Attachment)).one()
    assert "/" not in file.name
    url = f"/tickets/{ticket.number}/files/{file.id}"
    assert browse(cast.agent).get(url).mimetype == "image/png"
    assert browse(cast.other_partner).get(url).status_code == 404


def stored_files(app) -> list[str]:
    folder = app.extensions["hub.settings"].home / "files"
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def drawing(colour) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (9, 9), colour).save(file, "PNG")
    file.seek(0)
    return file


def test_files_of_a_refused_reply_do_not_stay(app, browse, cast, ticket):
    url, before = f"/tickets/{ticket.number}/reply", stored_files(app)
    good, bad = (drawing("#123456"), "a.png"), (io.BytesIO(b"<svg/>"), "b.svg")
    form = {"body": "See", "seen": "1"}
    refused = browse(cast.partner).post(url, data=form | {"client_id": an_id(), "files": [good, bad]})
    assert (refused.status_code, stored_files(app)) == (422, before)
    with transaction():
        service.reply(ticket, cast.agent, "Something new", seen=1, client_id=an_id())
    held = {"client_id": an_id(), "files": [(drawing("#123456"), "a.png")]}
    assert browse(cast.manager).post(url, data=form | held).status_code == 409
    assert stored_files(app) == before
    kept = {"client_id": an_id(), "files": [(drawing("#123456"), "a.png")]}
    assert browse(cast.partner).post(url, data=form | kept).status_code == 303
    held = {"client_id": an_id(), "files": [(drawing("#123456"), "again.png")]}
    assert browse(cast.manager).post(url, data=form | held).status_code == 409
    assert len(stored_files(app)) == len(before) + 1, "what another message needs stays"


def test_a_file_on_a_note_is_not_the_partners_to_fetch(browse, cast, ticket):
    form = {"body": "See", "client_id": an_id(), "files": (png(), "internal.png")}
    browse(cast.agent).post(f"/tickets/{ticket.number}/note", data=form, content_type="multipart/form-data")
    file = db.session.scalars(db.select(Attachment)).one()
    url = f"/tickets/{ticket.number}/files/{file.id}"
    assert browse(cast.agent).get(url).status_code == 200
    assert browse(cast.partner).get(url).status_code == 404


def test_a_file_of_another_ticket_is_not_found_under_this_one(browse, cast, ticket):
    form = {"body": "See", "client_id": an_id(), "files": (png(), "proof.png")}
    browse(cast.partner).post(
        f"/tickets/{ticket.number}/reply", data=form, content_type="multipart/form-data"
    )
    file = db.session.scalars(db.select(Attachment)).one()
    other = make_ticket(cast.partner)
    assert browse(cast.partner).get(f"/tickets/{other.number}/files/{file.id}").status_code == 404


def test_a_draft_waits_in_the_other_tab(browse, agent, ticket):
    url = f"/tickets/{ticket.number}/draft/public"
    assert browse(agent).post(url, data={"body": "DRAFTED"}).status_code == 204
    assert "DRAFTED" in browse(agent).get(f"/inbox/{ticket.number}").text
    browse(agent).post(url, data={"body": ""})
    assert "DRAFTED" not in browse(agent).get(f"/inbox/{ticket.number}").text


def test_assigning_and_classifying(browse, agent, manager, ticket):
    browse(manager).post(f"/tickets/{ticket.number}/assign", data={"assignee": agent.id})
    browse(manager).post(
        f"/tickets/{ticket.number}/classify", data={"priority": "urgent", "category": "payout"}
    )
    now = fresh(ticket)
    assert (now.assignee_id, now.priority) == (agent.id, Priority.URGENT)
    browse(manager).post(f"/tickets/{ticket.number}/assign", data={"assignee": ""})
    assert fresh(ticket).assignee_id is None


def test_the_queue_filters_and_pages(browse, agent, cast):
    for n in range(30):
        make_ticket(cast.partner, subject=f"Question {n:02d}", category="payout" if n % 2 else "links")
    browser = browse(agent)
    first = browser.get("/inbox/queue?view=unassigned").text
    assert "Question 29" in first
    assert "Question 03" not in first
    assert "cursor=" in first
    only = browser.get("/inbox/queue?view=unassigned&category=payout").text
    assert "Question 29" in only
    assert "Question 28" not in only


def test_what_people_write_is_never_markup(browse, agent, partner, cast):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    ticket = make_ticket(cast.partner, subject=evil, body=evil)
    for page in (
        browse(agent).get(f"/inbox/{ticket.number}").text,
        browse(partner).get(f"/tickets/{ticket.number}").text,
    ):
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_text_where_files_belong_is_no_file(browse, cast):
    ticket = make_ticket(cast.partner)
    written = {"body": "hello", "files": "x", "seen": 1, "client_id": "text-for-file"}
    assert browse(cast.partner).post(f"/tickets/{ticket.number}/reply", data=written).status_code == 303


def test_a_question_brings_its_line_along(browse, partner):
    asked = {"subject": "Question about: order 1", "body": "> Paid: 239.00", "category": "commission"}
    page = browse(partner).get("/tickets/new", query_string=asked).text
    assert "&gt; Paid: 239.00" in page
    assert 'selected value="commission"' in page
