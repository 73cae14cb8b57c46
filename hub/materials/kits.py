"""Where people keep what they will need: favourites, and kits that are taken along as one ZIP."""

from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from ..core import storage
from ..core.access import Permission, can, requires, visible, visible_or_404
from ..core.database import db, transaction
from ..core.errors import HubError, NotFound
from ..core.frame import from_script, local
from ..core.i18n import _
from ..core.uploads import safe_name
from ..partners.service import partner_of
from . import branding, embedding, gallery, requesting, taking
from .blueprint import bp
from .models import Asset, Kit, KitItem


@bp.post("/materials/<int:id>/favourite")
@requires(Permission.MATERIALS_VIEW)
def favourite(id: int) -> ResponseReturnValue:
    """Keep a material among one's favourites (`on=1`), or take it out."""
    asset = _asset(id)
    wanted = request.form.get("on") == "1"
    with transaction():
        (taking.favour if wanted else taking.forget)(asset, current_user)
    return _done(asset, _("Added to your favourites.") if wanted else _("Taken out of your favourites."))


@bp.post("/materials/kits/add")
@requires(Permission.MATERIALS_VIEW)
def add_to_kit() -> ResponseReturnValue:
    """Put a material (`asset`) into one's kit (`kit`, or a new one called `name`)."""
    asset = _asset(request.form.get("asset", 0, type=int))
    chosen = request.form.get("kit", type=int)
    kit = _own(chosen) if chosen else None
    with transaction():
        kit = kit or taking.make_kit(current_user, request.form.get("name") or _("My kit"))
        is_new = taking.put(asset, kit)
    said = (
        _("Added to the kit “%(name)s”.", name=kit.name)
        if is_new
        else _("The kit “%(name)s” has it already.", name=kit.name)
    )
    return _done(asset, said)


def _done(asset: Asset, said: str) -> ResponseReturnValue:
    """Back to where the form was; a script gets what was said, and the buttons anew."""
    if from_script():
        return jsonify(said=said, html=render_template("materials/_take.html", asset=asset, **held(asset)))
    flash(said)
    return redirect(local(request.form.get("next"), url_for("materials.show", id=asset.id)), 303)


def held(asset: Asset) -> dict[str, Any]:
    """What the buttons of a material show: is it a favourite, which kits are there."""
    return {
        "is_favourite": taking.is_favourite(asset, current_user),
        "kits": taking.own_kits(current_user),
    }


@bp.get("/materials/kits")
@requires(Permission.MATERIALS_VIEW)
def kits() -> ResponseReturnValue:
    """One's own kits, and those the team shares."""
    found = list(
        db.session.scalars(
            visible(select(Kit), current_user)
            .options(joinedload(Kit.user))
            .order_by(Kit.changed_at.desc(), Kit.id)
            .limit(200)
        )
    )
    counts = dict(
        iter(
            db.session.execute(
                visible(select(Asset), current_user)
                .join(KitItem, KitItem.asset_id == Asset.id)
                .where(KitItem.kit_id.in_([kit.id for kit in found]))
                .with_only_columns(KitItem.kit_id, func.count())
                .group_by(KitItem.kit_id)
            )
        )
    )
    own = [kit for kit in found if kit.user_id == current_user.id]
    shared = [kit for kit in found if kit.user_id != current_user.id]
    return render_template("materials/kits.html", own=own, shared=shared, counts=counts)


@bp.post("/materials/kits")
@requires(Permission.MATERIALS_VIEW)
def create_kit() -> ResponseReturnValue:
    """Start an empty kit."""
    try:
        with transaction():
            kit = taking.make_kit(current_user, request.form.get("name", ""))
    except HubError as error:
        flash(str(error.message), "bad")
        return redirect(url_for("materials.kits"), 303)
    return redirect(url_for("materials.kit", id=kit.id), 303)


@bp.get("/materials/kits/<int:id>")
@requires(Permission.MATERIALS_VIEW)
def kit(id: int) -> ResponseReturnValue:
    """What is in a kit, and the button that downloads it all."""
    found = _visible(id)
    assets = taking.contents(found, current_user)
    not_yet = requesting.not_yet(assets, current_user)
    return render_template(
        "materials/kit.html",
        kit=found,
        assets=assets,
        not_yet=not_yet,
        size=sum(asset.current.size for asset in assets if asset.id not in not_yet),
        is_own=found.user_id == current_user.id,
        may_share=can(current_user, Permission.MATERIALS_MANAGE),
        is_new=gallery.is_new,
    )


@bp.post("/materials/kits/<int:id>")
@requires(Permission.MATERIALS_VIEW)
def update_kit(id: int) -> ResponseReturnValue:
    """Rename a kit; the team may share it with partners."""
    found = _own(id)
    may_share = can(current_user, Permission.MATERIALS_MANAGE)
    try:
        with transaction():
            taking.rename_kit(
                found,
                request.form.get("name", ""),
                is_shared=may_share and request.form.get("is_shared") == "1",
            )
    except HubError as error:
        flash(str(error.message), "bad")
    return redirect(url_for("materials.kit", id=id), 303)


@bp.post("/materials/kits/<int:id>/delete")
@requires(Permission.MATERIALS_VIEW)
def delete_kit(id: int) -> ResponseReturnValue:
    """Give a kit up; the materials stay where they are."""
    found = _own(id)
    with transaction():
        taking.delete_kit(found)
    flash(_("The kit is gone. Its materials are still in the gallery."))
    return redirect(url_for("materials.kits"), 303)


@bp.post("/materials/kits/<int:id>/take-out")
@requires(Permission.MATERIALS_VIEW)
def take_out(id: int) -> ResponseReturnValue:
    """Take a material (`asset`) out of one's kit."""
    found = _own(id)
    with transaction():
        taking.take_out(request.form.get("asset", 0, type=int), found)
    return redirect(url_for("materials.kit", id=id), 303)


@bp.get("/materials/kits/<int:id>/download")
@requires(Permission.MATERIALS_VIEW)
def download_kit(id: int) -> ResponseReturnValue:
    """All of a kit that one may see now, as one ZIP; each version counts as a download."""
    found = _visible(id)
    assets = taking.contents(found, current_user, usable=True)
    if not assets:
        raise NotFound
    own = branding.filled_all(assets, partner_of(current_user))
    stream = taking.archive(assets, embedding.viewer(current_user), own)
    name = storage.disposition(safe_name(f"{found.name.replace('.', ' ')}.zip"))
    versions = [(asset.current.id, asset.id) for asset in assets]
    if request.method == "GET":
        with transaction():
            taking.record_downloads(versions, current_user)
    response = Response(stream_with_context(stream), mimetype="application/zip")
    response.content_length = len(stream)
    response.headers.set("Content-Disposition", "attachment", **name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _asset(id: int) -> Asset:
    return visible_or_404(select(Asset).where(Asset.id == id), current_user)


def _visible(id: int) -> Kit:
    return visible_or_404(select(Kit).where(Kit.id == id), current_user)


def _own(id: int) -> Kit:
    return visible_or_404(select(Kit).where(Kit.id == id, Kit.user_id == current_user.id), current_user)
