"""Photograph the README's screens from a hub with the demo, started for the purpose.

    .venv/bin/python scripts/screenshots.py [NAME …]

Writes `docs/screenshots/<name>.png`. Needs what the browser tests need.
"""

import io
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import FLAGS, sign_in  # noqa: E402
from tests.running import RunningHub  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}


@dataclass(frozen=True)
class Screen:
    """A page to photograph; `follow` is a link to open first, as a pattern of its address."""

    role: str
    path: str
    follow: str = ""
    dark: bool = False
    phone: bool = False
    number: int = 0


SCREENS = {
    "home": Screen("partner", "/"),
    "search": Screen("partner", "/search/?q=баннеры"),
    "materials": Screen("partner", "/materials/"),
    "conversation-phone": Screen("partner", "/tickets", r"/tickets/\d+$", phone=True, dark=True),
    "inbox": Screen("agent", "/inbox?view=live", r"/inbox/\d+$"),
    "newsletter": Screen("manager", "/newsletters/", r"/newsletters/\d+(/edit)?$"),
    "reports": Screen("manager", "/reports"),
}


def main(names: list[str]) -> None:
    """Start a hub, photograph the named screens or all, and stop it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        hub = RunningHub(Path(home))
        hub.start()
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            people = hub.sign_ins()
            for name in names or SCREENS:
                screen = SCREENS[name]
                photograph(
                    browser, hub.base, people[screen.role][screen.number], screen, FOLDER / f"{name}.png"
                )
                print(name, flush=True)
        finally:
            browser.close()
            hub.stop()


def photograph(browser: Browser, base: str, person: dict[str, str], screen: Screen, file: Path) -> None:
    """Sign in, go to the screen and photograph what a person sees without scrolling."""
    context = browser.new_context(
        base_url=base,
        viewport=PHONE if screen.phone else DESK,
        color_scheme="dark" if screen.dark else "light",
        reduced_motion="reduce",
        device_scale_factor=1.5 if screen.phone else 1,
    )
    page = context.new_page()
    sign_in(page, person)
    page.goto(screen.path)
    if screen.follow:
        page.goto(first_link(page, screen.follow))
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot()))
    context.close()
    # 256 colours are enough for a screen, and a third of the bytes.
    picture.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        file, optimize=True
    )


def first_link(page: Page, pattern: str) -> str:
    """Return the first link of the page whose path matches, with its query."""
    links = page.eval_on_selector_all(
        "a[href]", "links => links.map(link => [link.pathname, link.pathname + link.search])"
    )
    return str(next(address for path, address in links if re.search(pattern, path)))


if __name__ == "__main__":
    main(sys.argv[1:])
