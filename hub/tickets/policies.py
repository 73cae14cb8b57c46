"""Working hours and promised times as people write them down; every change is a new version."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core import audit
from ..core.database import db
from ..core.settings import settings
from . import sla
from .errors import RulesMoved
from .models import Clock, ServiceRules
from .promises import DEFAULT

#: Versions that the page lists.
SHOWN = 10
#: A promise of half a working year is none.
LONGEST = 1000 * 60  # minutes
_INTERVAL = re.compile(r"(\d{1,2})(?:[:.](\d\d))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d\d))?")
_SPAN = re.compile(r"(\d{1,4})(?::([0-5]\d))?")

Data = dict[str, Any]


def versions() -> list[ServiceRules]:
    """The latest versions, the newest first."""
    newest = select(ServiceRules).order_by(ServiceRules.effective_from.desc(), ServiceRules.id.desc())
    return list(db.session.scalars(newest.options(joinedload(ServiceRules.author)).limit(SHOWN)))


def data_of(version: ServiceRules | None) -> Data:
    """What a version says; without one, what holds until there is any."""
    return version.data if version else {"zone": settings.programme_timezone} | DEFAULT


def change(actor: User, data: Data, *, based_on: int) -> ServiceRules | None:
    """Let `data` hold from now on; None when it says what holds already.

    `based_on` is the id of the version that was changed, 0 for none.
    Raises RulesMoved if there is a newer one.
    """
    last = db.session.scalar(
        select(ServiceRules)
        .order_by(ServiceRules.effective_from.desc(), ServiceRules.id.desc())
        .limit(1)
        .with_for_update()
    )
    if (last.id if last else 0) != based_on:
        raise RulesMoved
    before = data_of(last)
    if facts(data) == facts(before):
        return None
    version = ServiceRules(data=data, author_id=actor.id)
    db.session.add(version)
    db.session.flush()
    named = f"service_rules:{version.id}"
    audit.record(actor, "service_rules.changed", named, before=facts(before), after=facts(data))
    return version


def facts(data: Data) -> Data:
    """A version in short lines, for the audit log and for telling two apart."""
    return {
        "time_zone": data["zone"],
        "hours": [f"{n + 1}: {hours(day)}" for n, day in enumerate(data["week"]) if day],
        "holidays": holidays(data).splitlines(),
        "warn": data["warn"],
        "promises": [
            " ".join(
                [each.get(name) or "*" for name in ("tier", "category", "priority")]
                + [span(each.get(clock)) or "-" for clock in Clock]
            )
            for each in data["policies"]
        ],
    }


# --- As text -----------------------------------------------------------------------


def hours(intervals: Iterable[Iterable[str]]) -> str:
    """“09:00–12:00, 13:00–18:00”."""
    return ", ".join("–".join(each) for each in intervals)


def read_hours(text: str) -> list[list[str]]:
    """Intervals of a day in order; nothing is a day off. Raises ValueError for what is none, or overlaps."""
    found = sorted(_interval(part) for part in re.split(r"[,;\n]", text) if part.strip())
    ends = [0, *(closes for _opens, closes in found)]
    if any(opens >= closes or opens < before for (opens, closes), before in zip(found, ends, strict=False)):
        raise ValueError(text)
    return [[sla.wall(opens), sla.wall(closes)] for opens, closes in found]


def _interval(text: str) -> tuple[int, int]:
    found = _INTERVAL.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    first, first_minute, last, last_minute = (part or "00" for part in found.groups())
    return sla.minutes(f"{first}:{first_minute}"), sla.minutes(f"{last}:{last_minute}")


def span(minutes: int | None) -> str:
    """240 → “4:00”; nothing for no promise."""
    return "" if minutes is None else f"{minutes // 60}:{minutes % 60:02d}"


def read_span(text: str) -> int | None:
    """Minutes of “4”, “4:00” or “0:30”; None for nothing. Raises ValueError."""
    if not text.strip():
        return None
    found = _SPAN.fullmatch(text.strip())
    minutes = int(found[1]) * 60 + int(found[2] or 0) if found else 0
    if not 0 < minutes <= LONGEST:
        raise ValueError(text)
    return minutes


def holidays(data: Data) -> str:
    """A line a day off: “2026-12-25 Christmas Day”."""
    names = data.get("holiday_names", {})
    return "\n".join(f"{day} {names.get(day, '')}".strip() for day in sorted(data["holidays"]))


def read_holidays(text: str) -> dict[str, str]:
    """Names by day. Raises ValueError with the line that does not begin with a date."""
    found = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        day, _space, name = line.partition(" ")
        try:
            found[_day(day).isoformat()] = name.strip()[:60]
        except ValueError:
            raise ValueError(line) from None
    return dict(sorted(found.items()))


def _day(text: str) -> date:
    if "." not in text:
        return date.fromisoformat(text)
    day, month, year = map(int, text.split("."))
    return date(year, month, day)
