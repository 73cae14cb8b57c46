"""Axe finds nothing against WCAG 2.2 AA on any kind of page, light and dark; none is wider than a phone."""

import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error

#: Kinds of pages looked at for one role, those nearest to the first page.
MOST = 60
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: Links that change something, leave the hub or answer with a file.
NOT_A_PAGE = re.compile(
    r"/(sign-out|download|static|metrics|unsubscribe|go)\b|\.(zip|pdf|csv|xlsx|ics|png|jpe?g|webp|svg|mp4|xml)$"
)


def kind(path):
    """Return the path with what differs between pages of one kind taken out."""
    parts = path.strip("/").split("/")
    return "/".join(
        "*" if re.search(r"\d", part) or len(part) > 12 or "-" in part else part for part in parts
    )


def pages_of_every_kind(page):
    """Follow links from the home page; yield one address of each kind."""
    found, waiting = set(), ["/"]
    while waiting and len(found) < MOST:
        path = waiting.pop(0)
        if kind(path) in found:
            continue
        found.add(kind(path))
        try:
            answer = page.goto(path)
        except Error as error:
            if "Download is starting" not in str(error):  # a file, not a page
                raise
            continue
        if (
            answer is None
            or answer.status != 200
            or "text/html" not in answer.headers.get("content-type", "")
        ):
            assert answer is None or answer.status < 500, f"{path} answered {answer.status}"
            continue
        yield path
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        for link in links:
            address = urlsplit(link)
            if f"{address.scheme}://{address.netloc}" == page.evaluate("location.origin"):
                path = address.path
                if not NOT_A_PAGE.search(path) and kind(path) not in found:
                    waiting.append(path)


def findings(page):
    """Return what axe objects to, one line each: everything in light, contrast again in dark."""
    page.emulate_media(color_scheme="light")
    found = objections(page, {"runOnly": STANDARD})
    page.emulate_media(color_scheme="dark")
    return found + objections(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})


def sticking_out(page):
    """Say so when the page is wider than a small phone."""
    page.set_viewport_size({"width": 360, "height": 740})
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    return [f"{urlsplit(page.url).path}: {wide} pixels wide on a phone of 360"] if wide > 360 else []


def objections(page, options):
    violations = Axe().run(page, options=options).response["violations"]
    return [
        f"{urlsplit(page.url).path}: {violation['id']}: {node['target']} {node.get('failureSummary', '')[:300]}"
        for violation in violations
        for node in violation["nodes"][:3]
    ]


@pytest.mark.once
@pytest.mark.parametrize("role", ["visitor", "partner", "agent", "admin"])
def test_axe_finds_nothing(hub, visit, role):
    page = visit(None if role == "visitor" else hub.sign_ins()[role][0], reduced_motion="reduce")
    found = {path: sticking_out(page) + findings(page) for path in pages_of_every_kind(page)}
    assert len(found) > (3 if role == "visitor" else 30)
    assert [finding for each in found.values() for finding in each] == []
