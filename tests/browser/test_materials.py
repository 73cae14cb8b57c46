"""A partner finds a banner, takes its code and a kit along, with the keyboard, on a phone, in Ukrainian."""

import io
import re
import zipfile

import pytest
from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}
#: A page with more than that before what one came for is none for the keyboard.
MOST_TABS = 120


def speak(page, locale):
    """Choose a language as the menu does."""
    token = page.locator("meta[name=csrf-token]").get_attribute("content")
    page.request.post(
        "/language",
        form={"csrf_token": token, "locale": locale, "next": "/"},
        headers={"X-Requested-With": "fetch", "Referer": page.url},
    )


def press(page, locator, key="Enter"):
    """Reach something with the Tab key, as many times as it takes, and press it."""
    expect(locator).to_be_visible()
    for _tab in range(MOST_TABS):
        page.keyboard.press("Tab")
        if locator.evaluate("element => element === document.activeElement"):
            return page.keyboard.press(key)
    raise AssertionError(f"the Tab key does not come to {locator}")


@pytest.mark.parametrize(
    ("locale", "viewport", "codes"),
    [("ru", {"width": 1280, "height": 900}, "коды.txt"), ("uk", PHONE, "коди.txt")],
    ids=["desk", "uk-phone"],
)
def test_from_the_gallery_to_a_zip_without_a_mouse(hub, visit, locale, viewport, codes):
    page = visit(hub.sign_ins()["partner"][0], viewport=viewport, accept_downloads=True)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=hub.base)
    page.goto("/materials/")
    speak(page, locale)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", locale)
    try:
        if viewport is PHONE:
            press(page, page.locator(".filters-line [data-facets]"))
        press(page, page.locator("#facets input[name=kind][value=image]"), "Space")
        page.wait_for_url("**/materials/?*kind=image*")
        press(page, page.locator("a[data-asset]").first)
        drawer = page.locator("#asset")
        expect(drawer.locator("img.art")).to_be_visible()
        code = drawer.locator("#code-html pre").inner_text()
        assert re.search(r"/go/KRASNOVA/\w+", code)
        press(page, drawer.locator("#code-html [data-copy]"))
        page.wait_for_function(
            "code => navigator.clipboard.readText().then((text) => text === code)", arg=code
        )
        press(page, drawer.locator("[data-take] summary"))
        with page.expect_response(re.compile("/kits/")) as answer:
            press(page, drawer.locator("[data-take] .menu-panel form button").last)
        # The buttons come back anew with the answer; it is said when they are there.
        said = page.locator("#toasts .toast", has_text=answer.value.json()["said"])
        expect(said).to_be_visible()
        star = drawer.locator("[data-take] button[aria-pressed]")
        other = (
            "false" if star.get_attribute("aria-pressed") == "true" else "true"
        )  # who came before may have marked it
        press(page, star)
        expect(drawer.locator(f"[data-take] button[aria-pressed={other}]")).to_be_focused()
        page.goto("/materials/kits")
        press(page, page.locator("main .lines a.strong").first)
        page.wait_for_url(re.compile(r"/kits/\d+$"))
        with page.expect_download() as waiting:
            press(page, page.locator("a[href$='/download'].btn-primary"))
        files = zipfile.ZipFile(io.BytesIO(waiting.value.path().read_bytes()))
        assert files.testzip() is None
        assert codes in files.namelist()
        assert b"/go/KRASNOVA/" in files.read(codes)
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    finally:
        speak(page, "ru")


def test_an_html5_banner_runs_and_reaches_nothing(hub, visit):
    manager = visit(hub.sign_ins()["manager"][0])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(
            "index.html",
            '<!doctype html><meta name="ad.size" content="width=300,height=250">'
            '<p id="said">quiet</p><script src="js/play.js"></script>',
        )
        archive.writestr(
            "js/play.js",
            """let cookies; try { cookies = document.cookie } catch { cookies = "none" }
            document.getElementById("said").textContent = `${location.origin === origin} ${origin} ${cookies}`""",
        )
    manager.goto("/materials/new")
    manager.locator("#files").set_input_files(
        {"name": "Play.zip", "mimeType": "application/zip", "buffer": content.getvalue()}
    )
    manager.locator("main form button[type=submit]").last.click()
    manager.wait_for_url(re.compile(r"/materials/(\d+)/edit"))
    # A new version comes piece by piece too, whatever was chosen before it.
    version = manager.locator("form[data-one]")
    for name in ("Wrong.zip", "Again.zip"):
        version.locator("#file").set_input_files(
            {"name": name, "mimeType": "application/zip", "buffer": content.getvalue()}
        )
        arrived = version.locator("[data-upload-list] li")
        expect(arrived).to_contain_text(name)
        expect(arrived).to_have_attribute("data-state", "ready")
    version.locator("button[type=submit]").click()
    manager.wait_for_url(re.compile(r"/materials/\d+$"))
    frame = manager.frame_locator("iframe.art-frame")
    expect(frame.locator("#said")).to_have_text("false null none")
