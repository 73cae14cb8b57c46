"""Rules of an audience, as SQL: who of the partners' people they mean.

A rule is a list of conditions that all hold: `{"kind": "tier", "values": ["gold"]}`. With `"not": true` a
condition means everyone else. A group is a condition too: `{"kind": "any", "rules": […]}`; so is a saved
segment: `{"kind": "segment", "values": ["3"]}`. Nothing is decided in Python: a hundred thousand partners are
one statement.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import Boolean, ColumnElement, String, and_, false, func, or_, select, true

from ..accounts.models import User
from ..core import clock, months
from ..core.database import db
from ..core.i18n import Text, _l
from ..earnings import money
from ..earnings.models import EntryKind, LedgerEntry
from ..materials.models import Asset, AssetVersion, Download
from ..partners.models import Partner, PartnerStatus, Tier
from ..surveys.models import Answer, Invitation, Question, Response, Survey
from ..training.models import Registration, RegistrationStatus
from .models import Delivery, DeliveryState, Segment
from .models_tracking import UNTRACKED, Untracked

Rule = list[dict[str, Any]]
Condition = dict[str, Any]
#: Groups within groups, and segments within segments, end here.
DEEPEST = 8
MOST_VALUES = 1000


@dataclass(frozen=True)
class Kind:
    """What a condition asks, which of its fields it reads, and how that becomes SQL."""

    label: Text
    fields: tuple[str, ...]
    sql: Callable[[Condition], ColumnElement[bool]]


def compile_rule(rule: Rule, depth: int = 0) -> ColumnElement[bool]:
    """All conditions of a rule as one, on User and Partner."""
    return and_(true(), *(compile_condition(each, depth) for each in rule))


def compile_condition(condition: Condition, depth: int = 0) -> ColumnElement[bool]:
    if depth > DEEPEST:
        return false()
    found = _meaning(condition, depth)
    # What is not known (no manager, never signed in) is not so: `not` then holds.
    return ~func.coalesce(found, false(), type_=Boolean) if condition.get("not") else found


def _meaning(condition: Condition, depth: int) -> ColumnElement[bool]:
    kind = condition.get("kind")
    if kind in ("any", "all"):
        inner = [compile_condition(each, depth + 1) for each in condition.get("rules", [])]
        return or_(*inner) if kind == "any" and inner else and_(true(), *inner)
    if kind == "segment":
        rules = [segment.rule for segment in _segments(condition)]
        return or_(false(), *(compile_rule(rule, depth + 1) for rule in rules))
    return KINDS[kind].sql(condition) if kind in KINDS else false()


def _segments(condition: Condition) -> list[Segment]:
    numbers = _numbers(condition)
    return list(db.session.scalars(select(Segment).where(Segment.id.in_(numbers)))) if numbers else []


def says_status(rule: Rule, depth: int = 0) -> bool:
    """Does it say which partners' states it means? Otherwise only active ones are meant."""
    for each in rule if depth <= DEEPEST else []:
        inner = each.get("rules", [])
        if each.get("kind") == "segment":
            inner = [one for segment in _segments(each) for one in segment.rule]
        if each.get("kind") == "status" or says_status(inner, depth + 1):
            return True
    return False


def clean(rule: Any, depth: int = 0) -> Rule:
    """A rule with only what is known and says something."""
    found: Rule = []
    for each in rule if isinstance(rule, list) and depth <= DEEPEST else []:
        if not isinstance(each, dict):
            continue
        if each.get("kind") in ("any", "all"):
            inner = clean(each.get("rules"), depth + 1)
            kept: Condition = {"kind": each["kind"], "rules": inner} if inner else {}
        else:
            kept = _clean_condition(each)
        if kept:
            found.append(kept | ({"not": True} if each.get("not") else {}))
    return found


def _clean_condition(condition: Condition) -> Condition:
    kind = condition.get("kind")
    fields = ("values",) if kind == "segment" else KINDS[kind].fields if kind in KINDS else ()
    found: Condition = {}
    for name in fields:
        value = condition.get(name)
        if name == "values" and value:
            value = sorted({str(one).strip() for one in value if str(one).strip()})[:MOST_VALUES]
        if value:
            found[name] = value
    return {"kind": kind, **found} if found and set(_NEEDED.get(str(kind), ())) <= found.keys() else {}


