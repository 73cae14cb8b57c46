"""A folder of files becomes materials; what is wrong is named and stops nothing else."""

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo
from sqlalchemy import select

from hub.core.database import db
from hub.materials import importing
from hub.materials.commands import materials
from hub.materials.models import Asset, Campaign, Kind

from .factories import picture

SHEET = """file,title,campaign,language,tags,size
autumn_300x250.png,Осень,Black Friday,ru,"sale, blog",300x250
letters/letter.txt,Letter,Black Friday,en,,
terms.pdf,,,,,210x297
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "autumn_300x250.png").write_bytes(picture())
    (tmp_path / "letters" / "letter.txt").write_text("\ufeffSee {link}")
    (tmp_path / "terms.pdf").write_bytes(b"%PDF-1.7\n%%EOF")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "materials.csv").write_text(SHEET)
    return tmp_path


@pytest.fixture
def run(app):
    def run(folder):
        info = ScriptInfo(create_app=lambda: app)
        return CliRunner().invoke(materials, ["import", str(folder)], obj=info)

    return run


def test_files_and_what_the_sheet_says_of_them(folder, run):
    result = run(folder)
    assert (result.exit_code, "3 added, 0 known already, 0 refused." in result.output) == (0, True), (
        result.output
    )
    found = {asset.title: asset for asset in db.session.scalars(select(Asset))}
    campaign = db.session.scalars(select(Campaign)).one()
    assert campaign.names == {"en": "Black Friday"}
    autumn, letter, terms = found["Осень"], found["Letter"], found["Terms"]
    assert (autumn.kind, autumn.locale, autumn.tags, autumn.size) == (
        Kind.IMAGE,
        "ru",
        ["blog", "sale"],
        "300 × 250",
    )
    assert (letter.kind, letter.current.text, letter.campaign_id) == (Kind.TEXT, "See {link}", campaign.id)
    assert (terms.kind, terms.size, terms.campaign_id) == (Kind.DOCUMENT, "210 × 297", None)


def test_the_same_folder_again_adds_nothing(folder, run):
    run(folder)
    assert "0 added, 3 known already, 0 refused." in run(folder).output


def test_a_bad_file_is_named_and_the_others_come_in(folder, run):
    (folder / "bad.svg").write_text("<svg onload='x'/>")
    (folder / "autumn_300x250.png").write_bytes(picture((728, 90)))
    result = run(folder)
    assert result.exit_code == 1
    assert "bad.svg: SVG, HTML and XML files are not accepted" in result.output
    assert "materials.csv says 300x250, the picture is 728x90" in result.output
    assert "2 added" in result.output


def test_a_wrong_sheet_is_refused_with_line_and_reason(folder, run):
    (folder / "materials.csv").write_text(
        "file,language,size\nnothing.png,,\nterms.pdf,xx,wide\n../outside.png,,\n"
    )
    result = run(folder)
    assert result.exit_code == 1
    for reason in (
        "line 2: there is no file “nothing.png”",
        "line 3: language “xx” is none of",
        "line 3: size “wide” is not like 300x250",
        "line 4: there is no file",
    ):
        assert reason in result.output
    assert db.session.scalars(select(Asset)).all() == []


def test_progress_is_told_file_by_file(app, folder):
    steps = []
    importing.run(folder, progress=lambda: steps.append(1))
    assert len(steps) == len(importing.files_in(folder)) == 3
