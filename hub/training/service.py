"""Webinars: planning them, giving out their seats, telling those who come."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import ScalarSelect, Select, and_, bindparam, func, select, update
from sqlalchemy.orm import aliased, contains_eager

from ..accounts.models import User
from ..core import audit, clock, mail, timezones
from ..core.access import Role, Somebody, visible
from ..core.database import db, touched
from ..core.errors import HubError, Invalid
from ..core.i18n import _, _l
from ..core.jobs import ring
from ..core.links import absolute
from ..notifications.kinds import Kind
from ..notifications.service import notify
from . import kinds
from .content import sync  # noqa: F401 – part of what the room offers
from .models import SEATED, Registration, RegistrationStatus, Webinar, WebinarStatus

log = structlog.get_logger()

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class WebinarClosed(HubError):
    message = _l("Registration is closed: this webinar is over or cancelled.")


class AlreadyHappened(HubError):
    message = _l("This webinar is over and cannot be cancelled any more.")


# --- Planning --------------------------------------------------------------


def moment(local: datetime, zone: str) -> datetime:
    """The moment at which a clock in `zone` shows `local`; of two such moments the first.

    Raises Invalid for an hour that is skipped when the clocks go forward.
    """
    there = local.replace(tzinfo=ZoneInfo(zone))
    if there.astimezone(UTC).astimezone(there.tzinfo).replace(tzinfo=None) != local:
        raise Invalid(
            starts_at=[
                _(
                    "There is no %(time)s on that day in %(zone)s: the clocks go forward. Choose a later hour.",
                    time=f"{local:%H:%M}",
                    zone=timezones.city(zone),
                )
            ]
        )
    return there.astimezone(UTC)


def plan(author: User, *, starts: datetime, zone: str, minutes: int, **values: Any) -> Webinar:
    """Announce a webinar; `starts` is what the clock in `zone` shows then.

    Raises Invalid for a moment that does not exist or has passed.
    """
    starts_at = _future(moment(starts, zone))
    webinar = Webinar(
        starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), zone=zone, **values
    )
    db.session.add(webinar)
    db.session.flush()
    audit.record(author, "webinar.planned", f"webinar:{webinar.id}", after=_facts(webinar))
    return webinar


def change(
    webinar: Webinar, author: User, *, starts: datetime, zone: str, minutes: int, **values: Any
) -> None:
    """Edit a webinar; those registered hear of a new time, and calendars follow.

    Raises Invalid for a time that has passed (unless it stays as it is), and for fewer
    seats than are taken.
    """
    _lock(webinar)
    before, was_at = _facts(webinar), webinar.starts_at
    starts_at = moment(starts, zone)
    if starts_at != was_at:
        _future(starts_at)
    taken = seats_taken(webinar)
    if values["capacity"] < taken:
        raise Invalid(capacity=[_("%(count)s seats are already taken.", count=taken)])
    for name, value in values.items():
        setattr(webinar, name, value)
    webinar.starts_at, webinar.ends_at, webinar.zone = starts_at, starts_at + timedelta(minutes=minutes), zone
    if _facts(webinar) == before:
        return
    webinar.sequence += 1
    webinar.updated_at = clock.now()
    webinar.is_stale = True
    audit.record(author, "webinar.changed", f"webinar:{webinar.id}", before=before, after=_facts(webinar))
    if starts_at != was_at:
        _tell_new_time(webinar)
    _fill_seats(webinar)
    _tell_recording(webinar)


def call_off(webinar: Webinar, author: User) -> None:
    """Cancel a webinar and tell everyone who meant to come. Twice is as good as once."""
    _lock(webinar)
    if webinar.is_cancelled:
        return
    if not webinar.is_open:
        raise AlreadyHappened
    webinar.status = WebinarStatus.CANCELLED
    webinar.sequence += 1
    webinar.updated_at = clock.now()
    webinar.is_stale = True
    audit.record(author, "webinar.called_off", f"webinar:{webinar.id}")
    tell(webinar, _people(webinar, *SEATED, RegistrationStatus.WAITLISTED), kinds.CALLED_OFF, "called_off")


def finish() -> int:
    """Note which webinars are over; how many."""
    over = update(Webinar).where(Webinar.status == WebinarStatus.SCHEDULED, Webinar.ends_at <= clock.now())
    return touched(over.values(status=WebinarStatus.DONE))


def _future(starts_at: datetime) -> datetime:
    if starts_at <= clock.now():
        raise Invalid(starts_at=[_("This time has already passed.")])
    return starts_at


def _facts(webinar: Webinar) -> dict[str, Any]:
    names = [
        "title",
        "description",
        "language",
        "zone",
        "host",
        "host_about",
        "capacity",
        "join_url",
        "recording_url",
        "links",
    ]
    times = {name: getattr(webinar, name).isoformat() for name in ("starts_at", "ends_at")}
    return {name: getattr(webinar, name) for name in names} | times


def _tell_new_time(webinar: Webinar) -> None:
    for registration in _of(webinar, *SEATED, RegistrationStatus.WAITLISTED):
        _set_reminders(registration, webinar)
    tell(webinar, _people(webinar, *SEATED, RegistrationStatus.WAITLISTED), kinds.MOVED, "moved")


def _tell_recording(webinar: Webinar) -> None:
    if webinar.recording_url and webinar.is_over and webinar.recording_told_at is None:
        webinar.recording_told_at = clock.now()
        tell(webinar, _people(webinar, *SEATED), kinds.RECORDED, "recorded")


# --- Seats -----------------------------------------------------------------


def register(webinar: Webinar, user: User) -> Registration:
    """Give `user` a seat, or a place on the waiting list when none is free.

    Who is registered already stays as they are. Raises WebinarClosed.
    """
    _lock(webinar)
    if not webinar.is_open:
        raise WebinarClosed
    registration = registration_of(webinar, user)
    if registration and registration.status is not RegistrationStatus.CANCELLED:
        return registration
    has_seat = seats_taken(webinar) < webinar.capacity
    if registration is None:
        registration = Registration(webinar_id=webinar.id, user_id=user.id)
        db.session.add(registration)
    registration.status = RegistrationStatus.REGISTERED if has_seat else RegistrationStatus.WAITLISTED
    registration.since = clock.now()
    _set_reminders(registration, webinar)
    db.session.flush()
    if has_seat:
        tell(webinar, [user], kinds.REGISTERED, "registered")
    return registration


def unregister(webinar: Webinar, user: User) -> None:
    """Give up a seat or a place on the list; the first who waits gets the seat. Twice is as good as once."""
    _lock(webinar)
    registration = registration_of(webinar, user)
    if registration is None or registration.status is RegistrationStatus.CANCELLED:
        return
    if not webinar.is_open:
        raise WebinarClosed
    registration.status = RegistrationStatus.CANCELLED
    db.session.flush()
    _fill_seats(webinar)


def _lock(webinar: Webinar) -> None:
    """Whoever gives out seats waits here for the one before."""
    db.session.refresh(webinar, with_for_update=True)


def _fill_seats(webinar: Webinar) -> None:
    """Move those who wait into free seats, the first first."""
    free = webinar.capacity - seats_taken(webinar)
    if free <= 0 or not webinar.is_open:
        return
    waiting = _of(webinar, RegistrationStatus.WAITLISTED)[:free]
    for registration in waiting:
        registration.status = RegistrationStatus.REGISTERED
        _set_reminders(registration, webinar)
    tell(webinar, [each.user for each in waiting], kinds.PROMOTED, "promoted")


def _set_reminders(registration: Registration, webinar: Webinar) -> None:
    """A reminder whose hour is past needs no giving: the person has just heard."""
    left = webinar.starts_at - clock.now()
    registration.day_reminder_at = None if left > DAY else clock.now()
    registration.hour_reminder_at = None if left > HOUR else clock.now()


def mark_attendance(webinar: Webinar, author: User, present: Iterable[int]) -> int:
    """Say who of those with a seat came, by the ids of their registrations; how many."""
    _lock(webinar)
    here = set(present)
    for registration in _of(webinar, *SEATED):
        came = registration.id in here
        registration.status = RegistrationStatus.ATTENDED if came else RegistrationStatus.REGISTERED
    db.session.flush()
    count = sum(each.status is RegistrationStatus.ATTENDED for each in _of(webinar, *SEATED))
    audit.record(author, "webinar.attendance", f"webinar:{webinar.id}", after={"attended": count})
    return count


# --- Telling ---------------------------------------------------------------


def tell(webinar: Webinar, users: list[User], kind: Kind, letter: str) -> None:
    """A line in the bell and a mail to each of `users`."""
    params = {"title": webinar.title}
    if kind.present:
        params["at"] = webinar.starts_at.isoformat()
    notify(users, kind.name, params, path(webinar))
    url = absolute("training.show", id=webinar.id)
    for user in users:
        if not user.is_active:
            continue
        try:
            mail.queue(user, f"training/mail/{letter}", webinar=webinar, url=url)
        except mail.UnsafeHeader:
            # Nobody else goes without because of one bad address; the line in the bell is there.
            log.warning("no mail can be written", user=user.id, letter=letter)


def path(webinar: Webinar) -> str:
    """Where its page is inside the hub."""
    return f"/training/webinars/{webinar.id}"


def remind(limit: int = 200) -> int:
    """Remind those whose webinar begins within a day or an hour, each once; how many were told.

    The row says what was given, in the same transaction as the mail: two jobs at once give one.
    """
    return _remind(Registration.hour_reminder_at, HOUR, limit) + _remind(
        Registration.day_reminder_at, DAY, limit, later_than=HOUR
    )


def _remind(column: Any, within: timedelta, limit: int, later_than: timedelta = timedelta()) -> int:
    now = clock.now()
    due = (
        select(Registration)
        .join(Registration.webinar)
        .options(contains_eager(Registration.webinar))
        .where(
            Registration.status == RegistrationStatus.REGISTERED,
            column.is_(None),
            Webinar.status == WebinarStatus.SCHEDULED,
            Webinar.starts_at > now + later_than,
            Webinar.starts_at <= now + within,
        )
        .order_by(Registration.id)
        .limit(limit)
        .with_for_update(of=Registration, skip_locked=True, key_share=True)
    )
    rows = list(db.session.scalars(due))
    by_webinar: dict[Webinar, list[User]] = {}
    for registration in rows:
        setattr(registration, column.key, now)
        by_webinar.setdefault(registration.webinar, []).append(registration.user)
    for webinar, users in by_webinar.items():
        tell(webinar, users, kinds.REMINDED, "reminder")
    if len(rows) == limit:
        ring("training.remind")
    return len(rows)


# --- Looking ---------------------------------------------------------------


@dataclass(frozen=True)
class Coming:
    """A webinar as one person sees it in a list."""

    webinar: Webinar
    status: RegistrationStatus | None  # of this person
    taken: int
    waiting: int

    @property
    def left(self) -> int:
        return max(0, self.webinar.capacity - self.taken)

    @property
    def is_near(self) -> bool:
        """Within six days: then “in 3 days” says more than the date."""
        return self.webinar.starts_at - clock.now() <= 6 * DAY

    @property
    def is_seated(self) -> bool:
        return self.status in SEATED

    @property
    def is_waiting(self) -> bool:
        return self.status is RegistrationStatus.WAITLISTED


def coming(user: User, limit: int = 10) -> list[Coming]:
    """The next webinars that `user` may see, the soonest first, the running one included."""
    return seen_by(_coming(user.role), reader=user.id, now=clock.now(), most=limit)


@functools.cache
def _coming(role: Role) -> Select[Any]:
    """Built once: the first page of every partner asks it."""
    ahead = with_seats(Somebody(role)).where(
        Webinar.status == WebinarStatus.SCHEDULED, Webinar.ends_at > bindparam("now")
    )
    return ahead.order_by(Webinar.starts_at, Webinar.id).limit(bindparam("most"))


def with_seats(user: User | Somebody) -> Select[Any]:
    """Select webinars with this person's status, the seats taken and how many wait."""
    own = aliased(Registration)
    statement = visible(select(Webinar), user)
    return statement.add_columns(
        own.status, _number_of(*SEATED), _number_of(RegistrationStatus.WAITLISTED)
    ).outerjoin(own, and_(own.webinar_id == Webinar.id, own.user_id == user.id))


