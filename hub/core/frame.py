"""What stands around every page: navigation by role, counts, language and theme."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from flask import (
    Blueprint,
    Flask,
    current_app,
    has_request_context,
    make_response,
    redirect,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.local import LocalProxy

from . import i18n, styleguide
from .access import Permission, can, is_staff, public
from .database import transaction
from .i18n import Text, _, _l
from .markup import typed
from .settings import Env, Settings
from .settings import settings as current

P = Permission
YEAR = 365 * 24 * 3600
THEMES = ("light", "dark", "auto")


@dataclass(frozen=True)
class Entry:
    """A line of the navigation; without a permission it is open to everyone."""

    endpoint: str
    label: Text
    icon: str
    permission: Permission | None = None
    below: str | None = None  # pages under this path are its own; otherwise all pages of the room


@dataclass(frozen=True)
class Item:
    """An entry as one page shows it."""

    label: str
    icon: str
    url: str
    current: bool
    count: int


PARTNER = (
    Entry("home.index", _l("Home"), "home", P.PARTNERS_OWN),
    Entry("kb.index", _l("Knowledge"), "book-2", P.KB_READ),
    Entry("materials.index", _l("Materials"), "photo", P.MATERIALS_VIEW),
    Entry("tickets.index", _l("Support"), "message-circle", P.TICKETS_OPEN),
    Entry("training.index", _l("Training"), "school", P.TRAINING_ATTEND),
    Entry("earnings.index", _l("Earnings"), "coins", P.EARNINGS_OWN),
    Entry("newsletters.archive", _l("News"), "news", P.NEWS_READ),
    Entry("surveys.index", _l("Feedback"), "bulb", P.SURVEYS_ANSWER),
)
STAFF = (
    Entry("tickets.inbox", _l("Inbox"), "inbox", P.TICKETS_WORK),
    Entry("partners.index", _l("Partners"), "users", P.PARTNERS_VIEW),
    Entry("kb.index", _l("Knowledge"), "book-2", P.KB_READ),
    Entry("materials.index", _l("Materials"), "photo", P.MATERIALS_VIEW),
    Entry("newsletters.index", _l("Newsletters"), "mail", P.NEWSLETTERS_MANAGE),
    Entry("training.index", _l("Training"), "school", P.TRAINING_ATTEND),
    Entry("surveys.index", _l("Surveys"), "forms", P.SURVEYS_MANAGE),
    Entry("reports.index", _l("Reports"), "chart-bar", P.REPORTS_VIEW),
    Entry("accounts.users", _l("Settings"), "settings", P.USERS_MANAGE, below="/settings"),
)
VISITOR = (
    Entry("kb.index", _l("Knowledge"), "book-2"),
    Entry("newsletters.archive", _l("News"), "news"),
    Entry("accounts.sign_in", _l("Sign in"), "login", below="/sign-in"),
)
#: The menu under one's own name.
USER = (
    Entry("accounts.profile", _l("Profile"), "user", below="/profile"),
    Entry("accounts.security", _l("Sign-in and security"), "shield-check", below="/profile/security"),
    Entry("partners.own", _l("Our organisation"), "users", P.PARTNERS_OWN, below="/partners/own"),
    Entry(
        "newsletters.own_preferences", _l("News by e-mail"), "mail", P.NEWS_READ, below="/news/preferences"
    ),
)
BAR_LENGTH = 4

Count = Callable[[Any], int]
_counts: dict[str, Count] = {}


def nav_count(endpoint: str) -> Callable[[Count], Count]:
    """Register what counts for an entry of the navigation: `count(user)`, one cheap statement."""

    def register(count: Count) -> Count:
        _counts[endpoint] = count
        return count

    return register


def entries(user: Any) -> tuple[Entry, ...]:
    """The navigation of a role, whichever rooms there are."""
    if not user.is_authenticated:
        return VISITOR
    return STAFF if is_staff(user) else PARTNER


def items(table: tuple[Entry, ...], user: Any) -> list[Item]:
    """What `user` may open of `table`, with what waits for them."""
    shown = []
    for entry in table:
        url = link(entry.endpoint)
        if url is not None and (entry.permission is None or can(user, entry.permission)):
            count = _counts.get(entry.endpoint)
            shown.append(
                Item(str(entry.label), entry.icon, url, _is_current(entry), count(user) if count else 0)
            )
    return shown


def _is_current(entry: Entry) -> bool:
    if entry.below:
        return f"{request.path}/".startswith(f"{entry.below}/")
    return request.blueprint == entry.endpoint.partition(".")[0]


def link(endpoint: str, /, **values: Any) -> str | None:
    """Address of an endpoint, or None where the room that has it is missing."""
    if endpoint not in current_app.view_functions:
        return None
    if values or not has_request_context():
        return url_for(endpoint, **values)
    known = current_app.extensions.setdefault("hub.links", {})
    key = request.script_root, endpoint
    if key not in known:
        known[key] = url_for(endpoint)
    return known[key]


def initials(name: str) -> str:
    """“Anna Lindqvist” → “AL”."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper() if words else "?"


