"""The demo's people: its staff, and the cast that every room's demo plays with."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..core import clock
from ..core.access import Role
from ..core.database import db
from . import passwords
from .models import User


@dataclass
class Cast:
    """Who is in the demo. Rooms add their own and set the clock with `at()`."""

    now: datetime  # today, the last day of the programme's first year
    password_hash: str
    staff: dict[str, User] = field(default_factory=dict)  # anna, tomasz, olena, erik
    partners: dict[str, Any] = field(default_factory=dict)  # code → Partner
    owners: dict[str, User] = field(default_factory=dict)  # code → its first owner
    rooms: dict[str, Any] = field(default_factory=dict)  # what a room leaves for higher ones

    @property
    def anna(self) -> User:
        """Anna Lindqvist, the manager."""
        return self.staff["anna"]

    @property
    def tomasz(self) -> User:
        """Tomasz Zieliński, an agent."""
        return self.staff["tomasz"]

    @property
    def olena(self) -> User:
        """Olena Kovalenko, an agent."""
        return self.staff["olena"]

    @property
    def erik(self) -> User:
        """Erik Dahl, the admin."""
        return self.staff["erik"]

    @contextmanager
    def at(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> Iterator[datetime]:
        """Inside the block it is that long before `now`, also for what rows fill in by themselves."""
        with clock.frozen(self.now - timedelta(days=days, hours=hours, minutes=minutes)) as moment:
            yield moment
            db.session.flush()

    def person(self, email: str, name: str, role: Role = Role.PARTNER, **values: Any) -> User:
        """Add someone who can sign in with the demo's password; `created_at` is the set clock's."""
        user = User(email=email, name=name, role=role, password_hash=self.password_hash, **values)
        db.session.add(user)
        db.session.flush()
        return user


def begin(now: datetime) -> Cast:
    """An empty cast; the password is hashed once, not for every one of a hundred people."""
    return Cast(now=now, password_hash=passwords.digest(passwords.DEMO_PASSWORD))


def fill(cast: Cast, rng: random.Random) -> None:
    """Hire the staff, a year and a month ago."""
    with cast.at(days=395):
        cast.staff = {
            "anna": cast.person("anna@nordbill.example", "Anna Lindqvist", Role.MANAGER),
            "tomasz": cast.person(
                "tomasz@nordbill.example",
                "Tomasz Zieliński",
                Role.AGENT,
                locale="pl",
                time_zone="Europe/Warsaw",
            ),
            "olena": cast.person(
                "olena@nordbill.example", "Olena Kovalenko", Role.AGENT, locale="uk", time_zone="Europe/Kyiv"
            ),
            "erik": cast.person("erik@nordbill.example", "Erik Dahl", Role.ADMIN),
        }
