"""How good the help was, in words."""

from ..core.i18n import _l

SCORES = {5: _l("Very good"), 4: _l("Good"), 3: _l("Fair"), 2: _l("Poor"), 1: _l("Very poor")}
