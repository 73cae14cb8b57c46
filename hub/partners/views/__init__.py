"""Pages of partners: the team's list and card, a partner's own organisation, imports."""

from flask import Blueprint

from ...core.access import Permission
from ...core.i18n import _l
from ...core.import_doors import ImportPages
from ..importing import PARTNERS

bp = Blueprint("partners", __name__, url_prefix="/partners", template_folder="../templates")
ImportPages(PARTNERS, (_l("Partners"), "partners.index")).add_to(bp, Permission.PARTNERS_EDIT)

from . import own, people, staff  # noqa: E402

__all__ = ["bp", "own", "people", "staff"]
