"""Background work: start what is due, send what is waiting."""

from contextlib import closing

from sqlalchemy import select

from ..core import clock
from ..core.database import db, transaction
from ..core.jobs import job
from ..core.mail import open_backends
from . import claims, events, linkcheck, sending, starting, tracking, trial
from .journal import Journal
from .models import Newsletter, Status


@job("newsletters.send", every="* * * * *")
def send() -> None:
    """Start what is due, then work through everything that is being sent. Several workers may do so at once."""
    start_due()
    trial.decide_due()
    with open_backends() as backends:
        claims.sweep(backends[0])
        db.session.rollback()
        running = select(Newsletter).where(Newsletter.status == Status.SENDING).order_by(Newsletter.id)
        for newsletter in list(db.session.scalars(running)):
            with closing(Journal()) as journal:
                sending.Run(newsletter, backends, journal).work()
    sending.finish()


def start_due() -> None:
    """Start the scheduled newsletters whose moment has come."""
    due = (Newsletter.status == Status.SCHEDULED, Newsletter.due_at <= clock.now())
    for number in list(db.session.scalars(select(Newsletter.id).where(*due))):
        with transaction():
            newsletter = db.session.scalar(select(Newsletter).where(Newsletter.id == number, *due))
            if newsletter is not None:
                starting.start_on_time(newsletter)


@job(tracking.COUNT, every="* * * * *")
def count() -> None:
    """Keep the opens and clicks that web processes have noted."""
    tracking.collect()


@job("newsletters.forget", every="40 3 * * *")
def forget() -> None:
    """Forget the provider's reports that nobody will repeat."""
    with transaction():
        events.forget()


@job("newsletters.links", every="*/10 * * * *")
def links() -> None:
    """Try the links that nobody has tried yet, each outside any transaction."""
    for check in linkcheck.due():
        db.session.rollback()
        found = linkcheck.attempt(check.url)
        with transaction():
            linkcheck.record(check, *found)
