"""Where the pages of surveys are hung up."""

from flask import Blueprint

bp = Blueprint("surveys", __name__, url_prefix="/surveys", template_folder="../templates")
