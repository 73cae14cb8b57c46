"""A newsletter to 50,000 partners: how fast it freezes and leaves, against a bare smtplib loop."""

import json
import os
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app
from sqlalchemy import event, insert, text

from hub.accounts import sessions
from hub.accounts.models import User
from hub.app import create_app
from hub.core import clock, jobs, lean, migrations
from hub.core.access import Role
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.newsletters import drafts, letters, starting
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Status, Topic
from hub.partners.models import Membership, Partner

from .rows import Row, against
from .server import ROOT

RECIPIENTS, CONNECTIONS, DELIVERIES = 50_000, 2, 1_000_000
TEXT = """# What is new in {programme.name}

Hello {user.first_name|there}, here is the month of **{partner.name}**.

## New materials

- Banners for *Business* in four sizes
- A landing page for accountants, with your code {partner.code}
- Stories of three partners

> “Half of our customers came from one article.”

[Open the hub]({hub.url}/?who={partner.code})

| Plan | Commission |
|---|---|
| Start | 15 % |
| Business | 20 % |

Ask {partner.manager|the team} whatever you like.
"""


def measure(home: Path) -> Iterator[Row]:
    """Yield the rows of the group; two processes, so that the worker's memory is its own."""
    env = {**os.environ, "HUB_HOME": str(home), "HUB_ENV": "test", "HUB_LOG_FORMAT": "json"}
    with sink() as port:
        env |= {"HUB_MAIL_URL": f"smtp://127.0.0.1:{port}", "HUB_MAIL_CONNECTIONS": str(CONNECTIONS)}
        _part("fill", env)
        sample = bytes.fromhex(_part("freeze", env)["sample"])
        # Half of the bare loop before and half after: what else the machine does meets both.
        seconds = bare(port, sample, RECIPIENTS // 2, CONNECTIONS)
        sent = _part("send", env)
        seconds += bare(port, sample, RECIPIENTS // 2, CONNECTIONS)
        assert sent["states"] == {"sent": RECIPIENTS}, sent["states"]
        assert taken(port) == 2 * RECIPIENTS
    frozen = sent["freeze_s"]
    rate, baseline = RECIPIENTS / sent["seconds"], RECIPIENTS / seconds
    scale = {"scale": RECIPIENTS, "backend": "sqlite"}
    yield against("newsletters.send", rate, baseline, unit="mails/s", **scale)  # type: ignore[arg-type]
    yield Row("newsletters.peak_mb", RECIPIENTS, "sqlite", sent["peak_mb"], "MB")
    yield Row("newsletters.freeze_s", RECIPIENTS, "sqlite", frozen, "s")
    page = _part("report", env)
    yield Row("newsletters.report_statements", DELIVERIES, "sqlite", page["statements"], "statements")
    yield Row("newsletters.report_ms", DELIVERIES, "sqlite", page["ms"], "ms")


def _part(name: str, env: dict[str, str]) -> dict:  # type: ignore[type-arg]
    """Run a part in a process of its own; what it prints last."""
    command = [sys.executable, "-m", "bench.newsletters", name]
    done = subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


@contextmanager
def sink() -> Iterator[int]:
    """A server to send to, in a process of its own; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sink"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(30)


def bare(port: int, message: bytes, number: int, connections: int) -> float:
    """Seconds that a loop over smtplib takes for so many ready messages."""

    def lane() -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            for n in range(number // connections):
                smtp.sendmail("partners@nordbill.example", f"reader{n}@example.org", message)

    lanes = [threading.Thread(target=lane) for _ in range(connections)]
    started = time.perf_counter()
    for each in lanes:
        each.start()
    for each in lanes:
        each.join()
    return time.perf_counter() - started


def taken(port: int) -> int:
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        return int(smtp.docmd("XNUM")[1])


# --- Parts, each in a process of its own ---------------------------------------


def fill() -> dict[str, object]:
    """As many partners as recipients, each with one person who reads one of two languages."""
    migrations.bring_up_to_date()
    with transaction() as session:
        for start in range(0, RECIPIENTS, 1000):
            numbers = range(start + 1, start + 1001)
            session.execute(
                insert(User),
                [
                    {
                        "id": n,
                        "email": f"reader{n}@example{n % 50}.org",
                        "name": f"Reader Nr {n}",
                        "role": Role.PARTNER,
                        "locale": ("en", "ru")[n % 2],
                    }
                    for n in numbers
                ],
            )
            session.execute(
                insert(Partner),
                [
                    {
                        "id": n,
                        "code": f"P{n}",
                        "folded": f"P{n}",
                        "name": f"Студия Nr {n}",
                        "country": "PL",
                    }
                    for n in numbers
                ],
            )
            session.execute(insert(Membership), [{"partner_id": n, "user_id": n} for n in numbers])
    return {}


def _write() -> int:
    with transaction() as session:
        author = session.get(User, 1)
        contents = [
            {"locale": "en", "subject": "News for {partner.name}", "preheader": "", "body": TEXT},
            {"locale": "ru", "subject": "Новости для {partner.name}", "preheader": "", "body": TEXT},
        ]
        return drafts.create(author, Topic.PRODUCT, contents=contents).id


def freeze() -> dict[str, object]:
    """One mail as it leaves, for the bare loop."""
    newsletter = db.session.get_one(Newsletter, _write())
    words = {"partner.name": "Студия Nr 25000", "user.first_name": "Reader", "partner.code": "P25000"}
    prepared = letters.prepare(newsletter.topic, newsletter.written[1])
    letter = prepared.letter(key="0" * 32, address="reader@example.org", name="Reader Nr 1", values=words)
    return {"sample": letter.as_bytes().hex()}


def send() -> dict[str, object]:
    """Start a newsletter and send it, as the worker does; the seconds of both and the peak of memory."""
    lean.give_back()  # as the worker does
    number = _write()
    started = time.perf_counter()
    with transaction() as session:
        starting.start(session.get(Newsletter, number))
    frozen = time.perf_counter()
    jobs.run("newsletters.send")
    ended = time.perf_counter()
    states = db.session.execute(text("SELECT state, count(*) FROM delivery GROUP BY 1")).all()
    return {
        "freeze_s": round(frozen - started, 2),
        "seconds": ended - frozen,
        "peak_mb": _peak(),
        "states": dict(tuple(row) for row in states),
    }


def _peak() -> float:
    """The most memory this process has had, in MB; `getrusage` would count what its parent had when it was started."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


def report() -> dict[str, object]:
    """Statements and milliseconds of the second visit to the page of a newsletter to a million."""
    number = _write()
    with transaction() as session:
        newsletter, reader = session.get(Newsletter, number), session.get(User, 1)
        newsletter.status, newsletter.started_at, newsletter.finished_at = (
            Status.SENT,
            clock.now(),
            clock.now(),
        )
        reader.role = Role.ADMIN
        for start in range(0, DELIVERIES, 5000):
            session.execute(insert(Delivery), [_delivery(number, n) for n in range(start, start + 5000)])
        token = sessions.begin(reader)
    client, statements = current_app.test_client(), []
    with client.session_transaction() as cookie:
        cookie |= {"_user_id": token, "_fresh": True}
    client.get(f"/newsletters/{number}")
    event.listen(db.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    started = time.perf_counter()
    assert client.get(f"/newsletters/{number}").status_code == 200
    elapsed = time.perf_counter() - started
    asked = [each for each in statements if not each.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
    return {"statements": len(asked), "ms": round(elapsed * 1000)}


def _delivery(newsletter_id: int, n: int) -> dict[str, object]:
    return {
        "newsletter_id": newsletter_id,
        "key": f"{n:032x}",
        "address": f"reader{n}@example.org",
        "partner_id": n % RECIPIENTS + 1,
        "locale": "en",
        "state": DeliveryState.SENT,
        "sent_at": clock.now(),
        "delivered_at": clock.now(),
        "opened_at": clock.now() if n % 3 == 0 else None,
        "clicked_at": clock.now() if n % 10 == 0 else None,
    }


if __name__ == "__main__":
    with create_app().app_context():
        assert settings.mail_url.startswith("smtp://127.0.0.1:")
        print(json.dumps(globals()[sys.argv[1]]()))
