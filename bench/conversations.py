"""Tickets in quantity on both databases, as ratios to an empty page; then the chat."""

import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import event

from tests.servers import POSTGRESQL, MissingServer, Servers, create_database

from . import chat
from .client import Client
from .rows import Row, against
from .server import HUB, ROOT, environment, hub, run, spare_port, web

SCALES = (1_000, 100_000)
PARTNERS = 100
ROUNDS, WARM_UP = 40, 5
LIMIT = 10  # statements of a page
#: The languages that words in Latin letters are looked up in.
LOOKED_UP = ("en", "pl")

Act = Callable[[], None]


def measure(home: Path) -> Iterator[Row]:
    """Yield the rows of the group, SQLite first; PostgreSQL where its programs are installed."""
    for scale in SCALES:
        yield from tickets(home / f"sqlite-{scale}", scale, "sqlite", {})
    with postgresql() as address:
        for scale in SCALES if address else ():
            url = address(f"bench_{scale}")
            yield from tickets(home / f"postgresql-{scale}", scale, "postgresql", {"HUB_DATABASE_URL": url})
        yield from chat.measure(home / "chat-sqlite", "sqlite", {})
        if address:
            url = address("bench_chat")
            yield from chat.measure(home / "chat-postgresql", "postgresql", {"HUB_DATABASE_URL": url})


@contextmanager
def postgresql() -> Iterator[Callable[[str], str] | None]:
    """A server for the purpose, which gives addresses of new databases; None when it is not installed."""
    servers = Servers()
    try:
        os.environ[POSTGRESQL] = servers.start_postgresql()
        yield create_database
    except MissingServer as missing:
        print(missing)
        yield None
    finally:
        servers.stop()


def tickets(home: Path, scale: int, backend: str, settings: dict[str, str]) -> Iterator[Row]:
    """Time what people do with tickets, each in turn with an empty page."""
    port, bare_port = spare_port(), spare_port()
    env = environment(home, port) | settings
    hub(env, "migrate")
    run(env, f"tickets_data.fill({scale}, {PARTNERS})")
    index(env)
    cookies = run(env, f"tickets_data.sign_in({PARTNERS + 1}, 1)").split()
    yield Row(
        "tickets.statements",
        scale,
        backend,
        int(run(env, "conversations.count_statements()")),
        "a page",
        LIMIT,
    )
    with ExitStack() as stack:
        stack.enter_context(web("bench.baseline:create_app()", bare_port))
        stack.enter_context(web("hub.wsgi:app", port, env))
        agent, partner = (Client(f"http://127.0.0.1:{port}") for _ in range(2))
        agent.cookies["hub"], partner.cookies["hub"] = cookies
        bare = Client(f"http://127.0.0.1:{bare_port}")
        acts = {"empty": lambda: void(bare.get("/"))} | {
            name: (lambda path=path: void(agent.get(path))) for name, path in PAGES.items()
        }
        acts |= {"create": writer(partner, "/tickets/new", "/tickets", new_ticket)}
        acts |= {"reply": writer(partner, "/tickets", "/tickets/{number}/reply", answer, scale)}
        medians = in_turn(acts)
    for name in acts:
        if name != "empty":
            row = against(
                f"tickets.{name}", medians[name], medians["empty"], scale=scale, backend=backend, unit="ms"
            )
            yield row


#: What an agent looks at. Ticket 1801 is there at every scale; one ticket in forty is about Alderbarrow,
#: and nearly all speak of payouts, which no target is for.
PAGES = {
    "list": "/inbox?view=all",
    "filter": "/inbox?view=all&status=waiting&category=payout",
    "show": "/inbox/1801",
    "search": "/inbox?view=all&q=alderbarrow",
    "search_common": "/inbox?view=all&q=payout",
}


def index(env: dict[str, str]) -> None:
    """Build the indexes, each in a process of its own: that of a hundred thousand tickets takes minutes."""
    builders = [
        subprocess.Popen(
            [*HUB, "search", "rebuild", "--lang", lang], env=env, cwd=ROOT, stdout=subprocess.DEVNULL
        )
        for lang in LOOKED_UP
    ]
    statuses = [builder.wait() for builder in builders]
    if any(statuses):
        raise RuntimeError("an index was not built")


def void(_text: object) -> None:
    """Forget an answer."""


def writer(
    client: Client, page: str, path: str, fields: Callable[[int], dict[str, str]], scale: int = 1
) -> Act:
    """An act that sends a form, another each time, with the token of a page that was open."""
    match = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page))
    token = match.group(1) if match else ""
    numbers = count(1)

    def act() -> None:
        number = next(numbers)
        # Tickets of the partner that is signed in: each of them in turn.
        target = path.format(number=1000 + PARTNERS * (1 + number % max(1, scale // PARTNERS)))
        body = urlencode(fields(number) | {"csrf_token": token})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": client.base + page}
        status, text, _ = client.request("POST", target, body, headers)
        if status != 303:
            raise RuntimeError(f"POST {target} answered {status}: {text[:500]}")

    return act


def new_ticket(number: int) -> dict[str, str]:
    return {
        "subject": f"Question {number}",
        "category": "payout",
        "body": "Where is the payout of October?",
        "client_id": f"create-{number}",
    }


def answer(number: int) -> dict[str, str]:
    return {"body": "It is the order of the second of October.", "client_id": f"reply-{number}", "seen": "4"}


def in_turn(acts: dict[str, Act]) -> dict[str, float]:
    """Median milliseconds of each act. In turn: whatever else the machine does hits all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in acts}
    for number in range(WARM_UP + ROUNDS):
        for name, act in acts.items():
            start = time.perf_counter()
            act()
            if number >= WARM_UP:
                times[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def count_statements() -> None:
    """Print the most statements that one of the pages asks; runs in the hub's own environment."""
    from flask import current_app

    from hub.core.database import db

    from . import tickets_data

    app = current_app._get_current_object()  # type: ignore[attr-defined]
    cookie = tickets_data.cookies(PARTNERS + 1)[0]
    asked: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _cursor, sql, *_rest: asked.append(sql))
    most = 0
    for path in PAGES.values():
        for _ in range(2):  # the first fills caches
            asked.clear()
            client = app.test_client()
            client.set_cookie("hub", cookie)
            assert client.get(path).status_code == 200, path
        most = max(most, sum(not sql.startswith(("BEGIN", "SAVEPOINT")) for sql in asked))
    print(most)
