"""The frame in a real browser: keyboard, phone, theme, the live bell."""

import re

import pytest
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


@pytest.fixture
def manager(hub):
    """Someone who reads English, with unread notifications."""
    return hub.sign_ins()["manager"][0]


@pytest.mark.once
def test_the_slash_key_goes_to_the_search(visit, manager):
    page = visit(manager)
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("#search")).to_have_value("")


@pytest.mark.once
def test_recent_searches_wait_in_the_empty_field_until_they_are_forgotten(visit, manager):
    page = visit(manager)
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("walrus 17")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=walrus*")
    page.goto("/")
    page.keyboard.press("/")
    expect(page.get_by_role("option", name="walrus 17")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=walrus*")
    page.goto("/")
    page.keyboard.press("/")
    page.get_by_role("button", name="Forget these searches").click()
    expect(page.locator("#suggest")).to_be_hidden()
    page.reload()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("#suggest")).to_be_hidden()


@pytest.mark.once
def test_a_menu_is_walked_with_the_keyboard(visit, manager):
    page = visit(manager)
    page.goto("/")
    opener = page.locator(".hub-tools > [data-menu]").last.locator("summary")
    opener.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-menu][open] .menu-item").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(page.locator("[data-menu][open]")).to_have_count(0)


@pytest.mark.once
def test_the_theme_is_there_with_the_first_byte_of_the_next_page(visit, manager):
    page = visit(manager)
    page.goto("/")
    page.locator(".hub-tools [data-menu]:has([data-set-theme]) summary").click()
    with page.expect_response(re.compile("/theme$")) as answer:
        page.locator(".hub-tools [data-set-theme=dark]").click()
    assert answer.value.status == 204
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert 'data-bs-theme="dark"' in page.request.get("/").text()
    page.locator(".hub-tools [data-menu]:has([data-set-theme]) summary").click()
    with page.expect_response(re.compile("/theme$")):
        page.locator(".hub-tools [data-set-theme=auto]").click()


@pytest.mark.once
def test_every_room_is_reached_on_a_phone(visit, manager):
    page = visit(manager, **PHONE)
    page.goto("/")
    page.wait_for_function("document.documentElement.scrollWidth === innerWidth")
    page.get_by_role("button", name="More").click()
    sheet = page.get_by_role("dialog", name="More")
    expect(sheet).to_be_visible()
    bar = page.locator(".hub-bar a").count()
    assert bar + sheet.locator("nav a").count() == page.locator(".hub-side > ul > li").count()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


@pytest.mark.once
def test_the_bell_counts_down_on_every_open_page(visit, manager):
    page = visit(manager)
    page.goto("/notifications/")
    count = page.locator("[data-bell-count]")
    if not int(count.inner_text() or 0):
        pytest.fail("the demo's manager has nothing unread")
    with page.expect_websocket():
        page.reload()
    other = page.context.new_page()
    other.goto("/notifications/")
    other.get_by_role("button", name="Mark all as read").click()
    expect(page.locator("[data-bell-count]")).to_be_hidden()
