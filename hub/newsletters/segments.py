"""Saved audiences: kept under a name, counted, sampled, and explained for one partner."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from ..accounts.models import User
from ..core import audit, clock
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import _, _l
from ..partners.models import Membership, Partner, PartnerStatus
from . import rules, wording
from .models import Newsletter, Segment, Status, Suppression
from .rules import Rule


class InUse(HubError):
    message = _l("This segment is used by another segment or a draft. Take it out there first.")


@dataclass(frozen=True)
class Reason:
    """A condition and whether someone meets it; the conditions within it below."""

    text: str
    holds: bool
    inner: list["Reason"]


@dataclass(frozen=True)
class Verdict:
    """Whether a person of a partner is in, and each condition's word on it."""

    user: User
    partner: Partner
    is_in: bool
    reasons: list[Reason]


def save(author: User, name: str, rule: Rule, segment: Segment | None = None) -> Segment:
    """Keep a rule under a name. Raises Invalid for a name that is taken, no rule, or one that leads to itself."""
    name, rule = " ".join(name.split()), rules.clean(rule)
    taken = db.session.scalar(select(Segment).where(func.lower(Segment.name) == name.lower()))
    if not name or (taken is not None and taken is not segment):
        text = _("There is a segment of this name already.") if name else _("Give it a name.")
        raise Invalid(text, name=[text])
    if not rule:
        raise Invalid(_("Add a condition that says something."))
    if segment is not None and rules.uses(rule, segment.id):
        raise Invalid(_("A segment cannot be a part of itself."))
    before = {"rule": segment.rule} if segment else None
    segment = segment or Segment(name=name, author_id=author.id)
    segment.name, segment.rule, segment.updated_at = name, rule, clock.now()
    db.session.add(segment)
    db.session.flush()
    audit.record(author, "segment.saved", f"segment:{segment.id}", before=before, after={"rule": rule})
    return segment


def named(name: str) -> Segment | None:
    """The segment of a name, whatever its case."""
    return db.session.scalar(
        select(Segment).where(func.lower(Segment.name) == " ".join(name.split()).lower())
    )


def rule_of(segment: Segment) -> Rule:
    """The audience that is this segment, as it will be when it is needed."""
    return [{"kind": "segment", "values": [str(segment.id)]}]


def delete(segment: Segment, actor: User) -> None:
    """Forget a segment. Raises InUse while something still depends on it."""
    open_states = (Status.DRAFT, Status.SCHEDULED, Status.TEMPLATE)
    waiting = db.session.scalars(select(Newsletter.audience).where(Newsletter.status.in_(open_states)))
    others = db.session.scalars(select(Segment.rule).where(Segment.id != segment.id))
    if any(rules.uses(rule, segment.id) for rule in [*waiting, *others]):
        raise InUse
    audit.record(actor, "segment.deleted", f"segment:{segment.id}", before={"name": segment.name})
    db.session.delete(segment)
    db.session.flush()


# --- Why in, why out -----------------------------------------------------------------


def explain(rule: Rule, words: str, limit: int = 5) -> list[Verdict]:
    """For the people of partners with this code, name or address: each condition, and whether they meet it."""
    nodes = list(_nodes(rule))
    columns = [func.coalesce(rules.compile_condition(each), False) for each in nodes]
    base = (Partner.status == PartnerStatus.ACTIVE, User.disabled_at.is_(None))
    people: Any = select(User, Partner, *base, User.email.in_(select(Suppression.address)), *columns)
    found = (
        people.join(Membership, Membership.user_id == User.id)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(
            (Partner.code == words.strip().upper())
            | (User.email == words.strip().lower())
            | Partner.name.icontains(words.strip(), autoescape=True)
        )
        .order_by(Partner.id, User.id)
        .limit(limit)
    )
    return [_verdict(rule, nodes, *row) for row in db.session.execute(found)] if words.strip() else []


def _nodes(rule: Rule) -> Any:
    for each in rule:
        yield each
        yield from _nodes(each.get("rules", []))


def _verdict(rule: Rule, nodes: list[Any], user: User, partner: Partner, *held: bool) -> Verdict:
    is_active, is_enabled, is_suppressed, *answers = map(bool, held)
    by_node = {id(node): answer for node, answer in zip(nodes, answers, strict=True)}
    reasons = [_reason(each, by_node) for each in rule]
    if not rules.says_status(rule):
        reasons.insert(0, Reason(_("The partner is active"), is_active, []))
    if not is_enabled:
        reasons.append(Reason(_("The person may sign in"), False, []))
    if is_suppressed:
        reasons.append(Reason(_("The address is not left out of newsletters"), False, []))
    return Verdict(user, partner, all(each.holds for each in reasons), reasons)


def _reason(condition: Any, by_node: dict[int, bool]) -> Reason:
    inner = [_reason(each, by_node) for each in condition.get("rules", [])]
    return Reason(wording.describe_condition(condition), by_node[id(condition)], inner)
