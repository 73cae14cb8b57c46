"""Clicks of partners' links: noted while the visitor is led on, counted by the worker."""

import hashlib
import re
import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import select, update
from werkzeug.datastructures import Headers

from ..core import clock, months
from ..core.crash import crash_point
from ..core.database import db, touched, transaction
from ..core.settings import settings
from ..partners.models import Partner
from . import journal, using
from .journal import Journal
from .models import Asset, Click, ClickKind
from .using import Day, Site

log = structlog.get_logger()

COUNT = "materials.clicks"
FOLDER = "clicks"
#: Fingerprints of visitors are of no use once their day is over everywhere.
FORGET_AFTER = timedelta(days=2)
_BATCH = 500
#: What programs call themselves. CUBOT is a telephone.
_BOTS = re.compile(
    r"(?<!cu)bot(?:\b|_)|crawl|spider|slurp|preview|fetch|facebookexternalhit|whatsapp/|embedly|monitor|uptime|scan"
    r"|curl/|wget/|python|java/|go-http|okhttp|axios|node|ruby|perl|php|http-?client|headless|lighthouse|phantom",
    re.IGNORECASE,
)


def note(code: str, public_id: str | None, link: str, *, headers: Headers, address: str | None) -> str:
    """Write a click down without waiting for the database; returns its id for the programme's site.

    A full disk costs the click and not the visitor.
    """
    now, agent = clock.now(), headers.get("User-Agent", "")
    uid = secrets.token_urlsafe(12)
    entry = {
        "uid": uid,
        "code": code,
        "asset": public_id,
        "at": now.timestamp(),
        "link": link[:500] or None,
        "referrer": site_of(headers.get("Referer")),
        "visitor": _fingerprint(now, address or "", agent),
        "bot": is_bot(agent, headers),
    }
    try:
        _journal().write(entry)
    except OSError as error:
        log.warning("click lost", code=code, error=str(error)[:200])
    crash_point("click_noted")
    return uid


def is_bot(agent: str, headers: Headers) -> bool:
    """Did a program follow the link, or a browser that only loads ahead?"""
    purpose = headers.get("Sec-Purpose") or headers.get("Purpose") or headers.get("X-Moz") or ""
    return not agent or "prefetch" in purpose or _BOTS.search(agent) is not None


def site_of(referrer: str | None) -> str | None:
    """The host of the page a link stands on, without `www.`; nothing else of its address is kept."""
    try:
        host = urlsplit(referrer or "").hostname
    except ValueError:
        return None
    return host.removeprefix("www.")[:200] or None if host else None


def _fingerprint(now: datetime, address: str, agent: str) -> str:
    """Tells whether the same visitor came twice on one day of the programme, and nothing about them; every day another."""
    key = hashlib.blake2b(settings.secret_key.encode(), digest_size=32, person=b"clicks").digest()
    said = f"{months.day_of(now)}|{address}|{agent}".encode()
    return hashlib.blake2b(said, key=key, digest_size=8).hexdigest()


def _journal() -> Journal:
    return journal.of_process(FOLDER, COUNT)


# --- In the worker ---------------------------------------------------------


def collect() -> int:
    """Bring what has been noted into the database; how many clicks were added.

    A file is deleted after the commit. Killed in between, the next run finds its clicks there already.
    """
    _journal().let_go()  # what this very process has noted
    added = 0
    for path, entries in journal.finished(settings.home / FOLDER):
        for start in range(0, len(entries), _BATCH):
            with transaction():
                added += _add(entries[start : start + _BATCH])
        crash_point("clicks_counted")
        path.unlink(missing_ok=True)
    return added


def forget_visitors() -> int:
    """Drop fingerprints of past days; how many."""
    with transaction():
        old = Click.visitor.is_not(None), Click.at < clock.now() - FORGET_AFTER
        return touched(update(Click).where(*old).values(visitor=None))


def _add(entries: list[dict[str, Any]]) -> int:
    partners = _ids(Partner.code, Partner.id, {each.get("code") for each in entries})
    assets = _ids(Asset.public_id, Asset.id, {each.get("asset") for each in entries})
    clicks = [click for entry in entries if (click := _click(entry, partners, assets))]
    known = set(db.session.scalars(select(Click.uid).where(Click.uid.in_([each.uid for each in clicks]))))
    fresh = [each for each in clicks if each.uid not in known]
    theirs = using.may_count({(each.asset_id, each.partner_id) for each in fresh if each.asset_id})
    for each in fresh:
        if (each.asset_id, each.partner_id) not in theirs:
            each.asset_id = None  # the click still counts for the link
    _mark_repeats(fresh)
    db.session.add_all(fresh)
    visits = [each for each in fresh if each.kind is ClickKind.VISIT and each.asset_id]
    using.add("visits", Counter(Day(each.asset_id or 0, each.partner_id, each.day) for each in visits))
    using.place(
        "visits",
        Counter(Site(each.asset_id or 0, each.partner_id, each.referrer) for each in visits if each.referrer),
    )
    return len(fresh)


def _ids(name: Any, id: Any, wanted: set[str | None]) -> dict[str, int]:
    return dict(iter(db.session.execute(select(name, id).where(name.in_(wanted - {None})))))


def _click(entry: dict[str, Any], partners: dict[str, int], assets: dict[str, int]) -> Click | None:
    """What was noted as a row; None for a code that nobody has, and for what cannot be read."""
    try:
        at = datetime.fromtimestamp(entry["at"], UTC)
        return Click(
            uid=entry["uid"],
            partner_id=partners[entry["code"]],
            asset_id=assets.get(entry["asset"]),
            kind=ClickKind.BOT if entry["bot"] else ClickKind.VISIT,
            at=at,
            day=months.day_of(at),
            link=entry["link"],
            referrer=entry["referrer"],
            visitor=entry["visitor"],
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        log.warning("click left out", entry=str(entry)[:200])
        return None


def _mark_repeats(clicks: list[Click]) -> None:
    """A person who follows the same material's link again on one day counts once."""
    wanted = Click.visitor.in_({each.visitor for each in clicks})
    rows = db.session.execute(
        select(Click.visitor, Click.partner_id, Click.asset_id).where(wanted, Click.kind == ClickKind.VISIT)
    )
    seen = {tuple(row) for row in rows}
    for each in sorted(clicks, key=lambda click: click.at):
        who = (each.visitor, each.partner_id, each.asset_id)
        if each.kind is ClickKind.VISIT and who in seen:
            each.kind = ClickKind.REPEAT
        elif each.kind is ClickKind.VISIT:
            seen.add(who)
