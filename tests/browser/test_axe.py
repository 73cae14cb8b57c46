"""Axe finds nothing against WCAG 2.2 AA on any kind of page, light and dark; none is wider than a phone."""

import json
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, TimeoutError
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def endpoint(hub):
    """`endpoint(path)`: what answers at this path, or None; two paths with the same are pages of one kind."""
    routes = json.loads(hub.command("routes", "--json"))
    rules = Map(
        [Rule(route["rule"], endpoint=route["endpoint"], methods=route["methods"]) for route in routes]
    )
    urls = rules.bind("hub.example")

    def find(path):
        try:
            return urls.match(path)[0]
        except RequestRedirect as redirect:
            return find(urlsplit(redirect.new_url).path)
        except (NotFound, MethodNotAllowed):
            return None

    return find


def pages_of_every_kind(page, endpoint):
    """Follow links from the home page to the end; yield the address of one page for each endpoint."""
    found, waiting = {None}, [("/", "")]
    while waiting:
        path, linked_on = waiting.pop(0)
        if endpoint(path) in found:
            continue
        found.add(endpoint(path))
        try:
            answer = page.goto(path)
        except Error as error:
            if "Download is starting" not in str(error):  # a file, not a page
                raise
            continue
        assert answer.status < 400, f"{path}, linked on {linked_on}, answers {answer.status}"
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        if "sandbox" in answer.headers.get("content-security-policy", ""):  # a stranger's page, for a frame
            continue
        yield path
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        here = page.evaluate("location.origin")
        waiting += [(urlsplit(link).path, path) for link in links if link.startswith(f"{here}/")]


def findings(page):
    """Return what axe objects to, one line each: everything in light, contrast again in dark."""
    page.emulate_media(color_scheme="light")
    found = objections(page, {"runOnly": STANDARD})
    page.emulate_media(color_scheme="dark")
    return found + objections(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})


def sticking_out(page):
    """Say so when the page is wider than a small phone."""
    page.set_viewport_size({"width": 360, "height": 740})
    with suppress(TimeoutError):  # a chart is drawn anew in its new width
        page.wait_for_function("document.documentElement.scrollWidth <= 360", timeout=10_000)
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


@pytest.fixture(scope="module")
def seen_by_admin():
    """The kinds of pages that were looked at as an admin, where they hold all that an agent finds on them."""
    return set()


@pytest.mark.once
@pytest.mark.parametrize("role", ["visitor", "partner", "admin", "agent"])
def test_axe_finds_nothing(hub, visit, endpoint, role, seen_by_admin):
    page = visit(None if role == "visitor" else hub.sign_ins()[role][0], reduced_motion="reduce")
    kinds, found = set(), []
    for path in pages_of_every_kind(page, endpoint):
        kinds.add(endpoint(path))
        if role != "agent" or endpoint(path) not in seen_by_admin:
            found += sticking_out(page) + findings(page)
    if role == "admin":
        seen_by_admin |= kinds
    assert len(kinds) > (3 if role == "visitor" else 30)
    assert found == []


@pytest.mark.once
def test_axe_finds_nothing_in_a_mail(hub, visit):
    """The newest newsletter as it arrives, shown without anything of the hub's around it."""
    page = visit(hub.sign_ins()["manager"][0])
    page.goto("/newsletters/")
    newest = page.locator("main a[href^='/newsletters/']").evaluate_all(
        "links => links.map(link => link.pathname.match(/^\\/newsletters\\/\\d+$/)?.[0]).find(Boolean)"
    )
    mail = page.request.get(f"{newest}/preview/ru").text()
    assert "<table" in mail
    page.route("**/mailbox", lambda route: route.fulfill(body=mail, content_type="text/html; charset=utf-8"))
    page.goto("/mailbox")
    assert sticking_out(page) + findings(page) == []
