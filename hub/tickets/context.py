"""What an agent should know beside a thread: the partner, their money, what else they asked, what might help."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select, union_all
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core import clock, fulltext, i18n, months
from ..core.database import db
from ..core.i18n import _
from ..earnings import explaining
from ..earnings import service as earnings
from ..earnings.models import LedgerEntry
from ..kb.models import Translation
from ..partners.models import Partner
from .models import ONGOING, Ticket
from .models_rating import Rating

OTHERS = 5
ARTICLES = 3
RATINGS = 10


@dataclass(frozen=True)
class Line:
    """A line of the ledger that a ticket is about."""

    entry: LedgerEntry
    ticket: Ticket

    @property
    def title(self) -> str:
        return explaining.title(self.entry)

    @property
    def amount(self) -> str:
        return i18n.money(self.entry.amount_minor, self.entry.currency)


def local_time(partner: Partner) -> str:
    with i18n.speaking(i18n.locale(), partner.time_zone):
        return i18n.format_time(clock.now())


def last_seen(ticket: Ticket) -> datetime | None:
    """When the requester last opened the hub."""
    return ticket.requester.last_seen_at


def money(partner: Partner) -> list[tuple[str, str]]:
    """This month, the last one, and what is payable, in the currencies the partner has."""
    this, last = months.last_months(2)[::-1]
    accounts = earnings.glance(partner)
    lines = []
    for month, amounts in (
        (this, {each.currency: each.this_month for each in accounts}),
        (last, {each.currency: each.last_month for each in accounts}),
    ):
        earned = {currency: amount for currency, amount in amounts.items() if amount}
        lines += [
            (i18n.format_month(month), i18n.money(amount, currency))
            for currency, amount in (earned or {partner.currency: 0}).items()
        ]
    return lines + [
        (_("Payable"), i18n.money(each.payable, each.currency)) for each in accounts if each.payable
    ]


@dataclass(frozen=True)
class Beside:
    """What one statement finds out about a ticket and its partner."""

    others: list[Ticket]  # the partner's latest ones
    disputes: list[Line]  # lines of the ledger that their live ones question, this ticket's own first
    tied: list[Ticket]  # tickets that have to do with it, the newest first
    article: Translation | None  # the one that the question came from
    ratings: list[Rating]  # the latest first


def beside(ticket: Ticket, tied: Iterable[int]) -> Beside:
    """What stands around a ticket; `tied` are ids of the tickets that have to do with it."""
    rows = _around(ticket, list(tied))
    found = {each.id: each for each, *_more in rows}
    here = [row for row in rows if row[0].id == ticket.id]
    theirs = [each for each in found.values() if each.partner_id == ticket.partner_id]
    entries = {each.id: entry for each, entry, *_more in rows if entry}
    questioning = [each for each in theirs if each.is_live and each.id in entries][:OTHERS]
    questioning.sort(key=lambda each: each.id != ticket.id)
    return Beside(
        others=[each for each in theirs if each.id != ticket.id][:OTHERS],
        disputes=[Line(entries[each.id], each) for each in questioning],
        tied=sorted((found[id] for id in tied if id in found), key=lambda each: -each.id),
        article=here[0][2],
        ratings=sorted((row[3] for row in here if row[3]), key=lambda each: -each.version)[:RATINGS],
    )


def _around(ticket: Ticket, tied: list[int]) -> Sequence[Any]:
    theirs = select(Ticket.id).where(Ticket.partner_id == ticket.partner_id)
    theirs = theirs.order_by(Ticket.updated_at.desc()).limit(OTHERS)
    latest = theirs.where(Ticket.id != ticket.id).subquery()
    disputed = theirs.where(Ticket.turn.in_(ONGOING), Ticket.entry_id.is_not(None)).subquery()
    named = select(Ticket.id).where(Ticket.id.in_([ticket.id, *tied]))  # not by OR: each finds its index so
    either = union_all(select(latest.c.id), select(disputed.c.id), named)
    is_it = Ticket.id == ticket.id
    given = and_(is_it, Rating.ticket_id == Ticket.id, Rating.rated_at.is_not(None))
    return db.session.execute(
        select(Ticket, LedgerEntry, Translation, Rating)
        .outerjoin(LedgerEntry, LedgerEntry.id == Ticket.entry_id)
        .outerjoin(Translation, and_(is_it, Translation.id == Ticket.translation_id))
        .outerjoin(Rating, given)
        .where(Ticket.id.in_(either))
        .options(joinedload(LedgerEntry.conversion), joinedload(Rating.rater))
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
    ).all()


def others(ticket: Ticket) -> list[Ticket]:
    """The partner's latest tickets besides this one."""
    statement = select(Ticket).where(Ticket.partner_id == ticket.partner_id, Ticket.id != ticket.id)
    return list(db.session.scalars(statement.order_by(Ticket.updated_at.desc()).limit(OTHERS)))


def articles(ticket: Ticket, viewer: User) -> list[fulltext.Hit]:
    """Articles in the requester's language that fit the subject."""
    found = fulltext.find(
        viewer, ticket.requester.locale, ticket.subject, kinds=("article",), limit=ARTICLES, fragments=False
    )
    return found.hits
