"""What a reader wants: reached by the signed link of a mail, without signing in.

Opening a page never unsubscribes: mail scanners open every link.
"""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core import clock, i18n
from ...core.access import Permission, can, public, requires
from ...core.database import transaction
from ...core.errors import NotFound
from ...core.extensions import csrf
from .. import audience, consent, events, reading, subscribers, tracking, why
from ..consent import Reader
from ..models import TOPICS, SuppressionReason, Topic
from . import bp


def reader_of(token: str) -> Reader:
    """The reader a link stands for, their language spoken from here on; NotFound for a link that is not ours."""
    reader = consent.read(token)
    if reader is None:
        raise NotFound
    i18n.activate(reader.locale, current_user.time_zone if _is_own(reader) else "UTC")
    return reader


@bp.get("/news/unsubscribe/<token>")
@public
def unsubscribe(token: str) -> ResponseReturnValue:
    """Ask whether to unsubscribe."""
    reader = reader_of(token)
    declined = consent.declined(reader.address, reader.topic)
    return _page("newsletters/unsubscribe.html", reader, token, done=declined is not None)


@bp.post("/news/unsubscribe/<token>")
@csrf.exempt  # mail programs post here on their own (RFC 8058); the signed token is the proof
@public
def unsubscribe_now(token: str) -> ResponseReturnValue:
    """Decline the topic of the mail, or with `all` everything."""
    reader = reader_of(token)
    with transaction():
        if request.form.get("all"):
            consent.suppress(reader.address, SuppressionReason.UNSUBSCRIBE)
        consent.opt_out(reader.address, reader.topic)
        subscribers.leave(reader.address, None if request.form.get("all") else reader.topic)
        if delivery := reader.delivery():
            events.note(delivery, "unsubscribed_at", clock.now())
    return _page("newsletters/unsubscribe.html", reader, token, done=True)


@bp.get("/news/preferences/<token>")
@public
def preferences(token: str) -> ResponseReturnValue:
    """Which topics this address wants, and why it got the mail."""
    return _page("newsletters/preferences.html", reader_of(token), token)


@bp.post("/news/preferences/<token>")
@public
def choose(token: str) -> ResponseReturnValue:
    """Keep the choice of topics."""
    reader = reader_of(token)
    topics = {Topic(value) for value in request.form.getlist("topics") if value in set(Topic)}
    with transaction():
        if subscribers.is_stranger(reader.address):
            subscribers.choose(reader.address, topics, reader.locale)
        else:
            consent.choose(reader.address, topics)
        tracking.allow(reader.address, bool(request.form.get("counted")))
    return redirect(url_for(".preferences", token=token, saved=1), 303)


@bp.get("/news/preferences")
@requires(Permission.NEWS_READ)
def own_preferences() -> ResponseReturnValue:
    """One's own topics, for someone signed in."""
    reader = Reader(audience.normalise(current_user.email), Topic.PRODUCT, i18n.locale())
    return redirect(url_for(".preferences", token=consent.sign(reader)), 303)


def _page(template: str, reader: Reader, token: str, **values: object) -> ResponseReturnValue:
    delivery, is_stranger = reader.delivery(), subscribers.is_stranger(reader.address)
    return render_template(
        template,
        reader=reader,
        token=token,
        topics=TOPICS,
        offered=[topic for topic in TOPICS if topic in subscribers.PUBLIC or not is_stranger],
        wanted=subscribers.topics_of(reader.address) if is_stranger else consent.wanted(reader.address),
        counted=tracking.is_allowed(reader.address),
        suppressed=consent.is_suppressed(reader.address),
        delivery=delivery,
        subject=reading.headline(delivery.newsletter, delivery.locale, delivery.values, delivery.variant)[0]
        if delivery
        else "",
        told=why.told(delivery.newsletter, delivery) if delivery else [],
        latest=why.latest([current_user], current_user)[current_user.id] if _is_own(reader) else [],
        saved=request.args.get("saved"),
        locale=reader.locale,
        **values,
    )


def _is_own(reader: Reader) -> bool:
    """Is it the address of who is signed in? A forwarded link does not show one's other mails."""
    if not can(current_user, Permission.PARTNERS_OWN):
        return False
    return audience.normalise(current_user.email) == reader.address