def seen_by(statement: Select[Any], **values: Any) -> list[Coming]:
    """The rows of a `with_seats` statement, its bound parameters filled in."""
    return [Coming(*row) for row in db.session.execute(statement, values)]


def is_registered(webinar: Webinar, user: User) -> bool:
    """Has `user` a seat?"""
    registration = registration_of(webinar, user)
    return registration is not None and registration.is_seated


def registration_of(webinar: Webinar, user: User) -> Registration | None:
    return db.session.scalar(
        select(Registration).where(Registration.webinar_id == webinar.id, Registration.user_id == user.id)
    )


def seats_taken(webinar: Webinar) -> int:
    return _count(webinar, *SEATED)


def waiting_count(webinar: Webinar) -> int:
    return _count(webinar, RegistrationStatus.WAITLISTED)


def place_in_line(registration: Registration) -> int:
    """1 for the first on the waiting list."""
    before = select(func.count()).where(
        Registration.webinar_id == registration.webinar_id,
        Registration.status == RegistrationStatus.WAITLISTED,
        (Registration.since < registration.since)
        | ((Registration.since == registration.since) & (Registration.id < registration.id)),
    )
    return (db.session.scalar(before) or 0) + 1


def _count(webinar: Webinar, *statuses: RegistrationStatus) -> int:
    counted = select(func.count()).where(
        Registration.webinar_id == webinar.id, Registration.status.in_(statuses)
    )
    return db.session.scalar(counted) or 0


