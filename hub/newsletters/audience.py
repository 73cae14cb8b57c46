"""Whom a newsletter is for: rules in, people out."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import sqlalchemy
from babel import Locale
from sqlalchemy import Select, String, func, or_, select, tuple_

from ..accounts.models import User
from ..core.database import db
from ..core.i18n import LOCALES, Text, _, _l, locale
from ..partners.models import Membership, Partner, PartnerStatus, Tier
from .models import Suppression, Topic, TopicOptOut

Rule = list[dict[str, Any]]

KINDS: dict[str, Text] = {
    "tier": _l("Level"),
    "country": _l("Country"),
    "language": _l("Language"),
    "tag": _l("Tag"),
    "chosen": _l("Chosen partners"),
}


#: Rows looked up at once.
PAGE = 1000


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


def normalise(address: str) -> str:
    """The one spelling of an address: lower case, its domain in ASCII (RFC 5891)."""
    address = address.strip().lower()
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return local + at + domain


def clean(rule: Rule) -> Rule:
    """A rule with only what is known and not empty, in a fixed order."""
    given = {each.get("kind"): each.get("values") for each in rule if isinstance(each, dict)}
    return [{"kind": kind, "values": sorted(set(values))} for kind in KINDS if (values := given.get(kind))]


def _matching(rule: Rule) -> Select[Any]:
    """Users with their partners, everyone the rule means, wanted or not."""
    people: Any = select(User, Partner)
    return (
        people.join(Membership, Membership.user_id == User.id)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(Partner.status == PartnerStatus.ACTIVE, User.disabled_at.is_(None))
        .where(*(_condition(each["kind"], each["values"]) for each in clean(rule)))
    )


def _condition(kind: str, values: list[Any]) -> Any:
    if kind == "tier":
        return Partner.tier_id.in_(select(Tier.id).where(Tier.key.in_(values)))
    if kind == "country":
        return Partner.country.in_(values)
    if kind == "language":
        return User.locale.in_(values)
    if kind == "tag":
        # A JSON list is searched as its text: the same on SQLite and PostgreSQL.
        tags = sqlalchemy.cast(Partner.tags, String)
        return or_(*(tags.contains(json.dumps(value), autoescape=True) for value in values))
    return Partner.id.in_([int(value) for value in values])


def _wanting(statement: Select[Any], topic: Topic) -> Select[Any]:
    """Only those who have not declined. Addresses of people are stored in their one spelling."""
    return statement.where(
        User.email.not_in(select(Suppression.address)),
        User.email.not_in(select(TopicOptOut.address).where(TopicOptOut.topic == topic)),
    )


def count(rule: Rule, topic: Topic) -> Count:
    """How many partners and people would get it."""
    matching = _matching(rule)
    figures = (func.count(Partner.id.distinct()), func.count(User.id.distinct()))
    partners, people = db.session.execute(_wanting(matching, topic).with_only_columns(*figures)).one()
    everyone = db.session.execute(matching.with_only_columns(figures[1])).scalar_one()
    return Count(partners, people, everyone - people)


def partner_ids(rule: Rule, topic: Topic) -> Select[Any]:
    """Subquery: ids of the partners it reaches."""
    return _wanting(_matching(rule), topic).with_only_columns(Partner.id)


def languages(rule: Rule, topic: Topic) -> dict[str, int]:
    """People by the language they read."""
    statement = _wanting(_matching(rule), topic).with_only_columns(
        User.locale, func.count(User.id.distinct())
    )
    return {locale: number for locale, number in db.session.execute(statement.group_by(User.locale))}  # noqa: C416


def recipients(rule: Rule, topic: Topic, *, limit: int | None = None) -> Iterator[Recipient]:
    """Everyone who would get it, once each, in order of joining; never many of them in memory."""
    tiers = {tier.id: tier for tier in db.session.scalars(select(Tier))}
    managers = select(User).where(User.id.in_(select(Partner.manager_id)))
    named = {user.id: user for user in db.session.scalars(managers)}
    statement = _wanting(_matching(rule), topic).with_only_columns(
        Membership.id,
        *(User.id, User.email, User.name, User.locale, User.time_zone),
        *(Partner.id, Partner.code, Partner.name, Partner.country, Partner.tier_id, Partner.manager_id),
    )
    ordered = statement.order_by(User.id, Membership.id)
    last, given, size = (0, 0), 0, min(limit or PAGE, PAGE)
    while True:
        following = ordered.where(tuple_(User.id, Membership.id) > last).limit(size)
        rows = db.session.execute(following).all()
        for number, *row in rows:
            person, (*own, tier, manager) = Person(*row[:5]), row[5:]
            is_new, last = person.id != last[0], (person.id, number)
            if is_new:
                organisation = Organisation(*own, tiers.get(tier), named.get(manager))  # type: ignore[call-arg]
                yield Recipient(cast("User", person), cast("Partner", organisation))
                given += 1
                if given == limit:
                    return
        if len(rows) < size:
            return


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


def choices() -> dict[str, list[tuple[str, str]]]:
    """What can be chosen for each kind of rule: (value, label), from the partners there are."""
    active = Partner.status == PartnerStatus.ACTIVE
    tiers = db.session.scalars(select(Tier).order_by(Tier.order))
    countries = db.session.scalars(select(Partner.country).where(active).distinct())
    tags = {tag for each in db.session.scalars(select(Partner.tags).where(active)) for tag in each or []}
    partners = db.session.execute(select(Partner.id, Partner.name).where(active).order_by(Partner.name))
    return {
        "tier": [(tier.key, tier.names.get(locale()) or tier.names.get("en", tier.key)) for tier in tiers],
        "country": sorted(((code, country(code)) for code in countries), key=lambda each: each[1]),
        "language": list(LOCALES.items()),
        "tag": [(tag, tag) for tag in sorted(tags)],
        "chosen": [(str(number), name) for number, name in partners],
    }


def country(code: str) -> str:
    """Name of an ISO 3166 country in the reader's language."""
    return Locale.parse(locale()).territories.get(code, code)


def describe(rule: Rule) -> str:
    """The rule in words: “All active partners”, “Level: Gold, Silver · Country: Poland”."""
    labels = {kind: dict(pairs) for kind, pairs in choices().items()} if clean(rule) else {}
    parts = [
        f"{KINDS[each['kind']]}: "
        + ", ".join(labels[each["kind"]].get(str(v), str(v)) for v in each["values"])
        for each in clean(rule)
    ]
    return " · ".join(parts) or _("All active partners")
