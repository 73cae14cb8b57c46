"""The room's blueprint, apart from its views, which are split by who comes: partners, the team, the public."""

from flask import Blueprint

bp = Blueprint("materials", __name__, template_folder="templates")
