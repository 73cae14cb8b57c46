"""The README's table of settings is complete and true, and nothing else reads the environment."""

import re
from pathlib import Path

import pytest

from hub.core.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def row(name):
    """Return the table's line for a setting."""
    field = Settings.model_fields[name]
    default = str(getattr(field.default, "value", field.default))
    return f"| `HUB_{name.upper()}` | {f'`{default}`' if default else '–'} | {field.description} |"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name):
    assert row(name) in README.splitlines()


def test_the_readme_lists_no_other_setting():
    listed = re.findall(r"^\| `HUB_(\w+)` \|", README, re.MULTILINE)
    assert listed == [name.upper() for name in Settings.model_fields]


def test_the_environment_is_read_in_one_place():
    readers = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "hub").rglob("*.py")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text()) and path.name != "settings.py"
    ]
    assert readers == []
