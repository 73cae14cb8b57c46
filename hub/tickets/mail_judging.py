"""What becomes of a mail: joins a thread, opens a ticket, changes nothing, or waits for a person.

A thread is joined by what only our mail gave away (a signed id or address),
or by a member of the ticket's partner who answers a mail of that thread. What
a mail says of itself, a number in its subject or a name of the team in its
“From”, proves nothing: anyone can write that.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from ..accounts.models import User
from ..core import clock
from ..core.access import Permission, can
from ..core.database import db
from ..core.mail.receive import Received, split, tell
from ..partners.models import Membership
from ..partners.service import partner_of
from .history import happened, lock
from .mail_files import Kept
from .mail_tokens import Token, in_addresses, in_ids, inbox, our_addresses
from .merging import final
from .messages import MAX_BODY
from .models import Channel, Message, Ticket
from .models_mail import InboundMail, Outcome
from .opening import open_ticket
from .replying import reply

#: Within an hour: mails from one address, tickets it may open, mails into one thread.
MOST_FROM_ADDRESS, MOST_TICKETS, MOST_IN_THREAD = 20, 10, 12
#: The same words from the same address, within a day: a program that does not say that it is one.
MOST_REPEATED = 2
#: People thank, agree and send pictures again and again; programs have more to say.
A_SENTENCE = 25
_PREFIXES = re.compile(
    r"^(?:\s*(?:re|fwd?|aw|wg|odp|pd|на|отв|ответ|вт|hа)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE
)
_NUMBER = re.compile(r"(?:\[\s*#|№|#)\s*(\d{4,9})\b")


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    reason: str = ""
    ticket: Ticket | None = None
    message: Message | None = None


@dataclass(frozen=True)
class Place:
    """The thread a mail belongs to by its ids, and the token that proves it, if one does."""

    ticket: Ticket
    token: Token | None


def judge(mail: InboundMail, received: Received, kept: Kept) -> Verdict:
    """Decide, and do it, in the open transaction. Raises what the verbs of tickets raise."""
    place = _place(received)
    if _is_ours(received):
        return Verdict(Outcome.STORED, "own_mail", place.ticket if place else None)
    if received.automatic or received.bounces:
        return _store(received, place)
    sender = db.session.scalar(select(User).where(User.email == received.sender))
    if (why := _doubt(received, sender)) is not None:
        return Verdict(Outcome.PARKED, why)
    if _repeats_itself(mail, received):
        return Verdict(Outcome.STORED, "repeats", place.ticket if place else None)
    if _count(InboundMail.sender == received.sender) >= MOST_FROM_ADDRESS:
        return Verdict(Outcome.PARKED, "too_many_from_address")
    return _accept(mail, received, kept, place, sender)


def _accept(
    mail: InboundMail, received: Received, kept: Kept, place: Place | None, sender: User | None
) -> Verdict:
    """A person wrote it: into the thread, into a new ticket, or before a person of the team."""
    author = _author(place, sender)
    if place is not None and author is not None:
        return _join(mail, received, kept, place, author)
    if sender is None:
        return Verdict(Outcome.PARKED, "unknown_sender")
    if partner_of(sender) is None:
        return Verdict(Outcome.PARKED, "no_partner")
    opened = _count(InboundMail.sender == received.sender, InboundMail.outcome == Outcome.CREATED)
    if opened >= MOST_TICKETS:
        return Verdict(Outcome.PARKED, "too_many_from_address")
    return _open(mail, received, kept, sender, foreign=place is not None)


# --- Whose, and where ----------------------------------------------------------


def _place(received: Received) -> Place | None:
    # Ids first: the thread that the mail was written in, wherever it was sent.
    token = in_ids(received.references) or in_addresses(received.recipients)
    for bounce in received.bounces:
        token = token or in_ids([bounce.original.strip("<>")])
    if token is not None and (ticket := db.session.get(Ticket, token.ticket_id)) is not None:
        return Place(final(ticket), token)
    known = select(Message).where(Message.mail_id.in_(received.references)).order_by(Message.id.desc())
    message = db.session.scalar(known.limit(1)) if received.references else None
    return Place(message.ticket, None) if message is not None else None


def _is_ours(received: Received) -> bool:
    """A mail of the hub's own that has come round."""
    local, _, domain = received.sender.rpartition("@")
    return (
        f"{local.partition('+')[0]}@{domain}" in our_addresses()
        or in_ids([received.message_id]) is not None
        or inbox() in received.loops.split()
    )


def _doubt(received: Received, sender: User | None) -> str | None:
    if received.failed_dmarc:
        return "forged"
    if received.has_several_senders or not received.sender:
        return "several_senders" if received.sender else "no_sender"
    if sender is not None and not sender.is_active:
        return "disabled"
    if can(sender, Permission.TICKETS_WORK):
        return "from_team"  # anyone can write an agent's name; the team answers in the hub
    if not received.text.strip() and not received.files and not received.subject.strip():
        return "empty"
    return None


def _author(place: Place | None, sender: User | None) -> User | None:
    """Who speaks in the thread: the sender as a member; a stranger only as the one whose copy they answer."""
    if place is None:
        return None
    if sender is not None:
        return sender if _is_member(sender, place.ticket) else None
    if place.token is None:
        return None
    owner = db.session.get(User, place.token.user_id)
    return owner if owner is not None and owner.is_active and _is_member(owner, place.ticket) else None


def _is_member(user: User, ticket: Ticket) -> bool:
    member = select(Membership.id).where(
        Membership.partner_id == ticket.partner_id, Membership.user_id == user.id
    )
    return db.session.scalar(member) is not None


