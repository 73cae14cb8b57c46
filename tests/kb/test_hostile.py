"""Wherever words of an article, of its readers or of its files are shown, they stay words."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from hub.core.database import db, transaction
from hub.kb import community, feedback, paper

from .factories import make_article, make_category

EVIL = "\"><img src=x onerror=evil()></textarea></title><script>evil()</script>'{{7*7}}]]>"
BODY = f"""[a](javascript:evil()) [b](<java	script:evil()>) ![c](data:image/svg+xml,<svg/onload=evil()>) <javascript:evil()>
[d][d] [e](kb:x"onclick="evil()) ![{EVIL}](https://youtube.com@evil.test/watch?v=dQw4w9WgXcQ)

[d]: data:text/html,<script>evil()</script>

## {EVIL} {{: #main onclick=evil() style=color:red }}

!!! note "{EVIL}"
    {EVIL}

=== "{EVIL}"
    {EVIL}

| {EVIL} |
|---|
| {EVIL} |

A note[^{EVIL}] and one[^1].

[^1]: {EVIL}

```{EVIL}
{EVIL}
```
"""


class Harm(HTMLParser):
    """Collects what a browser would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.open = tag
        for name, value in attrs:
            address = re.sub(r"[\t\r\n]", "", value or "").strip().lower()  # as browsers do
            is_run = name in ("href", "src", "action") and address.startswith(
                ("javascript:", "data:", "vbscript:")
            )
            if name.startswith("on") or (is_run and not address.startswith("data:image/png")):
                self.found.append(f"{tag} {name}={value}")
        if tag in ("iframe", "object", "embed", "base", "math"):
            self.found.append(tag)

    def handle_data(self, data):
        if self.open == "script" and "evil" in data:
            self.found.append(data)

    def handle_endtag(self, tag):
        self.open = ""


@pytest.fixture
def article(app, agent, partner, worker):
    with transaction():
        shelf = make_category(names={"en": EVIL}, descriptions={"en": EVIL})
        made = make_article(shelf, f"Payouts {EVIL}", body=BODY, summary=EVIL, tags=[EVIL])
        made.slug = "evil"
        question = community.ask(made, partner, BODY, client_id="q")
        community.answer(question, agent, BODY, client_id="a")
        feedback.rate(made, partner, False, None, EVIL)
    worker()
    return made


READERS = [
    "/kb/",
    "/kb/category/money",
    "/kb/en/evil",
    "/search/?q=payouts",
    "/search/?q=evil",
    "/search/suggest?q=evil",
]
WRITERS = [
    "/kb/manage",
    "/kb/languages",
    "/kb/{0}/edit",
    "/kb/new?of={0}",
    "/kb/{0}/revisions?number=1",
    "/kb/pick?q=evil",
    "/kb/feedback",
    "/kb/questions?show=all",
    "/kb/categories",
]


def test_nothing_of_an_article_runs_in_any_page(article, browse, agent, manager, partner, client):
    team, reader = browse(agent), browse(partner)
    pages = {url: reader.get(url) for url in READERS} | {
        url: team.get(url.format(article.id)) for url in WRITERS
    }
    pages |= {"public": client.get("/kb/en/evil"), "preview": team.post("/kb/preview", data={"text": BODY})}
    mine = {
        "title": EVIL, "slug": "evil", "tags": EVIL, "why": EVIL, "body": EVIL + BODY, "owner": "0", "seen": "1",
        "category": article.article.category_id, "audience": "public",
    }  # fmt: skip
    browse(manager).post(f"/kb/{article.id}/edit", data=mine | {"body": BODY + EVIL})
    pages["merge"] = team.post(f"/kb/{article.id}/edit", data=mine | {"title": f"Mine {EVIL}"})
    assert pages["merge"].status_code == 409
    pages["compared"] = team.get(f"/kb/{article.id}/revisions?number=2")
    for where, answer in pages.items():
        assert (where, Harm(answer.text).found) == (where, [])
        assert "evil" in answer.text, where
    for url in ("/kb/en/feed.atom", "/sitemap.xml"):
        assert ET.fromstring(client.get(url).data) is not None
    db.session.rollback()
    blocks = str(paper._Page({}).blocks(paper._tree(article.html)))
    assert "'to': 'javascript" not in blocks
    assert "'to': 'data" not in blocks
