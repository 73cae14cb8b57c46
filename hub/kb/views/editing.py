"""What the editor asks for while somebody writes: drafts, who else is there, pictures, links, the page to be."""

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core import fulltext, storage, uploads
from ...core.access import Permission, public, requires, visible_or_404
from ...core.database import db, transaction
from ...core.errors import HubError, Invalid
from ...core.i18n import LOCALES, locale
from .. import drafts, pictures, service
from ..indexing import KIND
from ..models import Article, Translation
from ..models.writing import Picture
from . import bp
from .asking import whole

#: What a picture's address may be kept for: its content never changes under the same name.
CACHE = "private, max-age=86400, immutable"


@bp.post("/preview")
@requires(Permission.KB_WRITE)
def preview() -> ResponseReturnValue:
    """The text as the page will show it."""
    try:
        return str(service.preview(request.form.get("text", "")))
    except Invalid as error:
        return render_template("kb/_refused.html", message=error.message), 200


@bp.post("/drafts/<place>")
@requires(Permission.KB_WRITE)
def keep_draft(place: str) -> ResponseReturnValue:
    """Keep what was typed, or only note that somebody is here; say who else is and whether the text moved on."""
    if not drafts.PLACE.fullmatch(place):
        abort(404)
    translation = whole(int(place)) if place.isdecimal() else None
    with transaction():
        if "body" in request.form:
            draft = drafts.keep(current_user, place, request.form.to_dict(flat=False))
        else:
            draft = drafts.visit(current_user, place)
    seen = request.form.get("seen", "")
    return render_template(
        "kb/_editing.html",
        draft=draft,
        others=drafts.others(current_user, place) if translation else [],
        has_moved=translation is not None and seen.isdecimal() and int(seen) < translation.revision,
    )


@bp.post("/drafts/<place>/drop")
@requires(Permission.KB_WRITE)
def drop_draft(place: str) -> ResponseReturnValue:
    """Give up what was typed and not saved."""
    if not drafts.PLACE.fullmatch(place):
        abort(404)
    with transaction():
        drafts.drop(current_user, place)
    if place.isdecimal():
        return redirect(url_for(".edit", id=int(place)), 303)
    return redirect(url_for(".new", of=place.partition("-")[0].partition(":")[2] or None), 303)


@bp.post("/pictures")
@requires(Permission.KB_WRITE)
def add_picture() -> ResponseReturnValue:
    """Keep a picture; answers what to write to show it."""
    file = request.files.get("file")
    if file is None:
        abort(400)
    try:
        examined = uploads.examine(file, limit=pictures.LIMIT)
        with transaction():
            picture = pictures.keep(current_user, examined)
    except HubError as error:
        return jsonify(error=str(error.message)), error.status
    label = examined.name.rpartition(".")[0].replace("[", "(").replace("]", ")")
    return jsonify(markdown=f"![{label}](image:{picture.name})")


@bp.get("/pictures/<name>")
@public
def picture(name: str) -> ResponseReturnValue:
    """A picture of an article that the viewer may read."""
    found = visible_or_404(select(Picture).where(Picture.name == name), current_user)
    response = storage.send(found.key, filename=found.name, mimetype=found.mime, inline=True)
    response.headers["Cache-Control"] = CACHE
    return response


@bp.get("/pick")
@requires(Permission.KB_WRITE)
def pick() -> ResponseReturnValue:
    """Articles to link to, best first."""
    lang = request.args.get("lang", "")
    text = request.args.get("q", "").strip()
    answer = fulltext.find(
        current_user,
        lang if lang in LOCALES else locale(),
        text,
        kinds=[KIND],
        limit=8,
        typing=True,
        fragments=False,
        insist=True,
    )
    ids = [hit.document.id for hit in answer.hits]
    rows = select(Translation.id, Article.key).join(Article, Article.id == Translation.article_id)
    keys = dict(db.session.execute(rows.where(Translation.id.in_(ids))).all())
    return render_template("kb/_pick.html", text=text, hits=answer.hits, keys=keys)
