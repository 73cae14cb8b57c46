"""The head of an article's file, and what it says when it is silent.

---
id: commission            one name for all languages; links say kb:commission
lang: en
slug: how-commission-is-counted
title: How commission is counted
summary: One sentence.
category: money           a key of categories.yaml
audience: public          public, partners, chosen or staff
tags: [commission, refunds]
updated: 2026-11-09       a day (at noon in UTC), or a moment
readers: ["tier:gold"]    only with the audience chosen: levels and tags of partners
source: uk                the language the others are made from, when it is not English
status: draft             draft, scheduled or archived; published without it
publish_at: 2026-12-01 08:00:00+00:00      with the status scheduled
published: 2026-11-01     when it was first, if not when it was updated
created: 2026-10-30       of the source: if not when it was published
review: 2027-05-01        of the source: the day it is to be looked at again
owner: ola@hub.example    of the source: who is asked about it, by e-mail address
external_id: "a:17"       of the source: its name in another system
former: [old-slug]        addresses that lead here
outdated: true            the source has moved on since
---
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler
from yaml.constructor import ConstructorError

from ...core.i18n import _
from ..models import Audience, Status

KEYS = ("id", "lang", "slug", "title", "summary", "category", "audience", "tags", "updated")
OPTIONAL = (
    "readers", "source", "status", "publish_at", "published", "created", "review", "owner", "external_id", "former",
    "outdated",
)  # fmt: skip
#: Keys of what all languages of an article share; the file of the source says them.
OF_SOURCE = ("created", "review", "owner", "external_id")
FENCE = "---\n"
LONGEST = 16_000
#: Of any YAML; the longest list of categories is far shorter.
LONGEST_YAML = 200_000


class BadHead(Exception):
    """What is wrong with a head as a whole, and in which line of the file."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


@dataclass
class Head:
    """What a head says, and what follows from what it does not say. Moments are in UTC."""

    id: str
    lang: str
    slug: str
    title: str
    summary: str
    category: str
    audience: Audience
    tags: list[str]
    updated: datetime
    readers: list[str] = field(default_factory=list)
    source: str = ""
    status: Status = Status.PUBLISHED
    publish_at: datetime | None = None
    published: datetime | None = None
    created: datetime | None = None
    review: date | None = None
    owner: str = ""
    external_id: str | None = None
    former: list[str] = field(default_factory=list)
    outdated: bool = False

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Head":
        """From the keys of a file that are all right."""
        values = {key: said[key] for key in (*KEYS, *OPTIONAL) if key in said}
        for key in ("updated", "publish_at", "published", "created"):
            if key in values:
                values[key] = moment(values[key])
        values["audience"] = Audience(values["audience"])
        values["status"] = Status(values.get("status", Status.PUBLISHED))
        if values.get("review"):
            values["review"] = moment(values["review"]).date()
        head = cls(**values)
        head.readers, head.former = sorted(head.readers), sorted(head.former)
        if "published" not in values and head.status is Status.PUBLISHED:
            head.published = head.updated
        head.created = head.created or head.published or head.updated
        return head

    def said(self) -> dict[str, Any]:
        """The keys a file needs to say this, in their order."""
        silent = Head.of({key: getattr(self, key) for key in KEYS} | {"status": self.status})
        if self.published != silent.published:
            silent.created = self.published or self.updated
        silent.status = Status.PUBLISHED
        values: dict[str, Any] = {key: getattr(self, key) for key in KEYS}
        values |= {key: value for key in OPTIONAL if (value := getattr(self, key)) != getattr(silent, key)}
        return {key: _plain(value) for key, value in values.items() if value is not None}


def moment(value: date | datetime | str) -> datetime:
    """A day is its noon; a moment without a zone is one in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
    if not isinstance(value, datetime):
        return datetime.combine(value, time(12), UTC)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, Audience | Status):
        return str(value)
    if isinstance(value, datetime):
        return value.date() if value.time() == time(12) else value
    return value


def split(source: str) -> tuple[str, dict[str, Any], str]:
    """(head word for word, what it says, body). Raises BadHead."""
    end = source.find("\n" + FENCE, len(FENCE) - 1)
    if not source.startswith(FENCE) or end < 0:
        raise BadHead(1, _("no head: the file has to begin with a block between two lines of ---"))
    front = source[: end + 1 + len(FENCE)]
    return front, parse(front), source[len(front) :]


def parse(front: str) -> dict[str, Any]:
    """What a head says. Raises BadHead."""
    if len(front) > LONGEST:
        raise BadHead(1, _("the head is too long"))
    try:
        said = parse_any(front.removeprefix(FENCE).removesuffix(FENCE))
    except yaml.YAMLError as error:
        raise BadHead(
            line_of(error) + 1, _("the head is not YAML: %(problem)s", problem=short(error))
        ) from None
    if not isinstance(said, dict):
        raise BadHead(2, _("the head holds no `key: value` lines"))
    return said


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Says where a value is that is none, such as the 40th of a month."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from None


def parse_any(text: str) -> Any:
    """YAML without what only hostile texts have: deep nesting, and names that multiply. Raises yaml.YAMLError."""
    if len(text) > LONGEST_YAML:
        raise yaml.YAMLError(_("it is too long"))
    if text.count("[") + text.count("{") > 2000 or re.search(r"[\[{\s?-]{150}", text):
        raise yaml.YAMLError(_("nested too deeply"))
    try:
        _refuse_aliases(text)
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except RecursionError:
        raise yaml.YAMLError(_("nested too deeply")) from None


class FrontMatter(YAMLHandler):
    """Reads other heads between two lines of --- as carefully."""

    def load(self, fm: str, **_options: Any) -> Any:
        return parse_any(fm)


def _refuse_aliases(text: str) -> None:
    """`*name` repeats what `&name` holds: a few lines of them become more than any memory has."""
    for event in yaml.parse(text, _Loader) if "*" in text else ():
        if isinstance(event, yaml.AliasEvent):
            reason = _("write the value again instead of *%(name)s", name=event.anchor)
            raise ConstructorError(None, None, reason, event.start_mark)


def write(said: dict[str, Any]) -> str:
    """A head as it stands in a file."""
    return f"{FENCE}{''.join(_line(key, value) for key, value in said.items())}{FENCE}"


def _line(key: str, value: Any) -> str:
    """One line of a head; a list stays on it: `tags: [a, b]`."""
    if isinstance(value, list):
        return f"{key}: {yaml.safe_dump(value, allow_unicode=True, width=10_000, default_flow_style=True)}"
    return yaml.safe_dump({key: value}, allow_unicode=True, width=10_000, default_flow_style=False)


def line_in(front: str, key: str) -> int:
    """The line of a key in a head; the first line when it is not there."""
    lines = front.splitlines()
    return next((number for number, line in enumerate(lines, 1) if key and line.startswith(f"{key}:")), 1)


def line_of(error: Exception) -> int:
    """Where YAML stumbled."""
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark else 1


def short(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0][:200] if str(error) else repr(error)
