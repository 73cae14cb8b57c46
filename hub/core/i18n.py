"""The reader's language and time zone: texts, dates, numbers and money."""

import functools
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.dates import format_timedelta, get_date_format, get_datetime_format, get_time_format, parse_pattern
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
    get_currency_symbol,
)
from babel.support import LazyProxy, NullTranslations, Translations
from babel.units import format_unit
from flask import Flask, Request

from . import clock

#: Languages of interface and content, each under its own name.
LOCALES = {"en": "English", "ru": "Русский", "uk": "Українська", "pl": "Polski"}
FOLDER = Path(__file__).parent.parent / "translations"

#: A text, or one that is looked up in the reader's language when shown.
Text = str | LazyProxy
#: CLDR's lengths of a date or time.
Width = Literal["full", "long", "medium", "short"]

#: Signs of currencies where they are at home.
HOME_SIGNS = {
    "EUR": "€",
    "GBP": "£",
    "USD": "$",
    "PLN": "zł",
    "UAH": "₴",
    "KZT": "₸",
    "NOK": "kr",
    "SEK": "kr",
    "CZK": "Kč",
}

#: From so much of an hour on, “an hour ago” is nearer the truth than minutes are.
MOST_OF = 0.95

_locale: ContextVar[str] = ContextVar("locale", default="en")
_zone: ContextVar[ZoneInfo] = ContextVar("zone", default=ZoneInfo("UTC"))  # noqa: B039 (a zone never changes)


@functools.cache
def catalog(locale: str) -> NullTranslations:
    """The messages of a language, compiled in memory from its .po file."""
    path = FOLDER / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as source:
        messages = read_po(source, locale=locale)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def gettext(message: str, /, **values: Any) -> str:
    """`message` in the reader's language, its `%(name)s` filled in."""
    text = catalog(_locale.get()).ugettext(message) if message else ""
    return text % values if values else text


def ngettext(one: str, many: str, count: int, /, **values: Any) -> str:
    """The plural form that fits `count`; `%(count)s` is filled in, formatted for the locale."""
    text = catalog(_locale.get()).ungettext(one, many, count)
    return text % ({"count": number(count)} | values)


def lazy_gettext(message: str, /, **values: Any) -> LazyProxy:
    """A text that is looked up when it is shown."""
    return LazyProxy(gettext, message, enable_cache=False, **values)


def N_(message: str) -> str:
    """Mark a text for translators; whoever shows it looks it up."""
    return message


_ = gettext
_l = lazy_gettext


def locale() -> str:
    """Code of the reader's language."""
    return _locale.get()


def zone() -> ZoneInfo:
    """The reader's time zone."""
    return _zone.get()


@functools.cache
def zones() -> list[str]:
    """Names of all time zones a person may choose."""
    return sorted(
        name
        for name in available_timezones()
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/"))
    )


