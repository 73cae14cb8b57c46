"""The team's page for the tree of categories."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ...core.access import Permission, requires
from ...core.database import db, transaction
from ...core.errors import HubError, NotFound
from ...core.forms import options
from ...core.i18n import LOCALES, _
from .. import shelves
from ..forms import CategoryForm
from ..models import Category
from . import bp


@bp.get("/categories")
@requires(Permission.KB_WRITE)
def categories() -> ResponseReturnValue:
    """The tree."""
    return render_template("kb/categories.html", tree=shelves.tree(), counts=shelves.counts())


@bp.get("/categories/new")
@requires(Permission.KB_WRITE)
def new_category() -> ResponseReturnValue:
    """An empty form."""
    form = _form(parent=request.args.get("in", 0, type=int), icon=shelves.ICONS[0])
    return render_template("kb/category_edit.html", form=form, category=None)


@bp.post("/categories/new")
@requires(Permission.KB_WRITE)
def create_category() -> ResponseReturnValue:
    """Keep a new category."""
    return _save(_form(), None)


@bp.get("/categories/<int:id>")
@requires(Permission.KB_WRITE)
def edit_category(id: int) -> ResponseReturnValue:
    """The form of a category."""
    category = _get(id)
    texts = {f"name_{lang}": category.names.get(lang, "") for lang in LOCALES}
    texts |= {f"description_{lang}": category.descriptions.get(lang, "") for lang in LOCALES}
    form = _form(parent=category.parent_id or 0, icon=category.icon, **texts)
    return render_template("kb/category_edit.html", form=form, category=category)


@bp.post("/categories/<int:id>")
@requires(Permission.KB_WRITE)
def update_category(id: int) -> ResponseReturnValue:
    """Keep changed texts, icon and place."""
    return _save(_form(), _get(id))


@bp.post("/categories/<int:id>/move")
@requires(Permission.KB_WRITE)
def move_category(id: int) -> ResponseReturnValue:
    """One place up or down among its neighbours."""
    with transaction():
        shelves.move(_get(id), -1 if request.form.get("to") == "up" else 1)
    return redirect(url_for(".categories") + f"#category-{id}", 303)


@bp.post("/categories/<int:id>/remove")
@requires(Permission.KB_WRITE)
def remove_category(id: int) -> ResponseReturnValue:
    """Take an empty category away."""
    with transaction():
        shelves.remove(_get(id), current_user)
    flash(_("The category is removed."))
    return redirect(url_for(".categories"), 303)


def _save(form: CategoryForm, category: Category | None) -> ResponseReturnValue:
    if form.validate_on_submit():
        try:
            with transaction():
                parent = db.session.get(Category, form.parent.data) if form.parent.data else None
                facts = shelves.Facts(form.names, form.descriptions, form.icon.data, parent)
                if category is None:
                    shelves.create(current_user, facts)
                else:
                    shelves.change(_get(category.id), current_user, facts)
        except HubError as error:
            form.blame(error)
        else:
            flash(_("Saved."))
            return redirect(url_for(".categories"), 303)
    return render_template("kb/category_edit.html", form=form, category=category), 422


def _form(**values: object) -> CategoryForm:
    form = CategoryForm(data=values or None)
    tree = [(each.id, "\u2003" * depth + each.name()) for each, depth in shelves.tree()]
    form.parent.choices = options([(0, _("Nothing: at the top")), *tree])
    form.icon.choices = options((name, name) for name in shelves.ICONS)
    return form


def _get(id: int) -> Category:
    category = db.session.scalar(select(Category).where(Category.id == id))
    if category is None:
        raise NotFound
    return category
