"""An article's page and its PDF: pictures, videos, and nothing that runs."""

import io
import re

import pytest
import typst
from click.testing import CliRunner
from PIL import Image
from sqlalchemy import select

from hub.core.database import db, transaction
from hub.core.markup import article
from hub.kb import commands, paper, pictures, printing, service
from hub.kb.models import Audience, Translation
from hub.kb.models.exchange import ArticlePdf, PdfState

from . import factories


def test_pictures_lead_to_themselves_unless_they_are_links_or_decoration():
    html = article(
        "![Ours](/kb/pictures/a.png) ![](/kb/pictures/b.png) [![In](/kb/pictures/c.png)](https://x.test) ![Far](https://x.test/d.png)"
    ).html
    assert '<a class="zoom" href="/kb/pictures/a.png"><img' in html
    assert html.count('class="zoom"') == 1


@pytest.mark.parametrize(
    ("address", "video"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3", "youtube/dQw4w9WgXcQ"),
        ("https://youtu.be/dQw4w9WgXcQ", "youtube/dQw4w9WgXcQ"),
        ("https://vimeo.com/123456789", "vimeo/123456789"),
        (
            "https://www.loom.com/share/0123456789abcdef0123456789abcdef",
            "loom/0123456789abcdef0123456789abcdef",
        ),
        ("https://evil.test/watch?v=dQw4w9WgXcQ", None),
        ("https://youtube.com.evil.test/watch?v=dQw4w9WgXcQ", None),
        ("https://youtube.com/watch?v=%22onload%3D1", None),
        ("javascript://youtube.com/watch?v=dQw4w9WgXcQ", None),
    ],
)
def test_videos_of_known_sites_are_links_that_may_play(address, video):
    html = article(f"![How <b>it</b> works]({address})").html
    assert re.findall(r'data-video="([^"]+)"', html) == ([video] if video else [])
    assert "<iframe" not in html
    assert "<b>" not in html
    if video:
        assert f'href="{address.replace("&", "&amp;")}"' in html


def test_only_a_page_with_a_video_may_frame_and_only_its_site(app, client):
    with transaction():
        shelf = factories.make_category()
        factories.make_article(shelf, "Film", body="![A](https://vimeo.com/123456789)")
        factories.make_article(shelf, "Plain")
    csp = client.get("/kb/en/film").headers["Content-Security-Policy"]
    assert "frame-src https://player.vimeo.com" in csp
    assert "youtube" not in csp
    assert "frame-src" not in client.get("/kb/en/plain").headers["Content-Security-Policy"]


FULL = """Intro with **bold**, *em*, `code`, [a link](kb:secret), [mail](mailto:a@x.test), ~~gone~~ and a note[^1].

## Заголовок – ґ, ї, ł, ż

- one
    1. inner
- [x] done

| A | B |
|---|--:|
| x | 1 |

!!! warning "Careful"
    Text

??? note "More"
    Hidden

=== "One"
    First

=== "Two"
    Second

```python
#import "evil"
```

> quoted

![Picture](image:%s)

---

[^1]: The note.
"""


def words_of(translation):
    """What Typst sets, read back from what it was given."""
    return [each["is"] for each in paper._Page({}).blocks(paper._tree(translation.html))]


def test_a_pdf_is_made_when_asked_for_kept_and_made_again_when_the_text_changes(app, client, worker):
    out = io.BytesIO()
    Image.effect_noise((60, 40), 80).convert("RGB").save(out, "JPEG")
    with transaction():
        picture = pictures.adopt(None, out.getvalue())
        text = factories.make_article(
            factories.make_category(), "Wypłaty: żółć", "pl", body=FULL % picture.name
        )
    assert {"p", "heading", "ul", "table", "note", "code", "quote", "rule", "ol"} == set(words_of(text))
    address = f"/kb/{text.id}/pdf"
    assert db.session.scalar(select(ArticlePdf.id)) is None
    assert b"Make the PDF" in client.get(address).data
    assert db.session.scalar(select(ArticlePdf.id)) is None
    assert client.post(address).location == address
    assert b'http-equiv="refresh"' in client.get(address).data
    worker()
    db.session.rollback()
    first = client.get(address)
    assert (first.mimetype, first.data[:5]) == ("application/pdf", b"%PDF-")
    assert b"/Subtype /Image" in first.data or b"/Subtype/Image" in first.data
    with transaction():
        service.revise(text, None, service.Text("Wypłaty", "Nowe", slug=text.slug), seen=1)
    assert b"Make the PDF" in client.get(address).data
    client.post(address)
    worker()
    db.session.rollback()
    assert client.get(address).data != first.data


def test_what_is_hostile_is_set_as_text_and_what_cannot_be_set_fails_quietly(
    app, client, worker, monkeypatch
):
    evil = (
        '#read("/etc/passwd") $x$ @ref <label> \\u{41} #{while true {}} [*a*](javascript:alert(1))\n\n'
        + "> " * 8
        + "deep"
    )
    with transaction():
        text = factories.make_article(
            factories.make_category(), '#eval("1+")', body=evil, summary='"]) #panic()'
        )
        hidden = factories.make_article(text.article.category, "Hidden", audience=Audience.STAFF)
        printing.want(text)
        printing.want(hidden)
    worker()
    db.session.rollback()
    assert client.get(f"/kb/{text.id}/pdf").data.startswith(b"%PDF-")
    assert client.get(f"/kb/{hidden.id}/pdf").status_code == 404

    def broken(*_args, **_options):
        raise typst.TypstError("no")

    monkeypatch.setattr(typst, "compile", broken)
    with transaction():
        service.revise(text, None, service.Text("A", "B", slug=text.slug), seen=1)
        printing.want(text)
    worker()
    db.session.rollback()
    assert (
        db.session.scalar(select(ArticlePdf.state).where(ArticlePdf.translation_id == text.id))
        == PdfState.FAILED
    )
    assert b"No PDF could be made" in client.get(f"/kb/{text.id}/pdf").data


def test_a_table_without_end_is_no_pdf():
    many = "".join(f"<tr>{'<td>a</td>' * 100}</tr>" for _ in range(101))
    with pytest.raises(paper.TooLong):
        paper._Page({}).blocks(paper._tree(f"<table>{many}</table>"))


def test_all_pages_can_be_made_anew(app):
    with transaction():
        text = factories.make_article(factories.make_category(), body="![A](https://vimeo.com/123456789)")
        right, text.html = text.html, "old"
    assert CliRunner().invoke(commands.kb, ["render"]).exit_code == 0
    db.session.rollback()
    assert db.session.get_one(Translation, text.id).html == right
