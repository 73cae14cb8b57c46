"""Files in, files out: nothing lost, nothing overwritten, nothing half-imported."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from hub.core.database import db, transaction
from hub.kb import commands, content, service
from hub.kb.exchange import heads
from hub.kb.models import Article, Audience, Category, Translation
from hub.partners import levels

SHIPPED = Path(__file__).parents[2] / "content" / "kb"


@pytest.fixture
def folder(tmp_path):
    """A copy of a few of the shipped articles."""
    for lang in ("en", "ru", "uk", "pl"):
        (tmp_path / lang).mkdir()
        for path in sorted((SHIPPED / lang).glob("*.md"))[:3]:
            shutil.copy(path, tmp_path / lang)
    shutil.copy(SHIPPED / "categories.yaml", tmp_path)
    return tmp_path


def sync(folder, **options):
    with transaction():
        return content.sync(folder, **options)


def bytes_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


def one(folder, lang="en"):
    return sorted((folder / lang).glob("*.md"))[0]


def article_of(path):
    statement = select(Translation).join(Translation.article)
    return db.session.scalars(
        statement.where(Article.key == path.stem, Translation.locale == path.parent.name)
    ).one()


@pytest.mark.once
def test_everything_shipped_goes_in_and_comes_out_byte_for_byte(app, tmp_path):
    """Articles, categories, the course, newsletters; and nothing in them leads nowhere."""
    with transaction():
        levels.ensure_ladder()
    synced = CliRunner().invoke(commands.content, ["sync", str(SHIPPED.parent)]).output
    shipped = {path: each for path, each in bytes_of(SHIPPED.parent).items() if path.parts[0] != "samples"}
    assert {path.parts[0] for path in shipped} == {"kb", "training", "newsletters"}
    assert sum(int(line.split()[1]) for line in synced.splitlines()) == len(shipped) - 1, "and categories"
    CliRunner().invoke(commands.content, ["export", str(tmp_path)])
    assert bytes_of(tmp_path) == shipped


def shelf(key):
    return db.session.scalars(select(Category).where(Category.key == key)).one()


def test_a_category_of_the_hub_joins_the_file_and_leaves_its_other_lines_alone(app, folder):
    sync(folder)
    path = folder / "categories.yaml"
    before = path.read_text()
    with transaction():
        db.session.add(Category(key="tax", names={"pl": "Podatki", "en": "Tax: basics"}, order=60))
        shelf("money").icon = "cash"
    with transaction():
        content.export(folder)
    new = "\n- key: tax\n  icon: book-2\n  order: 60\n  name:\n    en: 'Tax: basics'\n    pl: Podatki\n"
    assert path.read_text() == before.replace("  icon: coins\n", "  icon: cash\n") + new
    with transaction():
        db.session.delete(shelf("tax"))
        shelf("money").icon = "coins"
    with transaction():
        content.export(folder)
    assert path.read_text() == before


def test_a_category_edited_in_the_hub_is_not_overwritten_silently(app, folder):
    sync(folder)
    with transaction():
        shelf("money").icon = "cash"
    assert sync(folder).conflicts == []
    path = folder / "categories.yaml"
    path.write_text(path.read_text().replace("coins", "wallet").replace("rocket", "flag"))
    assert sync(folder).conflicts == [f"{path} (money)"]
    assert (shelf("money").icon, shelf("start").icon) == ("cash", "flag")
    sync(folder, force=True)
    assert shelf("money").icon == "wallet"


def test_syncing_again_changes_nothing(app, folder):
    assert len(sync(folder).created) == 12
    again = sync(folder)
    assert (len(again.unchanged), again.created, again.revised) == (12, [], [])
    assert article_of(one(folder)).revision == 1


def test_translations_belong_to_one_article(app, folder):
    sync(folder)
    assert db.session.scalar(select(func.count(Article.id))) == 3
    assert {each.locale for each in article_of(one(folder)).article.translations} == {"en", "ru", "uk", "pl"}


def test_a_changed_file_becomes_a_revision(app, folder):
    sync(folder)
    path = one(folder)
    path.write_text(path.read_text() + "\nOne more line.\n")
    assert sync(folder).revised == [str(path)]
    assert article_of(path).revision == 2
    assert "One more line." in article_of(path).plain


def test_an_edit_in_the_hub_is_kept_reported_and_overwritten_only_by_force(app, folder, agent):
    sync(folder)
    path = one(folder)
    translation = article_of(path)
    with transaction():
        text = service.Text("Edited here", "New", "", translation.slug)
        service.revise(article_of(path), agent, text, seen=1)
    assert sync(folder).conflicts == []
    path.write_text(path.read_text() + "\nEdited there.\n")
    assert sync(folder).conflicts == [str(path)]
    assert article_of(path).title == "Edited here"
    assert sync(folder, force=True).revised
    assert article_of(path).body.endswith("Edited there.\n")


def test_an_edit_in_the_hub_comes_out_in_the_same_form(app, folder, agent, tmp_path):
    sync(folder)
    path = one(folder)
    translation = article_of(path)
    with transaction():
        translation = article_of(path)
        text = service.Text("A: “title”", "Body\n", "x # y", translation.slug, ["a", "b"])
        service.revise(translation, agent, text, seen=1)
    with transaction():
        assert content.export(folder)[0] == path
    assert "outdated: true\n" in (folder / "ru" / path.name).read_text()
    assert "title: 'A: “title”'\nsummary: 'x # y'\n" in path.read_text()
    assert "tags: [a, b]\n" in path.read_text()
    assert sync(folder).unchanged


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("\ntitle:", "\ntitel:", 1, "`title` is missing"),
        ("\nlang: en", "\nlang: de", 3, "does not speak 'de'"),
        ("\naudience: ", "\naudience: x", 8, "`audience` must be one of"),
        ("\ncategory: ", "\ncategory: x", 7, "there is no category"),
        ("\nupdated: 2", "\nupdated: soon 2", 10, "`updated` must be a date"),
        ("\nslug: ", "\nslug: [", 5, "the head is not YAML"),
        (
            "\nsummary: ",
            "\nsource: &x en\nexternal_id: *x\nsummary: ",
            7,
            "write the value again instead of *x",
        ),
        ("\nupdated: ", "\nreview: 2026-02-40\nupdated: ", 10, "day is out of range"),
        ("\nupdated: ", "\nstatus: [draft]\nupdated: ", 10, "`status` must be one of"),
        ("\nslug: ", "\nslug: feed.", 4, "is no address"),
    ],
)
def test_a_wrong_head_is_named_with_its_line_and_nothing_goes_in(app, folder, old, new, line, reason):
    path = one(folder)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(content.Unreadable) as error:
        sync(folder)
    assert f"{path}:{line}: " in str(error.value)
    assert reason in str(error.value)
    assert db.session.scalar(select(func.count(Article.id))) == 0


def test_what_was_archived_here_is_not_published_by_a_file_that_changed(app, folder):
    sync(folder)
    path = one(folder)
    with transaction():
        service.archive(article_of(path))
    path.write_text(path.read_text() + "\nOne more line.\n")
    assert sync(folder).revised == [str(path)]
    assert (article_of(path).status, article_of(path).revision) == ("archived", 2)
    path.write_text(path.read_text().replace("---\n", "---\nstatus: draft\n", 1))
    assert sync(folder).conflicts == [str(path)], "two decisions"
    assert article_of(path).status == "archived"
    sync(folder, force=True)
    assert (article_of(path).status, article_of(path).revision) == ("draft", 2)
    path.write_text(path.read_text().replace("status: draft\n", "", 1))
    sync(folder)
    assert article_of(path).status == "published"
    with transaction():
        content.export(folder)
    assert sync(folder).unchanged


def test_what_a_file_said_before_undoes_no_audience_and_no_review_of_the_hub(app, folder):
    path = one(folder)
    path.write_text(path.read_text().replace("---\n", "---\nreview: 2027-01-01\n", 1))
    sync(folder)
    reviewed = date(2027, 9, 1)
    with transaction():
        article = article_of(path).article
        service.file_under(article, article.category, Audience.STAFF, [])
        article.review_due = reviewed
    path.write_text(path.read_text() + "\nOne more line.\n")
    assert sync(folder).revised == [str(path)]
    article = article_of(path).article
    assert (article.audience, article.review_due) == (Audience.STAFF, reviewed)
    path.write_text(path.read_text().replace("2027-01-01", "2027-02-02", 1))
    sync(folder)
    article = article_of(path).article
    assert (article.audience, article.review_due) == (Audience.STAFF, date(2027, 2, 2)), "only that is new"


def test_taking_over_what_the_hub_says_already_leaves_no_trace(app, folder):
    sync(folder)
    path = one(folder, "pl")
    at = heads.moment(heads.split(path.read_text())[1]["updated"])
    with transaction():  # the hub has come to say by itself what the file says
        here = article_of(path)
        service.revise(here, None, service.text_of(here), seen=1)
        here.updated_at, here.is_stale = at, False
    path.write_text(path.read_text().replace("\ntags: [", "\ntags:  [", 1))
    again = sync(folder, force=True)
    assert (len(again.unchanged), again.revised) == (12, [])
    found = article_of(path)
    assert (found.revision, found.is_stale, found.updated_at) == (2, False, at)
    with transaction():
        content.export(folder)
    assert "\ntags:  [" in path.read_text(), "the head is kept word for word"


def test_a_link_that_leads_nowhere_goes_in_and_is_named(app, folder):
    path = one(folder)
    path.write_text(path.read_text() + "\n[x](kb:nobody)\n")
    (folder.parent / "kb").symlink_to(folder)
    synced = CliRunner().invoke(commands.content, ["sync", str(folder.parent)]).output
    assert f"{len(path.read_text().splitlines())}: the link leads nowhere: 'kb:nobody'" in synced
    assert "nobody" in article_of(path).body


def test_two_files_with_one_address_are_refused(app, folder):
    first, second = sorted((folder / "en").glob("*.md"))[:2]
    slug = next(line for line in first.read_text().splitlines() if line.startswith("slug:"))
    text = second.read_text().splitlines(keepends=True)
    second.write_text("".join(slug + "\n" if line.startswith("slug:") else line for line in text))
    with pytest.raises(content.Unreadable, match="has the slug"):
        sync(folder)


def test_json_lines_become_published_articles_once(app, tmp_path):
    path = tmp_path / "x.jsonl"
    line = '{"id": "en:a:0", "lang": "en", "page": "advanced/a", "title": "Apple", "headings": [], "body": "Red"}\n'
    path.write_text(line + line.replace("en:a:0", "en:a:1"))
    for expected in ("2 articles imported, 0 unchanged", "0 articles imported, 2 unchanged"):
        assert expected in CliRunner().invoke(commands.kb, ["import", str(path)]).output
    found = db.session.scalars(select(Translation).order_by(Translation.id)).all()
    assert [(each.article.external_id, each.slug, each.is_published) for each in found] == [
        ("en:a:0", "apple", True),
        ("en:a:1", "apple-2", True),
    ]
    assert found[0].article.category.key == "advanced"


GOOD = '{"id":"0","lang":"en","page":"p","title":"T","body":"Marmalade"}\n'
BAD = [
    ("{", "Expecting property name"),
    ("[]", "no object"),
    ('{"id": "1"}', "lang, page, title, body must be a text"),
    ('{"id":"1","lang":"de","page":"","title":"T","body":""}', "does not speak 'de'"),
    ('{"id":"1","lang":"en","page":"","title":" ","body":""}', "the title is empty"),
    (GOOD.strip(), "'0' is there twice, first in line 1"),
    ('{"id":"2","lang":"en","page":"","title":"T","body":"' + "[" * 500 + '"}', "too intricate"),
]


def test_every_wrong_line_is_named_and_the_rest_goes_in_only_when_told(app, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(GOOD + "".join(bad + "\n" for bad, _reason in BAD))
    refused = CliRunner().invoke(commands.kb, ["import", str(path)], input="")
    assert refused.exit_code == 1
    for number, (_bad, reason) in enumerate(BAD, 2):
        line = next(line for line in refused.output.splitlines() if f"x.jsonl:{number}: " in line)
        assert reason in line
    assert "nothing was imported" in refused.output
    assert db.session.scalar(select(func.count(Article.id))) == 0
    db.session.rollback()
    told = CliRunner().invoke(commands.kb, ["import", "--partial", str(path)])
    assert (
        told.exit_code,
        "1 articles imported, 0 unchanged, 1 indexed, 7 problems left out" in told.output,
    ) == (0, True)
    assert [each.title for each in db.session.scalars(select(Translation))] == ["T"]
