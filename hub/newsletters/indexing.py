"""Newsletters in the archive as the search index sees them: their texts, without anybody's own words."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import contains_eager

from ..core import fulltext, markup
from ..core.access import Permission, can
from ..core.database import db
from ..core.fulltext import PARTNERS, PUBLIC, Document, Source
from ..core.i18n import _l, speaking
from . import blocks, variables
from .models import TOPICS, Content, Delivery, DeliveryState, Newsletter, Shown, Status

KIND = "newsletter"
_ALL = {Shown.PUBLIC: PUBLIC, Shown.PARTNERS: PARTNERS}
#: Who makes newsletters finds those, too, that only some people got.
DESK = "newsletter-desk"


def document(content: Content) -> Document:
    """One language of a newsletter that was sent."""
    newsletter = content.newsletter
    with speaking(content.locale):
        topic = str(TOPICS[newsletter.topic][0])
    body = "\n".join(part for part in blocks.parse(content.body) if isinstance(part, str))
    sent_at = newsletter.finished_at or newsletter.updated_at
    return Document(
        kind=KIND,
        id=newsletter.id,
        lang=content.locale,
        audience=_audience(newsletter),
        title=variables.fill(content.subject_for(newsletter.ab_winner), {}),
        url=f"/news/{newsletter.id}?language={content.locale}",
        body=markup.article(variables.fill(f"{content.preheader}\n\n{body}", {})).plain,
        crumbs=(topic,),
        updated_at=sent_at.isoformat(),
    )


def _audience(newsletter: Newsletter) -> frozenset[str]:
    if newsletter.shown is Shown.RECIPIENTS:
        return frozenset((DESK, f"newsletter:{newsletter.id}"))
    return frozenset((_ALL[newsletter.shown],))


def _levels(viewer: Any) -> set[str]:
    """What was sent to a few, its recipients find."""
    if can(viewer, Permission.NEWSLETTERS_MANAGE):
        return {DESK}
    if not can(viewer, Permission.NEWS_READ):
        return set()
    received = (
        select(Newsletter.id)
        .join(Delivery, Delivery.newsletter_id == Newsletter.id)
        .where(
            Newsletter.shown == Shown.RECIPIENTS,
            Delivery.user_id == viewer.id,
            Delivery.state == DeliveryState.SENT,
        )
    )
    return {f"newsletter:{number}" for number in db.session.scalars(received)}


def _some(ids: list[int]) -> Iterator[Document]:
    return _documents(Content.newsletter_id.in_(ids))


def _everything(lang: str) -> Iterator[Document]:
    return _documents(Content.locale == lang)


def _documents(condition: ColumnElement[bool]) -> Iterator[Document]:
    sent = (
        select(Content)
        .join(Content.newsletter)
        .where(condition, Newsletter.status == Status.SENT)
        .options(contains_eager(Content.newsletter))
        .order_by(Content.id)
    )
    for content in db.session.scalars(sent.execution_options(populate_existing=True)):
        if not content.is_empty:
            yield document(content)


_SENT = select(Newsletter.id).where(Newsletter.status == Status.SENT)
fulltext.register(Source(KIND, _l("News"), "news", _everything, _levels, _some, rows=_SENT))
fulltext.follow(Newsletter, KIND)
