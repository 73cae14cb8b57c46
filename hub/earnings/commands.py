"""`hub sales`: import, payouts, statements."""

import click
from flask.cli import with_appcontext

from ..core import months
from ..core.database import transaction
from ..core.import_doors import import_command
from . import money, payouts
from .importing import SALES


@click.group("sales")
def sales() -> None:
    """Import sales, pay out, close months."""


@sales.command("payout")
@with_appcontext
def payout() -> None:
    """Record the payout of everything that is payable now."""
    with transaction():
        paid = payouts.pay_everyone()
    for each in paid:
        click.echo(f"{each.partner.code}\t{money.plain(each.amount_minor, each.currency)}\t{each.currency}")
    click.echo(f"{len(paid)} payouts.", err=True)


@sales.command("close")
@click.argument("month", metavar="YYYY-MM")
@with_appcontext
def close(month: str) -> None:
    """Close the statements of a month that is over."""
    first = months.parse(month)
    if first is None:
        raise click.BadParameter("A month looks like 2026-10.")
    with transaction():
        count = payouts.close_month(first)
    click.echo(f"{count} statements closed.")


sales.add_command(import_command(SALES))
commands = [sales]
