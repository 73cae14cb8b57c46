"""Countries, by ISO 3166 code and by name."""

from babel import Locale
from babel.core import get_global

from ..core.i18n import locale


def countries() -> list[tuple[str, str]]:
    """Codes with their names in the reader's language, in the order of names."""
    names = Locale.parse(locale()).territories
    return sorted(((code, names.get(code, code)) for code in _codes()), key=lambda each: each[1])


def is_country(code: str) -> bool:
    return code in _codes()


def _codes() -> set[str]:
    # Babel knows continents by numbers and the European Union as territories too.
    return {code for code in get_global("territory_currencies") if len(code) == 2} - {"EU"}
