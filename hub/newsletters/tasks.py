"""Background work: start what is due, send what is waiting."""

from collections.abc import Callable
from contextlib import closing

from sqlalchemy import case, select

from ..core import clock
from ..core.database import db, transaction
from ..core.jobs import each_alone, job
from ..core.mail import open_backends
from . import claims, events, linkcheck, sending, starting, tracking, trial
from .journal import Journal
from .models import Hold, Newsletter, Status, Topic


@job("newsletters.send", every="* * * * *")
def send() -> None:
    """Start what is due, then work through everything that is being sent. Several workers may do so at once."""
    start_due()
    trial.decide_due()
    with open_backends() as backends:
        claims.sweep(backends[0])
        db.session.rollback()
        for newsletter in list(db.session.scalars(_RUNNING)):
            with closing(Journal()) as journal:
                sending.Run(newsletter, backends, journal).work()
    sending.finish()


#: What concerns the partnership itself comes first, then the newest: where only so many mails may leave in a minute,
#: the first takes them all, and a large one takes hours.
_RUNNING = (
    select(Newsletter)
    .where(Newsletter.status == Status.SENDING)
    .order_by(
        case((Newsletter.topic == Topic.SERVICE, 0), else_=1), Newsletter.started_at.desc(), Newsletter.id
    )
)


def start_due() -> None:
    """Start the scheduled newsletters whose moment has come; one that cannot start stops no other."""
    due = (Newsletter.status == Status.SCHEDULED, Newsletter.due_at <= clock.now())

    def work(number: int, do: Callable[[Newsletter], None] = starting.start_on_time) -> None:
        newsletter = db.session.scalar(select(Newsletter).where(Newsletter.id == number, *due))
        if newsletter is not None:
            do(newsletter)

    def give_up(number: int) -> None:
        work(number, lambda newsletter: starting.give_back(newsletter, Hold.INCOMPLETE))

    each_alone(list(db.session.scalars(select(Newsletter.id).where(*due))), work, give_up)


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
