"""Working through the ledger: claim rows, hand their letters over, write down what happened.

Rows are claimed in batches, each committed before the first of its letters is
handed over. The letters leave over a few kept connections at once; a journal
notes which are under way, so that a crash leaves no more of them in doubt than
there are connections.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence

import structlog
from flask import Flask, current_app
from sqlalchemy import exists, select, update

from ..core import clock
from ..core.crash import crash_point
from ..core.database import db, touched, transaction
from ..core.mail import Busy, Letter, Misconfigured, NotSent, Refused, Unreachable
from ..core.mail.backend import Backend
from . import claims, consent, ledger, letters, steering, telling, tracking
from .claims import Declined, Row
from .journal import Journal
from .letters import Prepared
from .models import Delivery, DeliveryState, Hold, Newsletter, Status

log = structlog.get_logger()

#: Rows claimed at once: as many as leave in about a second, between these.
FEWEST, MOST = 50, 500
#: Seconds between two looks at whether the newsletter has been stopped.
LOOK_EVERY = 0.05
#: Seconds between two looks at who wants it no longer.
LISTEN_EVERY = 0.25
#: Announcing progress may take this share of the time.
NEWS_SHARE = 0.02
#: After so many failures in a row something is wrong with more than one address.
RUN_OF_FAILURES = 10


class Run:
    """One worker's pass over one newsletter, with its texts laid out once per language."""

    def __init__(self, newsletter: Newsletter, backends: Sequence[Backend], journal: Journal) -> None:
        self.id = newsletter.id
        self.backends = backends
        self.journal = journal
        self.texts: dict[str, Prepared] = {
            each.locale: letters.prepare(newsletter.topic, each, tracking.of(newsletter))
            for each in newsletter.written
        }
        self.topic = newsletter.topic
        self.failures = newsletter.failures
        self.size = FEWEST
        self.news = _News(self.id)

    def work(self) -> None:
        """Send what is due until nothing is, or something says stop."""
        going = True
        while going:
            crash_point("before_claim")
            rows = claims.claim(self.id, self.topic, self.journal.name, self.size)
            if not rows:
                break
            crash_point("after_claim")
            going = self._hand_over(rows)
            crash_point("between_batches")
        self.news.tell(at_once=True)

    def _hand_over(self, rows: list[Row]) -> bool:
        """Send a batch and settle it; whether to go on with the next."""
        begun = time.monotonic()
        crew = Crew(self, rows)
        going = crew.work()
        crash_point("before_record")
        with transaction():
            attempts = {row.id: row.attempts for row in rows}
            claims.settle(crew.results, self.journal.name, attempts=attempts)
            if len(crew.results) < len(rows):
                claims.give_back(self.journal.name)
            self._keep_failures(crew)
        self.journal.forget()
        self.news.tell()
        elapsed = time.monotonic() - begun
        self.size = max(FEWEST, self.backends[0].batch, min(MOST, int(len(crew.results) / elapsed)))
        return going and crew.hold is None

    def _keep_failures(self, crew: "Crew") -> None:
        if crew.failures != self.failures:
            self.failures = crew.failures
            present = update(Newsletter).where(Newsletter.id == self.id)
            db.session.execute(present.values(failures=self.failures))
        if crew.hold:
            newsletter = db.session.get_one(Newsletter, self.id)
            if newsletter.status is Status.SENDING:
                steering.pause(newsletter, crew.hold)
                telling.tell_author(newsletter, crew.hold)

    def letter(self, row: Row) -> Letter:
        return self.texts[row.locale].letter(
            key=row.key, address=row.address, name=row.name, values=row.values, variant=row.variant
        )


