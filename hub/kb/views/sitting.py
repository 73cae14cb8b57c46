"""Which articles are read in one sitting: noted in memory, handed over after an answer has left."""

from flask import Response, current_app
from flask_login import current_user

from ...core import jobs
from ...core.access import is_staff
from ..models import Translation
from ..sittings import sittings


def note(response: Response, translation: Translation) -> None:
    """A partner has opened an article; now and then the process hands over what it has counted."""
    if not current_user.is_authenticated or is_staff(current_user):
        return
    sittings.note(current_user.id, translation.article_id)
    if sittings.is_due:
        app = current_app._get_current_object()  # type: ignore[attr-defined]

        def hand_over() -> None:
            with app.app_context():
                jobs.ring("kb.sittings", pairs=sittings.take())

        response.call_on_close(hand_over)
