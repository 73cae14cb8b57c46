"""Public messages leave by mail: one row for each message and recipient, sent once.

Who is not in the hub gets a message at once, and so does who wrote by mail;
who is in the hub just now gets what is still unread some minutes later. All
that is due for one person goes in one mail; a single ticket's threads with its
former ones. What has been read meanwhile is never mailed, and a note never
becomes a row.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core import clock
from ..core.database import db, insert_now
from ..core.jobs import ring
from ..core.links import absolute
from ..core.mail import Letter, compose, queue_letter
from ..core.mail.body import confined
from ..core.mail.compose import escape_markdown, message_id
from ..core.settings import settings
from ..notifications.digest import wants_mail
from ..partners.models import Membership
from .mail_tokens import Token, inbox, reply_address
from .models import Attachment, Channel, Message, ReadMark, Ticket, Visibility
from .models_mail import CopyState, MailCopy

#: Whose last visit is that recent is in the hub just now: visits are written down every five minutes.
HERE = timedelta(minutes=6)
#: Messages quoted below the new ones, and how much of each.
QUOTED, LONGEST_QUOTE = 5, 2000
#: Beyond this a message is shown as it was typed: formatting takes its time.
LONGEST_FORMATTED = 20_000
#: Conversations in one mail.
MOST_TOGETHER = 10
_QUIET = {"X-Auto-Response-Suppress": "OOF, AutoReply"}
_ID = re.compile(r"[!-;=?-~]{3,250}")


def keep(message: Message, recipients: Iterable[User]) -> None:
    """Remember, in the open transaction, that `recipients` are to get a public message by mail."""
    assert message.visibility is Visibility.PUBLIC
    for user in recipients:
        by_mail = _writes_by_mail(message.ticket_id, user)
        declined = not by_mail and not wants_mail(user)
        insert_now(
            MailCopy,
            ticket_id=message.ticket_id,
            message_id=message.id,
            user_id=user.id,
            state=CopyState.DECLINED if declined else CopyState.PENDING,
            due_at=message.at if by_mail else _due(message, user),
        )
    ring("tickets.mail_out")


def waiting(limit: int = 200) -> list[int]:
    """People for whom something is due."""
    return list(db.session.scalars(select(MailCopy.user_id).where(*_is_due()).distinct().limit(limit)))


def waiting_in(user_id: int) -> list[int]:
    """Ids of the tickets in which something is due for a person."""
    due = select(Message.ticket_id).join(MailCopy, MailCopy.message_id == Message.id)
    return list(db.session.scalars(due.where(MailCopy.user_id == user_id, *_is_due()).distinct()))


def send(user_id: int, ticket_id: int | None = None) -> None:
    """Write to a person what they have not read, in the open transaction: one mail, whatever the tickets are.

    With `ticket_id`, of that ticket alone.

    A ticket in which they write by mail has its own, so that the thread in their mail program goes on.
    Claiming the rows and writing the mail are one commit: nothing is mailed twice or forgotten.
    """
    ids = claim(user_id, CopyState.SENT, ticket_id)
    if not ids:
        return
    user = db.session.get_one(User, user_id)
    together: list[tuple[Ticket, list[MailCopy]]] = []
    for ticket, copies in _by_ticket(ids):
        by_mail = _writes_by_mail(ticket.id, user)
        unread = _unread(ticket, user, copies, by_mail=by_mail)
        if unread and by_mail:
            _send_thread(ticket, user, unread)
        elif unread:
            together.append((ticket, unread))
    for start in range(0, len(together), MOST_TOGETHER):
        few = together[start : start + MOST_TOGETHER]
        if len(few) == 1:
            _send_thread(few[0][0], user, few[0][1])
        else:
            queue_letter(_digest(user, few), "tickets/mail/digest")


def claim(user_id: int, state: CopyState, ticket_id: int | None = None) -> list[int]:
    """Give what is due for a person, or for them in one ticket, its state; the ids of the rows.

    What is not due yet waits: its reader may be sitting in front of it.
    """
    rows = update(MailCopy).where(MailCopy.user_id == user_id, *_is_due())
    if ticket_id is not None:
        its = select(Message.id).where(Message.ticket_id == ticket_id)
        rows = rows.where(MailCopy.message_id.in_(its))
    rows = rows.values(state=state).execution_options(synchronize_session=False)
    return list(db.session.scalars(rows.returning(MailCopy.id)))


def _by_ticket(ids: Sequence[int]) -> list[tuple[Ticket, list[MailCopy]]]:
    """The copies by the ticket that their messages are in now: one may have been merged meanwhile."""
    whole = joinedload(MailCopy.message)
    found = db.session.scalars(
        select(MailCopy)
        .where(MailCopy.id.in_(ids))
        .options(whole.joinedload(Message.author), whole.joinedload(Message.ticket))
        .order_by(MailCopy.id)
    )
    held: dict[int, tuple[Ticket, list[MailCopy]]] = {}
    for copy in found:
        held.setdefault(copy.message.ticket_id, (copy.message.ticket, []))[1].append(copy)
    return list(held.values())


def _unread(ticket: Ticket, user: User, copies: list[MailCopy], *, by_mail: bool) -> list[MailCopy]:
    """Those that the person may see and has not read, in order; the others say why not."""
    mark = db.session.get(ReadMark, {"ticket_id": ticket.id, "user_id": user.id})
    if not may_see(user, ticket) or not (by_mail or wants_mail(user)):
        for copy in copies:
            copy.state = CopyState.DECLINED
        return []
    unread = []
    for copy in sorted(copies, key=lambda copy: copy.message.seq):
        if mark is not None and copy.message.seq <= mark.seq and not by_mail:
            copy.state = CopyState.READ
        else:
            unread.append(copy)
    return unread


def _send_thread(ticket: Ticket, user: User, unread: list[MailCopy]) -> None:
    token = Token(ticket.id, user.id, unread[-1].message.seq)
    for copy in unread:
        copy.mail_key = str(token)
    queue_letter(_letter(ticket, user, token, [copy.message for copy in unread]), "tickets/mail/answer")


def _due(message: Message, user: User) -> datetime:
    is_here = user.last_seen_at is not None and user.last_seen_at > message.at - HERE
    wait = is_here or message.channel is Channel.CHAT
    return message.at + timedelta(minutes=settings.mail_minutes if wait else 0)


def _is_due() -> tuple[Any, ...]:
    return MailCopy.state == CopyState.PENDING, MailCopy.due_at <= clock.now()


def _writes_by_mail(ticket_id: int, user: User) -> bool:
    """Did this person's last message in the ticket come by mail? Then that is where they wait."""
    return db.session.scalar(_LAST_CHANNEL, {"ticket": ticket_id, "user": user.id}) is Channel.MAIL


