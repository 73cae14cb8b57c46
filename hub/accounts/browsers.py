"""What a browser calls itself, in words a person knows again."""

from ..core.i18n import _

# The first that is found names it: Edge and Opera call themselves Chrome too, Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("YaBrowser", "Yandex Browser"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def describe(user_agent: str | None) -> str:
    """“Firefox, Windows”; “Unknown browser” when it says nothing we know."""
    said = user_agent or ""
    names = [next((name for sign, name in table if sign in said), None) for table in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in names if name) or _("Unknown browser")
