"""What a person may choose about being told."""

from wtforms import BooleanField

from ..core.forms import HubForm
from ..core.i18n import _l


class MailForm(HubForm):
    by_mail = BooleanField(
        _l("E-mail me what I have not read"),
        description=_l("One mail, a quarter of an hour later at the earliest, with everything that waits."),
    )