_COLUMNS = Message.__table__.c
_LAST_CHANNEL = (
    select(_COLUMNS.channel)
    .where(_COLUMNS.ticket_id == bindparam("ticket"), _COLUMNS.author_id == bindparam("user"))
    .order_by(_COLUMNS.seq.desc())
    .limit(1)
)


def may_see(user: User, ticket: Ticket) -> bool:
    """Does this person still belong to the ticket's partner?"""
    member = select(Membership.id).where(
        Membership.partner_id == ticket.partner_id, Membership.user_id == user.id
    )
    return user.is_active and db.session.scalar(member) is not None


# --- The letter --------------------------------------------------------------------


def _letter(ticket: Ticket, user: User, token: Token, messages: Sequence[Message]) -> Letter:
    earlier = _earlier(ticket, messages[0].seq)
    texts = compose(
        "tickets/mail/answer",
        user.locale,
        user.time_zone,
        ticket=ticket,
        messages=[_shown(message) for message in messages],
        earlier=[{"author": m.author.name, "at": m.at, "body": m.body[:LONGEST_QUOTE]} for m in earlier],
        url=absolute("tickets.show", number=ticket.number),
    )
    return Letter(
        key=str(token),
        address=user.email,
        name=user.name,
        subject=texts.subject,
        html=texts.html,
        text=texts.text,
        locale=user.locale,
        headers=_headers(ticket, user, token),
    )


