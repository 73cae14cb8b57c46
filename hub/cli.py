"""`hub`: the platform's commands and every room's."""

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import click
from flask import Flask
from flask.cli import ScriptInfo
from pydantic import ValidationError

from .app import ROOMS, create_app, door
from .core.settings import Settings, complaints


class Hub(click.Group):
    """Gathers commands; makes the application only for those that need one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(command.name or "" for module in self._modules() for command in module.commands)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        found = (command for module in self._modules() for command in module.commands if command.name == name)
        return next(found, None)

    def _modules(self) -> Iterator[ModuleType]:
        """One by one: what the platform can do waits for no room to be loaded."""
        yield import_module("hub.core.commands")
        yield import_module("hub.demo")
        yield from filter(None, (door(room, "commands") for room in ROOMS))


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
