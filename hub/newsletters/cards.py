"""What a block shows: a card of something in the hub, or figures with the reader's own words in them."""

import html
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..core import i18n, timezones
from ..core.database import db
from ..core.i18n import LOCALES, _, ngettext
from ..core.links import absolute
from ..core.mail.body import SANS, SERIF
from ..core.settings import settings
from ..kb.models import Article, Audience, Translation
from ..kb.models import Status as Published
from ..materials import embedding
from ..materials.models import KINDS as ASSET_KINDS
from ..materials.models import Asset, Visibility, usable_now
from ..training.models import Webinar, WebinarStatus
from .blocks import PERSONAL, Block, Kind

#: Articles with this tag are success stories.
STORY_TAG = "success-story"
#: Widest picture of a card, in pixels.
WIDEST = 520


@dataclass(frozen=True)
class Card:
    """Something to read, take or visit, in one language."""

    label: str
    title: str
    about: str
    url: str
    action: str
    language: str = ""  # of what it leads to, when that is not the newsletter's
    picture: str = ""
    width: int = 0


def find(block: Block) -> Card | None:
    """The card of a block in the language being spoken; None when there is no such thing to show."""
    if not block.is_known or block.kind in PERSONAL:
        return None
    card = _FINDERS[Kind(block.kind)](block.of)
    return card and (card if not block.text else _reworded(card, block.text))


def is_there(block: Block) -> bool:
    return block.is_known and (block.kind in PERSONAL or find(block) is not None)


def _reworded(card: Card, text: str) -> Card:
    return Card(**{**card.__dict__, "about": " ".join(text.split())})


def _article(key: str) -> Card | None:
    found = _translation(key)
    if found is None:
        return None
    return Card(
        label=_("Article"),
        title=found.title,
        about=found.summary or ngettext("%(count)s minute", "%(count)s minutes", found.minutes),
        url=settings.base_url + found.path,
        action=_("Read"),
        language=found.locale if found.locale != i18n.locale() else "",
    )


def _story(key: str) -> Card | None:
    found = _translation(key)
    if found is None or STORY_TAG not in found.tags:
        return None
    return Card(
        label=_("Success story"),
        title=found.title,
        about=found.summary,
        url=settings.base_url + found.path,
        action=_("Read the story"),
        language=found.locale if found.locale != i18n.locale() else "",
    )


@dataclass(frozen=True)
class _Things:
    """What blocks name, as far as it may be shown."""

    translations: dict[tuple[str, str], Translation]  # by article and language
    assets: dict[str, Asset]
    webinars: dict[int, Webinar]


_at_hand: ContextVar[_Things | None] = ContextVar("things of newsletters at hand", default=None)


@contextmanager
def together(blocks: Iterable[Block]) -> Iterator[None]:
    """Meanwhile the cards of these blocks, and no others, are found: what they show is asked for at once."""
    names: dict[str, list[str]] = {}
    for kind, name in {(each.kind, each.of) for each in blocks}:
        names.setdefault(kind, []).append(name)
    keys = [*names.get(Kind.ARTICLE, []), *names.get(Kind.STORY, [])]
    banners = [*names.get(Kind.BANNER, []), *names.get(Kind.ENDING, [])]
    webinars = [*names.get(Kind.WEBINAR, []), *names.get(Kind.RECORDING, [])]
    token = _at_hand.set(_things(keys, list(LOCALES), banners, webinars))
    try:
        yield
    finally:
        _at_hand.reset(token)


def _things(keys: list[str], locales: list[str], public_ids: list[str], webinars: list[str]) -> _Things:
    readable = select(Article.key, Translation).join(Article, Article.id == Translation.article_id).where(
        Article.key.in_(keys),
        Article.audience != Audience.STAFF,
        Translation.status == Published.PUBLISHED,
        Translation.locale.in_(locales),
    )  # fmt: skip
    assets = (
        select(Asset)
        .where(Asset.public_id.in_(public_ids), usable_now(), Asset.visibility != Visibility.STAFF)
        .options(joinedload(Asset.current))
    )
    numbers = [int(each) for each in webinars if each.isdecimal() and len(each) <= 9]
    found = select(Webinar).where(Webinar.id.in_(numbers))
    return _Things(
        {(key, each.locale): each for key, each in db.session.execute(readable)} if keys else {},
        {each.public_id: each for each in db.session.scalars(assets)} if public_ids else {},
        {each.id: each for each in db.session.scalars(found)} if numbers else {},
    )


