"""What was sent, to read again: for partners, and what is public for everyone."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import i18n
from ...core.access import Permission, can, public, visible, visible_or_404
from ...core.errors import NotFound
from ...core.i18n import LOCALES
from ...core.paging import page
from .. import feed as feeds
from .. import reading, why
from ..models import TOPICS, Newsletter, Status, Topic
from . import bp


@bp.get("/news")
@public
def archive() -> ResponseReturnValue:
    """Newsletters that have been sent, the newest first."""
    topic = request.args.get("topic", "")
    statement = visible(select(Newsletter).where(Newsletter.status == Status.SENT), current_user)
    if topic in set(Topic):
        statement = statement.where(Newsletter.topic == Topic(topic))
    newsletters = page(statement, request.args.get("cursor"), Newsletter.created_at, Newsletter.id)
    words = reading.words_of(current_user, i18n.locale())
    variants = reading.variants(list(newsletters), current_user)
    return render_template(
        "newsletters/archive.html",
        newsletters=newsletters,
        headlines=[
            (each, *reading.headline(each, i18n.locale(), words, variants.get(each.id)))
            for each in newsletters
        ],
        held=_held(list(newsletters)),
        topics=TOPICS,
        topic=topic,
    )


def _held(newsletters: list[Newsletter]) -> set[int]:
    """Of these, those that a partner was not sent."""
    if not can(current_user, Permission.PARTNERS_OWN):
        return set()
    found = why.answers(newsletters, [current_user], current_user)[current_user.id]
    return {each.newsletter.id for each in found if not each.arrived}


@bp.get("/news/<any({}):locale>/feed.atom".format(", ".join(LOCALES)))
@public
def feed(locale: str) -> ResponseReturnValue:
    """What everybody may read, for feed readers."""
    response = Response(feeds.feed(locale), mimetype="application/atom+xml")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@bp.get("/news/<int:number>")
@public
def read(number: int) -> ResponseReturnValue:
    """One newsletter as a page, in the reader's language or one they choose."""
    sent = select(Newsletter).where(Newsletter.id == number, Newsletter.status == Status.SENT)
    newsletter = visible_or_404(sent, current_user)
    asked = request.args.get("language", "")
    found = reading.for_page(newsletter, asked if asked in LOCALES else i18n.locale(), current_user)
    if found is None:
        raise NotFound
    content, subject, body = found
    return render_template(
        "newsletters/read.html",
        newsletter=newsletter,
        content=content,
        subject=subject,
        body=body,
        topics=TOPICS,
        names=LOCALES,
        answer=_answer(newsletter),
    )


def _answer(newsletter: Newsletter) -> why.Answer | None:
    """Why a partner got it or not; others are not asked to wonder."""
    if not can(current_user, Permission.PARTNERS_OWN):
        return None
    return next(iter(why.answers([newsletter], [current_user], current_user)[current_user.id]), None)
