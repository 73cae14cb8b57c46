"""What surveys tell people."""

from ..core.i18n import _l
from ..notifications.kinds import register

INVITED = register("survey_invited", _l("A short survey for you: “%(title)s”"), icon="forms")
IDEA = register("idea_status", _l("There is news about your idea “%(title)s”"), icon="bulb")
