"""Imports go downward only: app, cli → doors → rules → models → core, and from a room only to lower rooms."""

import ast
from pathlib import Path

import pytest

from hub.app import ROOMS

HUB = Path(__file__).parents[2] / "hub"
DOORS = {"views", "chat", "tasks", "commands", "api"}
TOP = {"app", "cli", "demo", "wsgi"}


def modules():
    """Yield (dotted name, syntax tree) for every module of the project."""
    for path in sorted(HUB.rglob("*.py")):
        name = ".".join(path.relative_to(HUB.parent).with_suffix("").parts).removesuffix(".__init__")
        if "migrations" not in path.parts:
            yield name, ast.parse(path.read_text(), filename=str(path))


MODULES = dict(modules())


def imported(name):
    """Yield (module of ours, line) for everything the module imports, relative imports resolved."""
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = name if (HUB.parent / name.replace(".", "/")).is_dir() else name.rpartition(".")[0]
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, node.module] if node.module else above) if node.level else node.module
            targets = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            module = next((part for part in shorter(target) if part in MODULES), "hub")
            if module != "hub":
                yield module, node.lineno


def shorter(name):
    """Yield the dotted name, then its parents."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def place(name):
    """Return (room or 'core', door | rules | models) of a module."""
    _, room, *rest = name.split(".")
    noun = rest[0] if rest else ""
    if noun in DOORS or noun.rstrip("s") + "s" in DOORS:
        return room, "door"
    return room, "models" if noun.startswith("models") else "rules"


def complaint(importer, target):
    """Say what is wrong with this import, or return None."""
    (room, level), (other, other_level) = place(importer), place(target)
    if room in TOP:
        return None
    if other in TOP:
        return "nothing imports the application"
    if "core" in (room, other):
        return None if other == "core" else "the platform knows no room"
    if room != other and ROOMS.index(other) > ROOMS.index(room):
        return f"{other} is above {room}"
    if room != other and other_level == "door":
        return "a room's doors are its own"
    ranks = ["models", "rules", "door"]
    if room == other and ranks.index(other_level) > ranks.index(level):
        return f"{level} may not import {other_level}"
    return None


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_downward(name):
    wrong = [
        f"line {line}: {target} ({why})"
        for target, line in imported(name)
        if (why := complaint(name, target))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_import_of_ours_hides_inside_a_function(name):
    inner = {
        line
        for function in ast.walk(MODULES[name])
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for line in range(function.lineno, (function.end_lineno or 0) + 1)
    }
    hidden = [f"line {line}: {target}" for target, line in imported(name) if line in inner]
    assert not hidden, "\n".join(hidden)
