"""Time zones by the names of their cities, in the reader's language; IANA's names stay the values."""

import functools
import unicodedata
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from flask import Flask
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from . import clock, i18n
from .settings import Settings

#: How languages order their letters, where that is not the order of Unicode.
ALPHABETS = {
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "pl": "aąbcćdeęfghijklłmnńoópqrsśtuvwxyzźż",
}


def city(name: str) -> str:
    """“Kyiv”, «Київ» for Europe/Kyiv and for the older Europe/Kiev."""
    return _city(name, i18n.locale())


def label(name: str) -> str:
    """A zone with how far its clocks are from UTC at present: “Kyiv (UTC+2)”."""
    return f"{city(name)} ({_offset(name)})"


def choices() -> list[SelectChoice]:
    """Every zone in use today with its label, in the order of the reader's alphabet."""
    return _choices(i18n.locale(), clock.now().date())


class ZoneField(SelectField):
    """A time zone. One that has another name by now is offered only where it was chosen before."""

    @property
    def choices(self) -> Any:
        found, chosen = choices(), getattr(self, "data", None)
        if chosen in _names() and chosen not in _todays():
            return [SelectChoice(chosen, label(chosen)), *found]
        return found


def alphabetical(text: str) -> list[int]:
    """A key to sort by in the reader's language."""
    order = _order(i18n.locale())
    # Letters of other alphabets stand beside the plain ones: Å beside A.
    plain = ((letter, unicodedata.normalize("NFD", letter)[0]) for letter in text.lower())
    return [order.get(letter) or order.get(base) or ord(base) for letter, base in plain]


def init_app(app: Flask, _settings: Settings) -> None:
    """Give templates the filter `zone`: Europe/Kyiv becomes “Kyiv”."""
    app.jinja_env.filters["zone"] = city


@functools.cache
def _order(code: str) -> dict[str, int]:
    """Places of a language's letters: where its first letter stands, one after the other."""
    letters = ALPHABETS.get(code, "")
    return {letter: ord(letters[0]) * 100 + place for place, letter in enumerate(letters)}


@functools.lru_cache(maxsize=8)
def _choices(_locale: str, _day: date) -> list[SelectChoice]:
    """Made once a day and language: clocks are set at night."""
    named = [(name, label(name)) for name in _todays()]
    return [SelectChoice(*each) for each in sorted(named, key=lambda each: alphabetical(each[1]))]


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(i18n.zones())


@functools.cache
def _todays() -> frozenset[str]:
    renamed = get_global("zone_aliases")
    return frozenset(name for name in i18n.zones() if renamed.get(name, name) == name)


@functools.lru_cache(maxsize=4096)
def _city(name: str, code: str) -> str:
    # Babel knows a city by one of the zone's names, and that need not be today's.
    known = Locale.parse("en_GB" if code == "en" else code).time_zones
    today = get_global("zone_aliases").get(name, name)
    for each in (name, today, *_former().get(today, ())):
        if found := known.get(each, {}).get("city"):
            return str(found)
    return today.rpartition("/")[2].replace("_", " ")


@functools.cache
def _former() -> dict[str, list[str]]:
    """Today's name → the names a zone had."""
    found: dict[str, list[str]] = {}
    for former, today in get_global("zone_aliases").items():
        found.setdefault(today, []).append(former)
    return found


def _offset(name: str) -> str:
    """How far the clocks are from UTC now: “UTC+2”, “UTC−3:30”, “UTC”."""
    ahead = clock.now().astimezone(ZoneInfo(name)).utcoffset() or timedelta()
    hours, minutes = divmod(abs(ahead) // timedelta(minutes=1), 60)
    sign = "" if not ahead else "+" if ahead > timedelta() else "\N{MINUS SIGN}"
    return f"UTC{sign}{hours or ''}" + (f":{minutes:02}" if minutes else "")
