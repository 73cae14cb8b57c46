"""What leaves one hub and arrives in another: all of it, and nothing that would harm."""

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from PIL import Image
from sqlalchemy import select

from hub.core import storage
from hub.core.access import Role
from hub.core.database import db, transaction
from hub.kb import commands, pictures, service, shelves
from hub.kb.exchange import storing, uploads
from hub.kb.exchange.storing import Store
from hub.kb.models import Article, Audience, Category, Redirect, Translation
from hub.kb.models.exchange import Arrival, ArrivalState
from hub.kb.models.writing import Picture
from hub.partners import levels
from tests.conftest import empty
from tests.factories import make_user

from . import factories


def photo(kind="JPEG", size=(40, 30)):
    out = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, kind)
    return out.getvalue()


def hub(*words):
    return CliRunner().invoke(commands.kb, list(map(str, words)))


@pytest.fixture
def full(app):
    """A knowledge base with everything an export has to keep."""
    with transaction():
        levels.ensure_ladder()
        owner = make_user(Role.AGENT, email="ola@hub.example")
        money = factories.make_category(icon="coins", descriptions={"pl": "Pieniądze"}, order=20)
        within = shelves.create(None, shelves.Facts({"uk": "Виплати"}, {}, "wallet", money))
        picture = pictures.adopt(None, photo())
        body = f"Text\r\n\n![Фото](image:{picture.name})\n\n[See](kb:secret#s-a)\n---\nend without a newline"
        source = factories.make_article(within, "Календар: «виплати»", "uk", body=body, tags=["a b", "c"])
        service.revise(
            source, None, service.Text("Нова # назва", body, "Із: двокрапкою", slug="nova"), seen=1
        )
        source.article.owner_id = owner.id
        source.article.review_due, source.article.external_id = date(2027, 1, 5), "crm:17"
        polish = service.translate(source.article, None, "pl", service.Text("Kalendarz", "Zażółć"))
        service.publish(polish, datetime(2099, 1, 1, 8, 30, tzinfo=UTC))
        polish.source_revision = 1
        secret = factories.make_article(money, "Secret", audience=Audience.STAFF)
        secret.article.key = "secret"
        service.file_under(secret.article, money, Audience.CHOSEN, ["tier:gold", "tag:video"])
        service.archive(secret)
        factories.make_article(money, "Sketch", published=False)
    return picture


@pytest.mark.parametrize("kind", ["folder", "out.zip", "out.jsonl"])
def test_export_import_elsewhere_export_is_the_same_to_the_byte(full, tmp_path, kind):
    def out(path):
        assert hub("export", path).exit_code == 0
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        return {
            each.relative_to(tmp_path / path.parts[len(tmp_path.parts)]): each.read_bytes() for each in files
        }

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    here = out(tmp_path / "a" / kind)
    empty()
    with transaction():
        levels.ensure_ladder()
        make_user(Role.AGENT, email="ola@hub.example")
    came = hub("import", tmp_path / "a" / kind)
    assert (came.exit_code, "4 articles imported" in came.output) == (0, True), came.output
    assert out(tmp_path / "b" / kind) == here
    by_title = {each.title: each for each in db.session.scalars(select(Translation))}
    source, polish = by_title["Нова # назва"], by_title["Kalendarz"]
    assert (source.is_published, source.article.source_locale, source.article.external_id) == (
        True,
        "uk",
        "crm:17",
    )
    assert (polish.status, polish.is_outdated, polish.article_id) == ("scheduled", True, source.article_id)
    assert polish.publish_at == datetime(2099, 1, 1, 8, 30, tzinfo=UTC)
    assert source.article.owner.email == "ola@hub.example"
    assert source.article.category.name("uk") == "Виплати"
    assert db.session.get(Category, source.article.category.parent_id).icon == "coins"
    assert by_title["Secret"].article.readers == ["tag:video", "tier:gold"]
    assert db.session.scalar(select(Redirect.slug)) == "kalendar-viplati"
    assert [each.name for each in db.session.scalars(select(Picture))] == [full.name]
    again = hub("import", tmp_path / "a" / kind)
    assert "0 articles imported, 4 unchanged" in again.output