def _number_of(*statuses: RegistrationStatus) -> ScalarSelect[int]:
    counted = select(func.count(Registration.id)).where(
        Registration.webinar_id == Webinar.id, Registration.status.in_(statuses)
    )
    return counted.correlate(Webinar).scalar_subquery()


def _of(webinar: Webinar, *statuses: RegistrationStatus) -> list[Registration]:
    rows = (
        select(Registration)
        .join(Registration.user)
        .options(contains_eager(Registration.user))
        .where(Registration.webinar_id == webinar.id, Registration.status.in_(statuses))
        .order_by(Registration.since, Registration.id)
    )
    return list(db.session.scalars(rows))


def _people(webinar: Webinar, *statuses: RegistrationStatus) -> list[User]:
    return [registration.user for registration in _of(webinar, *statuses)]


# --- What higher rooms add to a webinar's page -------------------------------


@dataclass(frozen=True)
class Afterwards:
    """Something to do after a webinar: a survey."""

    label: str
    url: str


Provider = Callable[[Webinar, User], list[Afterwards]]
_providers: list[Provider] = []


def after_webinar(provider: Provider) -> Provider:
    """Register what a room offers on the page of a webinar that is over."""
    _providers.append(provider)
    return provider


def afterwards(webinar: Webinar, user: User) -> list[Afterwards]:
    return [each for provider in _providers for each in provider(webinar, user)]
