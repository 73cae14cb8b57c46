"""`hub partners`."""

import click

from ..core.import_doors import import_command
from .importing import PARTNERS


@click.group("partners")
def partners() -> None:
    """Import partners."""


partners.add_command(import_command(PARTNERS))
commands = [partners]
