"""The way from a draft to a ledger: schedule, start, freeze."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from ..accounts.models import User
from ..core import audit, clock
from ..core.database import db
from ..core.errors import Invalid
from ..core.i18n import _
from ..core.jobs import ring
from . import audience, checks, consent, letters, subscribers, tracking, trial, variables
from .audience import Recipient
from .checks import NotReady, must_be_ready
from .drafts import must_be_draft
from .letters import HIDDEN, REASON
from .models import Delivery, DeliveryState, Hold, Newsletter, Status, domain_of
from .models_tracking import UNTRACKED
from .personal import Occasion
from .steering import NotNow, move
from .telling import tell_author

#: A schedule overdue by more waits for a person: yesterday's “today only” helps nobody.
GRACE = timedelta(hours=12)
#: Rows of one insert when the audience is frozen.
CHUNK = 500


def moment_of(local_time: str, zone: str) -> datetime:
    """The UTC moment of a wall time: in the gap of spring it moves forward, in the fold of autumn the first counts."""
    try:
        naive = datetime.fromisoformat(local_time)
        moment = naive.replace(tzinfo=ZoneInfo(zone), second=0, microsecond=0)
    except (ValueError, KeyError, OSError):
        raise Invalid(_("Enter a date and a time."), local_time=[_("Enter a date and a time.")]) from None
    return moment.astimezone(ZoneInfo("UTC"))


def schedule(
    newsletter: Newsletter, local_time: str, zone: str, actor: User, *, own_time: bool = False
) -> None:
    """Have it start at a wall time of a zone, or reach each reader at that time of theirs.

    Raises Invalid, NotReady, AlreadyStarted.
    """
    must_be_draft(newsletter)
    if newsletter.status is Status.TEMPLATE or newsletter.is_step:
        raise NotNow
    lived_in = audience.zones(newsletter.audience, newsletter.topic) if own_time else []
    due_at = min(moment_of(local_time, each) for each in lived_in or [zone])
    if due_at <= clock.now():
        hint = _("This moment has passed. Choose a later one.")
        if own_time:
            hint = _("Where some readers live, this moment has passed. Choose a later one.")
        raise Invalid(_("This moment has passed."), local_time=[hint])
    if own_time and newsletter.ab_share:
        text = _("Two subjects are tried on everyone at one time, not at each reader’s own.")
        raise Invalid(text, own_time=[text])
    must_be_ready(newsletter)
    newsletter.own_time = own_time
    newsletter.local_time, newsletter.time_zone, newsletter.due_at = local_time, zone, due_at
    newsletter.status, newsletter.hold = Status.SCHEDULED, None
    db.session.flush()
    audit.record(
        actor,
        "newsletter.scheduled",
        f"newsletter:{newsletter.id}",
        after={"at": local_time, "zone": "own" if own_time else zone},
    )


def unschedule(newsletter: Newsletter, actor: User) -> None:
    """Back to a draft, to be edited or not sent at all. Raises NotNow."""
    move(newsletter, Status.DRAFT, Status.SCHEDULED)
    audit.record(actor, "newsletter.unscheduled", f"newsletter:{newsletter.id}")


def start(newsletter: Newsletter, actor: User | None = None, *, on_time: bool = False) -> int:
    """Freeze the audience as the ledger's rows and begin sending; how many rows.

    Who does not start it on time but now, sends it to everyone now. Raises NotReady, NotNow.
    """
    if newsletter.is_step:
        raise NotNow
    must_be_ready(newsletter, for_everyone=False)  # whether each is filled, freezing sees
    move(newsletter, Status.SENDING, Status.DRAFT, Status.SCHEDULED)
    newsletter.started_at, newsletter.due_at = clock.now(), None
    newsletter.own_time = newsletter.own_time and on_time
    number = freeze(newsletter)
    leave_out(newsletter)
    audit.record(actor, "newsletter.started", f"newsletter:{newsletter.id}", after={"recipients": number})
    ring("newsletters.send")
    return number


def freeze(newsletter: Newsletter) -> int:
    """Write a row for everyone it is for, with what their variables stand for now; how many.

    Raises NotReady when one would be empty.
    """
    texts = {each.locale: letters.prepare(newsletter.topic, each) for each in newsletter.written}
    tracking.keep_links(newsletter, (url for text in texts.values() for url in text.addresses))
    occasion, when, number = Occasion(newsletter, texts), _turns(newsletter), 0
    table: Any = Delivery.__table__  # past the ORM: so many rows in half the time
    for batch in _batches(_once_each(audience.recipients(newsletter.audience, newsletter.topic))):
        number += len(batch)
        lines = rows(newsletter, occasion, when, batch)
        trial.divide(newsletter, lines, number - len(batch))
        db.session.execute(insert(table), lines)
    for some in subscribers.batches(newsletter):
        number += len(some)
        lines = _for_subscribers(newsletter, occasion, when, some)
        trial.divide(newsletter, lines, number - len(some))
        db.session.execute(insert(table), lines)
    return number


def _for_subscribers(
    newsletter: Newsletter, occasion: Occasion, when: Callable[[str], datetime], some: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """The ledger's rows for people of whom nothing is known."""
    hidden = " ".join(sorted(occasion.for_partners))
    untracked, now = tracking.untracked(newsletter, [address for address, _locale in some]), clock.now()
    said: dict[str, tuple[str, dict[str, str]]] = {}
    for read in {locale for _address, locale in some}:
        text = newsletter.content_for(read)
        locale = text.locale if text else read
        values = {REASON: letters.subscribers_reason(newsletter.topic, locale)}
        said[read] = locale, values | ({HIDDEN: hidden} if hidden else {})
    rows = []
    for address, read in some:
        locale, values = said[read]
        rows.append(
            {
                "newsletter_id": newsletter.id,
                "key": secrets.token_hex(16),
                "address": address,
                "domain": domain_of(address),
                "name": "",
                "locale": locale,
                "values": values | {UNTRACKED: "1"} if address in untracked else values,
                "created_at": now,
                "next_at": when(newsletter.time_zone),
            }
        )
    return rows


