"""`hub demo`: a programme a year old, made by every room's own demo with a fixed seed."""

import json
import random
import shutil
from datetime import datetime, timedelta

import click
from flask.cli import with_appcontext
from sqlalchemy import select, text

from .accounts import demo as people
from .accounts.models import User
from .accounts.passwords import DEMO_PASSWORD
from .app import ROOMS, door
from .core import clock, jobs
from .core.database import db, tell_nobody, transaction
from .core.migrations import bring_up_to_date
from .core.settings import settings
from .notifications.models import Notification
from .partners.models import MemberRole, Membership, Partner

SEED = 20_260
#: What nobody has looked at yet: of the last days, and never more than one can take in.
UNREAD_DAYS = 3
MOST_UNREAD = 8
#: Whose sign-ins are printed, and in which role they sign in.
STAFF = ("tomasz@nordbill.example", "anna@nordbill.example", "erik@nordbill.example")
PARTNERS = (("KRASNOVA", MemberRole.OWNER), ("WOJCIK", MemberRole.OWNER), ("KRASNOVA", MemberRole.MEMBER))


def fill() -> None:
    """Play a year of the programme, all of it or nothing.

    Every room has its own random numbers: more of one kind changes no other.
    """
    cast = people.begin(clock.now())
    with transaction():
        for room in ROOMS:
            module = door(room, "demo")
            if module is not None:
                module.fill(cast, random.Random(f"{SEED} {room}"))  # noqa: S311
                db.session.flush()
        _read_most(cast.now)
        tell_nobody()
    jobs.ring_all()


def _read_most(now: datetime) -> None:
    """Everyone has followed their bell, but for the last few days."""
    unread: dict[int, int] = {}
    statement = select(Notification).where(Notification.read_at.is_(None))
    newest_first = statement.order_by(Notification.created_at.desc(), Notification.id.desc())
    for each in db.session.scalars(newest_first):
        is_recent = each.created_at > now - timedelta(days=UNREAD_DAYS)
        if is_recent and unread.get(each.user_id, 0) < MOST_UNREAD:
            unread[each.user_id] = unread.get(each.user_id, 0) + 1
        else:
            each.read_at = min(each.created_at + timedelta(hours=2), now)


def sign_ins() -> list[dict[str, str | None]]:
    """The demo's sign-ins: two partners, a member, an agent, a manager, an admin."""
    found: list[tuple[User, str, str | None]] = [
        (user, "member" if role is MemberRole.MEMBER else "partner", code)
        for code, role in PARTNERS
        for user in _of(code, role)
    ]
    staff = {user.email: user for user in db.session.scalars(select(User).where(User.email.in_(STAFF)))}
    found += [(staff[email], str(staff[email].role), None) for email in STAFF if email in staff]
    return [
        {"role": role, "email": user.email, "password": DEMO_PASSWORD, "partner": code}
        for user, role, code in found
    ]


def _of(code: str, role: MemberRole) -> list[User]:
    members = (
        select(User)
        .join(Membership, Membership.user_id == User.id)
        .join(Partner, Partner.id == Membership.partner_id)
    )
    return list(
        db.session.scalars(
            members.where(Partner.code == code, Membership.role == role).order_by(Membership.id).limit(1)
        )
    )


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="The sign-ins as one JSON list.")
@click.option("--if-empty", is_flag=True, help="Say nothing when the hub already holds data of its own.")
@click.option("--reset", is_flag=True, help="First throw everything away. Stop the hub before.")
@with_appcontext
def demo(as_json: bool = False, if_empty: bool = False, reset: bool = False) -> None:
    """Fill an empty hub with a programme a year old and print its sign-ins."""
    if settings.is_production:
        raise click.ClickException("The demo is not for production: everyone knows its passwords.")
    if reset:
        throw_away()
    bring_up_to_date()
    if db.session.scalar(select(User.id).limit(1)) is None:
        click.echo("Filling the hub with a programme a year old …", err=True)
        fill()
    people_of_demo = sign_ins()
    if as_json:
        click.echo(json.dumps(people_of_demo, ensure_ascii=False, indent=1))
    elif people_of_demo:
        click.echo(f"Sign in with one of these; the password is {DEMO_PASSWORD}")
        for row in people_of_demo:
            click.echo(
                f"  {row['role'] or '':8} {row['email']}"
                + (f"  ({row['partner']})" if row["partner"] else "")
            )
    elif not if_empty:
        click.echo("The hub already holds data of its own; nothing was added.")


def throw_away() -> None:
    """Empty the database, the queue, and the folders of files, index and outgoing mail."""
    db.drop_all()
    with transaction() as session:
        session.execute(text("DROP TABLE IF EXISTS alembic_version"))
    jobs.queue().flush()
    for name in ("files", "index", "outbox"):
        shutil.rmtree(settings.home / name, ignore_errors=True)


commands = [demo]
