"""Tickets by the hundred thousand, the same ones every time."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from flask import current_app
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import insert

from hub.accounts import sessions
from hub.accounts.models import ApiToken, User
from hub.accounts.secrets import fingerprint
from hub.core import clock
from hub.core.access import Role
from hub.core.database import Base, db, transaction
from hub.partners.models import MemberRole, Membership, Partner
from hub.tickets.models import Category, Channel, Message, Priority, ReadMark, Status, Ticket, Visibility

AGENTS = 20
SEED = 4
BATCH = 5_000
WORDS = [
    "banner",
    "payout",
    "commission",
    "link",
    "coupon",
    "invoice",
    "statement",
    "landing",
    "tracking",
    "order",
    "customer",
    "level",
    "webinar",
    "article",
    "mistake",
    "question",
    "answer",
    "october",
    "november",
    "refund",
    "transfer",
    "bank",
    "account",
    "password",
    "browser",
    "phone",
]
#: Forty shops that are written about, each in one ticket of forty; WORDS stand in nearly all.
FIRST, LAST = (
    ("Alder", "Birch", "Cedar", "Elder", "Hazel", "Laurel", "Maple", "Olive"),
    ("barrow", "croft", "dale", "mere", "wick"),
)
SHOPS = [first + last for first in FIRST for last in LAST]
#: What a help desk looks like after some years: most of it is settled.
STATES = [Status.CLOSED] * 80 + [Status.RESOLVED] * 10 + [Status.WAITING] * 5 + [Status.OPEN] * 3
STATES += [Status.NEW] * 2


def fill(tickets: int, partners: int) -> None:
    """Write people, tickets, four messages each, and read marks into an empty, migrated database.

    Everyone's bearer token is `hub_<user id>`.
    """
    dice = random.Random(SEED)
    now = clock.now()
    people = range(1, partners + AGENTS + 1)
    agents = [id for id in people if id > partners]
    with transaction() as session:

        def write(model: Any, rows: Iterator[dict[str, Any]]) -> None:
            while batch := list(islice(rows, BATCH)):
                session.execute(insert(model), batch)

        write(User, (person(id, Role.AGENT if id in agents else Role.PARTNER) for id in people))
        write(
            ApiToken,
            ({"user_id": id, "name": "bench", "token_hash": fingerprint(f"hub_{id}")} for id in people),
        )
        write(
            Partner,
            (
                {"id": id, "code": f"B{id:05}", "name": f"Bench {id}", "country": "NO", "currency": "EUR"}
                for id in people[:partners]
            ),
        )
        write(
            Membership,
            ({"partner_id": id, "user_id": id, "role": MemberRole.OWNER} for id in people[:partners]),
        )
        kinds = {status: Ticket(status=status, priority=Priority.NORMAL) for status in Status}

        def ticket(id: int) -> dict[str, Any]:
            # The first partner's are the ones that are answered.
            status = Status.OPEN if id % partners == 0 else dice.choice(STATES)
            moved = now - timedelta(minutes=7 * (tickets - id))
            kept = {name: getattr(kinds[status], name) for name in ("turn", "is_live", "rank")}
            return kept | {
                "id": id,
                "number": 1000 + id,
                "subject": sentence(dice, 6),
                "partner_id": id % partners + 1,
                "requester_id": id % partners + 1,
                "assignee_id": None if status is Status.NEW else agents[id % AGENTS],
                "status": status,
                "category": dice.choice(list(Category)),
                "channel": Channel.PORTAL,
                "last_seq": 4,
                "preview": sentence(dice, 12),
                "created_at": moved - timedelta(hours=5),
                "updated_at": moved,
                "first_replied_at": moved - timedelta(hours=4),
                "resolved_at": moved if status is Status.RESOLVED else None,
                "closed_at": moved if status is Status.CLOSED else None,
            }

        write(Ticket, (ticket(id) for id in range(1, tickets + 1)))
        write(
            Message,
            (
                {
                    "id": 4 * id + seq - 4,
                    "ticket_id": id,
                    "seq": seq,
                    "author_id": id % partners + 1 if seq % 2 else agents[id % AGENTS],
                    "body": sentence(dice, 30)
                    + (f" It is about {SHOPS[id % len(SHOPS)]}." if seq == 3 else ""),
                    "visibility": Visibility.PUBLIC,
                    "client_id": f"{id}-{seq}",
                    "at": now - timedelta(minutes=7 * (tickets - id) + 4 - seq),
                }
                for id in range(1, tickets + 1)
                for seq in range(1, 5)
            ),
        )
        write(
            ReadMark,
            ({"ticket_id": id, "user_id": id % partners + 1, "seq": 4} for id in range(1, tickets + 1)),
        )
        if session.get_bind().dialect.name == "postgresql":
            for table in Base.metadata.sorted_tables:
                if table.autoincrement_column is not None:
                    session.connection().exec_driver_sql(
                        f"""SELECT setval(pg_get_serial_sequence('"{table.name}"', 'id'), (SELECT max(id) FROM "{table.name}"))"""
                    )
    settle()


def settle() -> None:
    """What PostgreSQL does by itself within the first minutes: learn what the tables hold."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def person(id: int, role: Role) -> dict[str, Any]:
    """Nobody signs in by password here: bearer tokens do, and sessions made for the purpose."""
    return {"id": id, "email": f"bench{id}@example.org", "name": f"Person {id}", "role": role, "locale": "en"}


def sentence(dice: random.Random, words: int) -> str:
    return " ".join(dice.choices(WORDS, k=words)).capitalize() + "."


def sign_in(*people: int) -> None:
    """Print a session cookie for each of these people."""
    print(*cookies(*people))


def cookies(*people: int) -> list[str]:
    """A session cookie for each of these people."""
    sign = SecureCookieSessionInterface().get_signing_serializer(current_app._get_current_object())  # type: ignore[attr-defined]
    assert sign is not None
    with transaction() as session:
        tokens = [sessions.begin(session.get(User, id)) for id in people]
    return [str(sign.dumps({"_user_id": token, "_fresh": True})) for token in tokens]
