"""Two tickets that are one matter become one thread, and one that is two becomes two.

Messages move: each keeps its time, its author, its attachments, its id and Message-ID, and gets the next
`seq` of the thread it comes to. Where one is taken out of a thread, a mark stays in its place and says
where it went, so that no thread ever has a gap.
"""

from collections.abc import Sequence

from sqlalchemy import select, update

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can
from ..core.database import db
from . import fields, news, promises, ties
from .errors import AlreadyMerged, NothingToSplit, OtherPartner, OtherRequester, SameTicket
from .history import happened, lock
from .messages import settle_preview
from .models import Draft, Merge, Message, ReadMark, Status, Ticket, Turn, Visibility
from .opening import begin
from .states import turn


def final(ticket: Ticket) -> Ticket:
    """The ticket in which a merged one goes on; itself when it is not merged."""
    while ticket.merged_into_id is not None:
        ticket = db.session.get_one(Ticket, ticket.merged_into_id)
    return ticket


def merge(source: Ticket, target: Ticket, actor: User, *, sure: bool = False) -> Merge:
    """Move everything of `source` into `target` and close it; what is answered to it arrives there from now on.

    Raises SameTicket also when the target has gone into the source; AlreadyMerged; OtherPartner, because one
    partner would read what another wrote; OtherRequester unless `sure`.
    """
    target = final(target)
    _lock_both(source, target)
    if source.merged_into_id is not None:
        raise AlreadyMerged
    if source.id == target.id:
        raise SameTicket
    if source.partner_id != target.partner_id:
        raise OtherPartner
    if source.requester_id != target.requester_id and not sure:
        raise OtherRequester
    messages = _messages(source)
    record = Merge(
        source_id=source.id,
        target_id=target.id,
        actor_id=actor.id,
        message_ids=[each.id for each in messages],
        status=source.status,
    )
    db.session.add(record)
    happened(source, actor, "merged", number=target.number)
    happened(target, actor, "absorbed", number=source.number, subject=source.subject)
    _keep_read(source, target, len(messages))
    for message in messages:
        message.ticket_id, message.seq = target.id, target.next_seq()
    waits = source.turn is Turn.TEAM
    source.last_seq, source.merged_into_id = 0, target.id
    turn(source, actor, Status.CLOSED)
    if waits and target.turn is not Turn.TEAM:
        turn(target, actor, Status.OPEN)
    _move_drafts(source, target)
    ties.carry(source, target)
    record.brought = {str(id): value for id, value in fields.bring(source, target, actor).items()}
    _settle(source, target)
    return record


def unmerge(record: Merge, actor: User) -> None:
    """Take a merge back: the messages that are still in the target return. Raises AlreadyMerged."""
    source = db.session.get_one(Ticket, record.source_id)
    target = db.session.get_one(Ticket, record.target_id)
    _lock_both(source, target)
    db.session.refresh(record)
    if (
        record.undone_at is not None
        or source.merged_into_id != target.id
        or target.merged_into_id is not None
    ):
        raise AlreadyMerged
    source.merged_into_id = None
    fields.take_back(target, record.brought, actor)
    record.undone_at = clock.now()
    for message in _messages(target, record.message_ids):
        _take_out(message, target, source)
    turn(source, actor, record.status)
    source.reopened -= record.status.is_live  # it had gone into another one, it was not solved
    happened(source, actor, "unmerged", number=target.number)
    happened(target, actor, "unmerged", number=source.number)
    _settle(source, target)


def merge_of(source: Ticket) -> Merge | None:
    """The merge by which `source` is gone now."""
    statement = select(Merge).where(Merge.source_id == source.id, Merge.undone_at.is_(None))
    return db.session.scalar(statement.order_by(Merge.id.desc()).limit(1))


def split(ticket: Ticket, actor: User, message_ids: Sequence[int], subject: str) -> Ticket:
    """Make a ticket of its own of some messages. Raises NothingToSplit for none of them, or for all."""
    lock(ticket)
    everything = [each for each in _messages(ticket) if each.moved_to_id is None]
    chosen = [each for each in everything if each.id in set(message_ids)]
    if not chosen or len(chosen) == len(everything):
        raise NothingToSplit
    asker = next((each.author for each in chosen if not _is_team(each.author)), ticket.requester)
    new = begin(
        ticket.partner,
        asker,
        subject or ticket.subject,
        category=ticket.category,
        channel=ticket.channel,
        created_at=chosen[0].at,
        assignee_id=ticket.assignee_id,
        priority=ticket.priority,
    )
    happened(new, actor, "split_from", number=ticket.number)
    happened(ticket, actor, "split", number=new.number)
    fields.bring(ticket, new, actor)
    for message in chosen:
        _take_out(message, ticket, new)
    public = [each for each in chosen if each.visibility is Visibility.PUBLIC]
    answers = [each.at for each in public if _is_team(each.author)]
    if answers:
        new.first_replied_at = answers[0]
        turn(new, actor, Status.WAITING if _is_team(public[-1].author) else Status.OPEN)
    _settle(ticket, new)
    return new


def _take_out(message: Message, here: Ticket, there: Ticket) -> None:
    """Move one message and leave a mark in its place."""
    seq = message.seq
    message.ticket_id, message.seq = there.id, there.next_seq()
    db.session.flush()
    mark = Message(
        ticket_id=here.id,
        seq=seq,
        author_id=message.author_id,
        body="",
        visibility=message.visibility,
        channel=message.channel,
        client_id=f"moved-{message.id}-{here.id}-{seq}",
        automatic=True,
        moved_to_id=there.id,
        at=message.at,
    )
    db.session.add(mark)
    db.session.flush()


def _messages(ticket: Ticket, among: Sequence[int] | None = None) -> list[Message]:
    statement = select(Message).where(Message.ticket_id == ticket.id).order_by(Message.seq)
    found = db.session.scalars(statement)
    return [each for each in found if among is None or each.id in set(among)]


def _lock_both(one: Ticket, other: Ticket) -> None:
    # Always in the same order: two merges that cross would otherwise wait for each other.
    for ticket in sorted({one, other}, key=lambda each: each.id):
        lock(ticket)


def _is_team(user: User) -> bool:
    return can(user, Permission.TICKETS_WORK)


def _keep_read(source: Ticket, target: Ticket, arriving: int) -> None:
    """Who had read both threads to the end has read what comes along."""
    ended = select(ReadMark.user_id).where(ReadMark.ticket_id == source.id, ReadMark.seq >= source.last_seq)
    db.session.execute(
        update(ReadMark)
        .where(
            ReadMark.ticket_id == target.id,
            ReadMark.seq >= target.last_seq,
            ReadMark.user_id.in_(ended.scalar_subquery()),
        )
        .values(seq=target.last_seq + arriving)
        .execution_options(synchronize_session=False)
    )


def _move_drafts(source: Ticket, target: Ticket) -> None:
    for draft in db.session.scalars(select(Draft).where(Draft.ticket_id == source.id)):
        key = {"ticket_id": target.id, "user_id": draft.user_id, "visibility": draft.visibility}
        there = db.session.get(Draft, key)
        if there is None:
            db.session.add(Draft(**key, body=draft.body))
        else:
            there.body = f"{there.body}\n\n{draft.body}"
        db.session.delete(draft)


def _settle(*tickets: Ticket) -> None:
    db.session.flush()
    for ticket in tickets:
        settle_preview(ticket)
        promises.follow(ticket)
        news.changed(ticket)
