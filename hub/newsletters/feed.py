"""The public archive as Atom (RFC 4287), in one language: what every visitor may read, whoever fetches it."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from sqlalchemy import select

from ..core import i18n
from ..core.database import db
from ..core.i18n import _, iso
from ..core.links import absolute
from ..core.settings import settings
from . import reading
from .models import TOPICS, Newsletter, Shown, Status

MOST = 30
_ATOM = "http://www.w3.org/2005/Atom"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def feed(locale: str) -> bytes:
    """The newest public newsletters; readers' own words stand for nobody."""
    public = select(Newsletter).where(Newsletter.status == Status.SENT, Newsletter.shown == Shown.PUBLIC)
    newest = public.order_by(Newsletter.finished_at.desc(), Newsletter.id.desc()).limit(MOST)
    newsletters = list(db.session.scalars(newest))
    own = absolute("newsletters.feed", locale=locale)
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": locale})
    _put(root, "id", own)
    _put(
        root,
        "updated",
        iso(max((_moment(each) for each in newsletters), default=datetime(1970, 1, 1, tzinfo=UTC))),
    )
    ET.SubElement(root, "link", {"rel": "self", "type": "application/atom+xml", "href": own})
    ET.SubElement(
        root, "link", {"rel": "alternate", "type": "text/html", "href": absolute("newsletters.archive")}
    )
    with i18n.speaking(locale):
        _put(root, "title", f"{_('News')} · {settings.programme_name}")
        _put(ET.SubElement(root, "author"), "name", settings.programme_name)
        for each in newsletters:
            _entry(root, each, locale)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8") + b"\n"


def _entry(root: ET.Element, newsletter: Newsletter, locale: str) -> None:
    content = newsletter.content_for(locale)
    if content is None:
        return
    entry = ET.SubElement(root, "entry")
    subject, preheader = reading.headline(newsletter, locale, {})
    _put(entry, "id", absolute("newsletters.read", number=newsletter.id))
    _put(entry, "title", subject)
    _put(entry, "updated", iso(_moment(newsletter)))
    href = absolute("newsletters.read", number=newsletter.id, language=content.locale)
    link = {"rel": "alternate", "type": "text/html", "hreflang": content.locale, "href": href}
    ET.SubElement(entry, "link", link)
    _put(entry, "summary", preheader or subject)
    ET.SubElement(
        entry, "category", {"term": newsletter.topic.value, "label": str(TOPICS[newsletter.topic][0])}
    )


def _moment(newsletter: Newsletter) -> datetime:
    return newsletter.finished_at or newsletter.updated_at


def _put(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NOT_XML.sub("", text)
