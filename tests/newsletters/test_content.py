"""Ready texts from and to files: nothing lost, nothing overwritten silently."""

import shutil
from pathlib import Path

import pytest

from hub.core.database import db, transaction
from hub.kb.content import Unreadable
from hub.newsletters import content, drafts
from hub.newsletters.models import Newsletter, Status, Topic

SHIPPED = Path(__file__).parents[2] / "content" / "newsletters"


@pytest.fixture
def folder(tmp_path):
    for lang in ("en", "pl"):
        two = shutil.ignore_patterns("welcome-*")
        shutil.copytree(SHIPPED / lang, tmp_path / lang, ignore=two)
    return tmp_path


def sync(folder, **options):
    with transaction():
        return content.sync(folder, **options)


def export(folder):
    with transaction():
        return content.export(folder)


def edit(**changes):
    with transaction():
        text = content.template("new-materials").content("en")
        drafts.write(
            text.newsletter,
            "en",
            **{"subject": text.subject, "preheader": text.preheader, "body": text.body} | changes,
        )


def test_two_texts_of_two_languages_are_two_ready_texts(app, folder):
    assert len(sync(folder).created) == 4
    assert len(sync(folder).unchanged) == 4
    ready = db.session.scalars(db.select(Newsletter)).all()
    assert [(each.status, len(each.written)) for each in ready] == [(Status.TEMPLATE, 2)] * 2


def test_an_edit_comes_out_in_its_file_alone_and_goes_in_again_the_same(app, folder, manager):
    sync(folder)
    edit(subject="Ready: 3 banners", body="Hello\r\n", plain="By hand\n\n" + "-" * 200)
    with transaction():
        own = drafts.create(manager, Topic.SERVICE)
        drafts.write(own, "en", subject="New materials", preheader="", body="Own")
        drafts.keep_as_template(own, manager)
    changed = folder / "en" / "new-materials.md"
    assert set(export(folder)) == {
        changed,
        changed.with_suffix(".txt"),
        folder / "en" / "new-materials-2.md",
    }
    head = "---\nid: new-materials\nlang: en\ntopic: materials\nsubject: 'Ready: 3 banners'\npreheader: "
    assert changed.read_text().startswith(head)
    assert changed.read_text().endswith("\n---\n\nHello\n")
    again = sync(folder)
    assert (len(again.unchanged), again.conflicts, again.revised) == (6, [], [])
    assert content.template("new-materials").content("en").plain.endswith("-" * 200)


def test_an_edit_in_the_hub_is_kept_reported_and_overwritten_only_by_force(app, folder):
    sync(folder)
    edit(subject="Edited here")
    assert sync(folder).conflicts == []
    path = folder / "en" / "new-materials.md"
    path.write_bytes((path.read_text() + "\nEdited there.\n").replace("\n", "\r\n").encode())
    for _again in range(2):
        assert sync(folder).conflicts == [str(path)]
    assert content.template("new-materials").content("en").subject == "Edited here"
    assert sync(folder, force=True).revised == [str(path)]
    assert content.template("new-materials").content("en").body.endswith("\n\nEdited there.\n")
    assert export(folder) == [], "as it came, line ends included"


def test_what_was_thrown_away_stays_away(app, folder, browse, manager):
    sync(folder)
    with transaction():
        drafts.discard(content.template("new-materials"), manager)
    sync(folder)
    assert content.template("new-materials") is None
    assert "Year-end banners" not in browse(manager).get("/newsletters/new").text


def test_wrong_files_are_named_with_their_line_and_nothing_goes_in(app, folder):
    path = folder / "en" / "new-materials.md"
    path.write_text(path.read_text().replace("topic: materials", "topic: x").replace("lang: en", "lang: de"))
    with pytest.raises(Unreadable) as error:
        sync(folder)
    assert f"{path}:3: `lang` must be" in str(error.value)
    assert f"{path}:4: `topic` must be" in str(error.value)
    assert db.session.scalar(db.select(db.func.count(Newsletter.id))) == 0
