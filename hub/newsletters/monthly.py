"""The monthly update writes itself: what is new since the last one becomes a draft that a person edits and approves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from ..accounts.models import User
from ..core import clock, i18n, months
from ..core.database import db
from ..core.i18n import LOCALES, Text, _, _l
from ..kb.models import Article, Audience, Translation
from ..kb.models import Status as Published
from ..materials.models import Asset, Visibility, usable_now
from ..training.models import Webinar, WebinarStatus
from . import drafts
from .blocks import Block, Kind
from .choosing import ending, stories
from .models import Newsletter, Status, Topic

#: Webinars further away are announced next month.
AHEAD = timedelta(days=45)
#: So many of a kind are looked at, and so many for each language are taken unless the manager says otherwise.
MOST, TAKEN = 20, 3

#: In the order of the draft.
HEADINGS: dict[Kind, Text] = {
    Kind.WEBINAR: _l("Coming webinars"),
    Kind.BANNER: _l("New materials"),
    Kind.ENDING: _l("Ends soon"),
    Kind.ARTICLE: _l("New to read"),
    Kind.RECORDING: _l("To watch"),
    Kind.STORY: _l("How others do it"),
}


@dataclass
class Item:
    """Something new, and the languages it is in (none: it fits every language)."""

    block: Block
    title: str
    about: str
    languages: set[str]

    def speaks(self, locale: str) -> bool:
        return not self.languages or locale in self.languages


@dataclass
class Group:
    kind: Kind
    items: list[Item]

    def taken(self) -> set[str]:
        """Keys of the first few for each language."""
        room = dict.fromkeys(LOCALES, TAKEN)
        found = set()
        for item in self.items:
            spoken = [locale for locale in LOCALES if item.speaks(locale)]
            if any(room[locale] > 0 for locale in spoken):
                found.add(item.block.key)
                room.update({locale: room[locale] - 1 for locale in spoken})
        return found

    @property
    def heading(self) -> Text:
        return HEADINGS[self.kind]


def since_last() -> datetime:
    """When the last monthly update left; without one, when last month began."""
    last = (
        select(Newsletter.started_at)
        .where(Newsletter.topic == Topic.REPORT, Newsletter.started_at.is_not(None))
        .where(Newsletter.status != Status.CANCELLED, Newsletter.sequence_id.is_(None))
        .order_by(Newsletter.started_at.desc())
        .limit(1)
    )
    return db.session.scalar(last) or months.bounds(months.previous_month(months.this_month()))[0]


def collect(since: datetime) -> list[Group]:
    """What is new since a moment, by kind; kinds with nothing new are left out."""
    found = {
        Kind.WEBINAR: _webinars(),
        Kind.BANNER: _banners(since),
        Kind.ENDING: _ending(),
        Kind.ARTICLE: _articles(since, ~stories(), Kind.ARTICLE),
        Kind.RECORDING: _recordings(since),
        Kind.STORY: _articles(since, stories(), Kind.STORY),
    }
    return [Group(kind, found[kind]) for kind in HEADINGS if found[kind]]


def _articles(since: datetime, condition: Any, kind: Kind) -> list[Item]:
    """Articles that were published or changed, each once with the languages it is new in."""
    fresh = (
        select(Article.key, Translation)
        .join(Translation.article)
        .where(
            condition,
            Article.audience != Audience.STAFF,
            Translation.status == Published.PUBLISHED,
            or_(Translation.published_at > since, Translation.updated_at > since),
        )
        .order_by(Translation.published_at.desc(), Translation.id.desc())
        .limit(MOST * len(LOCALES))
    )
    found: dict[str, Item] = {}
    for key, text in db.session.execute(fresh):
        is_new = text.published_at and text.published_at > since
        about = _("Published since then") if is_new else _("Changed since then")
        item = found.setdefault(key, Item(Block(kind, key), text.title, about, set()))
        item.languages.add(text.locale)
        if text.locale == i18n.locale():
            item.title = text.title
    return list(found.values())[:MOST]


def _banners(since: datetime) -> list[Item]:
    fresh = select(Asset).where(usable_now(), Asset.visibility != Visibility.STAFF, Asset.released_at > since)
    newest = fresh.order_by(Asset.released_at.desc(), Asset.id.desc()).limit(MOST)
    return [
        Item(
            Block(Kind.BANNER, each.public_id),
            each.title,
            each.size or "",
            {each.locale} if each.locale else set(),
        )
        for each in db.session.scalars(newest)
    ]


def _ending() -> list[Item]:
    return [
        Item(
            Block(Kind.ENDING, each.public_id),
            each.title,
            _("Use until %(day)s", day=i18n.format_date(each.last_day)),
            {each.locale} if each.locale else set(),
        )
        for each in db.session.scalars(ending())
    ]


def _webinars() -> list[Item]:
    now = clock.now()
    coming = select(Webinar).where(
        Webinar.status == WebinarStatus.SCHEDULED, Webinar.starts_at > now, Webinar.starts_at < now + AHEAD
    )
    soonest = coming.order_by(Webinar.starts_at, Webinar.id).limit(MOST)
    return [_webinar(Kind.WEBINAR, each) for each in db.session.scalars(soonest)]


def _recordings(since: datetime) -> list[Item]:
    fresh = select(Webinar).where(Webinar.recording_url != "", Webinar.ends_at > since)
    latest = fresh.order_by(Webinar.starts_at.desc(), Webinar.id).limit(MOST)
    return [_webinar(Kind.RECORDING, each) for each in db.session.scalars(latest)]


def _webinar(kind: Kind, webinar: Webinar) -> Item:
    moment = i18n.format_datetime(webinar.starts_at)
    return Item(Block(kind, str(webinar.id)), webinar.title, moment, {webinar.language})


def assemble(author: User, month: date, since: datetime, chosen: Sequence[str]) -> Newsletter:
    """A draft in every language from the chosen blocks (by key), in the order they were put in.

    A kind stands where its first block stands. Nothing is sent: a person edits it, looks at it and sends it.
    """
    groups = {group.kind: group for group in collect(since)}
    items = {item.block.key: (kind, item) for kind, group in groups.items() for item in group.items}
    picked = [items[key] for key in dict.fromkeys(chosen) if key in items]
    newsletter = drafts.create(
        author, Topic.REPORT, contents=[_content(locale, month, picked) for locale in LOCALES]
    )
    newsletter.month, newsletter.since, newsletter.skips_seen = month, since, True
    db.session.flush()
    return newsletter


def _content(locale: str, month: date, picked: list[tuple[Kind, Item]]) -> dict[str, str]:
    mine = [(kind, item) for kind, item in picked if item.speaks(locale)]
    kinds = list(dict.fromkeys(kind for kind, _item in mine))
    with i18n.speaking(locale):
        name = i18n.format_month(month, year=False)
        parts = [
            _("Hello %(name)s,", name="{user.first_name|" + _("partner") + "}"),
            _("Here is how your month ended and what is new for you."),
            Block(Kind.EARNINGS).markdown,
            Block(Kind.LEVEL).markdown,
            f"[{_('Open your statement')}](/earnings)",
        ]
        for kind in kinds:
            parts.append(f"## {HEADINGS[kind]}")
            parts += [item.block.markdown for each, item in mine if each == kind]
        return {
            "locale": locale,
            "subject": _("Your %(month)s: earnings and what is new", month=name),
            "preheader": ", ".join(item.title for _kind, item in mine[:2]),
            "body": "\n\n".join(
                [*parts, "---", _("Questions? Reply to this message: it opens a conversation with us.")]
            )
            + "\n",
        }
