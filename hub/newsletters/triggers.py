"""What brings people into a sequence, as conditions the database can look for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import aliased

from ..accounts.models import User
from ..core import clock
from ..core.database import db
from ..core.i18n import Text, _l
from ..earnings.models import Conversion, SaleKind
from ..partners.models import Membership, Partner, PartnerStatus
from . import audience
from .models_sequences import Sequence, SequenceEntry, Trigger

#: What happened longer ago brings nobody in any more: who joins an organisation a year later is no new partner.
RECENT = timedelta(days=30)
#: Sales come by file, at the latest so long after.
HEARD_LATE = timedelta(days=92)
ONCE = "once"

TRIGGERS: dict[Trigger, Text] = {
    Trigger.APPROVED: _l("The partner was approved"),
    Trigger.FIRST_SALE: _l("The partner’s first sale"),
    Trigger.SILENT: _l("Nobody of the partner signed in or sold for some time"),
}


@dataclass(frozen=True)
class Met:
    """Someone whom a trigger means, and through which partner."""

    user_id: int
    zone: str
    partner_id: int
    occasion: str


def meeting(sequence: Sequence, *, most: int) -> Iterator[Met]:
    """People to bring in, once each: those it has come true for since the sequence is on.

    Or, while everyone from before is being brought in, the next `most` of those it ever has.
    """
    statement = _meant(sequence, everyone=sequence.brings_everyone)
    if sequence.brings_everyone:
        statement = statement.limit(most)
    met: set[int] = set()
    for user_id, zone, partner_id, *moments in db.session.execute(statement).all():
        if user_id not in met:
            met.add(user_id)
            yield Met(user_id, zone, partner_id, _occasion(sequence, moments))


def number(sequence: Sequence) -> int:
    """How many it has ever come true for who were not brought in, without those who want no mail on the topic."""
    statement = audience.wanting(_meant(sequence, everyone=True), sequence.topic).order_by(None)
    return db.session.execute(statement.with_only_columns(func.count(User.id.distinct()))).scalar_one()


def _meant(sequence: Sequence, *, everyone: bool) -> Select[Any]:
    moment, holds = _MOMENTS[sequence.trigger](sequence)
    statement: Any = (
        select(User.id, User.time_zone, Partner.id, *moment)
        .join(Membership, Membership.user_id == User.id)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(User.disabled_at.is_(None), Partner.status == PartnerStatus.ACTIVE)
        .where(*holds, ~_has_entered(sequence, moment))
        .order_by(User.id, Membership.id)
    )
    if not everyone:
        begin = max(sequence.since or clock.now(), clock.now() - RECENT) - _wait(sequence)
        statement = statement.where(or_(*(each >= begin for each in moment)))
        if sequence.trigger is Trigger.FIRST_SALE:
            statement = statement.where(_sale(func.min) >= begin - HEARD_LATE)
    return statement


def _wait(sequence: Sequence) -> timedelta:
    return timedelta(days=sequence.days if sequence.trigger is Trigger.SILENT else 0)


def _occasion(sequence: Sequence, moments: list[datetime | None]) -> str:
    if sequence.trigger is not Trigger.SILENT:
        return ONCE
    return max(each for each in moments if each).isoformat(timespec="seconds")


def _has_entered(sequence: Sequence, moment: list[Any]) -> ColumnElement[bool]:
    """Whoever was silent may come in again, but only for a silence that began after they did."""
    entered = exists().where(SequenceEntry.sequence_id == sequence.id, SequenceEntry.user_id == User.id)
    if sequence.trigger is not Trigger.SILENT:
        return entered
    later = (or_(each.is_(None), each <= SequenceEntry.entered_at) for each in moment)
    return entered.where(*later)


def _approved(_sequence: Sequence) -> tuple[list[Any], list[Any]]:
    began = _began()
    return [began], [began <= clock.now()]


def _began() -> Any:
    """When they were approved; who never applied has been a partner from the first."""
    return func.coalesce(Partner.approved_at, Partner.joined_at)


def _sold(_sequence: Sequence) -> tuple[list[Any], list[Any]]:
    """By when the hub heard of the first sale, which a monthly file may bring; years of history are no news."""
    heard = _sale(func.min, Conversion.created_at)
    return [heard], [heard.is_not(None)]


def _silent(sequence: Sequence) -> tuple[list[Any], list[Any]]:
    """The last signs of life, all of them long ago."""
    signs = [_began(), _seen(), _sale(func.max)]
    cut = clock.now() - timedelta(days=sequence.days)
    return signs, [or_(each.is_(None), each <= cut) for each in signs]


def _seen() -> Any:
    person, member = aliased(User), aliased(Membership)
    seen = select(func.max(person.last_seen_at)).join(member, member.user_id == person.id)
    return seen.where(member.partner_id == Partner.id).correlate(Partner).scalar_subquery()


def _sale(pick: Any, moment: Any = Conversion.occurred_at) -> Any:
    sale = select(pick(moment)).where(Conversion.kind == SaleKind.SALE)
    return sale.where(Conversion.partner_id == Partner.id).correlate(Partner).scalar_subquery()


_MOMENTS: dict[Trigger, Any] = {
    Trigger.APPROVED: _approved,
    Trigger.FIRST_SALE: _sold,
    Trigger.SILENT: _silent,
}


def is_there() -> ColumnElement[bool]:
    """Condition on an entry: its person still belongs to an active partner."""
    return exists(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(User.id == SequenceEntry.user_id, Partner.id == SequenceEntry.partner_id)
        .where(User.disabled_at.is_(None), Partner.status == PartnerStatus.ACTIVE)
    )


def is_over(sequence: Sequence) -> ColumnElement[bool]:
    """Condition on an entry: what brought its person in holds no longer, or, as a file says later, never did."""
    if sequence.trigger is not Trigger.SILENT:
        return false()
    seen = exists(
        select(User.id)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.partner_id == SequenceEntry.partner_id, User.last_seen_at > SequenceEntry.entered_at
        )
    )
    sold = exists().where(
        and_(
            Conversion.partner_id == SequenceEntry.partner_id,
            Conversion.kind == SaleKind.SALE,
            Conversion.created_at > SequenceEntry.entered_at,
            Conversion.occurred_at > clock.now() - timedelta(days=sequence.days),
        )
    )
    return or_(seen, sold)
