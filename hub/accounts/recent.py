"""Money and roles ask for the password again when it was last given a while ago."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ..core import clock
from ..core.errors import Forbidden, wants_json
from ..core.i18n import _

RECENT = timedelta(minutes=15)
View = TypeVar("View", bound=Callable[..., Any])


def is_recent() -> bool:
    """Was the password given in this session within the last quarter of an hour?"""
    session = current_user.current_session
    return session is not None and clock.now() - session.confirmed_at < RECENT


def recently_authenticated(view: View) -> View:
    """Ask for the password first, unless it was given a moment ago. Belongs under `@requires`.

    A form that was on its way is not repeated: the person returns to its page. A
    program with a token has no password to give and is refused.
    """

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if is_recent():
            return view(*args, **kwargs)
        if wants_json() or current_user.current_session is None:
            raise Forbidden(_("This needs a person who has just given their password."))
        address = url_for("accounts.confirm", next=_way_back())
        if request.headers.get("HX-Request"):
            return "", 204, {"HX-Redirect": address}
        return redirect(address, 303)

    return guarded  # type: ignore[return-value]


def _way_back() -> str:
    """Here, or the page with the form that was sent here."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    page = urlsplit(request.referrer or "")
    return page.path + (f"?{page.query}" if page.query else "") if page.netloc == request.host else "/"
