"""An upload in the browser: checked by the worker, confirmed by a person, put in by the worker."""

import io
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import joinedload, undefer

from ...core import audit, clock, i18n
from ...core.crash import crash_point
from ...core.database import db, touched, transaction
from ...core.errors import HubError, Invalid
from ...core.i18n import Text, _, _l
from ...core.jobs import ring
from ..models.exchange import Arrival, ArrivalState
from . import arriving
from .reading import Bundle, Problem

JOB = "kb.import"
#: Problems that are kept and shown; all are counted.
MOST_SHOWN = 300
#: A worker that has not been heard of for so long is gone, and the next goes on.
_GONE = timedelta(minutes=2)
_TURN = {ArrivalState.UPLOADED: ArrivalState.CHECKING, ArrivalState.CONFIRMED: ArrivalState.RUNNING}


class NotNow(HubError):
    message = _l("This import has been finished already.")


def keep(actor: Any, filename: str, body: bytes, category: str) -> Arrival:
    """Keep a file for the worker to look at. Raises Invalid."""
    if not body.strip():
        raise Invalid(_("The file is empty."))
    arrival = Arrival(
        filename=filename[-200:] or "import",
        body=body,
        category=category,
        actor_id=getattr(actor, "id", None),
    )
    db.session.add(arrival)
    db.session.flush()
    ring(JOB)
    return arrival


def confirm(arrival: Arrival, *, takes_broken: bool, takes_over: bool) -> None:
    """Let what was shown go in. Raises NotNow."""
    _from(
        ArrivalState.CHECKED,
        arrival,
        state=ArrivalState.CONFIRMED,
        takes_broken=takes_broken,
        takes_over=takes_over,
    )
    ring(JOB)


def discard(arrival: Arrival) -> None:
    """Give an upload up. Raises NotNow."""
    _from(ArrivalState.CHECKED, arrival, state=ArrivalState.DISCARDED, body=None)


def _from(before: ArrivalState, arrival: Arrival, **values: Any) -> None:
    if not touched(update(Arrival).where(Arrival.id == arrival.id, Arrival.state == before).values(**values)):
        raise NotNow


# --- The worker ---


def work() -> None:
    """Check what was uploaded, put in what was confirmed, and go on with what another worker left."""
    while (claimed := _claim()) is not None:
        arrival_id, state = claimed
        try:
            (_check if state is ArrivalState.CHECKING else _put_in)(arrival_id)
        except HubError as error:
            _refuse(arrival_id, error.message)
        except Exception:
            _refuse(arrival_id, HubError.message)
            raise


def _refuse(arrival_id: int, reason: Text) -> None:
    with _speaking(_get(arrival_id)):
        _end(arrival_id, state=ArrivalState.REFUSED, reason=str(reason))


def _claim() -> tuple[int, ArrivalState] | None:
    now = clock.now()
    left = Arrival.state.in_(list(_TURN.values())) & (Arrival.beat_at < now - _GONE)
    with transaction() as session:
        found = session.scalar(
            select(Arrival).where(or_(Arrival.state.in_(list(_TURN)), left)).order_by(Arrival.id).limit(1)
        )
        if found is None:
            return None
        state = _TURN.get(found.state, found.state)
        same = Arrival.state == found.state, Arrival.beat_at == found.beat_at
        if found.beat_at is None:
            same = Arrival.state == found.state, Arrival.beat_at.is_(None)
        if not touched(update(Arrival).where(Arrival.id == found.id, *same).values(state=state, beat_at=now)):
            return None
    return found.id, state


def _check(arrival_id: int) -> None:
    arrival = _get(arrival_id)
    with _speaking(arrival):
        bundle, entries = arriving.look(_stream(arrival), arrival.filename, category=arrival.category)
        counts = {
            "articles": len(entries),
            "broken": bundle.broken,
            "categories": len(bundle.categories),
            "pictures": len(bundle.pictures),
            "problems": len(bundle.problems),
        }
    with transaction():
        _from(
            ArrivalState.CHECKING,
            arrival,
            state=ArrivalState.CHECKED,
            counts=counts,
            problems=_kept(bundle.problems),
        )


def _put_in(arrival_id: int) -> None:
    """Nothing is in twice: what an interrupted run has put in is known by its content."""
    arrival = _get(arrival_id)
    with _speaking(arrival):
        bundle, entries = arriving.look(
            _stream(arrival), arrival.filename, category=arrival.category, loosely=arrival.takes_broken
        )

        def progress(done: int) -> None:
            values = {"done": done, "beat_at": clock.now()}
            db.session.execute(update(Arrival).where(Arrival.id == arrival_id).values(**values))
            crash_point("articles_imported")

        report = arriving.put_in(
            bundle, entries, progress, author_id=arrival.actor_id, force=arrival.takes_over
        )
        _blame_conflicts(bundle, report.conflicts)
    bundle.problems += report.problems
    counts = report.counts | {"problems": len(bundle.problems)}
    _end(arrival_id, state=ArrivalState.DONE, counts=counts, problems=_kept(bundle.problems))
    with transaction():
        audit.record(
            _get(arrival_id).actor, "articles.imported", f"article_import:{arrival_id}", after=counts
        )


def _blame_conflicts(bundle: Bundle, conflicts: list[str]) -> None:
    for name in conflicts:
        bundle.blame(name, 1, _("The article was edited in the hub since; its text stays."), leaves_out=False)


def _get(arrival_id: int) -> Arrival:
    return db.session.get_one(Arrival, arrival_id, options=[joinedload(Arrival.actor), undefer(Arrival.body)])


def _stream(arrival: Arrival) -> io.BytesIO:
    return io.BytesIO(arrival.body or b"")


def _speaking(arrival: Arrival) -> Any:
    """Problems are told in the language of who uploaded the file."""
    actor = arrival.actor
    return i18n.speaking(actor.locale, actor.time_zone) if actor else i18n.speaking("en")


def _kept(problems: list[Problem]) -> list[list[Any]]:
    return [[each.where, each.line, each.reason] for each in problems[:MOST_SHOWN]]


def _end(arrival_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(
            update(Arrival).where(Arrival.id == arrival_id).values(body=None, done_at=clock.now(), **values)
        )