def tint(name: str) -> str:
    """One of four quiet colours, always the same for the same name."""
    return "abcd"[crc32(name.encode()) % 4]


def theme() -> str:
    """`light`, `dark` or `auto`: the person's choice, or this browser's before signing in."""
    chosen = current_user.theme if current_user.is_authenticated else request.cookies.get("theme", "")
    return chosen if chosen in THEMES else "auto"


def _once(name: str, make: Callable[[], Any]) -> Any:
    """A value of the frame, made when a page asks for it: a fragment of a page pays nothing."""

    def get() -> Any:
        kept = request.environ.setdefault("hub.frame", {})
        if name not in kept:
            kept[name] = make()
        return kept[name]

    return LocalProxy(get)


def _reader() -> Any:
    """Who is reading: the person, not the proxy, which looks them up again at every attribute."""
    return current_user._get_current_object()


def _nav() -> list[Item]:
    user = _reader()
    return items(entries(user), user)


def _bell_count() -> int:
    return _counts["notifications.index"](_reader()) if "notifications.index" in _counts else 0


def _search_hint() -> str:
    if is_staff(current_user):
        return _("Search partners, tickets, articles")
    return _("Search articles, banners, tickets") if current_user.is_authenticated else _("Search articles")


def _context() -> dict[str, Any]:
    if not has_request_context():
        return {}
    return {
        "locale": i18n.locale(),
        "locales": list(i18n.LOCALES.items()),
        "settings": current,
        "theme": theme(),
        "here": request.full_path.rstrip("?") if request.method == "GET" else request.path,
        "staff": is_staff(current_user),
        "nav": _once("nav", _nav),
        "bar": _once("bar", lambda: _nav_of_page()[:BAR_LENGTH]),
        "user_links": _once("user_links", lambda: items(USER, _reader())),
        "public_links": _once("public_links", lambda: items(VISITOR[:-1], _reader())),
        "bell_count": _once("bell_count", _bell_count),
        "search_hint": _once("search_hint", _search_hint),
    }


def _nav_of_page() -> list[Item]:
    return _once("nav", _nav)._get_current_object()


bp = Blueprint("frame", __name__)


@bp.post("/language")
@public
def language() -> ResponseReturnValue:
    """Remember the reader's language."""
    return _remember("locale", tuple(i18n.LOCALES))


@bp.post("/theme", endpoint="theme")
@public
def choose_theme() -> ResponseReturnValue:
    """Remember light, dark or as the device has it."""
    return _remember("theme", THEMES)


def _remember(name: str, allowed: tuple[str, ...]) -> ResponseReturnValue:
    """Keep a choice with the person who is signed in, and in this browser for when nobody is."""
    value = request.form.get(name, "")
    back = local(request.form.get("next"))
    response = make_response("", 204) if from_script() else redirect(back, 303)
    if value not in allowed:
        return response
    if current_user.is_authenticated:
        with transaction():
            setattr(current_user, name, value)
    response.set_cookie(name, value, max_age=YEAR, secure=current.is_https, httponly=True, samesite="Lax")
    return response


def from_script() -> bool:
    """A script sent this and shows the result itself: it needs no page."""
    return request.headers.get("X-Requested-With") == "fetch"


def local(url: str | None, default: str = "/") -> str:
    """`url` if it leads into this hub, else `default`: a form's `next` is never trusted."""
    # A browser reads a backslash as a slash and drops control characters.
    if not url or not url.startswith("/") or url[1:2] in ("/", "\\") or any(ord(c) < 32 for c in url):
        return default
    return url


def init_app(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals.update(link=link, is_staff=is_staff)
    app.jinja_env.filters.update(initials=initials, tint=tint, typed=typed)
    app.context_processor(_context)
    app.register_blueprint(bp)
    if settings.env is Env.DEVELOPMENT:
        app.register_blueprint(styleguide.bp)
