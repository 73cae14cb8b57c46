"""What the hub tells the world of its public articles: pages for search engines, changes for feed readers.

Nothing here asks who is reading: it is what a visitor may see, whoever fetches it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from sqlalchemy import Select, case, func, select

from ..core import i18n
from ..core.access import visible
from ..core.database import db
from ..core.i18n import LOCALES, _, iso
from ..core.settings import settings
from .models import Article, Audience, Translation

#: Pages in one sitemap: the most that its format allows.
MOST_PAGES = 50_000
#: Changes in a feed.
MOST_CHANGES = 50
#: The languages of Open Graph, which wants a country.
OG_LOCALES = {"en": "en_GB", "ru": "ru_RU", "uk": "uk_UA", "pl": "pl_PL"}
_ATOM = "http://www.w3.org/2005/Atom"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PICTURE = re.compile(r'<img [^>]*?src="(/kb/pictures/[\w.]+)"')
_VISITOR = None


@dataclass(frozen=True)
class Head:
    """What the head of a public page says of it; addresses are whole."""

    url: str
    alternates: list[tuple[str, str]]  # (language or x-default, address)
    feed: str
    image: str | None = None


def address(path: str) -> str:
    """A path of the hub as the world writes it."""
    return settings.base_url + quote(path)


def head_of(translation: Translation, siblings: Iterable[Translation], html: str) -> Head | None:
    """For a public article; None for any other, of which the world hears nothing."""
    if translation.article.audience is not Audience.PUBLIC or not translation.is_published:
        return None
    paths = {each.locale: each.path for each in siblings}
    picture = _PICTURE.search(html)
    return Head(
        address(translation.path),
        _alternates(paths),
        address(feed_path(translation.locale)),
        settings.base_url + picture[1] if picture else None,
    )


def head_of_index(lang: str | None) -> Head:
    """For the page of all shelves: in one language, or in the visitor's."""
    alternates = [(each, address(index_path(each))) for each in LOCALES]
    shown = i18n.locale() if lang is None else lang
    return Head(
        address(index_path(lang)), [*alternates, ("x-default", address("/kb/"))], address(feed_path(shown))
    )


def index_path(lang: str | None) -> str:
    return f"/kb/{lang}/" if lang else "/kb/"


def feed_path(lang: str) -> str:
    return f"/kb/{lang}/feed.atom"


def _alternates(paths: dict[str, str]) -> list[tuple[str, str]]:
    """The languages of an article, and the one for everybody else. Alone it has no alternates."""
    if len(paths) < 2:
        return []
    found = [(lang, address(paths[lang])) for lang in sorted(paths)]
    rest = next(paths[lang] for lang in (settings.default_locale, *LOCALES) if lang in paths)
    return [*found, ("x-default", address(rest))]


def fingerprint(lang: str | None = None) -> str:
    """Changes whenever something public does; costs one statement, whatever follows from it."""
    counted = (func.count(), func.sum(Translation.id), func.sum(Translation.touched))
    newest = func.max(Translation.updated_at)
    values = db.session.execute(_public(lang).with_only_columns(*counted, newest)).one()
    known = f"{settings.base_url} {settings.programme_name} {lang} {tuple(values)!r}"
    return sha256(known.encode()).hexdigest()[:32]


def sitemap() -> str:
    """The public articles as an XML sitemap, each with its other languages."""
    columns = (Translation.article_id, Translation.locale, Translation.slug, Translation.updated_at)
    rows = db.session.execute(
        _public().with_only_columns(*columns).order_by(Translation.article_id, Translation.locale)
    ).all()
    articles: dict[int, dict[str, tuple[str, datetime]]] = {}
    for article_id, lang, slug, updated_at in rows[:MOST_PAGES]:
        articles.setdefault(article_id, {})[lang] = f"/kb/{lang}/{slug}", updated_at
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">',
        f"<url><loc>{escape(address('/kb/'))}</loc></url>",
    ]
    for texts in articles.values():
        others = "".join(
            f'<xhtml:link rel="alternate" hreflang="{lang}" href="{escape(url)}"/>'
            for lang, url in _alternates({lang: path for lang, (path, _at) in texts.items()})
        )
        lines += [
            f"<url><loc>{escape(address(path))}</loc><lastmod>{iso(at)}</lastmod>{others}</url>"
            for path, at in texts.values()
        ]
    return "\n".join([*lines, "</urlset>", ""])


def robots() -> str:
    """What crawlers may fetch, and where they find what there is."""
    return f"User-agent: *\nDisallow: /search/\nDisallow: /sign-in\n\nSitemap: {address('/sitemap.xml')}\n"


def feed(lang: str) -> bytes:
    """What was published or changed last in a language, as Atom (RFC 4287)."""
    at = _changed_at()
    statement = _public(lang).with_only_columns(Translation, Article.key, at.label("at"))
    rows = db.session.execute(statement.order_by(at.desc(), Translation.id.desc()).limit(MOST_CHANGES)).all()
    with i18n.speaking(lang):
        title = f"{_('Knowledge base')} · {settings.programme_name}"
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": lang})
    _put(root, "id", _tag(f"kb/{lang}"))
    _put(root, "title", title)
    _put(root, "updated", iso(max((row.at for row in rows), default=datetime(1970, 1, 1, tzinfo=UTC))))
    ET.SubElement(
        root, "link", {"rel": "self", "type": "application/atom+xml", "href": address(feed_path(lang))}
    )
    ET.SubElement(
        root,
        "link",
        {"rel": "alternate", "type": "text/html", "hreflang": lang, "href": address(index_path(lang))},
    )
    _put(ET.SubElement(root, "author"), "name", settings.programme_name)
    for translation, key, changed_at in rows:
        _entry(root, translation, key, changed_at)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8") + b"\n"


def _entry(root: ET.Element, translation: Translation, key: str, changed_at: datetime) -> None:
    entry = ET.SubElement(root, "entry")
    _put(entry, "id", _tag(f"kb/{translation.locale}/{quote(key)}"))  # stays when the address changes
    _put(entry, "title", translation.title)
    _put(entry, "updated", iso(changed_at))
    if translation.published_at:
        _put(entry, "published", iso(translation.published_at))
    ET.SubElement(
        entry,
        "link",
        {
            "rel": "alternate",
            "type": "text/html",
            "hreflang": translation.locale,
            "href": address(translation.path),
        },
    )
    _put(entry, "summary", translation.summary or translation.title)
    for word in translation.tags:
        ET.SubElement(entry, "category", {"term": _clean(word)})


def _put(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _clean(text)


def _clean(text: str) -> str:
    """XML has no way to write some characters."""
    return _NOT_XML.sub("", text)


def _tag(what: str) -> str:
    """A name for good, after RFC 4151."""
    return f"tag:{urlsplit(settings.base_url).hostname},2026:{what}"


def _public(lang: str | None = None) -> Select[Any]:
    statement = visible(select(Translation), _VISITOR).join(Translation.article)
    return statement.where(Translation.locale == lang) if lang else statement


def _changed_at() -> Any:
    """A text written last week and published today is today's news."""
    published, updated = Translation.published_at, Translation.updated_at
    return case((published > updated, published), else_=updated)
