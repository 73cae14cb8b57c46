"""The team uploads by drag; what partners have placed on their own sites goes on working when a banner is over."""

import base64
import functools
import io
import re
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image
from playwright.sync_api import expect

from .test_materials import PHONE, speak

#: What the console says of a lost connection.
LOST = "net::ERR"
DROP = """([files]) => {
  const dragged = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
    dragged.items.add(new File([bytes], name, { type: "image/png" }));
  }
  return dragged;
}"""


def picture(number, size=(300, 250)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (number * 7 % 256, number * 31 % 256, 90)).save(out, "PNG")
    return out.getvalue()


@contextmanager
def speaking(page, locale):
    """Read the hub in a language for a while; None: as it is."""
    page.goto("/materials/")
    before = page.locator("html").get_attribute("lang")
    speak(page, locale or before)
    try:
        yield
    finally:
        speak(page, before)


#: Language, and what a browser is opened with.
ON_A_DESK, ON_A_PHONE = (None, {}), ("uk", {"viewport": PHONE})
WAYS = pytest.mark.parametrize("way", [ON_A_DESK, ON_A_PHONE], ids=["desk", "uk-phone"])


@WAYS
def test_thirty_files_are_dropped_and_one_is_broken(hub, visit, way):
    page = visit(hub.sign_ins()["manager"][0], expects=[LOST], **way[1])
    with speaking(page, way[0]):
        drop_thirty(page, first=0 if way is ON_A_DESK else 100)
        expect(page.locator("html")).to_have_attribute("lang", re.compile(way[0] or "."))
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")


def drop_thirty(page, first):
    page.goto("/materials/new")
    files = [(f"dropped {number}.png", picture(first + number)) for number in range(29)]
    files.insert(12, ("broken.png", picture(1)[:60]))
    lost = []

    def lose_first(route):
        """The line breaks once, in the middle of it all."""
        if route.request.method == "PATCH" and not lost:
            lost.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/materials/uploads/*", lose_first)
    coded = [[name, base64.b64encode(content).decode()] for name, content in files]
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": page.evaluate_handle(DROP, [coded])})
    rows = page.locator("[data-upload-list] li")
    expect(rows).to_have_count(30)
    expect(page.locator("[data-upload-list] [data-state=ready]")).to_have_count(29)
    expect(page.locator("[data-upload-list] [data-state=refused]")).to_contain_text("broken.png")
    assert len(lost) == 1
    add = page.locator("main form button[type=submit]").last
    expect(add).to_contain_text("29")
    add.click()
    expect(page.locator("main .status.is-ok")).to_have_count(29)
    expect(page.locator("main li", has=page.locator(".status.is-bad"))).to_contain_text("broken.png")


def test_a_large_file_goes_on_after_a_reload(hub, visit, tmp_path):
    film = tmp_path / "film.webm"
    film.write_bytes(b"\x1a\x45\xdf\xa3" + b"webm" * 8 + bytes(11_000_000))
    page = visit(hub.sign_ins()["manager"][0], expects=[LOST])
    page.goto("/materials/new")

    def lose_second(route):
        offset = route.request.headers.get("upload-offset")
        route.continue_() if offset in (None, "0") else route.abort("connectionreset")

    page.route("**/materials/uploads/*", lose_second)
    with page.expect_request(lambda request: request.headers.get("upload-offset") == "5000000"):
        page.locator("#files").set_input_files(film)
    page.reload()
    page.unroute("**/materials/uploads/*")
    row = page.locator("[data-upload-list] li", has_text="film.webm")
    expect(row).to_have_attribute("data-state", "receiving")
    offsets = []
    page.on("request", lambda request: offsets.append(request.headers.get("upload-offset")))
    page.locator("#files").set_input_files(film)
    expect(row).to_have_attribute("data-state", "ready")
    assert [offset for offset in offsets if offset] == ["5000000", "10000000"]
    row.locator("button").click()
    expect(row).to_have_count(0)


@pytest.fixture
def blog(tmp_path):
    """A partner's site at an origin of its own: `blog(code)` puts the code on its page and returns its address."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    handler.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def write(code):
            (tmp_path / "index.html").write_text(
                f'<!doctype html><link rel="icon" href="data:,"><title>Blog</title><p>Read on:</p>{code}'
            )
            return f"http://127.0.0.1:{server.server_port}/"

        yield write
        server.shutdown()


@WAYS
def test_an_expired_banner_on_another_site_becomes_another_or_nothing_and_its_click_goes_right(
    hub, visit, blog, way
):
    locale, options = way
    team, partner = (visit(hub.sign_ins()[role][0], **options) for role in ("manager", "partner"))
    team.goto("/materials/new")
    token = team.locator("meta[name=csrf-token]").get_attribute("content")
    facts = {"csrf_token": token, "visibility": "all", "is_published": "y", "landing": "/pricing"}

    def upload(number, size):
        file = {"name": f"placed-{number}.png", "mimeType": "image/png", "buffer": picture(number, size)}
        answer = team.request.post(
            "/materials/", multipart=facts | {"files": file}, headers={"Referer": hub.base}
        )
        return re.search(r"/materials/(\d+)/edit", answer.url)[1]

    def change(asset, **more):
        form = facts | {"title": "Placed", **more}
        headers = {"Referer": hub.base}
        assert team.request.post(f"/materials/{asset}", form=form, headers=headers).ok

    first = 201 if way is ON_A_DESK else 203
    placed, instead = upload(first, (300, 250)), upload(first + 1, (320, 100))
    with speaking(partner, locale):
        partner.goto(f"/materials/{placed}")
        expect(partner.locator("html")).to_have_attribute("lang", re.compile(locale or "."))
        site = blog(partner.locator("#code-html pre").inner_text())

    def reads(width):
        """A reader, whose browser has nothing stored, sees a picture so wide, and follows it."""
        page = visit(None, base_url=site, **options)
        page.route("https://nordbill.example/**", lambda route: route.fulfill(body="Welcome"))
        page.goto("/")
        expect(page.locator("img")).to_have_js_property("naturalWidth", width)
        page.locator("img").click()
        page.wait_for_url(re.compile(r"^https://nordbill\.example/pricing\?"))
        assert "ref=KRASNOVA" in page.url
        assert re.search(r"click=[\w-]+", page.url)

    reads(300)
    change(placed, valid_until="2020-01-31")
    reads(1)
    change(placed, valid_until="2020-01-31", replacement=instead)
    reads(320)
