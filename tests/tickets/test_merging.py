"""Merging and splitting: nothing is lost, nothing leaks, no thread gets a gap, and a merge can be taken back."""

import pytest
from sqlalchemy import select

from hub.core.database import db, transaction
from hub.tickets import service
from hub.tickets.errors import AlreadyMerged, NothingToSplit, OtherPartner, OtherRequester, SameTicket
from hub.tickets.models import Attachment, Message, Status, Ticket, Visibility

from ..factories import make_member
from .factories import an_id, make_ticket


def say(ticket, author, body):
    with transaction():
        seen = db.session.get(Ticket, ticket.id).last_seq
        return service.reply(ticket, author, body, seen=seen, client_id=an_id())


def merge(source, target, actor, **more):
    with transaction():
        return service.merge(source, target, actor, **more)


def rows(ticket) -> list[Message]:
    return list(
        db.session.scalars(select(Message).where(Message.ticket_id == ticket.id).order_by(Message.seq))
    )


def bodies(ticket, viewer) -> list[str]:
    return [each.body for each in service.thread(ticket, viewer) if each.moved_to_id is None]


def has_no_gap(ticket) -> bool:
    last = db.session.get(Ticket, ticket.id, populate_existing=True).last_seq
    return [each.seq for each in rows(ticket)] == list(range(1, last + 1))


@pytest.fixture
def two(cast):
    """Two tickets of one person: the first with an answer, a note and a file."""
    source, target = make_ticket(cast.partner, "One", "first"), make_ticket(cast.partner, "Two", "second")
    say(source, cast.agent, "answer")
    with transaction():
        service.note(source, cast.agent, "MARKER-NOTE", client_id=an_id())
        file = Attachment(
            message_id=rows(source)[0].id, key="0" * 64, name="proof.png", mime="image/png", size=1
        )
        db.session.add(file)
    return source, target


def test_a_merge_moves_everything_with_its_times_and_no_note_becomes_public(cast, two):
    source, target = two
    before = {each.id: (each.at, each.author_id, each.visibility) for each in rows(source)}
    with transaction():
        service.save_draft(source, cast.agent, Visibility.INTERNAL, "Half a thought")
        service.save_draft(target, cast.agent, Visibility.INTERNAL, "Another half")
    merge(source, target, cast.agent)
    drafts = service.drafts(target, cast.agent)
    assert drafts[Visibility.INTERNAL].body == "Another half\n\nHalf a thought"
    assert bodies(target, cast.agent) == ["second", "first", "answer", "MARKER-NOTE"]
    assert bodies(target, cast.partner) == ["second", "first", "answer"]
    assert {
        each.id: (each.at, each.author_id, each.visibility) for each in rows(target) if each.id in before
    } == before
    assert [file.name for each in rows(target) for file in each.attachments] == ["proof.png"]
    assert has_no_gap(target)
    assert rows(source) == []
    assert (source.status, source.merged_into_id) == (Status.CLOSED, target.id)


def test_an_answer_to_a_merged_ticket_arrives_in_the_other_one(cast, two, browse):
    source, target = two
    merge(source, target, cast.agent)
    assert say(source, cast.partner, "One more thing.").ticket_id == target.id
    with transaction():
        assert service.note(source, cast.agent, "For us.", client_id=an_id()).ticket_id == target.id
    answer = browse(cast.partner).get(f"/tickets/{source.number}")
    assert answer.location == f"/tickets/{target.number}"


def test_a_merge_taken_back_leaves_both_as_they_were_and_no_gap(cast, two):
    source, target = two
    before = [(each.id, each.seq, each.at) for each in rows(source)]
    record = merge(source, target, cast.agent)
    say(target, cast.partner, "Written meanwhile.")
    with transaction():
        service.unmerge(record, cast.agent)
    assert [(each.id, each.seq, each.at) for each in rows(source)] == before
    assert (source.status, source.merged_into_id) == (Status.WAITING, None)
    assert bodies(target, cast.agent) == ["second", "Written meanwhile."]
    assert has_no_gap(target)
    assert has_no_gap(source)
    hidden = [each for each in rows(target) if each.moved_to_id and each.visibility is Visibility.INTERNAL]
    assert len(hidden) == 1
    with pytest.raises(AlreadyMerged), transaction():
        service.unmerge(record, cast.agent)