def activate(locale: str, zone: str = "UTC") -> None:
    """Speak `locale` from here on in this context; unknown ones fall back to English and UTC."""
    _locale.set(locale if locale in LOCALES else "en")
    try:
        _zone.set(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        _zone.set(ZoneInfo("UTC"))


@contextmanager
def speaking(locale: str, zone: str = "UTC") -> Iterator[None]:
    """Speak another language inside the block: mails, notifications, previews."""
    before = _locale.get(), _zone.get()
    activate(locale, zone)
    try:
        yield
    finally:
        _locale.set(before[0])
        _zone.set(before[1])


def negotiate(request: Request, default: str) -> str:
    """A visitor's language: cookie, then the browser's, then the default."""
    chosen = request.cookies.get("locale", "")
    return chosen if chosen in LOCALES else request.accept_languages.best_match(LOCALES, default) or default


# --- Dates -----------------------------------------------------------------


@functools.cache
def _babel(code: str) -> Locale:
    # British English: the day comes before the month, as everywhere else in Europe.
    return Locale.parse("en_GB" if code == "en" else code)


@functools.cache
def _pattern(code: str, kind: str, width: Width) -> Any:
    where = _babel(code)
    if kind == "date":
        return get_date_format(width, where)
    if kind == "time":
        return get_time_format(width, where)
    both = str(get_datetime_format(width, where)).replace("'", "")
    return parse_pattern(
        both.replace("{0}", get_time_format("short", where).pattern).replace(
            "{1}", get_date_format(width, where).pattern
        )
    )


def _local(moment: datetime) -> datetime:
    return moment.astimezone(_zone.get())


def format_date(value: date | datetime, width: Width = "medium") -> str:
    """A day; a moment becomes the day it is in the reader's zone."""
    if isinstance(value, datetime):
        value = _local(value).date()
    return _written(value, _locale.get(), "date", width)


def format_time(value: datetime | time) -> str:
    """Hours and minutes; of a moment those in the reader's zone."""
    if isinstance(value, datetime):
        value = _local(value).time()
    return _written(value.replace(second=0, microsecond=0), _locale.get(), "time", "short")


def format_datetime(value: datetime, width: Width = "medium") -> str:
    local = _local(value).replace(tzinfo=None, second=0, microsecond=0)
    return _written(local, _locale.get(), "datetime", width)


@functools.lru_cache(maxsize=4096)
def _written(value: date | time, code: str, kind: str, width: Width) -> str:
    """Lists show the same days and minutes again and again. None of the patterns asks for a zone or for seconds."""
    return _pattern(code, kind, width).apply(value, _babel(code))


def format_month(value: date, *, year: bool = True) -> str:
    """A month by name, standing alone: “October 2026”, «октябрь 2026»."""
    pattern = parse_pattern("LLLL y" if year else "LLLL")
    return pattern.apply(value, _babel(_locale.get()))


def format_weekday(value: date) -> str:
    """A day of the week in short: “Mon”, «пн»."""
    return parse_pattern("ccc").apply(value, _babel(_locale.get()))


def ago(moment: datetime) -> str:
    """“3 minutes ago”, “in 2 hours”; a date when it is more than 6 days away."""
    delta = moment - clock.now()
    if abs(delta) > timedelta(days=6):
        return format_date(moment)
    if abs(delta) < timedelta(seconds=45):
        return gettext("just now")
    seconds = delta.total_seconds()
    size = next((size for size in (86_400, 3_600, 60) if abs(seconds) >= MOST_OF * size), 1)
    return _away(round(seconds / size) * size, _locale.get())


@functools.lru_cache(maxsize=4096)
def _away(seconds: int, code: str) -> str:
    """Lists say “3 hours ago” again and again."""
    return format_timedelta(seconds, add_direction=True, threshold=MOST_OF, locale=_babel(code))


def duration(seconds: float) -> str:
    """A length of time in its two largest units: “1 hr, 52 mins”, «2 дн. 3 ч»."""
    minutes = round(seconds / 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    return _in_units([(days, "duration-day"), (hours, "duration-hour"), (minutes, "duration-minute")])


def working(minutes: float) -> str:
    """Working time: “27 hrs”, for a day of work has no fixed length."""
    hours, rest = divmod(round(minutes), 60)
    return _in_units([(hours, "duration-hour"), (rest, "duration-minute")])


def _in_units(parts: list[tuple[int, str]]) -> str:
    largest = next((at for at, (value, _unit) in enumerate(parts) if value), len(parts) - 1)
    where = _babel(_locale.get())
    shown = [
        format_unit(value, unit, length="short", locale=where)
        for value, unit in parts[largest : largest + 2]
        if value or unit == parts[largest][1]
    ]
    return " ".join(shown)


def iso(moment: datetime) -> str:
    """For `<time datetime>`: ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# --- Numbers ---------------------------------------------------------------


def number(value: float, digits: int | None = None) -> str:
    if digits is None and type(value) is int:
        return _whole(value, _locale.get())
    pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=_babel(_locale.get()))


@functools.lru_cache(maxsize=4096)
def _whole(value: int, code: str) -> str:
    """Counts stand on every page by the dozen, and are small."""
    return format_decimal(value, locale=_babel(code))


@functools.cache
def exponent(currency: str) -> int:
    """Digits after the point of an ISO 4217 currency: 2 for EUR, 0 for JPY."""
    return get_currency_precision(currency)


def money(minor: int, currency: str) -> str:
    """An amount of integer minor units, as the locale writes it: £12.00, 12,00 €, 1 870,00 zł.

    Where the locale knows no sign for a currency, the amount is followed by the sign used at home:
    “1,870.00 zł” reads better than “PLN1,870.00”.
    """
    amount = Decimal(minor).scaleb(-exponent(currency))
    where = _babel(_locale.get())
    sign = get_currency_symbol(currency, where)
    if sign == currency and currency in HOME_SIGNS:
        return f"{format_currency(amount, currency, _bare(currency), where, currency_digits=False)}\xa0{HOME_SIGNS[currency]}"
    return format_currency(amount, currency, locale=where)


@functools.cache
def _bare(currency: str) -> str:
    digits = exponent(currency)
    return "#,##0" + ("." + "0" * digits if digits else "")


def percent(basis_points: int) -> str:
    """A rate in basis points: 2000 → “20%”, 1250 → “12.5%”."""
    return format_percent(
        basis_points / 10_000,
        format=None if basis_points % 100 == 0 else _percent_pattern(_locale.get()),
        locale=_babel(_locale.get()),
    )


@functools.cache
def _percent_pattern(code: str) -> str:
    return _babel(code).percent_formats[None].pattern.replace("0%", "0.##%").replace("0\xa0%", "0.##\xa0%")


def filesize(size: int) -> str:
    """Bytes as people say them, in steps of 1,000."""
    if size < 1000:
        return gettext("%(size)s B", size=number(size))
    if size < 1_000_000:
        return gettext("%(size)s KB", size=number(round(size / 1000)))
    return gettext("%(size)s MB", size=number(round(size / 1_000_000, 1)))


def init_app(app: Flask) -> None:
    """Give templates the functions as plain globals: macros need no context then."""
    app.jinja_env.globals.update(_=gettext, gettext=gettext, ngettext=ngettext, LOCALES=LOCALES)
    app.jinja_env.filters.update(
        date=format_date,
        time=format_time,
        datetime=format_datetime,
        month=format_month,
        ago=ago,
        duration=duration,
        working=working,
        iso=iso,
        number=number,
        money=money,
        percent=percent,
        filesize=filesize,
    )