def _digest(user: User, together: Sequence[tuple[Ticket, list[MailCopy]]]) -> Letter:
    """Several conversations in one mail. It belongs to none of them: a plain answer to it opens a new one."""
    texts = compose(
        "tickets/mail/digest",
        user.locale,
        user.time_zone,
        count=len(together),
        talks=[
            {
                "ticket": ticket,
                "messages": [_shown(copy.message) for copy in unread],
                "url": absolute("tickets.show", number=ticket.number),
                "answer": _mailto(ticket, Token(ticket.id, user.id, unread[-1].message.seq)),
            }
            for ticket, unread in together
        ],
        choice=absolute("notifications.choose"),
    )
    last = max(copy.id for _ticket, unread in together for copy in unread)
    return Letter(
        key=f"tickets-{user.id}-{last}",
        address=user.email,
        name=user.name,
        subject=texts.subject,
        html=texts.html,
        text=texts.text,
        locale=user.locale,
        headers={"Reply-To": inbox()} | _QUIET | {"X-Loop": inbox()},
    )


def _mailto(ticket: Ticket, token: Token) -> str:
    subject = quote(f"Re: {ticket.subject} [#{ticket.number}]")
    return f"mailto:{quote(reply_address(token), safe='@+')}?subject={subject}"


def _headers(ticket: Ticket, user: User, token: Token) -> dict[str, str]:
    """What lets programs thread the mail, and people answer it.

    Not marked as automatic: a person wrote it, and other help desks would not show it. But no program
    is to answer.
    """
    ids = _thread_ids(ticket, user, token.seq)
    headers = {
        "Reply-To": reply_address(token),
        **_QUIET,
        "X-Loop": inbox(),
    }
    if ids:
        headers |= {"In-Reply-To": ids[-1], "References": " ".join(ids)}
    return headers


def _thread_ids(ticket: Ticket, user: User, before: int) -> list[str]:
    """Ids of this person's mails in the thread so far, theirs and ours, oldest first."""
    theirs = select(Message.seq, Message.mail_id).where(
        Message.ticket_id == ticket.id, Message.mail_id.is_not(None), Message.seq < before
    )
    ours = (
        select(Message.seq, MailCopy.mail_key)
        .join(Message, Message.id == MailCopy.message_id)
        .where(MailCopy.ticket_id == ticket.id, MailCopy.user_id == user.id, MailCopy.mail_key.is_not(None))
        .where(Message.seq < before)
    )
    found = [(seq, f"<{name}>") for seq, name in db.session.execute(theirs) if _ID.fullmatch(str(name))]
    found += [(seq, message_id(str(key))) for seq, key in db.session.execute(ours)]
    return list(dict.fromkeys(each for _seq, each in sorted(found)))[-20:]


def _earlier(ticket: Ticket, before: int) -> list[Message]:
    """The public messages before those that are sent, the newest first."""
    statement = (
        select(Message)
        .where(Message.ticket_id == ticket.id, Message.visibility == Visibility.PUBLIC, Message.seq < before)
        .options(joinedload(Message.author))
    )
    return list(db.session.scalars(statement.order_by(Message.seq.desc()).limit(QUOTED)))


def _shown(message: Message) -> dict[str, Any]:
    files = select(Attachment).where(Attachment.message_id == message.id).order_by(Attachment.id)
    return {
        "author": message.author.name,
        "at": message.at,
        "body": _formatted(message),
        "files": [file.name for file in db.session.scalars(files)],
    }


def _formatted(message: Message) -> Markup:
    """A message for a mail, its line breaks kept; Markdown where it was written in the hub.

    Nothing in it acts on what stands around it: where that cannot be helped, it is shown as it was typed.
    """
    typed = message.channel is Channel.MAIL or len(message.body) > LONGEST_FORMATTED
    formatted = None if typed else confined(_lines(message.body.splitlines()))
    if formatted is None:
        formatted = _lines(str(escape_markdown(line)) for line in message.body.splitlines())
    return Markup(formatted)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() + "  " if line.strip() else "" for line in lines)
