"""Which articles are read in one sitting: counted without keeping who read them.

The web process remembers, in memory and for half an hour, what each reader has just read; only pairs of articles
ever leave it, once a minute, over the queue. What a process forgets when it ends is no loss: these are counts.
"""

import threading
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import delete, update

from ..core import clock
from ..core.database import db, insert_of_dialect
from .models.related import ReadTogether

SITTING = timedelta(minutes=30)
#: How often a process hands over what it has counted.
EVERY = timedelta(minutes=1)
#: Nobody reads more than this in one sitting; a program does.
MOST_READ = 12
MOST_READERS = 5_000
MOST_PAIRS = 5_000
#: A day takes away this much of what was counted; below LEAST it is forgotten.
FADES = 0.98
LEAST = 0.25

Pairs = list[tuple[int, int, int]]


class Sittings:
    """What a process knows of its readers' present sittings."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[int, tuple[datetime, list[int]]] = {}
        self._pairs: Counter[tuple[int, int]] = Counter()
        self._handed_over = clock.now()

    def note(self, reader: int, article: int) -> None:
        """`reader` has opened an article; it goes together with what they have read before."""
        now = clock.now()
        with self._lock:
            last, before = self._read.pop(reader, (now, []))
            if now - last > SITTING:
                before = []
            if article not in before and len(before) < MOST_READ:
                if len(self._pairs) < MOST_PAIRS:
                    self._pairs.update((min(each, article), max(each, article)) for each in before)
                before = [*before, article]
            self._read[reader] = now, before  # the last of the dictionary: the first are the oldest
            while len(self._read) > MOST_READERS:
                del self._read[next(iter(self._read))]

    @property
    def is_due(self) -> bool:
        return bool(self._pairs) and clock.now() - self._handed_over >= EVERY

    def take(self) -> Pairs:
        """What was counted since the last time; sittings that are over are forgotten."""
        now = clock.now()
        with self._lock:
            pairs, self._pairs = self._pairs, Counter()
            self._read = {who: it for who, it in self._read.items() if now - it[0] <= SITTING}
            self._handed_over = now
        return [(one, other, times) for (one, other), times in sorted(pairs.items())]


sittings = Sittings()


def count(pairs: Pairs) -> None:
    """Add what a process has counted."""
    if not pairs:
        return
    insert = insert_of_dialect(ReadTogether)
    more = ReadTogether.weight + insert.excluded.weight
    rows = [{"article_id": one, "other_id": other, "weight": float(times)} for one, other, times in pairs]
    db.session.execute(
        insert.on_conflict_do_update(index_elements=["article_id", "other_id"], set_={"weight": more}), rows
    )


def fade() -> None:
    """What was read long ago counts for less and less."""
    options = {"synchronize_session": False}
    db.session.execute(
        update(ReadTogether).values(weight=ReadTogether.weight * FADES).execution_options(**options)
    )
    db.session.execute(delete(ReadTogether).where(ReadTogether.weight < LEAST).execution_options(**options))
