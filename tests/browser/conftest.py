"""A real hub with the demo, and browsers in which its people are signed in."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import servers
from tests.conftest import BACKEND
from tests.running import RunningHub

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Redis numbers from here on belong to hubs that tests start, those below to the tests' own application.
FIRST_REDIS = 32
#: Milliseconds until something awaited is missing; a busy machine is slow, and that is no failure.
PATIENCE = 60_000


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Say which tests need a browser."""
    for item in items:
        if "/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """A hub with the demo's data, served on a spare port."""
    urls = {}
    if BACKEND == "postgresql":
        number = servers.worker_number()
        urls["HUB_DATABASE_URL"] = servers.create_database(f"hub_browser_{number}")
        urls["HUB_REDIS_URL"] = f"{os.environ[servers.REDIS]}{FIRST_REDIS + number}"
    hub = RunningHub(tmp_path_factory.mktemp("hub"), **urls)
    hub.start()
    yield hub
    assert hub.stop() == 0


@pytest.fixture(scope="session")
def chromium():
    """One Chromium for all tests of this process."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        missing = "Chromium is not installed. On Debian and Ubuntu: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in_states(hub):
    """Cookies of people who have signed in already, by address."""
    return {}


@pytest.fixture
def visit(hub, chromium, signed_in_states):
    """`visit(person)` is a fresh browser in which the person is signed in; `visit(None)` a visitor's.

    At the end nothing may have gone wrong in any of them: no script error, no violated policy,
    no complaint in the console but those that hold one of the parts `expects` names.
    """
    expect.set_options(timeout=PATIENCE)
    contexts, troubles = [], []

    def watch(page, expects):
        def note(message):
            if message.type == "error" and not any(part in message.text for part in expects):
                troubles.append(f"{page.url}: {message.text}")

        page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
        page.on("console", note)
        wait_for_scripts(page)

    def visit(person, expects=(), **options):
        email = person["email"] if person else None
        settings = {"base_url": hub.base, "viewport": {"width": 1280, "height": 900}, **options}
        context = chromium.new_context(**settings, storage_state=signed_in_states.get(email))
        context.set_default_timeout(PATIENCE)
        context.on("page", lambda page: watch(page, expects))
        contexts.append(context)
        page = context.new_page()
        if person and email not in signed_in_states:
            sign_in(page, person)
            signed_in_states[email] = context.storage_state()
        return page

    yield visit
    for context in contexts:
        context.close()
    assert troubles == []


def wait_for_scripts(page):
    """Let whatever is done on the page wait until its scripts are at work: a click before them means something else."""
    bare = page.locator("html:not([data-wired]):has(script[src*='/js/app'])")

    def wired(*_):
        bare.wait_for(state="detached")

    def then(navigate):
        def navigated(*args, **options):
            answer = navigate(*args, **options)
            wired()
            return answer

        return navigated

    page.goto, page.reload = then(page.goto), then(page.reload)
    # A click may lead to another page, on which the next click waits too.
    page.add_locator_handler(bare, wired, no_wait_after=True)


def sign_in(page, person):
    """Sign in by hand."""
    page.goto("/sign-in")
    page.locator("input[name=email]").fill(person["email"])
    page.locator("input[name=password]").fill(person["password"])
    page.locator("form:has(input[name=password]) button[type=submit]").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
