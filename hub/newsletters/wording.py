"""Rules in words, and what can be chosen for each kind of condition."""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy
from babel import Locale
from sqlalchemy import String, select

from ..accounts.models import User
from ..core import i18n, months
from ..core.access import Permission, roles_with
from ..core.database import db
from ..core.i18n import LOCALES, Text, _, _l, locale
from ..materials.models import Asset, Campaign
from ..partners.models import Partner, PartnerStatus, Tier
from ..partners.words import STATUS
from ..surveys.models import Question, QuestionKind, Survey
from ..training.models import Webinar, WebinarStatus
from .models import Newsletter, Segment, Status
from .rules import KINDS, Condition, Rule

#: So many assets, webinars and surveys are offered, the newest first.
MOST = 200
OPS: dict[str, Text] = {
    "within": _l("in the last … days"),
    "longer": _l("longer ago than … days"),
    "from": _l("on this day or later"),
    "before": _l("before this day"),
    "never": _l("never"),
}
#: Answers to “how likely are you to recommend us” that belong together.
SCALE = (("0-6", _l("0 to 6")), ("7-8", _l("7 or 8")), ("9-10", _l("9 or 10")))

Choices = list[tuple[str, str]]


def labels() -> dict[str, Text]:
    """What each kind of condition is called, saved segments last."""
    return {kind: each.label for kind, each in KINDS.items()} | {"segment": _l("Saved segment")}


def choices(kind: str) -> Choices:
    """(value, label) of what can be chosen; empty where one writes."""
    return _CHOICES[kind]() if kind in _CHOICES else []


def _tiers() -> Choices:
    tiers = db.session.scalars(select(Tier).order_by(Tier.order))
    return [(tier.key, tier.names.get(locale()) or tier.names.get("en", tier.key)) for tier in tiers]


def _countries() -> Choices:
    codes = db.session.scalars(select(Partner.country).distinct())
    return sorted(((code, country(code)) for code in codes), key=lambda each: each[1])


def country(code: str) -> str:
    """Name of an ISO 3166 country in the reader's language."""
    return Locale.parse(locale()).territories.get(code, code)


def _tags() -> Choices:
    lists = db.session.scalars(select(sqlalchemy.cast(Partner.tags, String)).distinct())
    tags = {tag for each in lists for tag in json.loads(each or "[]") or []}
    return [(tag, tag) for tag in sorted(tags)]


def _managers() -> Choices:
    team = select(User).where(
        User.role.in_(roles_with(Permission.PARTNERS_EDIT)) | User.id.in_(select(Partner.manager_id))
    )
    return [(str(user.id), user.name) for user in db.session.scalars(team.order_by(User.name))]


def _downloads() -> Choices:
    campaigns = db.session.scalars(select(Campaign).order_by(Campaign.id.desc()).limit(MOST))
    assets = select(Asset.public_id, Asset.title).order_by(Asset.id.desc()).limit(MOST)
    return [
        ("any", _("anything")),
        *((f"campaign:{each.id}", _("Campaign “%(name)s”", name=each.name)) for each in campaigns),
        *((public_id, title) for public_id, title in db.session.execute(assets)),
    ]


def _webinars() -> Choices:
    held = select(Webinar).where(Webinar.status != WebinarStatus.CANCELLED).order_by(Webinar.starts_at.desc())
    return [
        ("any", _("any webinar")),
        *(
            (str(each.id), f"{each.title}, {i18n.format_date(each.starts_at)}")
            for each in db.session.scalars(held.limit(MOST))
        ),
    ]


def _answers() -> Choices:
    """Surveys and, where answers have names, what can be answered."""
    found: Choices = []
    surveys = db.session.scalars(select(Survey).order_by(Survey.id.desc()).limit(50))
    for survey in surveys:
        found.append((f"survey:{survey.id}", _("Took part in “%(survey)s”", survey=survey.title)))
        for question in survey.questions if not survey.is_anonymous else []:
            found += [
                (f"{question.id}:{value}", f"{question.text} {label}") for value, label in _said(question)
            ]
    return found


def _said(question: Question) -> Choices:
    if question.kind is QuestionKind.SCALE:
        return [(value, str(label)) for value, label in SCALE]
    return [(str(at), label) for at, label in enumerate(question.choices)]


def _letters() -> Choices:
    sent = select(Newsletter).where(Newsletter.status == Status.SENT).order_by(Newsletter.started_at.desc())
    return [(str(each.id), each.title(locale())) for each in db.session.scalars(sent.limit(MOST))]


def _segments() -> Choices:
    rows = db.session.execute(select(Segment.id, Segment.name).order_by(Segment.name))
    return [(str(number), name) for number, name in rows]


_CHOICES: dict[str, Callable[[], Choices]] = {
    "tier": _tiers,
    "country": _countries,
    "language": lambda: list(LOCALES.items()),
    "tag": _tags,
    "status": lambda: [(each.value, str(STATUS[each][0])) for each in PartnerStatus],
    "manager": _managers,
    "downloaded": _downloads,
    "attended": _webinars,
    "answered": _answers,
    "unopened": _letters,
    "unfollowed": _letters,
    "segment": _segments,
}


# --- In words ----------------------------------------------------------------


def describe(rule: Rule, offered: Callable[[str], Choices] = choices) -> str:
    """“All active partners”, “Level: Gold, Silver · not Country: Poland”.

    Who describes many rules gives `offered`: `choices`, remembered.
    """
    return " · ".join(describe_condition(each, offered) for each in rule) or _("All active partners")


def describe_condition(condition: Condition, offered: Callable[[str], Choices] = choices) -> str:
    if condition["kind"] in ("any", "all"):
        joint = f" {_('or') if condition['kind'] == 'any' else _('and')} "
        text = "(" + joint.join(describe_condition(each, offered) for each in condition["rules"]) + ")"
    else:
        text = f"{labels()[condition['kind']]}: {_object(condition, offered)}"
    return _("not %(condition)s", condition=text) if condition.get("not") else text


def _object(condition: Condition, offered: Callable[[str], Choices]) -> str:
    kind = condition["kind"]
    if kind in ("joined", "seen"):
        return _when(condition)
    if kind == "earned":
        months_ = [i18n.format_month(each) for each in map(months.parse, _period(condition)) if each]
        return f"{condition['amount']} {condition['currency']}" + (
            f" ({' – '.join(months_)})" if months_ else ""
        )
    names = dict(offered(kind))
    text = ", ".join(names.get(each, each) for each in map(str, condition.get("values", [])))
    if days := condition.get("days"):
        text += ", " + str(OPS["within"]).replace("…", str(days))
    return text


def _period(condition: Condition) -> list[Any]:
    return [condition.get("from"), condition.get("to")]


def _when(condition: Condition) -> str:
    op = condition["op"]
    if op in ("from", "before"):
        return f"{OPS[op]}: {condition.get('day', '')}"
    return str(OPS.get(op, op)).replace("…", str(condition.get("days", "")))
