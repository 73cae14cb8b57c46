"""Is somebody of the team there to chat, and if not, when will an answer come?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..core import clock, presence
from ..core.access import Permission, roles_with
from . import promises
from .due import when
from .models import Category, Priority
from .sla import MINUTE, Kind, Rules

#: Nobody has left for good who is back this soon: a restart must not turn chats into letters.
LEFT = timedelta(seconds=45)


@dataclass(frozen=True)
class Availability:
    """`chat`: somebody is at the screen within working hours. `answer_by` is promised otherwise, if anything is."""

    chat: bool
    answer_by: datetime | None

    @property
    def by(self) -> str:
        """“Mon 09:30”, in the reader's time zone; nothing when nothing is promised."""
        return when(self.answer_by) if self.answer_by else ""


def now() -> Availability:
    """What a partner may expect who writes now."""
    rules, moment = promises.rules_now(), clock.now()
    until = presence.here_until(roles_with(Permission.TICKETS_WORK))
    chat = until is not None and until > moment and rules.hours.is_open(moment)
    return Availability(chat, _answer_by(rules, None))


def answer_by(tier: str | None) -> str:
    """By when a question of a partner of this level is answered that is asked now, in words; empty without a promise."""
    by = _answer_by(promises.rules_now(), tier)
    return when(by) if by else ""


def _answer_by(rules: Rules, tier: str | None) -> datetime | None:
    target = rules.policy(Kind(tier, Category.OTHER, Priority.NORMAL)).first
    return (
        rules.hours.after(clock.now(), target * MINUTE) if target else rules.hours.next_opening(clock.now())
    )


def has_everyone_left() -> bool:
    """True when the last one is gone for a while, or the working day is over."""
    moment = clock.now()
    until = presence.here_until(roles_with(Permission.TICKETS_WORK))
    return until is None or until < moment - LEFT or not promises.rules_now().hours.is_open(moment)
