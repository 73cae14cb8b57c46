"""Programs get what their owner may see, with the owner's own link inside."""

import pytest

from hub.accounts import tokens
from hub.core.database import db, transaction
from hub.materials import clicks

from .factories import gold_asset, make_asset, make_campaign, make_text, picture


@pytest.fixture
def ask(app):
    """`ask(user, url)` is what a program with the user's token gets."""

    def ask(user, url):
        with transaction():
            _row, token = tokens.create(user, "program")
        answer = app.test_client().get(url, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        return answer.json

    return ask


@pytest.fixture
def library(cast):
    spring = make_campaign(cast.manager, "Spring sale")
    wide = make_asset(
        cast.manager, title="Wide", locale="en", content=picture((728, 90)), campaign_id=spring.id
    )
    make_asset(cast.manager, title="Polish", locale="pl")
    make_text(cast.manager, title="Letter", locale="en")
    make_asset(cast.manager, title="Terms", content=b"%PDF-1.7\n%%EOF", name="terms.pdf")
    gold_asset(cast)
    db.session.commit()
    return wide


def test_materials_carry_the_callers_link(library, ask, partner, other_partner):
    rows = {row["title"]: row for row in ask(partner, "/api/v1/materials")["materials"]}
    link, file = (
        f"http://127.0.0.1:8000/go/ACME/{library.public_id}",
        f"http://127.0.0.1:8000/a/ACME/{library.public_id}.png",
    )
    assert rows["Wide"] == {
        "id": library.id,
        "kind": "image",
        "title": "Wide",
        "coupon": None,
        "size": "728x90",
        "genre": None,
        "lang": "en",
        "campaign": "Spring sale",
        "file_url": file,
        "link": link,
        "embed_code": f'<a href="{link}">\n  <img src="{file}" width="728" height="90" alt="Wide">\n</a>',
        "rights": None,
        "valid_from": None,
        "valid_until": None,
        "ask_url": None,
    }
    assert "/go/ACME/" in rows["Letter"]["embed_code"]
    assert rows["Letter"]["file_url"] is None
    assert rows["Terms"]["file_url"] == f"http://127.0.0.1:8000/api/v1/materials/{rows['Terms']['id']}/file"
    assert rows["Gold only"]["file_url"].startswith("http://127.0.0.1:8000/a/ACME/")
    others = ask(other_partner, "/api/v1/materials")["materials"]
    assert {row["title"] for row in others} == {"Wide", "Polish", "Letter", "Terms"}
    assert "ACME" not in str(others)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("kind=text", {"Letter"}),
        ("size=728x90&lang=en", {"Wide"}),
        ("lang=pl", {"Polish"}),
        ("campaign=spring SALE", {"Wide"}),
        ("campaign=Nonsense", set()),
    ],
)
def test_materials_are_chosen(library, ask, partner, query, titles):
    assert {row["title"] for row in ask(partner, f"/api/v1/materials?{query}")["materials"]} == titles


def test_materials_come_in_pages(library, ask, partner):
    found, cursor = [], ""
    while cursor is not None:
        answer = ask(partner, f"/api/v1/materials?limit=2&cursor={cursor}")
        assert len(answer["materials"]) <= 2
        found += [row["title"] for row in answer["materials"]]
        cursor = answer["next"]
    assert sorted(found) == ["Gold only", "Letter", "Polish", "Terms", "Wide"]


def test_clicks_are_the_callers_own(library, ask, partner, other_partner, client):
    for agent in ("Mozilla/5.0 a", "Mozilla/5.0 a", "Googlebot/2.1"):
        client.get(f"/go/ACME/{library.public_id}?to=/pricing", headers={"User-Agent": agent})
    clicks.collect()
    mine, others = (ask(user, "/api/v1/clicks") for user in (partner, other_partner))
    assert (mine["total"], mine["visits"], mine["repeats"], mine["bots"]) == (3, 1, 1, 1)
    assert mine["days"][-1] == {"day": mine["to"], "visits": 1, "repeats": 1, "bots": 1}
    assert [row["kind"] for row in mine["clicks"]] == ["bot", "repeat", "visit"]
    assert mine["clicks"][0]["material"] == library.id
    assert (others["total"], others["clicks"]) == (0, [])
    assert ask(partner, "/api/v1/clicks?from=2020-01-01&to=2020-01-31")["total"] == 0
