"""Counting opens and followed links: noted while the reader is led on, kept by the worker.

A newsletter counts only what its writer chose, and of a reader only what they allow. A link of a mail names a
stored address by its number: it can lead nowhere else. The number is signed: nobody can go through them all.
Programs that look at mails before people do are set apart: by what they call themselves, and by being there
within seconds.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, exists, insert, select
from werkzeug.datastructures import Headers

from ..core import clock, links
from ..core.database import db, insert_of_dialect, transaction
from ..core.settings import settings
from ..materials import clicks, journal
from . import events
from .models import Delivery, Newsletter
from .models_tracking import UNTRACKED, Link, LinkClick, Untracked

log = structlog.get_logger()

COUNT = "newsletters.count"
FOLDER = "letters"
_LINK = "newsletters.link"
#: Whoever is there so soon after a mail has left is a program that tries its links.
TOO_SOON = timedelta(seconds=10)
KEY = re.compile(r"[0-9a-f]{32}")
_BATCH = 200
_MOST_REMEMBERED = 10_000
#: Mail's privacy protection calls itself nothing but this; Gmail and Yahoo fetch pictures for their readers.
_PROXIES = re.compile(r"Mozilla/5\.0\s*|.*(GoogleImageProxy|YahooMailProxy|Barracuda|Proofpoint|Mimecast|ms-office).*", re.I)  # fmt: skip


@dataclass(frozen=True)
class Tracks:
    """What a newsletter counts: the numbers of its links by address, and whether it is opened."""

    links: dict[str, int] = field(default_factory=dict)
    opens: bool = False


def of(newsletter: Newsletter) -> Tracks | None:
    """What the mails of a newsletter that has started count; None for nothing."""
    if not (newsletter.tracks_opens or newsletter.tracks_clicks):
        return None
    found = select(Link.url, Link.id).where(Link.newsletter_id == newsletter.id)
    return Tracks(dict(iter(db.session.execute(found))), newsletter.tracks_opens)


def keep_links(newsletter: Newsletter, addresses: Iterable[str]) -> None:
    """Give the links of a newsletter their numbers; those with a reader's own words in them have none."""
    if newsletter.tracks_clicks:
        urls = dict.fromkeys(each for each in addresses if each.startswith(("http://", "https://")))
        rows = [{"newsletter_id": newsletter.id, "url": url} for url in urls]
        if rows:
            db.session.execute(insert(Link), rows)


def signed_number(number: int) -> str:
    """The number of a link as it stands in mails."""
    return links.signed(str(number), _LINK)


def number_of(link: str) -> int | None:
    """The number of a link that stood in a mail of ours; None for any other."""
    number = links.unsigned(link, _LINK)
    return int(number) if number else None


def untracked(newsletter: Newsletter, addresses: Iterable[str]) -> set[str]:
    """Of the readers of a newsletter that counts, those who do not want to be counted."""
    if not (newsletter.tracks_opens or newsletter.tracks_clicks):
        return set()
    return set(db.session.scalars(select(Untracked.address).where(Untracked.address.in_(list(addresses)))))


def is_allowed(address: str) -> bool:
    return not db.session.scalar(select(exists().where(Untracked.address == address)))


def allow(address: str, allowed: bool) -> None:
    """Keep whether an address may be counted; doing it again changes nothing."""
    if allowed:
        db.session.execute(delete(Untracked).where(Untracked.address == address))
    elif is_allowed(address):
        db.session.add(Untracked(address=address))
        db.session.flush()


# --- In the web process ---------------------------------------------------------------

_destinations: dict[int, str] = {}


def destination(number: int) -> str | None:
    """Where a link leads; asked of the database once, for it never changes."""
    if number not in _destinations:
        with db.engine.connect() as connection:
            url = connection.execute(select(Link.url).where(Link.id == number)).scalar()
        if url is None:
            return None
        if len(_destinations) >= _MOST_REMEMBERED:
            _destinations.clear()
        _destinations[number] = url
    return _destinations[number]