def _translation(key: str) -> Translation | None:
    """A published article for partners, in the language being spoken or else in English."""
    locales = [i18n.locale(), "en"]
    found = (_at_hand.get() or _things([key], locales, [], [])).translations
    return next((found[key, each] for each in locales if (key, each) in found), None)


def _asset(public_id: str) -> Asset | None:
    return (_at_hand.get() or _things([], [], [public_id], [])).assets.get(public_id)


def _banner(public_id: str) -> Card | None:
    asset = _asset(public_id)
    if asset is None:
        return None
    until = _("Use until %(day)s", day=i18n.format_date(asset.last_day)) if asset.last_day else ""
    has_picture = asset.is_picture and asset.is_open
    return Card(
        label=str(ASSET_KINDS[asset.kind]),
        title=asset.title,
        about=" · ".join(filter(None, (asset.size, until))),
        url=absolute("materials.show", id=asset.id),
        action=_("Take the code with your link") if asset.is_picture else _("Open"),
        picture=embedding.image_url(asset, "") if has_picture else "",
        width=min(asset.width or WIDEST, WIDEST),
    )


def _ending(public_id: str) -> Card | None:
    """For those who use it: after its last day its place is empty."""
    asset = _asset(public_id)
    if asset is None or asset.last_day is None:
        return None
    until = _("Use until %(day)s", day=i18n.format_date(asset.last_day))
    return Card(
        label=_("Ends soon"),
        title=asset.title,
        about=" · ".join(filter(None, (asset.size, until))),
        url=absolute("materials.show", id=asset.id),
        action=_("Open"),
    )


def _webinar(number: str) -> Card | None:
    webinar = _find_webinar(number)
    if webinar is None or webinar.status is not WebinarStatus.SCHEDULED or webinar.is_over:
        return None
    with i18n.speaking(i18n.locale(), webinar.zone):
        moment = i18n.format_datetime(webinar.starts_at, "long")
    city = timezones.city(webinar.zone)
    return Card(
        label=_("Webinar"),
        title=webinar.title,
        about=_("%(moment)s, %(city)s time. With %(host)s.", moment=moment, city=city, host=webinar.host),
        url=absolute("training.show", id=webinar.id),
        action=_("Register"),
        language=webinar.language if webinar.language != i18n.locale() else "",
    )


def _recording(number: str) -> Card | None:
    webinar = _find_webinar(number)
    if webinar is None or not webinar.recording_url:
        return None
    return Card(
        label=_("Recording"),
        title=webinar.title,
        about=ngettext("%(count)s minute", "%(count)s minutes", webinar.minutes) + f", {webinar.host}",
        url=absolute("training.show", id=webinar.id),
        action=_("Watch"),
        language=webinar.language if webinar.language != i18n.locale() else "",
    )


def _find_webinar(number: str) -> Webinar | None:
    if not number.isdecimal() or len(number) > 9:
        return None
    return (_at_hand.get() or _things([], [], [], [number])).webinars.get(int(number))


_FINDERS: dict[Kind, Callable[[str], Card | None]] = {
    Kind.ARTICLE: _article,
    Kind.STORY: _story,
    Kind.BANNER: _banner,
    Kind.ENDING: _ending,
    Kind.WEBINAR: _webinar,
    Kind.RECORDING: _recording,
}

# --- As HTML and as text -------------------------------------------------------

_LABEL = f"margin:0 0 2px;{SANS}font-size:13px;line-height:18px;color:#5b6865;"
_TITLE = f"margin:0 0 2px;{SANS}font-size:16px;line-height:22px;font-weight:600;color:#16201f;"
_ABOUT = f"margin:0;{SANS}font-size:15px;line-height:23px;color:#42504d;"
_LINK = "color:#0b5a66;text-decoration:underline;"
_RULE = "margin:0 0 16px;padding:0 0 16px;border-bottom:1px solid #dfe3de;"
_QUOTE = "margin:0 0 20px;padding:4px 0 4px 18px;border-left:3px solid #e2a015;"


