"""Lighthouse's four scores on mobile settings, where Node, Lighthouse and Chromium are installed."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .client import Client
from .rows import Row

PROGRAM = Path(__file__).resolve().parent.parent / "node_modules" / ".bin" / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
CHROME_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
TARGET = 95.0


def measure(base: str, pages: dict[str, tuple[Client, str]]) -> Iterator[Row]:
    """Yield a row per page and category, 0 to 100; nothing where Lighthouse cannot run."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not (PROGRAM.exists() and chromium and shutil.which("node")):
        return
    for name, (client, path) in pages.items():
        for category, score in audit(base + path, client.cookies, chromium).items():
            yield Row(
                f"lighthouse.{name}.{category}", 1, "sqlite", score, "score", TARGET, round(score / TARGET, 2)
            )


def audit(url: str, cookies: dict[str, str], chromium: str) -> dict[str, float]:
    """Run Lighthouse once on a page as the signed-in person and return its scores."""
    with tempfile.TemporaryDirectory() as folder:
        report, headers = Path(folder, "report.json"), Path(folder, "headers.json")
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        headers.write_text(json.dumps({"Cookie": cookie}))
        command = [PROGRAM, url, "--quiet", "--output=json", f"--output-path={report}"]
        command += [f"--extra-headers={headers}", f"--only-categories={','.join(CATEGORIES)}"]
        command += [f"--chrome-flags={CHROME_FLAGS}", "--no-enable-error-reporting"]
        env = {**os.environ, "CHROME_PATH": chromium}
        subprocess.run(command, env=env, check=True, capture_output=True, timeout=180)
        found = json.loads(report.read_text())["categories"]
    return {category: round(found[category]["score"] * 100, 1) for category in CATEGORIES}