def note(key: str, link: int | None, headers: Headers) -> None:
    """Write down that a mail was opened, or which link was followed; a full disk costs the count only."""
    if not KEY.fullmatch(key):
        return
    agent = headers.get("User-Agent", "")
    is_machine = clicks.is_bot(agent, headers) or _PROXIES.fullmatch(agent) is not None
    entry = {"key": key, "link": link, "at": clock.now().timestamp(), "machine": is_machine}
    try:
        journal.of_process(FOLDER, COUNT).write(entry)
    except OSError as error:
        log.warning("open or click lost", error=str(error)[:200])


# --- In the worker --------------------------------------------------------------------


def collect() -> None:
    """Bring what has been noted into the ledger. Done twice it changes nothing: only first times are kept."""
    journal.of_process(FOLDER, COUNT).let_go()  # what this very process has noted
    for path, entries in journal.finished(settings.home / FOLDER):
        for start in range(0, len(entries), _BATCH):
            with transaction():
                _keep(entries[start : start + _BATCH])
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Seen:
    """An entry that concerns a mail of ours."""

    delivery: Delivery
    link: int | None
    at: datetime
    is_machine: bool


def _keep(entries: list[dict[str, Any]]) -> None:
    keys = {str(each.get("key")) for each in entries}
    rows = db.session.scalars(select(Delivery).where(Delivery.key.in_(keys)).order_by(Delivery.id))
    mails = {row.key: row for row in rows if UNTRACKED not in row.values}
    refusing = set(db.session.scalars(_refusing([row.address for row in mails.values()])))
    numbers = {each["link"] for each in entries if isinstance(each.get("link"), int)}
    of_newsletter = dict(
        iter(db.session.execute(select(Link.id, Link.newsletter_id).where(Link.id.in_(numbers))))
    )
    found = [seen for each in entries if (seen := _seen(each, mails, refusing))]
    for each in found:
        if each.link is None:
            events.note(each.delivery, "machine_opened_at" if each.is_machine else "opened_at", each.at)
    followed = [each for each in found if of_newsletter.get(each.link or 0) == each.delivery.newsletter_id]
    for each in followed:
        if not each.is_machine:
            events.note(each.delivery, "clicked_at", each.at)
            if each.delivery.newsletter.tracks_opens:  # whoever follows a link has opened the mail
                events.note(each.delivery, "opened_at", each.at)
    _keep_clicks(followed)


def _refusing(addresses: list[str]) -> Any:
    return select(Untracked.address).where(Untracked.address.in_(addresses))


def _seen(entry: dict[str, Any], mails: dict[str, Delivery], refusing: set[str]) -> _Seen | None:
    """None for a mail that is not ours, whose reader does not want it, and for what cannot be read."""
    mail = mails.get(str(entry.get("key")))
    if mail is None or mail.address in refusing:
        return None
    try:
        at = datetime.fromtimestamp(entry["at"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    left_at = mail.sent_at or mail.claimed_at
    is_too_soon = left_at is None or at < left_at + TOO_SOON
    return _Seen(mail, entry.get("link"), at, bool(entry.get("machine")) or is_too_soon)


def _keep_clicks(followed: list[_Seen]) -> None:
    """A row for each mail and link; the first time counts."""
    first: dict[tuple[int, int], dict[str, datetime]] = {}
    for each in followed:
        moments = first.setdefault((each.link or 0, each.delivery.id), {})
        name = "machine_at" if each.is_machine else "clicked_at"
        moments[name] = min(moments.get(name, each.at), each.at)
    if not first:
        return
    empty = [{"link_id": link, "delivery_id": mail, "clicked_at": None, "machine_at": None} for link, mail in first]  # fmt: skip
    # Another worker may insert the same row in this very moment.
    statement = insert_of_dialect(LinkClick).on_conflict_do_nothing()
    db.session.execute(statement, empty)
    mails = {mail for _link, mail in first}
    rows = select(LinkClick).where(LinkClick.delivery_id.in_(mails)).order_by(LinkClick.id)
    for row in db.session.scalars(rows):
        for name, at in first.get((row.link_id, row.delivery_id), {}).items():
            before = getattr(row, name)
            setattr(row, name, min(before, at) if before else at)