# --- What there is to ask -----------------------------------------------------------


def _values(condition: Condition) -> list[str]:
    return [str(each) for each in condition.get("values", [])]


def _numbers(condition: Condition) -> list[int]:
    return [int(each) for each in _values(condition) if each.isdecimal() and len(each) < 10]


def _days_ago(condition: Condition) -> datetime | None:
    days = str(condition.get("days", ""))
    return clock.now() - timedelta(days=int(days)) if days.isdecimal() and len(days) < 5 else None


def _day(text: Any) -> datetime | None:
    try:
        return months.midnight(date.fromisoformat(str(text)))
    except (ValueError, OverflowError):
        return None


def _tier(condition: Condition) -> ColumnElement[bool]:
    return Partner.tier_id.in_(select(Tier.id).where(Tier.key.in_(_values(condition))))


def _tag(condition: Condition) -> ColumnElement[bool]:
    # A JSON list is searched as its text: the same on SQLite and PostgreSQL.
    tags = sqlalchemy.cast(Partner.tags, String)
    return or_(false(), *(tags.contains(json.dumps(each), autoescape=True) for each in _values(condition)))


def _moment(column: Any, condition: Condition) -> ColumnElement[bool]:
    """`op`: within or before the last `days`; before or from a `day` on; never."""
    op, ago, day = condition.get("op"), _days_ago(condition), _day(condition.get("day"))
    if op == "never":
        return column.is_(None)
    if op in ("within", "longer") and ago:
        return column >= ago if op == "within" else column < ago
    if op in ("from", "before") and day:
        return column >= day if op == "from" else column < day
    return false()


def _earned(condition: Condition) -> ColumnElement[bool]:
    """At least `amount` in `currency`, from a month to a month."""
    currency = str(condition.get("currency", ""))
    try:
        amount = money.parse(str(condition.get("amount", "")), currency)
    except ValueError:
        return false()
    first, last = months.parse(condition.get("from")), months.parse(condition.get("to"))
    earned = select(LedgerEntry.partner_id).where(
        LedgerEntry.currency == currency, LedgerEntry.kind != EntryKind.PAYOUT
    )
    if first:
        earned = earned.where(LedgerEntry.occurred_at >= months.bounds(first)[0])
    if last:
        earned = earned.where(LedgerEntry.occurred_at < months.bounds(last)[1])
    enough = earned.group_by(LedgerEntry.partner_id).having(func.sum(LedgerEntry.amount_minor) >= amount)
    return Partner.id.in_(enough)


def _downloaded(condition: Condition) -> ColumnElement[bool]:
    """Something of the chosen campaigns or assets, or with `any` whatever; in the last `days` if given."""
    taken = (
        select(Download.partner_id)
        .join(AssetVersion, AssetVersion.id == Download.version_id)
        .join(Asset, Asset.id == AssetVersion.asset_id)
        .where(Download.partner_id.is_not(None))
    )
    values = _values(condition)
    if "any" not in values:
        campaigns = [
            int(each[9:]) for each in values if each.startswith("campaign:") and each[9:].isdecimal()
        ]
        taken = taken.where(or_(Asset.campaign_id.in_(campaigns), Asset.public_id.in_(values)))
    if ago := _days_ago(condition):
        taken = taken.where(Download.at >= ago)
    return Partner.id.in_(taken)


def _attended(condition: Condition) -> ColumnElement[bool]:
    there = select(Registration.user_id).where(Registration.status == RegistrationStatus.ATTENDED)
    if "any" not in _values(condition):
        there = there.where(Registration.webinar_id.in_(_numbers(condition)))
    return User.id.in_(there)


def _answered(condition: Condition) -> ColumnElement[bool]:
    """`survey:3`: took part; `7:2`: chose the third option of question 7; `7:0-6`: a number between these.

    What was answered anonymously leads to nobody, here neither.
    """
    return or_(false(), *(_answer(*each.split(":", 1)) for each in _values(condition) if ":" in each))