def _turns(newsletter: Newsletter) -> Callable[[str], datetime]:
    """Zone → when a reader there gets it."""
    now = clock.now()

    @cache
    def turn(zone: str) -> datetime:
        return max(now, moment_of(newsletter.local_time or "", zone)) if newsletter.own_time else now

    return turn


def rows(
    newsletter: Newsletter, occasion: Occasion, when: Callable[[str], datetime], readers: list[Recipient]
) -> list[dict[str, Any]]:
    """The ledger's rows for these readers, with what their variables stand for now. Raises NotReady when one is empty."""
    locales = [occasion.locale_of(each) for each in readers]
    values = occasion.values(readers, locales)
    if empty := checks.hole(occasion, readers, locales, values):
        raise NotReady(empty.sentence)
    addresses = [each.address for each in readers]
    untracked = tracking.untracked(newsletter, addresses)
    now = clock.now()
    return [
        {
            "newsletter_id": newsletter.id,
            "key": secrets.token_hex(16),
            "address": address,
            "domain": domain_of(address),
            "name": variables.tidy(reader.user.name),
            "user_id": reader.user.id,
            "partner_id": reader.partner.id,
            "locale": locale,
            "values": words | {UNTRACKED: "1"} if address in untracked else words,
            "created_at": now,
            "next_at": when(reader.user.time_zone),
        }
        for reader, address, locale, words in zip(readers, addresses, locales, values, strict=True)
    ]


def leave_out(newsletter: Newsletter) -> None:
    """Write a row for everyone it is for who wants none, with why: so that the ledger can say it later."""
    decliners = audience.decliners(newsletter.audience, newsletter.topic)
    for batch in _batches(_once_each(decliners)):
        addresses = [each.address for each in batch]
        declined = consent.declined_by(addresses, newsletter.topic, newsletter.id)
        there = select(Delivery.address).where(
            Delivery.newsletter_id == newsletter.id, Delivery.address.in_(addresses)
        )
        taken = set(db.session.scalars(there))
        lines = [
            left_out(newsletter, reader, declined[reader.address])
            for reader in batch
            if reader.address in declined and reader.address not in taken
        ]
        if lines:
            db.session.execute(insert(Delivery), lines)


def left_out(newsletter: Newsletter, reader: Recipient, why: str) -> dict[str, Any]:
    """The ledger's row for someone who is not sent it."""
    text = newsletter.content_for(reader.user.locale)
    return {
        "newsletter_id": newsletter.id,
        "key": secrets.token_hex(16),
        "address": reader.address,
        "name": variables.tidy(reader.user.name),
        "user_id": reader.user.id,
        "partner_id": reader.partner.id,
        "locale": text.locale if text else reader.user.locale,
        "state": DeliveryState.SUPPRESSED,
        "reason": why,
        "created_at": clock.now(),
    }


def _once_each(readers: Iterable[Recipient]) -> Iterator[Recipient]:
    """Addresses that differ only in the spelling of their domain are one; all others differ anyway."""
    seen: set[str] = set()
    for reader in readers:
        if "xn--" not in reader.address:
            yield reader
        elif reader.address not in seen:
            seen.add(reader.address)
            yield reader


def _batches(readers: Iterator[Recipient]) -> Iterator[list[Recipient]]:
    while batch := list(islice(readers, CHUNK)):
        yield batch


def start_on_time(newsletter: Newsletter) -> None:
    """Start a scheduled newsletter; one that is long overdue or no longer ready goes back to its author."""
    if newsletter.due_at and clock.now() - newsletter.due_at > GRACE:
        give_back(newsletter, Hold.MISSED)
        return
    try:
        with db.session.begin_nested():  # who is missing what shows half-way: nothing of it stays
            start(newsletter, on_time=True)
    except (NotReady, Invalid):
        give_back(newsletter, Hold.INCOMPLETE)


def give_back(newsletter: Newsletter, hold: Hold) -> None:
    """Let its author look at a scheduled newsletter that does not start. Raises NotNow."""
    move(newsletter, Status.DRAFT, Status.SCHEDULED)
    newsletter.hold, newsletter.due_at = hold, None
    tell_author(newsletter, hold)
