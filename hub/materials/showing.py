"""Views of pictures and banners on other sites: noted while they are sent, counted by the worker.

A browser keeps a picture for an hour, so one reader of a page is one view an hour at most. Pages of the hub and
programs are not counted.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import structlog
from flask import request
from sqlalchemy import delete, select

from ..core import clock, months
from ..core.database import db, touched, transaction
from ..core.settings import settings
from ..partners.models import Partner
from . import journal, using
from .clicks import FORGET_AFTER, is_bot, site_of
from .models import Asset, CountedFile
from .using import Day, Site

log = structlog.get_logger()

COUNT = "materials.views"
FOLDER = "views"


def note(asset: Asset, code: str | None) -> None:
    """Write down that the present request shows an asset on somebody's page; a full disk costs the view only."""
    site = site_of(request.headers.get("Referer"))
    if request.method != "GET" or is_bot(request.headers.get("User-Agent", ""), request.headers):
        return
    if site is not None and site == site_of(settings.base_url):
        return
    entry = {"asset": asset.id, "code": code, "at": clock.now().timestamp(), "site": site}
    try:
        journal.of_process(FOLDER, COUNT).write(entry)
    except OSError as error:
        log.warning("view lost", asset=asset.id, error=str(error)[:200])


def collect() -> int:
    """Bring what has been noted into the sums; how many views.

    A file's views and its name are committed together. Killed before the file is deleted, the next run knows it.
    """
    journal.of_process(FOLDER, COUNT).let_go()
    added = 0
    for path, entries in journal.finished(settings.home / FOLDER):
        with transaction():
            if db.session.scalar(select(CountedFile.id).where(CountedFile.name == path.name)) is None:
                added += _add(entries)
                db.session.add(CountedFile(name=path.name))
        path.unlink(missing_ok=True)
    return added


def forget_files() -> int:
    """Drop the names of files that are long gone."""
    with transaction():
        return touched(delete(CountedFile).where(CountedFile.at < clock.now() - FORGET_AFTER))


def _add(entries: list[dict[str, Any]]) -> int:
    assets = set(db.session.scalars(select(Asset.id).where(Asset.id.in_(_values(entries, "asset", int)))))
    codes = select(Partner.code, Partner.id).where(Partner.code.in_(_values(entries, "code", str)))
    partners: dict[Any, int] = dict(iter(db.session.execute(codes)))
    pairs = {
        (asset, partners[code])
        for entry in entries
        if isinstance(asset := entry.get("asset"), int) and isinstance(code := entry.get("code"), str)
        if code in partners
    }
    theirs = using.may_count(pairs)
    days: Counter[Day] = Counter()
    sites: Counter[Site] = Counter()
    for entry in entries:
        try:
            asset_id, partner_id, site = entry["asset"], partners.get(entry["code"]), entry["site"]
            day = months.day_of(datetime.fromtimestamp(entry["at"], UTC))
        except (KeyError, TypeError, ValueError, OverflowError):
            log.warning("view left out", entry=str(entry)[:200])
            continue
        if (asset_id, partner_id) in theirs or (partner_id is None and asset_id in assets):
            days[Day(asset_id, partner_id, day)] += 1
            if site:
                sites[Site(asset_id, partner_id, site)] += 1
    using.add("views", days)
    using.place("views", sites)
    return days.total()


def _values(entries: list[dict[str, Any]], name: str, kind: type) -> set[Any]:
    return {value for entry in entries if isinstance(value := entry.get(name), kind)}
