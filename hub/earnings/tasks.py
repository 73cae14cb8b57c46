"""What happens by itself: months close, calendar years begin."""

from ..core import months
from ..core.database import transaction
from ..core.jobs import job
from ..partners import levels
from . import payouts


@job("earnings.close_month", every="7 * * * *")
def close_month() -> None:
    """Close the month that is over, an hour at the latest after it ended in the programme's zone."""
    with transaction():
        payouts.close_month(months.previous_month(months.this_month()))


@job("earnings.begin_year", every="3 * * * *")
def begin_year() -> None:
    """Take everyone back to the lowest level when a calendar year has begun."""
    with transaction():
        levels.begin_year(months.this_year())
