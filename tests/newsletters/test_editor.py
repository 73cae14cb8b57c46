"""The editor: looks, insertions, a text part of one's own, texts to begin with, links that are tried."""

import http.server
import threading

import pytest

from hub.core import jobs
from hub.core.database import db, transaction
from hub.newsletters import drafts, letters, linkcheck, starting
from hub.newsletters.checks import review
from hub.newsletters.models import LinkCheck, Newsletter, Status
from hub.newsletters.steering import NotNow
from tests.kb.factories import make_article, make_category
from tests.training.factories import make_webinar

from .factories import ENGLISH, make_newsletter


@pytest.fixture
def newsletter(manager):
    with transaction():
        return make_newsletter(manager)


def fresh(newsletter):
    db.session.rollback()
    return db.session.get(Newsletter, newsletter.id, populate_existing=True)


def text(answer):
    return answer.get_data(as_text=True)


def test_the_preview_fills_the_subject_and_shows_both_themes(newsletter, manager, cast, browse):
    where = f"/newsletters/{newsletter.id}/preview/en"
    browser = browse(manager)
    head = browser.get(f"{where}/head?reader={cast.other_partner.id}").json
    assert head["subject"] == "News for Other Media"
    assert head["about"].startswith("20 characters when filled")
    assert head["text"].startswith("Hello {user.first_name|there}.")
    light, dark = text(browser.get(where)), text(browser.get(f"{where}?theme=dark"))
    assert "@media not all" in light
    assert "@media all" in dark
    assert "prefers-color-scheme: dark" not in light + dark
    assert "img-src 'none'" in browser.get(f"{where}?images=off").headers["Content-Security-Policy"]


def test_any_reader_can_be_chosen_by_name_organisation_or_address(manager, cast, browse):
    browser = browse(manager)
    for words in ("other media", "otto", "other@example"):
        assert [each["id"] for each in browser.get(f"/newsletters/readers?q={words}").json] == [
            cast.other_partner.id
        ]
    assert browser.get("/newsletters/readers?q=agent").json == []


def test_blocks_are_offered_in_the_language_of_the_text(manager, cast, browse):
    with transaction():
        shelf = make_category()
        key = make_article(shelf, "Payout calendar").article.key
        make_article(shelf, "Terminy", lang="pl")
        make_article(shelf, "A story", tags=["success-story"])
        webinar = make_webinar(title="Ask us")
    browser = browse(manager)
    page = text(browser.get("/newsletters/blocks/article?language=en&q=payout"))
    assert f'data-insert-block="::: article {key}"' in page
    everything = text(browser.get("/newsletters/blocks/article?language=en"))
    assert "Terminy" not in everything
    assert "A story" not in everything
    assert "A story" in text(browser.get("/newsletters/blocks/story?language=en"))
    assert f"::: webinar {webinar.id}" in text(browser.get("/newsletters/blocks/webinar"))
    assert "Nothing found" in text(browser.get("/newsletters/blocks/earnings"))


def test_the_text_part_can_be_written_by_hand(newsletter, manager, browse):
    form = {
        "language": "en",
        "subject": "S",
        "preheader": "",
        "body": "Made",
        "plain": "By hand for {partner.name}",
    }
    browser, where = browse(manager), f"/newsletters/{newsletter.id}/edit"

    def part():
        prepared = letters.prepare(newsletter.topic, fresh(newsletter).content("en"))
        return prepared.letter(key="k", address="a@b.example", name="", values={"partner.name": "Acme"}).text

    browser.post(where, data=form | {"has_plain": "y"})
    assert part().startswith("By hand for Acme\n\n-- \n")
    assert "/news/unsubscribe/" in part()
    browser.post(where, data=form)
    assert part().startswith("Made\n")
    assert fresh(newsletter).content("en").plain is None


def test_a_ready_text_of_ones_own_begins_others_and_is_never_sent(newsletter, manager, cast, browse):
    browser = browse(manager)
    browser.post(f"/newsletters/{newsletter.id}/template")
    kept = db.session.scalar(db.select(Newsletter).where(Newsletter.status == Status.TEMPLATE))
    assert "News for {partner.name}" in text(browser.get("/newsletters/new"))
    for verb in ("start", "schedule"):
        data = {"local_time": "2030-01-01T09:00", "time_zone": "Europe/Oslo"}
        assert browser.post(f"/newsletters/{kept.id}/{verb}", data=data).status_code == 409
    with pytest.raises(NotNow), transaction():
        starting.start(fresh(kept))
    address = browser.post("/newsletters/", data={"topic": "product_news", "template": kept.id}).headers[
        "Location"
    ]
    copy = db.session.get(Newsletter, int(address.split("/")[2]))
    assert (copy.status, copy.content("en").body) == (Status.DRAFT, ENGLISH["body"])


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers by the path: a status, and with 302 a way into a private network."""

    def do_HEAD(self):
        self.server.asked.append((self.command, self.path))
        status = (
            int(self.path.strip("/")) if self.path != "/get" else (405 if self.command == "HEAD" else 200)
        )
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/200")
        self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *_args):
        pass


@pytest.fixture
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_links_are_tried_without_following_redirects(site, manager, cast, monkeypatch, worker):
    base = f"http://127.0.0.1:{site.server_port}"
    links = " ".join(f"[x]({base}/{path})" for path in ("200", "302", "get"))
    with transaction():
        newsletter = make_newsletter(manager, ENGLISH | {"body": f"Hello {links} [ours](/kb)"})
        linkcheck.ask(newsletter)
    lines = [each.text for each in review(fresh(newsletter))]
    assert "3 links are being tried" in lines
    monkeypatch.setattr(linkcheck, "is_public", lambda _addresses: True)
    worker()
    assert "3 links answer" in [each.text for each in review(fresh(newsletter))]
    assert site.asked == [("HEAD", "/200"), ("HEAD", "/302"), ("HEAD", "/get"), ("GET", "/get")]
    with transaction():
        again = db.session.get(Newsletter, newsletter.id)
        drafts.write(again, "en", subject="S", preheader="", body=f"[gone]({base}/410)")
        linkcheck.ask(again)
    worker()
    [line] = [each for each in review(fresh(newsletter)) if not each.is_fine]
    assert (line.text, line.detail, line.blocks) == (
        f"A link does not answer: {base}/410",
        "It answers 410.",
        False,
    )


def test_a_link_into_our_own_network_is_not_tried(site, manager, cast, worker):
    with transaction():
        newsletter = make_newsletter(
            manager, ENGLISH | {"body": f"[x](http://127.0.0.1:{site.server_port}/200)"}
        )
        linkcheck.ask(newsletter)
    worker()
    assert site.asked == []
    assert "It leads into a private network." in [each.detail for each in review(fresh(newsletter))]
    asked = db.session.scalar(db.select(LinkCheck.checked_at))
    jobs.run("newsletters.links")
    db.session.rollback()
    assert db.session.scalar(db.select(LinkCheck.checked_at)) == asked, "what is known is not tried again"


@pytest.mark.once
@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "192.168.1.1", "169.254.169.254", "127.0.0.1", "0.0.0.0", "100.64.0.1", "224.0.0.1", "::1",
     "fc00::1", "fe80::1%eth0", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2002:0a00:0001::1"],
)  # fmt: skip
def test_private_addresses_in_every_spelling_are_known(address):
    assert not linkcheck.is_public([address])
    assert not linkcheck.is_public(["93.184.216.34", address])


@pytest.mark.once
def test_public_addresses_are_known():
    assert linkcheck.is_public(["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
