"""From draft to archive, and the look back at what is published."""

from flask import abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ...core import audit
from ...core.access import Permission, requires
from ...core.database import transaction
from ...core.i18n import _, format_date, zone
from .. import reviewing, service
from ..forms import PublishForm
from . import bp
from .asking import whole


@bp.post("/<int:id>/publish")
@requires(Permission.KB_WRITE)
def publish(id: int) -> ResponseReturnValue:
    """Publish now or later."""
    form = PublishForm()
    if not form.validate_on_submit():
        abort(400)
    at = form.at.data.replace(tzinfo=zone()) if form.at.data else None
    with transaction():
        translation = whole(id)
        service.publish(translation, at)
        audit.record(
            current_user,
            "article.published" if translation.is_published else "article.scheduled",
            f"translation:{id}",
        )
    flash(_("Published.") if translation.is_published else _("The article will be published then."))
    return redirect(translation.path if translation.is_published else url_for(".edit", id=id), 303)


@bp.post("/<int:id>/archive")
@requires(Permission.KB_WRITE)
def archive(id: int) -> ResponseReturnValue:
    """Take the article away from readers."""
    with transaction():
        service.archive(whole(id))
        audit.record(current_user, "article.archived", f"translation:{id}")
    flash(_("Archived. Readers no longer find it; the team still does."))
    return redirect(url_for(".edit", id=id), 303)


@bp.post("/<int:id>/redraft")
@requires(Permission.KB_WRITE)
def redraft(id: int) -> ResponseReturnValue:
    """Make a draft of what is scheduled or archived."""
    with transaction():
        service.redraft(whole(id))
        audit.record(current_user, "article.redrafted", f"translation:{id}")
    flash(_("It is a draft again."))
    return redirect(url_for(".edit", id=id), 303)


@bp.post("/<int:id>/reviewed")
@requires(Permission.KB_WRITE)
def reviewed(id: int) -> ResponseReturnValue:
    """Somebody has looked: the article is still right."""
    with transaction():
        article = whole(id).article
        reviewing.confirm(article, current_user)
        due = article.review_due
    flash(_("Noted. The next review is due on %(day)s.", day=format_date(due)))  # type: ignore[arg-type]
    return redirect(url_for(".edit", id=id), 303)
