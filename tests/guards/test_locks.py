"""Lock files pin what is installed, by hash, and do not say from which registry."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON_LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"]


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_every_python_package_is_pinned_by_hash(name):
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text())
    packages = [entry for entry in entries if not entry.startswith("#")]
    assert len(packages) >= (1 if "node" in name else 50)
    assert [
        entry.split()[0] for entry in packages if "==" not in entry or "--hash=sha256:" not in entry
    ] == []


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_python_locks_hold_no_registry_address(name):
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links", (ROOT / name).read_text()) == []


def test_the_lock_for_development_contains_the_one_for_running():
    def pins(name):
        return set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_front_end_packages_are_pinned_by_hash_without_an_address():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    outside = {name: package for name, package in packages.items() if name}
    assert outside
    assert [name for name, package in outside.items() if "integrity" not in package] == []
    assert [name for name, package in outside.items() if "resolved" in package] == []
