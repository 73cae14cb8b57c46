"""Conversations for programs: the addresses that other people's clients are written against."""

import io

import pytest
from PIL import Image

from hub.accounts import tokens
from hub.core.database import db, transaction
from hub.tickets import service
from hub.tickets.models import Channel, Message, Ticket

from .factories import an_id, make_ticket


@pytest.fixture
def ticket(cast):
    return make_ticket(cast.partner)


@pytest.fixture
def program(app):
    """`program(user)` calls the API with a token of the user: `(method, path, json) → answer`."""

    def program(user):
        with transaction():
            _row, secret = tokens.create(user, "test")
        client = app.test_client()

        def call(method, path, json=None, token=secret):
            headers = {"Authorization": f"Bearer {token}"}
            return client.open("/api/v1/tickets" + path, method=method, json=json, headers=headers)

        return call

    return program


def test_a_program_opens_answers_and_reads(program, cast):
    partner, agent = program(cast.partner), program(cast.agent)
    opened = partner("POST", "", {"subject": "Where is it?", "body": "The payout.", "client_id": "a1"})
    assert opened.status_code == 201
    path = f"/{opened.json['number']}/messages"
    said = agent("POST", path, {"body": "On its **way**.", "client_id": "a1", "seen": 1})
    assert (said.status_code, said.json["seq"]) == (201, 2)
    read = partner("GET", path + "?after=1").json
    assert [(m["seq"], m["body"], m["author"]["team"]) for m in read["messages"]] == [
        (2, "On its **way**.", True)
    ]
    assert "<strong>way</strong>" in read["messages"][0]["html"]
    assert (read["state"]["status"], read["state"]["last_seq"], read["more"]) == ("waiting", 2, False)
    assert db.session.scalars(db.select(Message.channel).distinct()).all() == [Channel.API]


def test_repeating_a_request_makes_no_twin(program, cast, ticket):
    call = program(cast.partner)
    asked = {"subject": "Twice", "body": "Text", "client_id": "same-1"}
    assert call("POST", "", asked).json["number"] == call("POST", "", asked).json["number"]
    said = {"body": "Once", "client_id": "same-2", "seen": 1}
    path = f"/{ticket.number}/messages"
    assert call("POST", path, said).json["seq"] == call("POST", path, said).json["seq"] == 2
    assert len(call("GET", path).json["messages"]) == 2


def test_an_id_used_elsewhere_is_refused_rather_than_the_message_lost(program, cast, ticket):
    call, other = program(cast.partner), make_ticket(cast.partner)
    said = {"body": "ok", "client_id": "mine-1"}
    assert call("POST", f"/{ticket.number}/messages", said).status_code == 201
    assert call("POST", f"/{other.number}/messages", said).status_code == 409
    assert call("POST", "", {"subject": "New", "body": "ok", "client_id": "mine-1"}).status_code == 409
    with transaction():
        service.note(ticket, cast.agent, "ok", client_id="team-1")
    noted = {"body": "ok", "client_id": "team-1", "seen": 9}
    assert program(cast.agent)("POST", f"/{ticket.number}/messages", noted).status_code == 409


def test_two_people_may_use_the_same_id(program, cast, ticket):
    for user in (cast.partner, cast.agent):
        said = {"body": "Hello", "client_id": "1", "seen": 9}
        assert program(user)("POST", f"/{ticket.number}/messages", said).status_code == 201


def test_an_answer_past_what_was_seen_is_held_back_with_a_reason(program, cast, ticket):
    path = f"/{ticket.number}/messages"
    assert program(cast.agent)("POST", path, {"body": "A", "client_id": "1", "seen": 1}).status_code == 201
    refused = program(cast.manager)("POST", path, {"body": "B", "client_id": "1", "seen": 1})
    assert refused.status_code == 409
    assert "something new" in refused.json["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (None, 422),
        ([], 422),
        ({"body": "x"}, 422),
        ({"body": "x", "client_id": ""}, 422),
        ({"body": "x", "client_id": "i" * 65}, 422),
        ({"body": 7, "client_id": "1"}, 422),
        ({"body": " ", "client_id": "1"}, 422),
        ({"body": "x" * 100_001, "client_id": "1"}, 413),
        ({"body": "a\x00\ud800", "client_id": "1", "seen": -5}, 201),
    ],
)
def test_odd_requests_are_answered_and_leave_no_gap(program, cast, ticket, body, status):
    call = program(cast.partner)
    assert call("POST", f"/{ticket.number}/messages", body).status_code == status
    assert call("GET", f"/{ticket.number}/messages").json["state"]["last_seq"] == (2 if status == 201 else 1)


def test_a_ticket_needs_a_subject(program, cast):
    answer = program(cast.partner)("POST", "", {"subject": " ", "body": "x", "client_id": "1"})
    assert (answer.status_code, "subject" in answer.json["error"]) == (422, True)


def test_notes_and_others_tickets_stay_hidden(program, cast, ticket):
    with transaction():
        service.note(ticket, cast.agent, "MARKER-NOTE", client_id=an_id())
    path = f"/{ticket.number}/messages"
    assert "MARKER-NOTE" in program(cast.agent)("GET", path).text
    assert "MARKER-NOTE" not in program(cast.partner)("GET", path).text
    stranger = program(cast.other_partner)
    assert stranger("GET", path).status_code == 404
    assert stranger("POST", path, {"body": "Hi", "client_id": "1"}).status_code == 404


def test_a_revoked_token_opens_nothing(program, cast, ticket):
    call = program(cast.partner)
    with transaction():
        tokens.revoke(tokens.of(cast.partner)[0])
    assert call("GET", f"/{ticket.number}/messages").status_code == 401


def test_a_long_thread_comes_in_pages_without_a_gap(program, cast, ticket):
    with transaction() as session:
        for seq in range(2, 452):
            session.add(
                Message(
                    ticket_id=ticket.id, seq=seq, author_id=cast.agent.id, body=f"{seq}", client_id=an_id()
                )
            )
        session.get(Ticket, ticket.id).last_seq = 451
    call, after, seqs = program(cast.partner), 0, []
    while True:
        answer = call("GET", f"/{ticket.number}/messages?after={after}").json
        seqs += [m["seq"] for m in answer["messages"]]
        after = seqs[-1]
        if not answer["more"]:
            break
    assert seqs == list(range(1, 452))


def test_an_attachment_is_fetched_by_whoever_may_see_its_message(program, browse, cast, ticket):
    picture = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(picture, "PNG")
    picture.seek(0)
    form = {"body": "", "client_id": an_id(), "seen": "1", "files": (picture, "proof.png")}
    browse(cast.partner).post(f"/tickets/{ticket.number}/reply", data=form)
    (file,) = program(cast.agent)("GET", f"/{ticket.number}/messages?after=1").json["messages"][0][
        "attachments"
    ]
    path = f"/{ticket.number}/files/{file['id']}"
    assert program(cast.agent)("GET", path).mimetype == "image/png"
    assert program(cast.other_partner)("GET", path).status_code == 404
    other = make_ticket(cast.partner)
    assert program(cast.partner)("GET", f"/{other.number}/files/{file['id']}").status_code == 404
