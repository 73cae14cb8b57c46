"""QR codes: what a phone's camera reads."""

from typing import Any

from .errors import Invalid
from .i18n import _


def qr_code(text: str) -> Any:
    """A `segno.QRCode` of the text, which still reads with a seventh of it lost. Raises Invalid for a text too long."""
    import segno  # loaded only where one is drawn, which is rare

    try:
        return segno.make(text, error="m", micro=False)
    except segno.DataOverflowError:
        raise Invalid(_("This link is too long for a QR code. Make it short first.")) from None
