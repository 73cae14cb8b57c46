"""Whom a newsletter is for: rules in, people out."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from sqlalchemy import Select, func, or_, select

from ..accounts.models import User
from ..core.database import db
from ..partners.models import Membership, Partner, PartnerStatus, Tier
from . import consent, rules
from .consent import normalise
from .models import Suppression, Topic, TopicOptOut
from .rules import Rule
from .wording import describe

__all__ = [
    "Count",
    "Recipient",
    "Rule",
    "addresses",
    "count",
    "describe",
    "had_enough",
    "languages",
    "named",
    "normalise",
    "partner_ids",
    "recipient",
    "recipients",
    "zones",
]


#: Rows looked up at once.
PAGE = 500


class Person(NamedTuple):
    """What is needed of a user for each of many thousands; the rest is loaded when it is asked for."""

    id: int
    email: str
    name: str
    locale: str
    time_zone: str

    def __getattr__(self, name: str) -> Any:
        return getattr(db.session.get_one(User, self.id), name)


class Organisation(NamedTuple):
    """The same of a partner."""

    id: int
    code: str
    name: str
    country: str
    tier: Tier | None
    manager: User | None

    def __getattr__(self, name: str) -> Any:
        return getattr(db.session.get_one(Partner, self.id), name)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person who would get it, through the first organisation that brings them in."""

    user: User
    partner: Partner

    @property
    def address(self) -> str:
        return normalise(self.user.email)


@dataclass(frozen=True)
class Count:
    """How many a rule reaches, and how many of those want no mail."""

    partners: int
    people: int
    left_out: int


def _matching(rule: Rule) -> Select[Any]:
    """Users with their partners, everyone the rule means, wanted or not."""
    people: Any = select(User, Partner)
    people = (
        people.join(Membership, Membership.user_id == User.id)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(User.disabled_at.is_(None), rules.compile_rule(rule))
    )
    return people if rules.says_status(rule) else people.where(Partner.status == PartnerStatus.ACTIVE)


def wanting(statement: Select[Any], topic: Topic) -> Select[Any]:
    """Only those who have not declined. Addresses of people are stored in their one spelling."""
    return statement.where(
        User.email.not_in(select(Suppression.address)),
        User.email.not_in(select(TopicOptOut.address).where(TopicOptOut.topic == topic)),
    )


def count(rule: Rule, topic: Topic) -> Count:
    """How many partners and people would get it."""
    matching = _matching(rule)
    figures = (func.count(Partner.id.distinct()), func.count(User.id.distinct()))
    partners, people = db.session.execute(wanting(matching, topic).with_only_columns(*figures)).one()
    everyone = db.session.execute(matching.with_only_columns(figures[1])).scalar_one()
    return Count(partners, people, everyone - people)


def had_enough(rule: Rule, topic: Topic) -> int:
    """How many of them have had their mails of the week."""
    full = consent.had_enough_mail(topic)
    if full is None:
        return 0
    reached = wanting(_matching(rule), topic).where(User.email.in_(full))
    return db.session.execute(reached.with_only_columns(func.count(User.id.distinct()))).scalar_one()


def partner_ids(rule: Rule, topic: Topic) -> Select[Any]:
    """Subquery: ids of the partners it reaches."""
    return wanting(_matching(rule), topic).with_only_columns(Partner.id)


def addresses(rule: Rule, topic: Topic) -> Select[Any]:
    """Subquery: addresses of the people it reaches."""
    return wanting(_matching(rule), topic).with_only_columns(User.email)


def languages(rule: Rule, topic: Topic) -> dict[str, int]:
    """People by the language they read."""
    statement = wanting(_matching(rule), topic).with_only_columns(User.locale, func.count(User.id.distinct()))
    return {locale: number for locale, number in db.session.execute(statement.group_by(User.locale))}  # noqa: C416


def _declining(statement: Select[Any], topic: Topic) -> Select[Any]:
    return statement.where(
        or_(
            User.email.in_(select(Suppression.address)),
            User.email.in_(select(TopicOptOut.address).where(TopicOptOut.topic == topic)),
        )
    )


def zones(rule: Rule, topic: Topic) -> list[str]:
    """Time zones that its people live in."""
    return list(
        db.session.scalars(wanting(_matching(rule), topic).with_only_columns(User.time_zone).distinct())
    )


def recipients(rule: Rule, topic: Topic, *, limit: int | None = None) -> Iterator[Recipient]:
    """Everyone who would get it, once each, in order of joining; never many of them in memory."""
    return _each(wanting(_matching(rule), topic), limit)


def decliners(rule: Rule, topic: Topic) -> Iterator[Recipient]:
    """Everyone the rule means who has declined, in the same way."""
    return _each(_declining(_matching(rule), topic), None)


def _each(chosen: Select[Any], limit: int | None) -> Iterator[Recipient]:
    tiers = {tier.id: tier for tier in db.session.scalars(select(Tier))}
    managers = select(User).where(User.id.in_(select(Partner.manager_id)))
    named = {user.id: user for user in db.session.scalars(managers)}
    # Who belongs to several partners gets it once, as the member they became first. Asked for in one go, as a page
    # of them costs as much; only their numbers stay in memory.
    first = chosen.with_only_columns(func.min(Membership.id)).group_by(User.id).order_by(User.id).limit(limit)
    members = array("q", db.session.scalars(first.execution_options(yield_per=PAGE)))
    for start in range(0, len(members), PAGE):
        for row in db.session.execute(_people(members[start : start + PAGE])).all():
            fields: tuple[Any, ...] = tuple(row)
            person, (*own, tier, manager) = Person(*fields[:5]), fields[5:]
            organisation = Organisation(*own, tiers.get(tier), named.get(manager))  # type: ignore[call-arg]
            yield Recipient(cast("User", person), cast("Partner", organisation))


def _people(members: Iterable[int]) -> Select[Any]:
    """What a recipient is made of, for a page of memberships."""
    return (
        select(User.id, User.email, User.name, User.locale, User.time_zone)
        .add_columns(Partner.id, Partner.code, Partner.name, Partner.country, Partner.tier_id)
        .add_columns(Partner.manager_id)
        .join(Membership, Membership.user_id == User.id)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(Membership.id.in_(list(members)))
        .order_by(User.id)
    )


def recipient(user_id: int) -> Recipient | None:
    """One reader, for a preview."""
    row = db.session.execute(
        select(User, Partner)
        .join(Membership, Membership.user_id == User.id)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(User.id == user_id)
        .order_by(Membership.id)
        .limit(1)
    ).first()
    return Recipient(*row) if row else None


def named(words: str, limit: int = 12) -> list[Recipient]:
    """Readers of active partners whose name, address or organisation has these letters."""
    statement = _matching([]).order_by(User.name, User.id).limit(limit)
    for word in words.split():
        statement = statement.where(
            or_(
                User.name.icontains(word, autoescape=True),
                User.email.icontains(word, autoescape=True),
                Partner.name.icontains(word, autoescape=True),
            )
        )
    return [Recipient(*row) for row in db.session.execute(statement)]