def test_a_folder_of_plain_markdown_finds_its_language_titles_links_and_pictures(app, tmp_path):
    (tmp_path / "ru" / "money").mkdir(parents=True)
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "my photo.png").write_bytes(photo("PNG"))
    (tmp_path / "ru" / "money" / "first.md").write_text(
        "# Первая\n\nСм. [вторую](second.md#s-a) и ![фото](../../img/my%20photo.png)\n\n```\n[x](nowhere.md)\n```\n"
    )
    (tmp_path / "ru" / "money" / "second.md").write_text("---\ntitle: Вторая\nauthor: nobody\n---\nТекст\n")
    with transaction():
        factories.make_category()
    came = hub("import", tmp_path)
    assert "2 articles imported" in came.output, came.output
    first = db.session.scalar(select(Translation).where(Translation.slug == "pervaya"))
    picture = db.session.scalar(select(Picture))
    assert (first.title, first.locale, first.article.audience) == ("Первая", "ru", Audience.PARTNERS)
    assert f"[вторую](kb:second#s-a) и ![фото](image:{picture.name})" in first.body
    assert "[x](nowhere.md)" in first.body


def test_broken_links_pictures_and_categories_are_named_and_the_rest_waits_for_a_yes(app, tmp_path):
    with transaction():
        factories.make_category()
    head = "---\nid: {0}\ntitle: {0}\ncategory: money\n---\n"
    (tmp_path / "en").mkdir()
    for name, text in {
        "good": head.format("good") + "[ok](kb:other)\n",
        "other": head.format("other") + "Fine\n",
        "link": head.format("link") + "Line\n\n[a](gone.md)\n",
        "far": head.format("far") + "[a](kb:link)\n",
        "image": head.format("image") + "![a](image:00000000000000000000.png)\n",
        "shelf": head.format("shelf").replace("money", "attic") + "x\n",
    }.items():
        (tmp_path / "en" / f"{name}.md").write_text(text)
    refused = hub("import", tmp_path)
    assert refused.exit_code == 1
    assert {line.removeprefix(f"{tmp_path}/") for line in refused.output.splitlines() if ".md:" in line} == {
        "en/link.md:8: the link leads nowhere: 'gone.md'",
        "en/far.md:6: the link leads nowhere: 'kb:link'",
        "en/image.md:6: the picture is missing: '00000000000000000000.png'",
        "en/shelf.md:4: there is no category 'attic'",
    }
    assert db.session.scalar(select(Article.id)) is None
    assert "2 articles imported" in hub("import", "--partial", tmp_path).output
    loosely = hub("import", "--partial", "--broken", tmp_path)
    assert "3 articles imported, 2 unchanged" in loosely.output


def test_every_way_a_text_can_lead_nowhere_is_named_and_code_is_left_alone(app, tmp_path):
    with transaction():
        factories.make_article(factories.make_category(), "There", slug="there")
    (tmp_path / "en").mkdir()
    (tmp_path / "fake.png").write_text("<svg onload=alert(1)>")
    (tmp_path / "real.png").write_bytes(photo("PNG"))
    fine = """[a](/kb/en/there#x) [b](/kb/open/there) [c](/kb/en/next) ![../real.png](../real.png "e") ![f](<../real.png>)
`[g](no.md)` and ``a ` [h](no.md)``, [i](https://x.test/y_(z).md), [j](/kb/) [k](/tickets/new)
[![l](https://x.test/y.png)](https://x.test) ![m](https://youtu.be/dQw4w9WgXcQ)

- A step:

    ```
    [l](no.md)
    ```
"""
    broken = """[a](/kb/en/nowhere)
[b](/kb/open/nothing)
![c](../fake.png)
![d](kb:there)
[e](<a file.md>)
"""
    head = "---\ntitle: {0}\ncategory: money\n{1}---\n"
    (tmp_path / "en" / "fine.md").write_text(head.format("Fine", "") + fine)
    (tmp_path / "en" / "next.md").write_text(head.format("Next", "") + "Text\n")
    (tmp_path / "en" / "bad.md").write_text(
        head.format("Bad", 'audience: chosen\nreaders: ["tier:nope"]\nowner: gone@hub.example\n') + broken
    )
    came = hub("import", "--partial", tmp_path)
    assert {line.removeprefix(f"{tmp_path}/en/") for line in came.output.splitlines() if ".md:" in line} == {
        "fine.md:7: a picture of another site is not shown: 'https://x.test/y.png'",
        "bad.md:5: there is no level 'nope'",
        "bad.md:8: the link leads nowhere: '/kb/en/nowhere'",
        "bad.md:9: the link leads nowhere: 'kb:nothing'",
        "bad.md:10: '../fake.png' is no picture: PNG, JPEG, GIF and WebP are",
        "bad.md:11: 'kb:there' is no picture: PNG, JPEG, GIF and WebP are",
        "bad.md:12: the link leads nowhere: 'a file.md'",
    }
    assert "2 articles imported" in came.output
    found = db.session.scalar(select(Translation).where(Translation.slug == "fine"))
    assert (found.body.count("image:"), found.body.count("[../real.png]")) == (2, 1)
    loosely = hub("import", "--partial", "--broken", tmp_path).output
    assert "bad.md:6: nobody of the team here has the address 'gone@hub.example'" in loosely
    assert "1 articles imported" in loosely


