"""The team's look at what articles have spared it."""

from datetime import timedelta

from flask import render_template
from flask.typing import ResponseReturnValue

from ...core import clock
from ...core.access import Permission, requires
from ...tickets import deflecting
from . import bp

#: Days that are looked back.
BACK = 90


@bp.get("/insights/solved")
@requires(Permission.KB_WRITE)
def solved() -> ResponseReturnValue:
    """Questions that an article answered while somebody was writing them, and whether that held."""
    since = clock.now() - timedelta(days=BACK)
    return render_template(
        "search/solved.html",
        days=BACK,
        patience=deflecting.PATIENCE.days,
        total=deflecting.tally(since),
        tallies=deflecting.tallies(since),
    )