def _count(*conditions: Any) -> int:
    """Mails of the last hour that came to something."""
    since = InboundMail.received_at > clock.now() - timedelta(hours=1)
    counted = InboundMail.outcome.in_((Outcome.CREATED, Outcome.JOINED))
    return db.session.scalar(select(func.count(InboundMail.id)).where(since, counted, *conditions)) or 0


def _repeats_itself(mail: InboundMail, received: Received) -> bool:
    words = split(received.text).reply.strip()
    if len(words) < A_SENTENCE or received.files:
        return False
    same = (
        select(func.count(InboundMail.id))
        .join(Message, Message.id == InboundMail.post_id)
        .where(
            InboundMail.sender == received.sender,
            InboundMail.received_at > clock.now() - timedelta(days=1),
            InboundMail.id != mail.id,
            Message.body == words,
        )
    )
    return (db.session.scalar(same) or 0) >= MOST_REPEATED


# --- What is done --------------------------------------------------------------


def _store(received: Received, place: Place | None) -> Verdict:
    """Kept for whoever looks at the thread, and nothing else: no turn, no clock, no answer."""
    reason = str(received.automatic or "bounce")
    # Whoever is not who they say is not believed what became of a mail.
    reports = [] if received.failed_dmarc else received.bounces
    tell(reports)
    if place is None:
        return Verdict(Outcome.STORED, reason)
    lock(place.ticket)
    failed = [bounce for bounce in reports if bounce.is_final]
    if failed:
        for bounce in failed[:5]:
            facts = {"address": bounce.recipient, "why": bounce.diagnostic or bounce.status}
            happened(place.ticket, None, "mail_undelivered", **facts)
    else:
        facts = {"address": received.sender, "subject": received.subject}
        happened(place.ticket, None, "mail_automatic", **facts)
    return Verdict(Outcome.STORED, reason, place.ticket)


def _join(mail: InboundMail, received: Received, kept: Kept, place: Place, author: User) -> Verdict:
    ticket = place.ticket
    if _count(InboundMail.ticket_id == ticket.id) >= MOST_IN_THREAD:
        return Verdict(Outcome.PARKED, "too_many_in_thread", ticket)
    body, rest = _words(received, kept)
    if not body and not kept.files:
        return Verdict(Outcome.PARKED, _nothing(received), ticket)
    message = reply(
        ticket,
        author,
        body,
        seen=ticket.last_seq,
        client_id=f"mail-{mail.id:08d}",
        channel=Channel.MAIL,
        files=kept.files,
    )
    _remember(mail, received, kept, message, rest)
    if message.ticket_id != ticket.id and message.seq == 1:  # too late for that ticket: it opened the next
        return Verdict(Outcome.CREATED, "follow_up", message.ticket, message)
    by_token = received.sender != author.email
    return Verdict(Outcome.JOINED, "other_address" if by_token else "", message.ticket, message)


def _open(mail: InboundMail, received: Received, kept: Kept, sender: User, *, foreign: bool) -> Verdict:
    if not kept.files and not any(_words(received, kept)) and not _subject(received):
        return Verdict(Outcome.PARKED, _nothing(received))
    ticket, message = begin_ticket(mail, received, kept, sender)
    return Verdict(Outcome.CREATED, _flag(ticket, received, foreign), ticket, message)


def begin_ticket(
    mail: InboundMail, received: Received, kept: Kept, requester: User
) -> tuple[Ticket, Message]:
    """A ticket with the mail as its first message. Raises EmptyMessage when there is nothing to show."""
    body, rest = _words(received, kept)
    subject = _subject(received)
    if not body and not kept.files:
        body = subject
    ticket = open_ticket(
        requester,
        subject or body[:80] or next((file.name for file in kept.files), ""),
        body,
        client_id=f"mail-{mail.id:08d}",
        channel=Channel.MAIL,
        files=kept.files,
    )
    first = select(Message).where(Message.ticket_id == ticket.id, Message.seq == 1)
    message = db.session.scalars(first).one()
    _remember(mail, received, kept, message, rest)
    return ticket, message


def _subject(received: Received) -> str:
    return _PREFIXES.sub("", received.subject).strip()


def _flag(ticket: Ticket, received: Received, foreign: bool) -> str:
    """Tell the team that the mail names another ticket, and that nothing proves it belongs there."""
    match = _NUMBER.search(received.subject)
    if match is not None and int(match[1]) < 2**31:
        named = db.session.scalar(select(Ticket).where(Ticket.number == int(match[1])))
        if named is not None and named.id != ticket.id:
            happened(ticket, None, "mail_number", number=named.number)
            return "number_only"
    return "foreign_thread" if foreign else ""


def _words(received: Received, kept: Kept) -> tuple[str, str]:
    """What is shown as the message, and what is folded below it."""
    if received.is_encrypted and not received.text.strip():
        return "", ""
    parts = split(received.text)
    body, rest = parts.reply.strip("\n").rstrip(), parts.rest
    if not body.strip() and not kept.files:
        body, rest = received.text.strip(), ""
    if len(body) > MAX_BODY:
        body, rest = body[:MAX_BODY], body[MAX_BODY:] + rest
    return body, rest.strip("\n")


def _nothing(received: Received) -> str:
    """Why there is nothing to show."""
    if received.is_encrypted:
        return "encrypted"
    return "no_file_kept" if received.files else "empty"


def _remember(mail: InboundMail, received: Received, kept: Kept, message: Message, rest: str) -> None:
    mail.rest, mail.left_out = rest, kept.left_out
    taken = select(Message.id).where(Message.mail_id == received.message_id)
    if received.message_id and db.session.scalar(taken) is None:
        message.mail_id = received.message_id
    db.session.flush()