WRONG_LINES = [
    ({"title": "a\ud800"}, "`title` must be a text"),
    ({"tags": ["a\x00"]}, "`tags` must be a list of words"),
    ({"body": "a\x00"}, "characters that are no text"),
    ({"slug": "a/b"}, "'a/b' is no address"),
    ({"former": ["a b"]}, "`former` must be a list of addresses"),
    ({"audience": "chosen", "readers": ["tag:Video"]}, "`readers` must be a list"),
    ({"review": "2026-11-09T99:00"}, "`review` must be a date"),
    ({"updated": "soon"}, "`updated` must be a date"),
    ({"status": "scheduled"}, "`publish_at` goes with `scheduled`"),
    ({"external_id": "x"}, "has the external_id 'x' already"),
]


@pytest.mark.once
def test_a_line_that_no_database_could_keep_is_named_instead(app, tmp_path):
    good = {"id": "a", "lang": "en", "slug": "a", "title": "A", "summary": "", "category": "money", "audience": "staff",
            "tags": [], "updated": "2026-11-09", "external_id": "x", "body": "B"}  # fmt: skip
    rows = [
        good,
        *(
            {**good, "id": f"a{n}", "slug": f"a{n}", "external_id": f"x{n}"} | wrong
            for n, (wrong, _why) in enumerate(WRONG_LINES)
        ),
    ]
    path = tmp_path / "x.jsonl"
    category = {"category": {"key": "money", "name": {"en": "Money"}}}
    path.write_text("".join(json.dumps(row) + "\n" for row in [category, *rows]))
    came = hub("import", "--partial", path)
    assert "1 articles imported" in came.output
    for number, (_wrong, why) in enumerate(WRONG_LINES, 3):
        assert why in next(line for line in came.output.splitlines() if f"x.jsonl:{number}: " in line)