def _answer(what: str, answer: str) -> ColumnElement[bool]:
    low, _dash, high = answer.partition("-")
    if not low.isdecimal() or (high and not high.isdecimal()) or len(answer) > 9:
        return false()
    asked = select(Invitation.user_id)
    if what == "survey":
        took_part = asked.where(Invitation.survey_id == int(low), Invitation.responded_at.is_not(None))
        return User.id.in_(took_part)
    if not what.isdecimal() or len(what) > 9:
        return false()
    said = (
        asked.join(Response, Response.invitation_id == Invitation.id)
        .join(Answer, Answer.response_id == Response.id)
        .join(Question, Question.id == Answer.question_id)
        .join(Survey, Survey.id == Question.survey_id)
        .where(Question.id == int(what), Survey.is_anonymous.is_(False))
        .where(Answer.number.between(int(low), int(high or low)))
    )
    return User.id.in_(said)


def _unmoved(moment: Any, *besides: Any) -> Callable[[Condition], ColumnElement[bool]]:
    """Got one of the newsletters, and is not known to have opened it or followed a link.

    Of who may not be counted nobody knows, nor where a program may have opened it for them: they are not meant.
    """

    def sql(condition: Condition) -> ColumnElement[bool]:
        counted = ~sqlalchemy.cast(Delivery.values, String).contains(f'"{UNTRACKED}"')
        got = select(Delivery.user_id).where(
            Delivery.newsletter_id.in_(_numbers(condition)),
            Delivery.state == DeliveryState.SENT,
            Delivery.user_id.is_not(None),
            Delivery.bounced_at.is_(None),
            moment.is_(None),
            *(each.is_(None) for each in besides),
            counted,
        )
        return and_(User.id.in_(got), User.email.not_in(select(Untracked.address)))

    return sql


def _in(column: Any) -> Callable[[Condition], ColumnElement[bool]]:
    return lambda condition: column.in_(_values(condition))


KINDS: dict[str, Kind] = {
    "tier": Kind(_l("Level"), ("values",), _tier),
    "country": Kind(_l("Country"), ("values",), _in(Partner.country)),
    "language": Kind(_l("Language"), ("values",), _in(User.locale)),
    "tag": Kind(_l("Tag"), ("values",), _tag),
    "status": Kind(
        _l("State of the partner"),
        ("values",),
        lambda condition: Partner.status.in_([each for each in PartnerStatus if each in _values(condition)]),
    ),
    "manager": Kind(
        _l("Personal manager"), ("values",), lambda condition: Partner.manager_id.in_(_numbers(condition))
    ),
    "joined": Kind(
        _l("Joined"), ("op", "days", "day"), lambda condition: _moment(Partner.joined_at, condition)
    ),
    "seen": Kind(
        _l("Last here"), ("op", "days", "day"), lambda condition: _moment(User.last_seen_at, condition)
    ),
    "earned": Kind(_l("Earned at least"), ("amount", "currency", "from", "to"), _earned),
    "downloaded": Kind(_l("Downloaded"), ("values", "days"), _downloaded),
    "attended": Kind(_l("Attended the webinar"), ("values",), _attended),
    "answered": Kind(_l("Answered in a survey"), ("values",), _answered),
    "unopened": Kind(
        _l("Did not open the newsletter"),
        ("values",),
        _unmoved(Delivery.opened_at, Delivery.machine_opened_at, Delivery.clicked_at),
    ),
    "unfollowed": Kind(_l("Followed no link of the newsletter"), ("values",), _unmoved(Delivery.clicked_at)),
    "chosen": Kind(_l("Chosen partners"), ("values",), _in(Partner.code)),
}
#: Without these a condition says nothing.
_NEEDED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(KINDS, ("values",)),
    "segment": ("values",),
    "joined": ("op",),
    "seen": ("op",),
    "earned": ("amount", "currency"),
}


def uses(rule: Rule, number: int, depth: int = 0) -> bool:
    """Does a rule, through whatever segments, come to the segment of this number?"""
    for each in rule if depth <= DEEPEST else []:
        if each.get("kind") == "segment":
            if number in _numbers(each) or any(
                uses(segment.rule, number, depth + 1) for segment in _segments(each)
            ):
                return True
        elif uses(each.get("rules", []), number, depth + 1):
            return True
    return False
