"""The editor loses nothing: drafts on the server, two edits of one text, pictures seen by readers only."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from PIL import Image
from sqlalchemy import select

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.kb import comparing, drafts, service
from hub.kb.models import Audience, Translation

from .factories import make_article, make_category

BODY = "First line.\n\nSecond line.\n\nThird line.\n"


@pytest.fixture
def article(app):
    with transaction():
        return make_article(make_category(), body=BODY)


def get(translation):
    db.session.expire_all()
    return db.session.get(Translation, translation.id)


def fields(translation, **values):
    now = get(translation)
    return {
        "title": now.title,
        "slug": now.slug,
        "body": now.body,
        "category": now.article.category_id,
        "audience": now.article.audience,
        "owner": "0",
        "seen": now.revision,
    } | values


def png(colour="red"):
    file = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(file, "PNG")
    return file.getvalue()


@pytest.mark.once
@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ("A\nb\nc\n", "a\nb\nC\n", ["A\nb\nC\n"]),
        ("a\nb\nc\nd\n", "a\nb\nc\n", ["a\nb\nc\nd\n"]),
        ("a\nc\n", "a\nb\nc\n", ["a\nc\n"]),
        ("a\nB\nc\n", "a\nB\nc\n", ["a\nB\nc\n"]),
        ("a\nmine\nc\n", "a\ntheirs\nc\n", ["a\n", ("mine\n", "theirs\n"), "c\n"]),
        ("a\nc\n", "a\ntheirs\nc\n", ["a\n", ("", "theirs\n"), "c\n"]),
    ],
)
def test_edits_of_different_lines_are_put_together_and_of_the_same_are_left_to_choose(mine, theirs, expected):
    found = comparing.merge("a\nb\nc\n", mine, theirs)
    assert [each.settled or (each.mine, each.theirs) for each in found] == expected


def test_a_late_save_loses_neither_edit(article, browse, agent, manager):
    slow, quick = browse(agent), browse(manager)
    begun = fields(article)
    quick.post(f"/kb/{article.id}/edit", data=fields(article, body=BODY.replace("First", "1st"), title="New"))
    late = begun | {"body": BODY.replace("Third", "3rd"), "summary": "Mine"}
    answer = slow.post(f"/kb/{article.id}/edit", data=late)
    assert answer.status_code == 409
    assert "Max Manager" in answer.text
    assert "<ins>1st</ins>" in answer.text
    merged = slow.post(f"/kb/{article.id}/merge", data=late | {"theirs": "2"})
    assert "1st line.\n\nSecond line.\n\n3rd line." in merged.text
    assert 'value="New"' in merged.text
    assert get(article).revision == 2
    saved = late | {"body": "1st line.\n\n3rd line.", "seen": "2"}
    assert slow.post(f"/kb/{article.id}/edit", data=saved).status_code == 303
    assert get(article).revision == 3


def test_saving_a_text_leaves_alone_what_somebody_else_has_made_of_the_article(
    article, browse, agent, manager
):
    page = browse(agent).get(f"/kb/{article.id}/edit").text
    begun = re.search(r'name="shared_seen"[^>]*value="([^"]+)"', page)[1].replace("&#34;", '"')
    mine = fields(article, title="Mine", shared_seen=begun)
    browse(manager).post(
        f"/kb/{article.id}/edit", data=fields(article, audience="staff", owner=str(manager.id))
    )
    mine["seen"] = get(article).revision
    assert browse(agent).post(f"/kb/{article.id}/edit", data=mine).status_code == 303
    saved = get(article)
    assert (saved.title, saved.article.audience, saved.article.owner_id) == (
        "Mine",
        Audience.STAFF,
        manager.id,
    )
    mine |= {"audience": "partners", "seen": saved.revision}
    browse(agent).post(f"/kb/{article.id}/edit", data=mine)
    assert get(article).article.audience == Audience.PARTNERS, "a change of one's own counts"


@pytest.mark.parametrize(
    ("choice", "expected"), [("mine", "Mine."), ("theirs", "Theirs."), ("both", "Theirs.\nMine.")]
)
def test_where_both_changed_a_line_the_writer_chooses(article, browse, agent, manager, choice, expected):
    late = fields(article, body=BODY.replace("Second line.", "Mine."))
    theirs = fields(article, body=BODY.replace("Second line.", "Theirs."))
    browse(manager).post(f"/kb/{article.id}/edit", data=theirs)
    page = browse(agent).post(f"/kb/{article.id}/edit", data=late).text
    assert page.count('<fieldset class="decide">') == 1
    merged = browse(agent).post(f"/kb/{article.id}/merge", data=late | {"theirs": "2", "part-1": choice})
    assert f"First line.\n\n{expected}\n\nThird line." in merged.text


def test_a_draft_is_kept_for_its_writer_only_until_it_is_saved(article, browse, agent, manager):
    typed = {"title": "Half", "body": "Half a <b>thought", "seen": "1"}
    mine, others = browse(agent), browse(manager)
    assert "Draft kept at" in mine.post(f"/kb/drafts/{article.id}", data=typed).text
    assert "Half a &lt;b&gt;thought" in mine.get(f"/kb/{article.id}/edit").text
    assert "thought" not in others.get(f"/kb/{article.id}/edit").text
    mine.post(f"/kb/{article.id}/edit", data=fields(article, body="Whole."))
    assert "thought" not in mine.get(f"/kb/{article.id}/edit").text


def test_two_new_articles_in_two_tabs_are_two_drafts_with_all_their_fields(article, browse, agent, manager):
    browser = browse(agent)
    shared = {
        "audience": "chosen",
        "reader_tags": "video",
        "owner": str(manager.id),
        "review_due": "2027-01-05",
        "category": str(get(article).article.category_id),
    }
    places = [re.search(r'data-editor="([^"]+)"', browser.get("/kb/new").text)[1] for _tab in "ab"]
    for place, title in zip(places, ("One", "Two"), strict=True):
        browser.post(place, data={"title": title, "body": f"Text of {title}"} | shared)
    page = browser.get("/kb/new").text
    assert ">One</a>" in page
    assert "Text of" not in page, "a third tab begins with nothing"
    assert '<option selected value="partners">' in page, "the world reads only what somebody decides it may"
    links = [each.replace("&amp;", "&") for each in re.findall(r'href="(/kb/new\?draft=[^"]+)"', page)]
    second, first = [browser.get(each).text for each in links]
    assert ("Text of Two" in second, "Text of One" in second, "Text of One" in first) == (True, False, True)
    assert 'value="2027-01-05"' in first
    assert re.search(r'<option selected value="chosen"', first)
    assert re.search(rf'<option selected value="{manager.id}"', first)
    token = links[0].partition("=")[2]
    data = {"locale": "en", "title": "Two", "body": "x", "audience": "partners", "owner": "0"}
    data["category"] = shared["category"]
    assert browser.post(f"/kb/new?draft={token}", data=data).status_code == 303
    assert ("draft=" + token in browser.get("/kb/new").text, ">One</a>" in browser.get("/kb/new").text) == (
        False,
        True,
    )


@pytest.fixture
def at_once(monkeypatch):
    """Two who write do so at the same moment."""
    both_write, derive = Barrier(2), service.derive

    def together(body):
        with suppress(BrokenBarrierError):
            both_write.wait(0.3)  # the second one only comes here at once if nothing holds it
        return derive(body)

    monkeypatch.setattr(service, "derive", together)


def test_two_articles_of_one_title_begun_at_once_both_get_an_address(
    article, browse, agent, manager, at_once
):
    begun = {"locale": "en", "title": "Same", "body": "x", "audience": "partners", "owner": "0"}
    begun["category"] = str(get(article).article.category_id)
    with ThreadPoolExecutor(2) as pool:
        saved = pool.map(lambda hers: hers.post("/kb/new", data=begun), [browse(agent), browse(manager)])
        assert [answer.status_code for answer in saved] == [303, 303]
    db.session.rollback()
    slugs = select(Translation.slug).where(Translation.title == "Same").order_by(Translation.slug)
    assert db.session.scalars(slugs).all() == ["same", "same-2"]


def test_of_two_who_save_at_the_same_moment_the_second_compares(article, browse, agent, manager, at_once):
    edits = [(browse(person), fields(article, body=f"{person.name}.")) for person in (agent, manager)]

    def save(edit):
        return edit[0].post(f"/kb/{article.id}/edit", data=edit[1]).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(save, edits)) == [303, 409]
    db.session.rollback()
    assert get(article).revision == 2


def test_address_tags_and_title_that_both_changed_are_left_to_choose(article, browse, agent, manager):
    page = browse(agent).get(f"/kb/{article.id}/edit").text
    begun = re.search(r'name="names_seen"[^>]*value="([^"]+)"', page)[1].replace("&#34;", '"')
    late = fields(article, title="Mine", slug="mine", tags="a, b", summary="S", names_seen=begun)
    theirs = {"title": "Theirs", "tags": "c"}
    browse(manager).post(f"/kb/{article.id}/edit", data=fields(article, **theirs))
    conflict = browse(agent).post(f"/kb/{article.id}/edit", data=late).text
    assert [name in conflict for name in ("line-title", "line-tags", "line-slug", "line-summary")] == [
        True, True, False, False,
    ]  # fmt: skip
    choice = {"theirs": "2", "line-title": "mine", "line-tags": "theirs"}
    merged = browse(agent).post(f"/kb/{article.id}/merge", data=late | choice).text
    values = {
        name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', merged)[1]
        for name in ("title", "slug", "tags")
    }
    assert values == {"title": "Mine", "slug": "mine", "tags": "c"}


def test_who_else_is_here_and_what_was_saved_meanwhile_is_told(article, browse, agent, manager):
    first, second = browse(agent), browse(manager)
    first.post(f"/kb/drafts/{article.id}", data={"seen": "1"})
    assert "Agnes Agent is editing" in second.get(f"/kb/{article.id}/edit").text
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        assert "is editing" not in second.post(f"/kb/drafts/{article.id}", data={"seen": "1"}).text
    second.post(f"/kb/{article.id}/edit", data=fields(article, body="New."))
    assert "since you opened it" in first.post(f"/kb/drafts/{article.id}", data={"seen": "1"}).text


def test_drafts_nobody_came_back_to_go(article, agent):
    with transaction():
        drafts.visit(agent, "1")
        drafts.keep(agent, "2", {"body": ["x"]})
    with clock.frozen(clock.now() + timedelta(days=2)):
        jobs.run("kb.tidy")
    assert (drafts.mine(agent, "1"), drafts.mine(agent, "2").fields) == (None, {"body": ["x"]})
    with clock.frozen(clock.now() + timedelta(days=61)):
        jobs.run("kb.tidy")
    assert drafts.mine(agent, "2") is None


def test_a_picture_is_seen_by_those_who_may_read_a_text_that_shows_it(
    article, browse, agent, partner, client
):
    writer = browse(agent)
    sent = {"file": (io.BytesIO(png()), 'cat"><script>[x].png')}
    markdown = writer.post("/kb/pictures", data=sent).json["markdown"]
    name = markdown.partition("image:")[2].rstrip(")")
    assert "script" not in markdown or "<script" not in service.preview(markdown)
    url = f"/kb/pictures/{name}"
    assert (writer.get(url).status_code, client.get(url).status_code) == (200, 404)
    with transaction():
        category = get(article).article.category
        shown = make_article(category, "With a picture", audience=Audience.PARTNERS, body=markdown)
    assert f'src="{url}"' in writer.get(shown.path).text
    assert (browse(partner).get(url).status_code, client.get(url).status_code) == (200, 404)
    with transaction():
        now = get(shown)
        service.revise(now, agent, service.Text("T", "No picture", slug=now.slug), seen=1)
    assert browse(partner).get(url).status_code == 404


def test_only_pictures_are_taken(browse, agent):
    for data, name in ((b"%PDF-1.4 x", "a.pdf"), (b"<svg onload=alert(1)>", "a.svg"), (b"", "a.png")):
        answer = browse(agent).post("/kb/pictures", data={"file": (io.BytesIO(data), name)})
        assert answer.status_code == 422
        assert answer.json["error"]


def test_articles_to_link_to_are_found_with_their_sections(article, browse, agent, worker):
    worker()
    page = browse(agent).get("/kb/pick?q=payout&lang=en").text
    assert f'data-link="kb:{get(article).article.key}"' in page


def test_the_preview_is_the_page(article, browse, agent):
    body = "## Head\n\n!!! note\n    Text\n\n| a |\n|---|\n| b |\n\n![x](image:" + "0" * 20 + ".png)\n"
    with transaction():
        service.revise(get(article), agent, service.Text("T", body, slug=article.slug), seen=1)
    shown = browse(agent).get(article.path).text
    assert browse(agent).post("/kb/preview", data={"text": body}).text in shown