def test_merges_make_no_circle(cast, two):
    source, target = two
    third = make_ticket(cast.partner, "Three", "third")
    first = merge(source, target, cast.agent)
    merge(target, third, cast.agent)
    with pytest.raises(SameTicket):
        merge(third, source, cast.agent)
    with pytest.raises(AlreadyMerged):
        merge(source, third, cast.agent)
    with pytest.raises(AlreadyMerged), transaction():  # the one around it first
        service.unmerge(first, cast.agent)
    assert say(source, cast.partner, "Still there?").ticket_id == third.id


def test_what_different_people_asked_needs_a_second_word_and_other_partners_never_merge(cast, two):
    source, _target = two
    colleague = make_member(cast.acme)
    db.session.commit()
    theirs = make_ticket(colleague)
    with pytest.raises(OtherRequester):
        merge(source, theirs, cast.agent)
    merge(source, theirs, cast.agent, sure=True)
    with pytest.raises(OtherPartner):
        merge(theirs, make_ticket(cast.other_partner), cast.agent, sure=True)


def test_a_split_keeps_times_and_ids_and_leaves_marks(cast, two):
    source, _target = two
    say(source, cast.partner, "And something else: my banner is broken.")
    say(source, cast.agent, "I will look at the banner.")
    chosen = rows(source)[-2:]
    kept = [(each.id, each.at, each.client_id) for each in chosen]
    with transaction():
        new = service.split(source, cast.agent, [each.id for each in chosen], "Broken banner")
    assert [(each.id, each.at, each.client_id) for each in rows(new)] == kept
    assert (new.subject, new.status, new.requester_id, new.created_at) == (
        "Broken banner",
        Status.WAITING,
        cast.partner.id,
        kept[0][1],
    )
    assert [each.moved_to_id for each in rows(source)] == [None, None, None, new.id, new.id]
    assert has_no_gap(source)
    assert has_no_gap(new)
    for nothing in ([], [each.id for each in rows(source)[:3]], [10**9]):
        with pytest.raises(NothingToSplit), transaction():
            service.split(source, cast.agent, nothing, "x")


def test_the_pages_of_merging(cast, two, browse):
    source, target = two
    browser = browse(cast.agent)
    assert target.subject in browser.get(f"/inbox/{source.number}/merge").text
    for nothing in ("", str(10**12)):
        answer = browser.post(f"/inbox/{source.number}/merge", data={"into": nothing})
        assert answer.status_code == 422
    both = {"into": [str(target.number), ""]}  # chosen of the list, with the field for a number below it
    answer = browser.post(f"/inbox/{source.number}/merge", data=both)
    assert answer.location == f"/inbox/{target.number}"
    assert f"/inbox/{source.number}/unmerge" in browser.get(answer.location).text
    assert f"№ {target.number}" in browser.get(f"/inbox/{source.number}").text
    assert browser.post(f"/inbox/{source.number}/unmerge").status_code == 303
    assert browser.post(f"/inbox/{source.number}/unmerge").status_code == 409
    other = make_ticket(cast.other_partner)
    assert (
        browser.post(f"/inbox/{source.number}/merge", data={"into": other.number, "sure": "y"}).status_code
        == 422
    )
    chosen = rows(source)[0].id
    answer = browser.post(f"/inbox/{source.number}/split", data={"subject": "Part", "message": chosen})
    assert answer.status_code == 303
    assert browse(cast.partner).get(f"/tickets/{source.number}").status_code == 200
