"""Every mail the hub writes, in every language, as the programs that read mail see it."""

import re
from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace as Thing

import frontmatter
import pytest
from jinja2 import meta

from hub.core import clock
from hub.core.database import transaction
from hub.core.i18n import LOCALES
from hub.core.mail import Letter, compose
from hub.newsletters import letters, variables
from tests.kb.factories import make_article, make_category
from tests.materials.factories import make_asset
from tests.newsletters.factories import make_newsletter
from tests.training.factories import make_webinar

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(ROOT.glob("hub/*/templates/*/mail/*.md"))
READY = sorted({path.stem for path in ROOT.glob("content/newsletters/*/*.md")})
LONG = "ж" * 1200 + " <b>&" + " слово" * 400
WHEN = clock.now()
#: What stands for the names in templates; one that has another needs its sample here.
SAMPLES = {
    **dict.fromkeys(("name", "organisation", "inviter"), 'Zażółć "<b>&" [x](http://evil.example)'),
    **dict.fromkeys(("link", "url", "choice"), "https://hub.example/?a=1_2&b=*"),
    **dict.fromkeys(("count", "more"), 2),
    "lines": [Thing(text=LONG, url="https://hub.example/1"), Thing(text="x", url="https://hub.example/2")],
    "ticket": Thing(subject="Вопрос <b>", number=12345),
    "messages": [Thing(author="Анна", at=WHEN, body=LONG, files=["счёт.pdf"])],
    "earlier": [Thing(author="Anna", at=WHEN, body=f"One\n{LONG}")],
    "talks": [
        Thing(
            ticket=Thing(subject=said, number=7),
            messages=[Thing(author="Анна", at=WHEN, body=LONG, files=["a.pdf"])],
            url=f"https://hub.example/tickets/{said[:1]}",
            answer=f"mailto:hub+t1.{said[:1]}@hub.example?subject=Re%3A%20x",
        )
        for said in ("Вопрос <b>", "Zażółć *[x](y)*")
    ],
    "scores": [("https://hub.example/s/1", "Good"), ("https://hub.example/s/2", "Bad")],
    "webinar": Thing(title="Как <b>", starts_at=WHEN, minutes=45, join_url="https://meet.example/x"),
}
BLOCKS = """# Hello {user.first_name|there}

![A chart](/static/mail-logo.png)

::: article %(article)s
::: banner %(banner)s
::: webinar %(webinar)s
::: story %(story)s
::: earnings
::: level

> quoted

| Plan | Share |
|---|---|
| Start | 15 %% |

[Open the hub](/)
"""
ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Language")


class Reader(HTMLParser):
    """Collects what of a page matters to who reads mail."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self.wrong = set(), {}, []
        self.tables, self.link, self.lang = [], None, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        self.lang = given.get("lang", "") if tag == "html" else self.lang
        if tag == "img" and ("alt" not in given or not re.match("https?://", given.get("src", ""))):
            self.wrong.append(f"a picture without words or address: {given}")
        if tag == "table":
            self.tables.append(given.get("role") == "presentation")
        if tag == "th":
            self.tables[-1] = True
        if tag == "a":
            self.link, self.links[given["href"]] = given["href"], self.links.get(given["href"], "")
        if tag == "img" and self.link:
            self.links[self.link] += given.get("alt", "")
        self.wrong += [f"{name}= in <{tag}>" for name in given if name.startswith("on")]

    def handle_data(self, data):
        if self.link:
            self.links[self.link] += data.strip()

    def handle_endtag(self, tag):
        if tag == "a":
            self.link = None
        if tag == "table" and not self.tables.pop():
            self.wrong.append("a table that is neither for looks nor has headings")


def faults(letter, *, one_click=False):
    """What is wrong with a mail."""
    raw = letter.as_bytes()
    mail = message_from_bytes(raw, policy=SMTP)
    lines = raw.split(b"\r\n")
    head = lines[: lines.index(b"")]
    found = [str(each) for each in mail.defects]
    found += [name for name in ONCE if len(mail.get_all(name, [])) != 1]
    found += [f"a line of {len(line)}" for line in lines if len(line) > 998]
    found += [f"a long header: {line[:40]!r}" for line in head if len(line) > 78 and b"<" not in line]
    found += ["bare line ends"] if b"\n" in raw.replace(b"\r\n", b"") else []
    if [part.get_content_type() for part in mail.walk()] != [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]:
        return [*found, "not two parts"]
    text, html = (part.get_content() for part in mail.iter_parts())
    page = Reader(html)
    found += page.wrong
    found += [f"<{tag}>" for tag in page.tags & {"script", "form", "iframe", "object", "link", "video"}]
    found += ["no title"] if not re.search(r"<title>\s*\S[^<]*</title>", html) else []
    found += [f"language {page.lang}"] if page.lang != letter.locale else []
    found += [f"a link without words: {url}" for url, words in page.links.items() if not words]
    found += [f"not in the text: {url}" for url in page.links if url not in text]
    found += ["tags in the text"] if re.search(r"</?(p|div|td|table|a|img)\b", text) else []
    found += [f"{len(html.encode())} octets of HTML"] if len(html.encode()) > 100_000 else []
    return found + (["no one-click"] if one_click and not mail["List-Unsubscribe-Post"] else [])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_every_mail_of_the_hub_reads_well_everywhere(app, path):
    environment = app.jinja_env.overlay()
    environment.filters = {**environment.filters, "quoted": str}
    names = meta.find_undeclared_variables(environment.parse(path.read_text())) - set(environment.globals)
    values = {name: SAMPLES[name] for name in names}
    for locale in LOCALES:
        texts = compose("/".join([*path.parts[-3:-1], path.stem]), locale, **values)
        letter = Letter("k1", "a@example.org", "Зоя", texts.subject, texts.html, texts.text, locale)
        assert faults(letter) == [], locale


def test_every_newsletter_reads_well_everywhere(app, manager, cast):
    own = dict.fromkeys([*variables.OF_READER, *variables.OF_MONTH], 'Zażółć "<b>&"')
    with transaction():
        shelf = make_category()
        blocks = {
            "article": make_article(shelf, "Payouts & dates", summary="When <money> moves").article.key,
            "story": make_article(shelf, "From 3 to 30", tags=["success-story"]).article.key,
            "banner": make_asset(cast.manager).public_id,
            "webinar": make_webinar().id,
        }  # fmt: skip
    for name in [*READY, None]:
        texts = []
        for locale in LOCALES:
            file = ROOT / "content/newsletters" / locale / f"{name}.md"
            post = (
                frontmatter.loads(file.read_text())
                if name
                else frontmatter.Post(BLOCKS % blocks, subject=LONG[:300])
            )
            texts.append(
                {"locale": locale, "subject": post["subject"], "preheader": "x", "body": post.content}
            )
        with transaction():
            newsletter = make_newsletter(manager, *texts)
        for content in newsletter.written:
            prepared = letters.prepare(newsletter.topic, content)
            letter = prepared.letter(key="k1", address="a@example.org", name="Зоя", values=own)
            assert faults(letter, one_click=True) == [], (name, content.locale)


def test_what_would_read_badly_is_found(app):
    page = '<html lang="ru"><title>x</title><img src="/x.png"><a href="https://x.example/"></a><table><tr><td>1</td></tr></table><script></script></html>'
    said = " ".join(faults(Letter("k1", "a@example.org", "", "Hi", page, "Hi", "en"), one_click=True))
    for words in (
        "a picture",
        "neither for looks",
        "<script>",
        "language ru",
        "without words",
        "not in the text",
    ):
        assert words in said
    assert "no one-click" in said
