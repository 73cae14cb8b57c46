"""Where the team uploads, describes, replaces and archives materials, and sees who took them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.datastructures import FileStorage

from ..core.access import Permission, requires, visible, visible_or_404
from ..core.database import db, transaction
from ..core.errors import HubError
from ..core.i18n import LOCALES, _, ngettext
from ..core.paging import page
from ..core.settings import settings
from . import branding, receiving, service
from .blueprint import bp
from .forms import BannerForm, CampaignForm, EditForm, TextForm, UploadForm, VersionForm
from .models import Asset, AssetVersion, Campaign, Download, Kind, Upload, UploadState

FILES_MOST = 50


@bp.get("/materials/new")
@requires(Permission.MATERIALS_MANAGE)
def new() -> ResponseReturnValue:
    """The form for new files."""
    return _upload_page(UploadForm())


@bp.post("/materials/")
@requires(Permission.MATERIALS_MANAGE)
def create() -> ResponseReturnValue:
    """Take several files; each is accepted or refused on its own."""
    form = UploadForm()
    if not form.validate_on_submit():
        return _upload_page(form), 422
    results = [_add(token, form) for token in (form.upload.data or [])[: receiving.MOST]] + _refused()
    results += [_take(file, form) for file in (form.files.data or [])[:FILES_MOST] if file.filename]
    added = [result for result in results if result["asset"]]
    if len(added) < len(results) or any(result["twin"] for result in results):
        return _upload_page(UploadForm(formdata=None), results), 200 if added else 422
    flash(ngettext("%(count)s file added.", "%(count)s files added.", len(added)))
    if len(added) == 1:
        return redirect(url_for("materials.edit", id=added[0]["asset"].id), 303)
    return redirect(url_for("materials.index"), 303)


def _add(token: str, form: UploadForm) -> dict[str, Any]:
    """One file that has come piece by piece."""
    name = ""
    try:
        upload = visible_or_404(select(Upload).where(Upload.token == token), current_user)
        name = upload.name
        twin = receiving.twin(upload)
        with receiving.content(upload) as (examined, stored), transaction():
            receiving.drop(token, UploadState.READY)
            asset = service.add_file(current_user, examined, stored, form.details())
    except HubError as error:
        return {"name": name or _("A file"), "asset": None, "error": error.message, "twin": None}
    return {"name": name, "asset": asset, "error": None, "twin": twin}


def _refused() -> list[dict[str, Any]]:
    """Files that came piece by piece and are no use: named once more, and forgotten."""
    found = [each for each in receiving.mine(current_user) if each.state is UploadState.REFUSED]
    lines = [{"name": each.name, "asset": None, "error": each.error, "twin": None} for each in found]
    with transaction():
        for token in [each.token for each in found]:
            receiving.drop(token)
    return lines


def _take(file: Any, form: UploadForm) -> dict[str, Any]:
    """One file: stored first, which may take a while, then its rows in one transaction."""
    name = file.filename
    try:
        examined, stored = service.keep(file)
        twin = service.same_file(stored.sha256)
        with transaction():
            asset = service.add_file(current_user, examined, stored, form.details())
    except HubError as error:
        return {"name": name, "asset": None, "error": error.message, "twin": None}
    return {"name": name, "asset": asset, "error": None, "twin": twin}


def _upload_page(form: UploadForm, results: list[dict[str, Any]] | None = None) -> str:
    return render_template(
        "materials/new.html",
        form=form,
        results=results,
        limit=settings.max_upload_mb * 1_000_000,
        largest=service.largest(),
        waiting=[
            (each, receiving.received(each), receiving.twin(each)) for each in receiving.mine(current_user)
        ],
    )


@bp.get("/materials/texts/new")
@requires(Permission.MATERIALS_MANAGE)
def new_text() -> ResponseReturnValue:
    """The form for a ready text."""
    return render_template("materials/edit.html", form=TextForm(), asset=None)


@bp.post("/materials/texts")
@requires(Permission.MATERIALS_MANAGE)
def create_text() -> ResponseReturnValue:
    """Add a ready text."""
    form = TextForm()
    if not form.validate_on_submit():
        return render_template("materials/edit.html", form=form, asset=None), 422
    with transaction():
        asset = service.add_text(current_user, form.body.data or "", form.details())
    return redirect(url_for("materials.show", id=asset.id), 303)


@bp.get("/materials/<int:id>/edit")
@requires(Permission.MATERIALS_MANAGE)
def edit(id: int) -> ResponseReturnValue:
    """The form for an asset's details, and its versions."""
    asset = _asset(id)
    form = _form(asset)
    form.show(asset)
    return _edit_page(asset, form)


@bp.post("/materials/<int:id>")
@requires(Permission.MATERIALS_MANAGE)
def update(id: int) -> ResponseReturnValue:
    """Change an asset's details, and a ready text's words."""
    asset = _asset(id)
    form = _form(asset)
    if not form.validate_on_submit():
        return _edit_page(asset, form), 422
    with transaction():
        service.edit(asset, current_user, form.details())
        if isinstance(form, TextForm):
            service.rewrite(asset, current_user, form.body.data or "")
    flash(_("Saved."))
    return redirect(url_for("materials.show", id=id), 303)


