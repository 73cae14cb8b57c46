"""Passwords: how they are kept, and which are too easy to guess."""

import functools
import re
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ..core.i18n import Text, _
from ..core.settings import Env, settings

SHORTEST = 8
ROWS = (
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "йцукенгшщзхъфывапролджэячсмитьбю",
    "йцукенгшщзхїфівапролджєячсмитьбю",
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "01234567890",
)
#: Everyone in the demo data has this one; in production it opens nothing.
DEMO_PASSWORD = "nordbill-demo"  # noqa: S105
#: Verified when there is no such person, so that the answer takes as long.
_NOBODY = "no-one-has-this-password"


@functools.cache
def _hasher(*, is_test: bool) -> PasswordHasher:
    # OWASP's second choice: 19 MiB, two passes, one lane; 41 ms here.
    return (
        PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if is_test else PasswordHasher(2, 19_456, 1)
    )


def _argon2() -> PasswordHasher:
    return _hasher(is_test=settings.env is Env.TEST)


def digest(password: str) -> str:
    """The argon2id hash to store."""
    return _argon2().hash(password)


@functools.cache
def _nobody(*, is_test: bool) -> str:
    return _hasher(is_test=is_test).hash(_NOBODY)


def is_right(password_hash: str | None, password: str) -> bool:
    """Does the password fit? Takes as long when there is no hash at all."""
    if settings.is_production and password == DEMO_PASSWORD:
        password_hash = None
    try:
        fits = _argon2().verify(password_hash or _nobody(is_test=settings.env is Env.TEST), password)
    except (VerificationError, InvalidHashError):
        return False
    return fits and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Was it hashed with other parameters than today's?"""
    return _argon2().check_needs_rehash(password_hash)


def weakness(password: str, *about: str) -> Text | None:
    """What makes a new password unacceptable, if anything. `about` is what others know: name, address."""
    if len(password) < SHORTEST:
        return _("Use at least %(count)s characters.", count=SHORTEST)
    core = _core(password)
    is_common = {password.casefold(), core} & _common() or len(set(password)) < 4 or password == DEMO_PASSWORD
    if is_common or _is_run(core):
        return _("This password is among those tried first. Choose another one.")
    known = {text.casefold() for text in about} | {part for text in about for part in _words(text)}
    if core in known or _words(core) <= known:
        return _("This password is too close to your name or address.")
    return None


def _words(text: str) -> set[str]:
    """What a text is made of; a text without letters is one word."""
    return set(re.findall(r"[^\W\d_]{3,}", text.casefold())) or {text}


def _is_run(core: str) -> bool:
    """Is it a walk along a row of keys, or along the alphabet?"""
    return any(core in row or core in row[::-1] for row in ROWS)


def _core(password: str) -> str:
    """What is left of “Password2026!” when up to five signs of decoration are gone: “password”."""
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password.casefold())
    return core if len(password) - len(core) <= 5 else password.casefold()


@functools.cache
def _common() -> frozenset[str]:
    path = Path(__file__).with_name("common_passwords.txt")
    return frozenset(line for line in path.read_text().splitlines() if line and not line.startswith("#"))
