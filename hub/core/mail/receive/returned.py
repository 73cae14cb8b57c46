"""Reports of delivery about mails of ours, for whoever keeps a ledger of them."""

from collections.abc import Callable, Iterable

from .automatic import Bounce

#: Gets the left side of the Message-ID of the mail that a report is about, and what it says.
Hearer = Callable[[str, Bounce], None]
_hearers: list[Hearer] = []


def hears(hearer: Hearer) -> Hearer:
    """Register who wants to hear of reports; it runs in the transaction in which the mail is judged."""
    _hearers.append(hearer)
    return hearer


def tell(reports: Iterable[Bounce]) -> None:
    """Pass on what a mail reports."""
    for report in reports:
        key = report.original.strip("<>").partition("@")[0]
        for hearer in _hearers if key else ():
            hearer(key, report)
