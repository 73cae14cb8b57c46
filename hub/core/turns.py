"""A turn that one thread has at a time, first come, first served."""

import threading
from collections import deque


class Turn:
    """Like a lock, but handed on to whoever has waited longest.

    Who gives back a lock of the library lets anyone take it who looks at the right moment: of many who wait,
    some are overtaken again and again, until their patience ends.
    """

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()  # one for each who waits, opened when it is their turn

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def take(self, patience: float) -> bool:
        """Have the turn once all who came before have had it; False when that takes longer than `patience` seconds."""
        with self._looking:
            if not self._is_taken:
                self._is_taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            if mine.acquire(timeout=patience):
                return True
        except BaseException:  # a signal: the turn must not be handed to who has gone
            if not self._withdraw(mine):
                self.give_back()
            raise
        return not self._withdraw(mine)

    def _withdraw(self, mine: threading.Lock) -> bool:
        """Wait no longer; False when the turn was handed over at the last moment."""
        with self._looking:
            if mine not in self._waiting:
                return False
            self._waiting.remove(mine)
            return True

    def give_back(self) -> None:
        """Hand the turn to the next who waits."""
        with self._looking:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
