"""Reports: the programme's month, and how the team answers."""

from . import programme as programme
from . import support as support
from .shared import bp as bp
