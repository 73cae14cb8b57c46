"""Public news by mail: visitors ask and confirm; the team sees who, and erases whom it is asked to."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import audit, i18n, sheets
from ...core.access import Permission, public, requires
from ...core.database import db, transaction
from ...core.errors import Invalid
from ...core.extensions import limiter
from ...core.i18n import LOCALES, _, ngettext
from ...core.paging import page
from .. import consent, subscribers
from ..forms import SubscribeForm
from ..models import TOPICS, Topic
from ..models_subscribers import Subscription
from . import bp, lists


@bp.get("/news/subscribe")
@public
def subscribe() -> ResponseReturnValue:
    """Ask for public news by mail."""
    form = SubscribeForm(formdata=None, language=i18n.locale())
    return render_template("newsletters/subscribe.html", form=form, asked=request.args.get("asked"))


@bp.post("/news/subscribe")
@public
@limiter.limit("10 per hour")
def ask() -> ResponseReturnValue:
    """Mail a link to confirm; the answer is the same whatever is known of the address."""
    form = SubscribeForm()
    if not form.validate_on_submit():
        return render_template("newsletters/subscribe.html", form=form, asked=None), 422
    topics = [Topic(each) for each in form.topics.data or []]
    with transaction():
        subscribers.ask(form.address.data or "", topics, form.language.data)
    return redirect(url_for(".subscribe", asked=1), 303)


@bp.get("/news/confirm/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Ask once more: programs that look at mails open every link."""
    return _confirming(token, done=False)


@bp.post("/news/confirm/<token>")
@public
def confirm_now(token: str) -> ResponseReturnValue:
    """From now on the address gets what it asked for."""
    wish = subscribers.read(token)
    if wish is not None:
        with transaction():
            subscribers.confirm(wish)
    return _confirming(token, done=True)


def _confirming(token: str, *, done: bool) -> ResponseReturnValue:
    wish = subscribers.read(token)
    if wish is None:
        return render_template("newsletters/confirm.html", wish=None), 404
    address, topics, locale = wish
    i18n.activate(locale, "UTC")
    reader = consent.Reader(address, topics[0], locale)
    return render_template(
        "newsletters/confirm.html",
        wish=wish,
        token=token,
        topics=[TOPICS[topic][0] for topic in topics],
        preferences=consent.preferences_url(consent.sign(reader)),
        done=done,
        locale=locale,
    )


@bp.get("/newsletters/subscribers")
@requires(Permission.NEWSLETTERS_MANAGE)
def subscriber_list() -> ResponseReturnValue:
    """Who asked for public news, the newest first."""
    words = request.args.get("q", "").strip()[:100]
    statement = select(Subscription)
    if words:
        statement = statement.where(Subscription.address.icontains(words, autoescape=True))
    rows = page(statement, request.args.get("cursor"), Subscription.confirmed_at, Subscription.id)
    address = consent.normalise(words)
    is_listed = any(row.address == address for row in rows)
    return render_template(
        "newsletters/subscribers.html",
        rows=rows,
        q=words,
        unlisted=address if consent.is_address(address) and not is_listed else None,
        topics=TOPICS,
        languages=LOCALES,
    )


@bp.post("/newsletters/subscribers/erase")
@requires(Permission.NEWSLETTERS_MANAGE)
def erase_subscriber() -> ResponseReturnValue:
    """Forget an address that asks for it, whether or not it still is a subscriber's."""
    address = consent.normalise(request.form.get("address", "")[:320])
    if not consent.is_address(address):
        raise Invalid(_("This is not an e-mail address."))
    with transaction():
        is_erased = subscribers.forget(address, current_user)
    flash(
        _("The address is erased.")
        if is_erased
        else _(
            "It gets no public news any more. The ledger keeps the address, because somebody signs in with it."
        )
    )
    return redirect(url_for(".subscriber_list"), 303)


@bp.get("/newsletters/subscribers.csv")
@requires(Permission.NEWSLETTERS_MANAGE)
def export_subscribers() -> ResponseReturnValue:
    """The whole list as a file that can be read in again."""
    columns = (Subscription.address, Subscription.topic, Subscription.locale, Subscription.confirmed_at)
    found = db.session.execute(select(*columns).order_by(Subscription.id))
    content = sheets.write(
        ("address", "topic", "language", "agreed_at"),
        ((address, topic.value, locale, i18n.iso(at)) for address, topic, locale, at in found),
    )
    name = {"Content-Disposition": 'attachment; filename="subscribers.csv"'}
    return Response(content, content_type="text/csv; charset=utf-8", headers=name)


@bp.post("/newsletters/subscribers/import")
@requires(Permission.NEWSLETTERS_MANAGE)
def import_subscribers() -> ResponseReturnValue:
    """Take in who agreed elsewhere, each with the day they did."""
    names = ("address", "topic", "language", "agreed_at")
    text = _("Choose a CSV file of at most 5 MB with the columns address, topic, language, agreed_at.")
    sheet = lists.uploaded(names, text)
    with transaction():
        rows = ((row.line, *(row[name] for name in names)) for row in sheet.rows)
        added, wrong = subscribers.take_in(rows)  # type: ignore[arg-type]
        audit.record(current_user, "subscribers.imported", "subscribers", after={"added": added})
    flash(ngettext("%(count)s subscription added.", "%(count)s subscriptions added.", added))
    if wrong:
        flash(_("No subscription in these lines: %(lines)s.", lines=lists.enumerated(wrong)))
    return redirect(url_for(".subscriber_list"), 303)
