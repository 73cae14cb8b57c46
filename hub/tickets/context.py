"""What an agent should know beside a thread: the partner, their money, what else they asked, what might help."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, union_all
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

OTHERS = 5
ARTICLES = 3


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


def asked_about(ticket: Ticket) -> Line | None:
    """The line of the ledger the ticket is about."""
    if ticket.entry_id is None:
        return None
    return Line(_entries([ticket.entry_id])[ticket.entry_id], ticket)


def beside(ticket: Ticket) -> tuple[list[Ticket], list[Line]]:
    """The partner's latest tickets besides this one, and lines of the ledger that their live ones question.

    One statement for both; of the lines this ticket's own is the first.
    """
    theirs = select(Ticket.id).where(Ticket.partner_id == ticket.partner_id)
    theirs = theirs.order_by(Ticket.updated_at.desc()).limit(OTHERS)
    latest = theirs.where(Ticket.id != ticket.id).subquery()
    disputed = theirs.where(Ticket.turn.in_(ONGOING), Ticket.entry_id.is_not(None)).subquery()
    either = union_all(select(latest.c.id), select(disputed.c.id))
    found = list(
        db.session.scalars(select(Ticket).where(Ticket.id.in_(either)).order_by(Ticket.updated_at.desc()))
    )
    questioning = [each for each in found if each.is_live and each.entry_id][:OTHERS]
    return [each for each in found if each.id != ticket.id][:OTHERS], _lines(ticket, questioning)


def _lines(ticket: Ticket, questioning: list[Ticket]) -> list[Line]:
    if not questioning:
        return []
    entries = _entries([each.entry_id for each in questioning if each.entry_id])
    first = sorted(questioning, key=lambda each: each.id != ticket.id)
    return [Line(entries[each.entry_id], each) for each in first if each.entry_id]


def _entries(ids: list[int]) -> dict[int, LedgerEntry]:
    statement = select(LedgerEntry).where(LedgerEntry.id.in_(ids)).options(joinedload(LedgerEntry.conversion))
    return {entry.id: entry for entry in db.session.scalars(statement)}


def others(ticket: Ticket) -> list[Ticket]:
    """The partner's latest tickets besides this one."""
    statement = select(Ticket).where(Ticket.partner_id == ticket.partner_id, Ticket.id != ticket.id)
    return list(db.session.scalars(statement.order_by(Ticket.updated_at.desc()).limit(OTHERS)))


def asked_in(ticket: Ticket) -> Translation | None:
    """The article the question came from."""
    return db.session.get(Translation, ticket.translation_id) if ticket.translation_id else None


def articles(ticket: Ticket, viewer: User) -> list[fulltext.Hit]:
    """Articles in the requester's language that fit the subject."""
    found = fulltext.find(
        viewer, ticket.requester.locale, ticket.subject, kinds=("article",), limit=ARTICLES, fragments=False
    )
    return found.hits
