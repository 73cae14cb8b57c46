"""Videos of other sites: a link, until a reader presses it. Before that the other site is asked for nothing."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Site:
    """A site whose videos may play within a page: how its addresses look, and who serves its player."""

    name: str
    hosts: frozenset[str]
    path: re.Pattern[str]
    frame: str


_ID = r"([\w-]{6,40})"
SITES = {
    "youtube": Site(
        "YouTube",
        frozenset({"youtube.com", "m.youtube.com", "youtube-nocookie.com", "youtu.be"}),
        re.compile(rf"/(?:(?:embed|shorts|live)/)?{_ID}/?"),
        "https://www.youtube-nocookie.com",
    ),
    "vimeo": Site(
        "Vimeo",
        frozenset({"vimeo.com", "player.vimeo.com"}),
        re.compile(r"/(?:video/)?(\d{6,12})/?"),
        "https://player.vimeo.com",
    ),
    "loom": Site(
        "Loom",
        frozenset({"loom.com"}),
        re.compile(r"/(?:share|embed)/([0-9a-f]{32})/?"),
        "https://www.loom.com",
    ),
}
#: How a page of ours names a video: the site, and the name it has there.
NAMED = re.compile(rf"(?:{'|'.join(SITES)})/[\w-]{{6,40}}")
_IN_PAGE = re.compile(rf'data-video="({"|".join(SITES)})/')


def video_of(address: str) -> tuple[str, str] | None:
    """(key of the site, name of the video) of an address on one of the sites."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    host = (parts.hostname or "").removeprefix("www.")
    key = next((key for key, site in SITES.items() if host in site.hosts), None)
    if key is None or parts.scheme not in ("http", "https"):
        return None
    if parts.path == "/watch":
        found = re.fullmatch(_ID, parse_qs(parts.query).get("v", [""])[0])
    else:
        found = SITES[key].path.fullmatch(parts.path)
    return (key, found[1]) if found else None


def frames_in(html: str) -> list[str]:
    """Whose players a page may show."""
    return sorted({SITES[key].frame for key in _IN_PAGE.findall(html)})