class Crew:
    """The connections at work on one batch: each takes the next letter as soon as it is free."""

    def __init__(self, run: Run, rows: list[Row]) -> None:
        self.run = run
        self.waiting = deque(rows)
        self.addresses = [row.address for row in rows]
        self.refused: dict[str, str] = {}
        self.listens_at = time.monotonic() + LISTEN_EVERY  # who had refused by the claim is not among them
        self.results: dict[int, NotSent | None] = {}
        self.failures = run.failures
        self.hold: Hold | None = None
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.until = time.monotonic() + claims.FRESH.total_seconds()

    def work(self) -> bool:
        """Hand over until all have been, or something says stop; whether to go on."""
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        # A handful of letters is not worth a second connection.
        enough = self.run.backends[: 1 + len(self.waiting) // (20 * self.run.backends[0].batch)]
        lanes = [threading.Thread(target=self._lane, args=(app, each), daemon=True) for each in enough]
        for lane in lanes:
            lane.start()
        while any(lane.is_alive() for lane in lanes):
            if not self.stopped.is_set() and not _is_sending(self.run.id):
                self.stopped.set()
            if time.monotonic() >= self.listens_at:
                self.refused = consent.refused_by(self.addresses, self.run.topic)
                self.listens_at = time.monotonic() + LISTEN_EVERY
            for lane in lanes:
                lane.join(LOOK_EVERY / len(lanes))
        return not self.stopped.is_set()

    def _lane(self, app: Flask, backend: Backend) -> None:
        with app.app_context():
            try:
                while rows := self._next(backend.batch):
                    self._send(backend, rows)
            except Exception:
                # Such as a full disk under the journal: what was not begun goes back.
                log.exception("newsletter", newsletter=self.run.id)
                self.stopped.set()

    def _next(self, limit: int) -> list[Row]:
        rows: list[Row] = []
        while len(rows) < limit and not self.stopped.is_set() and time.monotonic() < self.until:
            try:
                row = self.waiting.popleft()
            except IndexError:
                break
            if why := self.refused.get(row.address):
                with self.lock:
                    self.results[row.id] = Declined(why)
            else:
                rows.append(row)
        return rows

    def _send(self, backend: Backend, rows: list[Row]) -> None:
        results: dict[int, NotSent | None] = {}
        written: list[tuple[Row, Letter]] = []
        for row in rows:
            try:
                written.append((row, self.run.letter(row)))
            except Exception as error:  # one letter that cannot be written must not stop the others
                log.exception("newsletter", delivery=row.id)
                results[row.id] = Refused(f"{type(error).__name__}: {error}")
        numbers = [row.id for row, _letter in written]
        self.run.journal.begin(numbers)
        crash_point("begun")
        answers = backend.send_many([letter for _row, letter in written])
        crash_point("after_send")
        results |= dict(zip(numbers, answers, strict=True))
        self.run.journal.end(results.items())
        self._note(results)

    def _note(self, results: dict[int, NotSent | None]) -> None:
        with self.lock:
            self.results |= results
            for number, error in results.items():
                if isinstance(error, Busy):  # nothing is wrong with it, and it is not spoken to for a while
                    self.stopped.set()
                    continue
                self.failures = self.failures + 1 if error else 0
                if error is None:
                    continue
                log.warning(
                    "newsletter not sent", delivery=number, kind=type(error).__name__, error=str(error)[:300]
                )
                if isinstance(error, Misconfigured):
                    self.hold = Hold.CREDENTIALS
                elif self.failures >= RUN_OF_FAILURES:
                    self.hold = self.hold or Hold.ERRORS
                if self.hold or isinstance(error, Unreachable):
                    self.stopped.set()


class _News:
    """Tells the pages that watch how far it is, as often as that costs little."""

    def __init__(self, newsletter_id: int) -> None:
        self.id = newsletter_id
        self.next = 0.0

    def tell(self, *, at_once: bool = False) -> None:
        started = time.monotonic()
        if at_once or started >= self.next:
            db.session.rollback()
            ledger.tell_progress(self.id)
            ended = time.monotonic()
            self.next = ended + max(0.5, (ended - started) / NEWS_SHARE)


def _is_sending(newsletter_id: int) -> bool:
    db.session.rollback()
    return (
        db.session.scalar(select(Newsletter.status).where(Newsletter.id == newsletter_id)) is Status.SENDING
    )


def finish() -> None:
    """Close the newsletters that have nothing left to send."""
    open_states = (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.CLAIMED)
    left = exists().where(Delivery.newsletter_id == Newsletter.id, Delivery.state.in_(open_states))
    once = Newsletter.sequence_id.is_(None)  # the steps of a sequence wait for whoever comes next
    done = select(Newsletter.id).where(Newsletter.status == Status.SENDING, once, ~left)
    db.session.rollback()
    for number in list(db.session.scalars(done)):
        with transaction():
            ready = (Newsletter.id == number, Newsletter.status == Status.SENDING, ~left)
            values = {"status": Status.SENT, "finished_at": clock.now(), "hold": None}
            if touched(
                update(Newsletter).where(*ready).values(values).execution_options(synchronize_session=False)
            ):
                ledger.tell_progress(number)
                telling.tell_sent(db.session.get_one(Newsletter, number, populate_existing=True))
