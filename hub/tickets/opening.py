"""Opening a ticket."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from ..accounts.models import User
from ..core.database import db
from ..core.errors import NotFound
from ..earnings.models import LedgerEntry
from ..kb.models import Translation
from ..partners.models import Partner
from ..partners.service import partner_of
from . import fields, news, promises
from .errors import ClientIdTaken, NoPartner
from .history import happened
from .messages import File, append, check, said_before
from .models import FIRST_NUMBER, Category, Channel, Ticket
from .reading import remember_read


def open_ticket(
    requester: User,
    subject: str,
    body: str,
    *,
    client_id: str,
    category: Category = Category.OTHER,
    channel: Channel = Channel.PORTAL,
    files: Sequence[File] = (),
    entry: LedgerEntry | None = None,
    article: Translation | None = None,
    typed: Mapping[int, str] | None = None,
) -> Ticket:
    """Open a ticket for the requester's partner organisation, about an amount or an article of theirs maybe.

    `typed` is what stands in the programme's own fields, by id.

    Repeating a `client_id` returns the ticket already opened.
    Raises NoPartner, NotFound for another partner's amount, EmptyMessage, MessageTooLong, ClientIdTaken,
    BadValue.
    """
    partner = partner_of(requester)
    if partner is None:
        raise NoPartner
    # A double click must find the ticket of the first one.
    db.session.execute(select(User.id).where(User.id == requester.id).with_for_update(key_share=True))
    if (said := said_before(requester, client_id)) is not None:
        if said.seq != 1:
            raise ClientIdTaken
        return said.ticket
    check(body, files)
    if entry is not None and entry.partner_id != partner.id:
        raise NotFound
    about = {"entry_id": entry and entry.id, "translation_id": article and article.id}
    ticket = begin(partner, requester, subject, category=category, channel=channel, **about)
    message = append(ticket, requester, body, client_id=client_id, channel=channel, files=files)
    remember_read(ticket, requester, message.seq)
    promises.follow(ticket)
    news.arrived(ticket, message)
    if typed:
        fields.fill_in(ticket, requester, typed)
    return ticket


def begin(
    partner: Partner, requester: User, subject: str, *, category: Category, channel: Channel, **facts: Any
) -> Ticket:
    """A ticket with its number, without a message yet."""
    ticket = Ticket(
        subject=" ".join(subject.split())[:200],
        partner_id=partner.id,
        tier_id=partner.tier_id,
        requester_id=requester.id,
        category=category,
        channel=channel,
        **facts,
    )
    db.session.add(ticket)
    db.session.flush()
    ticket.number = FIRST_NUMBER + ticket.id
    happened(ticket, requester, "opened")
    return ticket