def as_html(card: Card, kind: str) -> str:
    """A card as mail clients show it: every element with its own style."""
    lang = f' lang="{card.language}"' if card.language else ""
    title = f'<p class="ink" style="{_TITLE}"{lang}>{_escape(card.title)}</p>'
    about = f'<p class="soft" style="{_ABOUT}"{lang}>{_escape(card.about)} <a class="link" href="{_escape(card.url)}" style="{_LINK}">{_escape(card.action)}</a></p>'
    label = f'<p class="label" style="{_LABEL}">{_escape(card.label)}{_in(card)}</p>'
    style = _QUOTE if kind == Kind.STORY else _RULE
    return f'<div class="line" style="{style}">{_picture(card)}{label}{title}{about}</div>\n'


def _in(card: Card) -> str:
    return f" · {_escape(i18n.LOCALES[card.language])}" if card.language in i18n.LOCALES else ""


def _picture(card: Card) -> str:
    if not card.picture:
        return ""
    style = f"display:block;max-width:100%;height:auto;border:0;margin:0 0 10px;{SANS}font-size:14px;color:#5b6865;"
    picture = f'<img src="{_escape(card.picture)}" alt="{_escape(card.title)}" width="{card.width}" style="{style}">'
    return f'<a href="{_escape(card.url)}">{picture}</a>'


def as_text(card: Card) -> str:
    return "\n".join(filter(None, (f"{card.label}: {card.title}", card.about, f"{card.action}: {card.url}")))


def as_markdown(card: Card) -> str:
    """For a page of the archive."""
    title, about = (each.replace("[", r"\[").replace("]", r"\]") for each in (card.title, card.about))
    return f"**{card.label}** · [{title}]({card.url})  \n{about}"


def missing(block: Block) -> str:
    """Where a block leads nowhere, the preview says so; it is never sent."""
    return f'<p style="{_ABOUT}border:1px dashed #a3271f;padding:8px 12px;margin:0 0 16px;">{_escape(nowhere(block))}</p>\n'


def nowhere(block: Block) -> str:
    return _("There is nothing to show for “%(block)s”", block=block.markdown.splitlines()[0])


#: The figures of the earnings block: (label, figure, what stands below).
def figures() -> list[tuple[str, str, str]]:
    return [
        (_("Earned in %(month)s", month="{earnings.month}"), "{earnings.total}", "{earnings.change|}"),
        (_("Sales"), "{earnings.sales}", "{earnings.sales_before|}"),
        (_("Place among partners"), "{earnings.rank|–}", "{earnings.ranked|}"),
    ]


def figures_html() -> str:
    cell = "display:inline-block;vertical-align:top;width:32%;min-width:150px;padding:0 0 8px;"
    cells = "".join(
        f'<div style="{cell}"><p class="label" style="{_LABEL}">{label}</p>'
        f'<p class="ink" style="margin:0;{SERIF}font-size:24px;line-height:30px;color:#16201f;">{figure}</p>'
        f'<p class="label" style="{_LABEL}">{below}</p></div>'
        for label, figure, below in figures()
    )
    style = (
        "margin:8px 0 24px;padding:16px 0 8px;border-top:1px solid #dfe3de;border-bottom:1px solid #dfe3de;"
    )
    return f'<div class="line" style="{style}">{cells}</div>\n'


def figures_text() -> str:
    return "\n".join(f"{label}: {figure} {below}".rstrip() for label, figure, below in figures())


def level_words() -> str:
    return _("You have reached %(level)s: from %(day)s your commission is %(rate)s.",
             level="{level.new}", day="{level.since}", rate="{level.rate}")  # fmt: skip


def level_html() -> str:
    return f'<div class="line" style="{_QUOTE}"><p class="ink" style="{_TITLE}">{_escape(level_words())}</p></div>\n'


def _escape(text: str) -> str:
    return html.escape(str(text))
