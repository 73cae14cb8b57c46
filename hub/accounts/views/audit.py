"""The audit log: who did what to whom, and when."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, false, or_, select

from ...core.access import Permission, requires
from ...core.audit import AuditEvent
from ...core.database import db
from ...core.i18n import zone
from ...core.paging import page
from ..audit_words import BARE, name_of, text_of
from ..models import User
from . import bp

FILTERS = ("who", "action", "object", "since", "until")


@bp.get("/settings/audit")
@requires(Permission.AUDIT_VIEW)
def audit_log() -> ResponseReturnValue:
    """List what happened, the newest first."""
    chosen = {name: request.args.get(name, "").strip()[:100] for name in FILTERS}
    found = page(_filtered(chosen), request.args.get("cursor"), AuditEvent.at, AuditEvent.id)
    kept: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    return render_template(
        "accounts/audit.html",
        page=found,
        chosen=chosen,
        people=_people(found),
        changes={event.id: list(_changes(event.action, event.before, event.after)) for event in found},
        newer=found.newer and url_for(".audit_log", **kept, cursor=found.newer),
        older=found.older and url_for(".audit_log", **kept, cursor=found.older),
    )


def _filtered(chosen: dict[str, str]) -> Select[Any]:
    statement = select(AuditEvent)
    if chosen["who"]:
        like = or_(
            User.name.icontains(chosen["who"], autoescape=True),
            User.email.icontains(chosen["who"], autoescape=True),
        )
        statement = statement.where(AuditEvent.actor_id.in_(select(User.id).where(like)))
    # From the beginning, so that the index serves: “user.”, “partner:17”.
    for name, column in (("action", AuditEvent.action), ("object", AuditEvent.object)):
        if chosen[name]:
            statement = statement.where(column.startswith(chosen[name], autoescape=True))
    if chosen["since"]:
        statement = statement.where(_from(chosen["since"]))
    if chosen["until"]:
        statement = statement.where(_to(chosen["until"]))
    return statement


def _from(day: str) -> Any:
    start = _midnight(day)
    return AuditEvent.at >= start if start else false()


def _to(day: str) -> Any:
    end = _midnight(day, 1)
    return AuditEvent.at < end if end else false()


def _midnight(day: str, later: int = 0) -> datetime | None:
    """The moment a day begins where the reader is."""
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=later), time(), zone()).astimezone(
            UTC
        )
    except (ValueError, OverflowError):
        return None


def _people(events: Iterable[AuditEvent]) -> dict[int, User]:
    """Everybody named on this page, in one statement."""
    ids = {event.actor_id for event in events if event.actor_id}
    ids |= {int(event.object.partition(":")[2]) for event in events if event.object.startswith("user:")}
    return {user.id: user for user in db.session.scalars(select(User).where(User.id.in_(ids)))}


def _changes(action: str, before: Any, after: Any) -> Iterable[tuple[str, str, str]]:
    """(what, before, after) of everything that changed; plain values have no name."""
    if isinstance(before, dict) or isinstance(after, dict):
        old, new = before or {}, after or {}
        for key in [*old, *(key for key in new if key not in old)]:
            was, now = text_of(key, old.get(key)), text_of(key, new.get(key))
            # What was empty and stays so is no news.
            if old.get(key) != new.get(key) and was + now:
                yield name_of(key), was, now
    elif before is not None or after is not None:
        key = BARE.get(action, "")
        yield "", text_of(key, before), text_of(key, after)
