"""The queue is a doorbell: rows hold the work, a ring only says “look now”.

A job claims rows by conditional update, works, and records the result; it is
safe to run twice and two at once. Huey carries the rings: in a SQLite file
when embedded, in Redis when there are several machines.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from .database import after_commit, db, transaction
from .lean import without
from .settings import UNUSED, Settings

# The first two are for a kind of queue that is not used here: 9 MB.
with without("psycopg", "psycopg2", *UNUSED):
    from huey import Huey, RedisHuey, SqliteHuey, crontab

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    name: str
    function: Callable[..., Any]
    every: str | None  # five cron fields, or None: only when rung


_jobs: dict[str, Job] = {}


def job(name: str, *, every: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a job under `room.verb`; `every` is a cron line such as "* * * * *".

    The function runs in an application context and opens its own transactions.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _jobs[name] = Job(name, function, every)
        return function

    return register


def ring(name: str, /, **arguments: Any) -> None:
    """Ask the worker to run a job soon; inside a transaction, once it has committed.

    A ring that is lost (a crash, a full disk, Redis down) is made up for by
    the job's own schedule: the row still says what is to be done.
    """
    after_commit(lambda: _ring(name, arguments))


def _ring(name: str, arguments: dict[str, Any]) -> None:
    try:
        current_app.extensions["hub.ring"](name, arguments)
    except Exception as error:
        log.warning("ring lost", job=name, error=str(error)[:200])


def start_ringer(app: Flask, pause: float = 0.1) -> None:
    """Ring from a thread of this web process from now on: what is rung for again and again rings ten times a second.

    A hundred messages a second are no reason to write two hundred times into the queue, from as many threads.
    A ring that brings arguments is no mere “look now” and goes its own way.
    """
    ring_now = app.extensions["hub.ring"]
    waiting: dict[str, None] = {}
    rung = threading.Event()

    def remember(name: str, arguments: dict[str, Any]) -> None:
        if arguments:
            ring_now(name, arguments)
            return
        waiting[name] = None
        rung.set()

    def pass_on() -> None:
        while True:
            rung.wait()
            rung.clear()
            for name in list(waiting):
                del waiting[name]  # before it rings: what comes from here on rings again
                try:
                    ring_now(name, {})
                except Exception as error:
                    log.warning("ring lost", job=name, error=str(error)[:200])
            time.sleep(pause)

    app.extensions["hub.ring"] = remember
    threading.Thread(target=pass_on, name="ringer", daemon=True).start()


def ring_all() -> None:
    """Ring every scheduled job: rows were written that nobody rang for."""
    for each in _jobs.values():
        if each.every:
            ring(each.name)


def run(name: str, **arguments: Any) -> Any:
    """Run a job here and now."""
    return _jobs[name].function(**arguments)


def each_alone(items: Iterable[Any], work: Callable[[Any], Any], give_up: Callable[[Any], Any]) -> None:
    """Work through `items`, a transaction each; the others go on when one cannot be done.

    `give_up` says in its row that it is not to be met again: a job that stumbles over the same item
    every minute does nothing for whoever comes after it. A database that is away is no item's fault:
    that ends the job, and its next run goes on here.
    """
    for item in items:
        try:
            with transaction():
                work(item)
        except (OperationalError, InterfaceError, PoolTimeout):
            raise
        except Exception:
            log.exception("left out", item=item)
            with transaction():
                give_up(item)


def queue() -> Huey:
    return current_app.extensions["hub.queue"]


def drain(limit: int = 1000) -> int:
    """Run what has been rung, here, until the queue is empty; how many ran."""
    huey, done = queue(), 0
    while done < limit and (task := huey.dequeue()) is not None:
        huey.execute(task)
        done += 1
    return done


def init_app(app: Flask, settings: Settings) -> None:
    """Make the queue and its schedule for `app`."""
    if settings.redis_url:
        huey: Huey = RedisHuey("hub", url=settings.redis_url, results=False)
    else:
        settings.home.mkdir(parents=True, exist_ok=True)
        huey = SqliteHuey("hub", filename=str(settings.home / "queue.db"), results=False, fsync=False)

    def work(name: str, arguments: dict[str, Any]) -> None:
        with app.app_context():
            structlog.contextvars.bind_contextvars(job=name)
            try:
                run(name, **arguments)
            finally:
                db.session.remove()
                structlog.contextvars.unbind_contextvars("job")

    task = huey.task(name="run")(work)
    for each in list(_jobs.values()):
        if each.every:
            minute, hour, day, month, weekday = each.every.split()
            when = crontab(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday)
            huey.periodic_task(when, name=f"every {each.name}")(lambda name=each.name: work(name, {}))
    app.extensions["hub.queue"] = huey
    app.extensions["hub.ring"] = task
