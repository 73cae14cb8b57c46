"""`hub`: the platform's commands and every room's."""

import sys

import click
from flask import Flask
from flask.cli import ScriptInfo
from pydantic import ValidationError

from . import demo
from .app import ROOMS, create_app, door
from .core.settings import Settings, complaints


class Hub(click.Group):
    """Gathers commands; makes the application only for those that need one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._gathered())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return self._gathered().get(name)

    def _gathered(self) -> dict[str, click.Command]:
        modules = [door("core", "commands"), demo, *(door(room, "commands") for room in ROOMS)]
        return {command.name or "": command for module in modules if module for command in module.commands}


@click.group(cls=Hub)
def hub() -> None:
    """Partner Hub."""


def main() -> None:
    """Entry point of `hub`; settings that are wrong are named, without a traceback."""
    try:
        hub(obj=ScriptInfo(create_app=_make))
    except ValidationError as error:
        if error.title != Settings.__name__:
            raise
        for line in complaints(error):
            print(line, file=sys.stderr)
        sys.exit(1)


def _make() -> Flask:
    return create_app()


if __name__ == "__main__":
    main()
