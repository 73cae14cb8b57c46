"""Links that partners spread: how they are built, where they may lead, and their short forms."""

import secrets
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from sqlalchemy import select

from ..core.database import db
from ..core.errors import Invalid
from ..core.i18n import _l
from ..core.links import absolute
from ..core.settings import settings
from .models import Partner, ShortLink

#: Marks of a campaign that travel with a link to the site.
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
#: What the hub itself adds to an address: for whom a visit counts, and which visit it was.
OWN = ("ref", "click")
LONGEST = 2000
_PATH = "/%:@!$&'()*+,;=~-._"
#: Without letters and digits that look alike, for links that are read from paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def referral_link(
    partner: Partner | str, to: str = "", *, through: str | None = None, **marks: str | None
) -> str:
    """The address that brings customers under a partner's code.

    `to` is a page of the programme's site, `through` the public id of the material that carries the
    link, `marks` are UTM parameters; marks that the page has already come once. Raises Invalid for a
    page of another site.
    """
    code = partner if isinstance(partner, str) else partner.code
    base = (
        absolute("materials.go", code=code, public_id=through)
        if through
        else absolute("materials.go", code=code)
    )
    query = asked(local_page(to), marks)
    return f"{base}?{query}" if query else base


def asked(page: str | None, marks: Mapping[str, str | None]) -> str:
    """What follows the question mark of a link: the page and the marks, none of them twice."""
    given = {name: value.strip()[:200] for name in UTM if (value := marks.get(name)) and value.strip()}
    parts = {"to": _without(page, given) if page else ""} | given
    return urlencode({name: value for name, value in parts.items() if value}, safe="/", quote_via=quote)


def local_page(address: str | None) -> str:
    """The page of an address of the programme's site, from its slash on; "" for the first one. Raises Invalid."""
    page = page_of(address.strip()) if address else ""
    if page is None:
        raise Invalid(to=[_l("Only pages of the programme's own site, such as /plans.")])
    return "" if page == "/" else page


def page_of(to: str | None) -> str | None:
    """Path, query and fragment of an address on the programme's site; a whole address on a further host of its; None elsewhere."""
    if not to or len(to) > LONGEST or "\\" in to or any(ord(c) <= 32 or ord(c) == 127 for c in to):
        return None
    try:
        parts = urlsplit(to)
        origin = _origin(parts) if parts.scheme or parts.netloc else ""
    except ValueError:
        return None
    if origin is None or (not parts.path.startswith("/") and (parts.path or not parts.netloc)):
        return None
    rest = "/" + parts.path.lstrip("/")
    if below := not origin and urlsplit(settings.programme_site).path.rstrip("/"):
        # The site itself begins below its host: what an address names of that comes once.
        if rest == below or rest.startswith(f"{below}/"):
            rest = rest.removeprefix(below) or "/"
        elif parts.netloc:
            return None
    rest += f"?{parts.query}" if parts.query else ""
    return origin + rest + (f"#{parts.fragment}" if parts.fragment else "")


def _origin(parts: SplitResult) -> str | None:
    """ "" for the programme's site, `https://host` for a further host; None for all others."""
    site = urlsplit(settings.programme_site)
    if parts.scheme not in ("http", "https") or parts.username is not None or parts.password is not None:
        return None
    if parts.hostname == site.hostname:
        return "" if parts.port in (None, site.port) else None
    return f"https://{parts.hostname}" if parts.hostname in further_hosts() and not parts.port else None


def further_hosts() -> set[str]:
    """Hosts besides the programme's site that links may lead to."""
    return {host.strip().lower() for host in settings.link_hosts.split(",") if host.strip()}


def destination(
    to: str | None, landing: str | None, marks: Mapping[str, str | None], own: dict[str, str]
) -> str:
    """Where a visitor is led: the page asked for or else `landing`, with the marks and the hub's `own` parameters.

    Built anew from an origin of the settings, so that nothing in `to` can lead elsewhere.
    """
    site = urlsplit(settings.programme_site)
    parts = urlsplit(page_of(to) or page_of(landing) or "/")
    given = {name: value[:200] for name in UTM if (value := marks.get(name))}
    query = [(name, value) for name, value in _query(parts) if name not in OWN and name not in given]
    query += [*given.items(), *own.items()]
    base = (
        f"https://{parts.netloc}" if parts.netloc else f"{site.scheme}://{site.netloc}{site.path.rstrip('/')}"
    )
    path = quote(parts.path, safe=_PATH)
    return (
        base
        + path
        + (f"?{urlencode(query)}" if query else "")
        + (f"#{quote(parts.fragment, safe=_PATH + '?')}" if parts.fragment else "")
    )


def _query(parts: SplitResult) -> list[tuple[str, str]]:
    """Parameters in their order; of a mark that comes twice the first."""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    names = [name for name, _value in pairs]
    return [pair for n, pair in enumerate(pairs) if pair[0] not in UTM or pair[0] not in names[:n]]


def _without(page: str, given: Mapping[str, str]) -> str:
    """A page without parameters that the link itself carries."""
    parts = urlsplit(page)
    kept = [(name, value) for name, value in _query(parts) if name not in OWN and name not in given]
    if len(kept) == len(parse_qsl(parts.query, keep_blank_values=True)):
        return page
    return parts._replace(query=urlencode(kept)).geturl()


# --- Short links -----------------------------------------------------------


def short_link(code: str, to: str = "", *, through: str | None = None, **marks: str | None) -> str | None:
    """The short form of a link, if the partner has made one."""
    token = db.session.scalar(
        select(ShortLink.token)
        .join(Partner, Partner.id == ShortLink.partner_id)
        .where(
            Partner.code == code,
            ShortLink.through == through,
            ShortLink.query == asked(local_page(to), marks),
        )
        .order_by(ShortLink.id)
        .limit(1)
    )
    return absolute("materials.go_short", token=token) if token else None


def shorten(partner: Partner, to: str = "", *, through: str | None = None, **marks: str | None) -> str:
    """Give a link a short form; the same link keeps the one it has. Raises Invalid for another site."""
    known = short_link(partner.code, to, through=through, **marks)
    if known:
        return known
    token = "".join(secrets.choice(_LETTERS) for _ in range(7))
    query = asked(local_page(to), marks)
    db.session.add(ShortLink(token=token, partner_id=partner.id, through=through, query=query))
    db.session.flush()
    return absolute("materials.go_short", token=token)
