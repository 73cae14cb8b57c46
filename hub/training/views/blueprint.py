"""Where the pages of training are hung up."""

from datetime import datetime

from babel.dates import format_datetime
from flask import Blueprint

from ...core import i18n

bp = Blueprint("training", __name__, url_prefix="/training", template_folder="../templates")


@bp.app_template_filter("leaf")
def leaf(moment: datetime) -> list[str]:
    """Day and short month in the reader's zone and language, for a leaf of a calendar."""
    return format_datetime(moment, "d|LLL", tzinfo=i18n.zone(), locale=i18n.locale()).split("|")
