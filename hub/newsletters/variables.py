"""Words in braces that stand for something of the reader: `{user.name|partner}`."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from ..accounts.models import User
from ..core.i18n import Text, _, _l
from ..core.settings import settings
from ..partners.models import Partner
from .models import Content

VARIABLE = re.compile(r"\{\s*([a-z_]+(?:\.[a-z_]+)*)\s*(?:\|([^{}\n]*))?\}")

Reader = Callable[[User, Partner | None, str], str]

#: name → (what it is, how to find it for a reader in a language)
OF_READER: dict[str, tuple[Text, Reader]] = {
    "user.name": (_l("Full name of the reader"), lambda user, partner, locale: user.name),
    "user.first_name": (
        _l("First name of the reader"),
        lambda user, partner, locale: user.name.split(" ")[0],
    ),
    "partner.name": (
        _l("Name of the organisation"),
        lambda user, partner, locale: partner.name if partner else "",
    ),
    "partner.code": (
        _l("Code of the partner"),
        lambda user, partner, locale: partner.code if partner else "",
    ),
    "partner.tier": (
        _l("Level of the partner"),
        lambda user, partner, locale: (
            partner.tier.names.get(locale) or partner.tier.names.get("en", "")
            if partner and partner.tier
            else ""
        ),
    ),
    "partner.manager": (
        _l("Name of the personal manager"),
        lambda user, partner, locale: partner.manager.name if partner and partner.manager else "",
    ),
}
MAY_BE_EMPTY = ("partner.tier", "partner.manager")
#: Of the closed month a newsletter tells about, and of what has changed since the last one: found for many at once.
OF_MONTH: dict[str, Text] = {
    "earnings.month": _l("The month the figures are of"),
    "earnings.total": _l("What the partner earned in it"),
    "earnings.change": _l("How much more or less than the month before"),
    "earnings.sales": _l("Sales of the month"),
    "earnings.sales_before": _l("Sales of the month before, in words"),
    "earnings.rank": _l("Place among partners by sales of the month"),
    "earnings.ranked": _l("Among how many partners, in words"),
    "level.new": _l("The level reached since the last update"),
    "level.since": _l("The day it was reached"),
    "level.rate": _l("The commission of the new level"),
}
#: The same for every reader.
CONSTANTS: dict[str, tuple[Text, Callable[[], str]]] = {
    "programme.name": (_l("Name of the programme"), lambda: settings.programme_name),
    "hub.url": (_l("Address of the hub"), lambda: settings.base_url),
}


def used(*texts: str) -> list[tuple[str, str | None]]:
    """(name, default) of every variable in the texts, each once, in order."""
    found = [(match[1], match[2]) for text in texts for match in VARIABLE.finditer(text)]
    return list(dict.fromkeys(found))


def names_of(content: Content) -> list[str]:
    """Names of the variables in a text, each once, in order."""
    pairs = used(content.subject, content.subject_b, content.preheader, content.body)
    return list(dict.fromkeys(name for name, _default in pairs))


def unknown(names: Iterable[str]) -> list[str]:
    """Names that stand for nothing."""
    return sorted({name for name in names if not is_own(name) and name not in CONSTANTS})


def is_own(name: str) -> bool:
    """Does it stand for something of the reader?"""
    return name in OF_READER or name in OF_MONTH


def fill_constants(text: str) -> str:
    """`text` with what is the same for everyone put in."""

    def value(match: re.Match[str]) -> str:
        return CONSTANTS[match[1]][1]() if match[1] in CONSTANTS else match[0]

    return VARIABLE.sub(value, text)


def fill(text: str, words: dict[str, str]) -> str:
    """`text` for one reader: their words, else the default, else the variable's own name in plain words."""

    def value(match: re.Match[str]) -> str:
        if not is_own(match[1]):
            return match[0]
        return words.get(match[1]) or match[2] or "…"

    return VARIABLE.sub(value, fill_constants(text))


def values(user: User, partner: Partner | None, locale: str, names: Iterable[str]) -> dict[str, str]:
    """What the named variables stand for, for this reader; unknown names are left out."""
    return {name: tidy(OF_READER[name][1](user, partner, locale)) for name in names if name in OF_READER}


def of_person(user: User) -> dict[str, str]:
    """The words about a person themselves, whatever organisation they belong to."""
    return values(user, None, user.locale, ("user.name", "user.first_name"))


def tidy(value: Any) -> str:
    """One line without control characters."""
    text = str(value)
    if text.isprintable() and "  " not in text:
        return text.strip()
    # Not `split()`: the space within an amount must not break.
    return re.sub(" +", " ", re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", text)).strip()


def catalogue() -> list[tuple[str, str]]:
    """Every variable with what it is, for the editor."""
    return [(name, str(entry[0])) for name, entry in [*OF_READER.items(), *CONSTANTS.items()]] + [
        (name, str(what)) for name, what in OF_MONTH.items()
    ]


def complaint(name: str) -> str:
    return _("“{%(name)s}” is not a variable. The editor lists those there are.", name=name)
