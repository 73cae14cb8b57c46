"""What training tells people, and how a moment is written for each of them."""

from datetime import datetime

from ..core.i18n import _l, format_datetime
from ..notifications.kinds import Params, register


def _with_time(params: Params) -> Params:
    return params | {"when": format_datetime(datetime.fromisoformat(params["at"]))}


REGISTERED = register(
    "webinar_registered",
    _l("You are registered for “%(title)s”, %(when)s"),
    icon="calendar-event",
    present=_with_time,
)
PROMOTED = register(
    "webinar_promoted",
    _l("A seat is free: you are now registered for “%(title)s”, %(when)s"),
    icon="calendar-event",
    present=_with_time,
)
MOVED = register(
    "webinar_moved",
    _l("“%(title)s” has moved to %(when)s"),
    icon="calendar-time",
    present=_with_time,
)
CALLED_OFF = register("webinar_called_off", _l("“%(title)s” is cancelled"), icon="calendar-event")
REMINDED = register(
    "webinar_reminder",
    _l("“%(title)s” begins %(when)s"),
    icon="clock",
    present=_with_time,
)
RECORDED = register("webinar_recorded", _l("The recording of “%(title)s” is here"), icon="video")
ANSWERED = register(
    "webinar_answered", _l("Your question at “%(title)s” has an answer"), icon="message-circle"
)