@bp.post("/materials/<int:id>/versions")
@requires(Permission.MATERIALS_MANAGE)
def add_version(id: int) -> ResponseReturnValue:
    """Put a new file in place of the old one, perhaps one that has come piece by piece; codes that were placed show it."""
    asset, form = _asset(id), VersionForm()
    try:
        if token := request.form.get("upload"):
            upload = visible_or_404(select(Upload).where(Upload.token == token), current_user)
            with receiving.content(upload) as (examined, stored), transaction():
                receiving.drop(token, UploadState.READY)
                service.add_version(asset, current_user, examined, stored)
        else:
            examined, stored = service.keep(request.files.get("file") or FileStorage())
            with transaction():
                service.add_version(asset, current_user, examined, stored)
    except HubError as error:
        form.file.errors = [error.message]
        details = _form(asset)
        details.show(asset)
        return _edit_page(asset, details, form), 422
    flash(_("The new version is in place."))
    return redirect(url_for("materials.show", id=id), 303)


@bp.post("/materials/<int:id>/archive")
@requires(Permission.MATERIALS_MANAGE)
def archive(id: int) -> ResponseReturnValue:
    """Take an asset out of the gallery."""
    asset = _asset(id)
    with transaction():
        service.archive(asset, current_user)
    flash(_("Archived. Partners no longer see it."))
    return redirect(url_for("materials.show", id=id), 303)


@bp.post("/materials/<int:id>/restore")
@requires(Permission.MATERIALS_MANAGE)
def restore(id: int) -> ResponseReturnValue:
    """Put an archived asset back."""
    asset = _asset(id)
    with transaction():
        service.restore(asset, current_user)
    flash(_("Restored."))
    return redirect(url_for("materials.show", id=id), 303)


@bp.get("/materials/downloads")
@requires(Permission.MATERIALS_MANAGE)
def downloads() -> ResponseReturnValue:
    """Who downloaded what, newest first; of one asset with `?asset=`."""
    statement = visible(select(Download), current_user).options(
        joinedload(Download.version).joinedload(AssetVersion.asset),
        joinedload(Download.partner),
        joinedload(Download.user),
    )
    asset = db.session.get(Asset, id) if (id := request.args.get("asset", type=int)) else None
    if asset:
        statement = statement.where(
            Download.version_id.in_(select(AssetVersion.id).where(AssetVersion.asset_id == asset.id))
        )
    rows = page(statement, request.args.get("cursor"), Download.at, Download.id)
    return render_template("materials/downloads.html", page=rows, asset=asset)


# --- Campaigns -------------------------------------------------------------


@bp.get("/materials/campaigns")
@requires(Permission.MATERIALS_MANAGE)
def campaigns() -> ResponseReturnValue:
    """All campaigns with how many assets each has, and a form for another."""
    return _campaigns_page(CampaignForm())


@bp.post("/materials/campaigns")
@requires(Permission.MATERIALS_MANAGE)
def create_campaign() -> ResponseReturnValue:
    """Add a campaign."""
    form = CampaignForm()
    if not form.validate_on_submit():
        return _campaigns_page(form), 422
    with transaction():
        service.save_campaign(current_user, form.names())
    return redirect(url_for("materials.campaigns"), 303)


@bp.get("/materials/campaigns/<int:id>/edit")
@requires(Permission.MATERIALS_MANAGE)
def edit_campaign(id: int) -> ResponseReturnValue:
    """The form for a campaign's names."""
    campaign = _campaign(id)
    return render_template(
        "materials/campaign.html", campaign=campaign, form=CampaignForm(data=campaign.names)
    )


@bp.post("/materials/campaigns/<int:id>")
@requires(Permission.MATERIALS_MANAGE)
def update_campaign(id: int) -> ResponseReturnValue:
    """Rename a campaign."""
    campaign, form = _campaign(id), CampaignForm()
    if not form.validate_on_submit():
        return render_template("materials/campaign.html", campaign=campaign, form=form), 422
    with transaction():
        service.save_campaign(current_user, form.names(), campaign)
    return redirect(url_for("materials.campaigns"), 303)


def _campaigns_page(form: CampaignForm) -> str:
    counts = dict(
        iter(db.session.execute(select(Asset.campaign_id, func.count()).group_by(Asset.campaign_id)))
    )
    rows = sorted(db.session.scalars(visible(select(Campaign), current_user)), key=lambda each: each.name)
    return render_template(
        "materials/campaigns.html", form=form, campaigns=rows, counts=counts, locales=LOCALES
    )


# --- Parts -----------------------------------------------------------------


def _asset(id: int) -> Asset:
    statement = select(Asset).where(Asset.id == id)
    loaded = (joinedload(Asset.current), selectinload(Asset.versions).joinedload(AssetVersion.author))
    return visible_or_404(
        statement.options(*loaded, selectinload(Asset.tag_rows), selectinload(Asset.reader_rows)),
        current_user,
    )


def _campaign(id: int) -> Campaign:
    return visible_or_404(select(Campaign).where(Campaign.id == id), current_user)


_FORMS: dict[Kind, type[EditForm]] = {Kind.TEXT: TextForm, Kind.HTML: BannerForm}


def _form(asset: Asset) -> EditForm:
    return _FORMS.get(asset.kind, EditForm)()


def _edit_page(asset: Asset, form: EditForm, version_form: VersionForm | None = None) -> str:
    return render_template(
        "materials/edit.html",
        asset=asset,
        form=form,
        version_form=version_form or VersionForm(),
        laid=branding.versions_with_places(asset),
        limit=settings.max_upload_mb * 1_000_000,
        largest=service.largest(),
    )