def zipped(*entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return out.getvalue()


def link():
    entry = zipfile.ZipInfo("en/a.md")
    entry.external_attr = 0o120777 << 16
    return entry


HOSTILE = {
    "upwards": lambda: zipped(("../../etc/x.md", "a")),
    "absolute": lambda: zipped(("/etc/x.md", "a")),
    "backslash": lambda: zipped(("..\\x.md", "a")),
    "link": lambda: zipped((link(), "/etc/passwd")),
    "bomb": lambda: zipped(("en/a.md", b"\0" * 30_000_000)),
    "many": lambda: zipped(*((f"en/{number}.md", "") for number in range(10_000))),
    "damaged": lambda: zipped(("en/a.md", "abc"))[:-30],
    "lying": lambda: zipped(("en/a.md", b"x" * 3_000_000)).replace(
        (3_000_000).to_bytes(4, "little"), (5).to_bytes(4, "little")
    ),
}


@pytest.mark.once
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_archives_are_refused_and_leave_nothing(app, tmp_path, kind):
    path = tmp_path / "x.zip"
    path.write_bytes(HOSTILE[kind]())
    refused = hub("import", "--partial", path)
    assert "0 articles imported" in refused.output or refused.exit_code == 1
    assert db.session.scalar(select(Article.id)) is None


def test_a_picture_with_something_hidden_in_it_is_written_anew(app):
    clean = pictures.adopt(None, photo())
    with storage.open(clean.key) as file:
        data = file.read()
    assert pictures.adopt(None, data).name == clean.name
    hidden = pictures.adopt(None, data + b"<script>")
    with storage.open(hidden.key) as file:
        assert b"<script>" not in file.read()


# --- In the browser ---


def upload(browser, data, name="articles.zip"):
    """Upload a file and let the worker look; the address of its page."""
    answer = browser.post("/kb/imports", data={"file": (io.BytesIO(data), name)})
    assert answer.status_code == 303
    return answer.location


def packed():
    head = "---\nid: {0}\ntitle: {0}\ncategory: money\n---\n"
    return zipped(
        ("docs/en/good.md", head.format("good") + "Fine"),
        ("docs/en/too.md", head.format("too") + "Fine"),
        ("docs/en/bad.md", head.format("<b>bad") + "Fine"),
        ("docs/en/link.md", head.format("link") + "[a](gone.md)"),
    )


def test_an_upload_is_checked_confirmed_and_put_in_by_the_worker(browse, agent, worker):
    with transaction():
        factories.make_category()
    browser = browse(agent)
    page = upload(browser, packed())
    assert 'hx-trigger="every 1s"' in browser.get(page).text
    worker()
    db.session.rollback()
    checked = browser.get(page).text
    assert "hx-trigger" not in checked
    assert "&#39;&lt;b&gt;bad&#39; is no name for links" in checked
    assert "the link leads nowhere: &#39;gone.md&#39;" in checked
    assert db.session.scalar(select(Article.id)) is None
    assert browser.post(page, data={"broken": "y"}).status_code == 303
    worker()
    db.session.rollback()
    assert sorted(db.session.scalars(select(Article.key))) == ["good", "link", "too"]
    assert "Imported." in browser.get(page).text
    arrival = db.session.scalar(select(Arrival))
    assert (arrival.body, arrival.done, arrival.counts["created"]) == (None, 3, 3)
    assert browser.post(page).status_code == 303
    assert db.session.scalar(select(Arrival.state)) == ArrivalState.DONE


def test_a_hostile_upload_is_refused_in_the_words_of_who_sent_it(browse, agent, worker):
    with transaction():
        db.session.merge(agent).locale = "pl"
    browser = browse(agent)
    page = upload(browser, HOSTILE["upwards"]())
    worker()
    db.session.rollback()
    assert "Plik ZIP zawiera" in browser.get(page).text
    assert db.session.scalar(select(Arrival.state)) == ArrivalState.REFUSED


def test_an_import_that_was_killed_goes_on_where_it_was(browse, agent, worker, monkeypatch):
    with transaction():
        factories.make_category()
    browser = browse(agent)
    page = upload(browser, packed())
    worker()
    db.session.rollback()
    browser.post(page)
    monkeypatch.setattr(storing, "BATCH", 1)
    whole, put = [], Store.put

    def killed(store, ready):
        whole.append(ready)
        if len(whole) == 2:
            raise KeyboardInterrupt
        return put(store, ready)

    monkeypatch.setattr(Store, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        uploads.work()
    db.session.rollback()
    assert len(list(db.session.scalars(select(Article.id)))) == 1
    uploads.work()  # its worker may still be at it
    assert len(whole) == 2
    with transaction():
        db.session.scalars(select(Arrival)).one().beat_at -= timedelta(minutes=3)
    uploads.work()
    assert len(list(db.session.scalars(select(Article.id)))) == 2
    arrival = db.session.scalars(select(Arrival)).one()
    assert (arrival.state, arrival.counts["created"], arrival.counts["unchanged"]) == ("done", 1, 1)


def test_the_team_takes_everything_along_in_the_browser(full, browse, agent, tmp_path):
    hub("export", tmp_path / "a.zip")
    browser = browse(agent)
    assert browser.get("/kb/export.zip").data == (tmp_path / "a.zip").read_bytes()
    assert len(browser.get("/kb/export.jsonl").data.splitlines()) == 2 + 4 + 1
