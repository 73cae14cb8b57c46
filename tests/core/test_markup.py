"""Markdown of the team and of everyone: what it becomes, and what it can never become."""

import contextlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.core.errors import Invalid
from hub.core.markup import article, message, messages, plain
from hub.core.markup.articles import _LANGUAGES
from hub.core.markup.budget import TooIntricate
from hub.core.slugs import slug
from tests.ending import ending


def test_article_has_tables_notes_tabs_code_tasks_and_footnotes():
    html = article(
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n"
        '!!! warning "Careful"\n    Text\n\n'
        '=== "One"\n    1\n\n=== "Two"\n    2\n\n'
        "```python\ndef f(): ...\n```\n\n- [x] done\n- [ ] not yet\n\nSee[^1].\n\n[^1]: Note."
    ).html
    assert '<div class="table-wrap" tabindex="0"><table class="table">' in html
    assert '<td align="right">2</td>' in html
    assert '<p class="admonition-title">Careful</p>' in html
    assert html.count('class="tabbed-block"') == 2
    assert '<span class="k">def</span>' in html
    assert 'class="task done"' in html
    assert 'class="task todo"' in html
    assert 'href="#fn:1"' in html
    assert 'id="fn:1"' in html


def test_headings_get_unique_latin_anchors():
    rendered = article("# Title\n\n## Как считается комиссия\n\n### Łódź\n\n## Как считается комиссия\n")
    assert [(h.level, h.id) for h in rendered.headings] == [
        (2, "s-kak-schitaetsya-komissiya"),
        (3, "s-lodz"),
        (2, "s-kak-schitaetsya-komissiya_1"),
    ]
    assert [h.title for h in rendered.toc] == ["Как считается комиссия"] * 2
    assert rendered.toc[0].children[0].title == "Łódź"
    for heading in rendered.headings:
        assert f'id="{heading.id}"' in rendered.html
        assert f'href="#{heading.id}"' in rendered.html


def test_internal_links_are_resolved_and_unknown_ones_lose_their_link():
    known = {"kb:12": "/kb/en/payouts"}
    html = article("[a](kb:12) [b](kb:13) ![c](kb:14)", links=known.get).html
    assert '<a href="/kb/en/payouts">a</a>' in html
    assert '<span class="broken">b</span>' in html
    assert "kb:1" not in html


def test_only_links_that_leave_are_marked():
    html = article("[out](https://example.com) [in](/kb) [mail](mailto:a@example.com)").html
    assert '<a href="https://example.com" rel="noopener nofollow">' in html
    assert '<a href="/kb">' in html


def test_plain_text_of_an_article_has_its_words_and_no_marks():
    assert (
        article("## Head\n\nA **bold** [link](https://x.example)\n\n- one\n- two").plain
        == "Head\nA bold link\none\ntwo"
    )


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "![x](javascript:alert(1))",
    "![x](x){: onerror=alert(1) style=position:fixed }",
    "# x {: id=main onclick=alert(1) class=hub-top }",
    '[x](https://x.example "\\" onmouseover=\\"alert(1)")',
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "```html\n<script>alert(1)</script>\n```",
    "<svg><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<iframe src=//evil.example>",
    '=== "<img src=x onerror=alert(1)>"\n    x',
    '!!! note "<script>alert(1)</script>"\n    x',
    "[^<script>]\n\n[^<script>]: <script>alert(1)</script>",
    "*[HTML]: <script>\n\nHTML",
    "\u0002wzxhzdk:0\u0003 \u0002klzzwxh:0\u0003",
]  # fmt: skip
_ELEMENTS = {"script", "svg", "iframe", "object", "embed", "style", "form", "base", "meta", "link"}


class Dangers(HTMLParser):
    """Collects what a browser could run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found += [tag] if tag in _ELEMENTS else []
        for name, value in attrs:
            scheme = (value or "").strip().lower().partition(":")[0]
            if name.startswith("on") or name == "style" or scheme in ("javascript", "data", "vbscript"):
                self.found.append(f"{name}={value}")
            if (name == "class" and "hub-top" in value) or (name, value) == ("id", "main"):
                self.found.append(f"{name}={value}")


@pytest.mark.parametrize("render", [lambda text: article(text).html, message], ids=["article", "message"])
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_comes_through(render, text):
    assert Dangers(render(text)).found == []


def test_message_links_addresses_and_keeps_lines():
    html = message(
        "first\nsecond https://x.example/a_(b)?c=1&d=2. (see https://y.example)\n\n`https://no.example`"
    )
    assert html.startswith("<p>first<br>")
    assert '<a href="https://x.example/a_(b)?c=1&amp;d=2" rel="noopener nofollow">' in html
    assert '<a href="https://y.example" rel="noopener nofollow">https://y.example</a>)' in html
    assert "<code>https://no.example</code>" in html


def test_message_never_loads_remote_images():
    html = message("![pixel](https://spy.example/1.png)")
    assert "<img" not in html
    assert '<a href="https://spy.example/1.png" rel="noopener nofollow">pixel</a>' in html


@settings(max_examples=100, deadline=None)
@given(st.text("aЖ1 .,-_*`<&:/#+~|[]()!h\n\t…–", max_size=12))
@example("https://x.example")
@example("a - b; c... what? 1. d")
def test_a_line_without_marks_is_shown_as_the_parser_would(text):
    shown = message(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "_PLAIN", re.compile(r"(?!)"))
        assert message(text) == shown


def test_plain_message():
    assert plain("**Hello**\n\n- a\n- b <i>") == "Hello\na\nb <i>"


def test_sizes_are_capped_with_a_message_that_names_the_limit():
    with pytest.raises(Invalid, match="200 KB"):
        article("word " * 41_000)
    with pytest.raises(Invalid, match="100 KB"):
        message("word\n" * 600_000)  # 3 MB


def wrapped(text: str, width: int = 70) -> str:
    return "\n".join(text[i : i + width] for i in range(0, len(text), width))


N = 60_000
#: Seconds in which an intricate text is rendered or refused; the budget's own clock sees to it on any machine.
PROMISED = 2.0
PATHOLOGICAL = {
    "brackets": "[" * N,
    "images": "![" * (N // 2),
    "links": wrapped("[a](" * (N // 4)),
    "angles": wrapped("<" * N),
    "emphasis": wrapped("*a **b " * (N // 7)),
    "unbalanced": wrapped("*a" * 15_000 + "b*" * 15_000),
    "ticks": " ".join("`" * i for i in range(1, 340)),
    "quotes": "\n".join("> " * i + "a" for i in range(1, 240)),
    "lists": "\n".join("    " * i + "- a" for i in range(160)),
    "rule": "* " * (N // 2) + "a",
    "headings": "# a\n" * (N // 4),
    "setext": "a\n=\n" * (N // 4),
    "fences": "```\n" * (N // 4),
    "footnotes": wrapped("[^1]" * (N // 4)),
    "tabs": '=== "a"\n' * (N // 8),
    "cells": "|a|b|\n|-|-|\n|" + wrapped("`a|" * (N // 3)),
    "escapes": "\\*" * (N // 2),
    "addresses": "http://a" * (N // 8),
    "address": "<http://" + "a" * N,
    "angle links": wrapped("[a](<b" * (N // 6)),
    "perl": "```perl\n" + wrapped("m{" * (N // 2)) + "\n```",
    "attributes": "# a {: " + wrapped("a=" * (N // 2)),
}


SNIPPETS = (
    "{",
    "(",
    "[",
    "<a ",
    "/*",
    "`${",
    "'",
    '"',
    "<?php ",
    "a.",
    "\\",
    "<!--",
    "- ",
    "@@ ",
    "=",
    "f'{",
)


@pytest.mark.parametrize("language", sorted(_LANGUAGES))
def test_code_of_every_language_is_coloured_or_refused(language):
    for snippet in SNIPPETS:
        with ending(within=PROMISED), contextlib.suppress(TooIntricate):
            article(f"```{language}\n" + wrapped(snippet * (19_000 // len(snippet))) + "\n```")


@pytest.mark.parametrize("render", [article, message], ids=["article", "message"])
@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_pathological_text_is_rendered_or_refused(render, name):
    try:
        with ending(within=PROMISED):
            render(PATHOLOGICAL[name])
    except TooIntricate:
        assert render is article, "a message is always shown"


def test_intricate_message_is_shown_as_typed(monkeypatch):
    monkeypatch.setattr("hub.core.markup.budget.Budget.check", _time_is_up)
    assert message("**a** <b>\nc") == "<p>**a** &lt;b&gt;<br>c</p>"


def _time_is_up(_budget) -> None:
    raise TooIntricate


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("How commission is counted", "how-commission-is-counted"),
        ("Когда и как вы получаете деньги?", "kogda-i-kak-vy-poluchaete-dengi"),
        ("Об’єкти їжі ґанку", "obyekti-yizhi-ganku"),
        ("Zażółć gęślą jaźń", "zazolc-gesla-jazn"),
        ("日本", "日本"),
        ("…", "section"),
    ],
)
def test_slug(title, expected):
    assert slug(title) == expected


def test_a_thread_of_intricate_messages_takes_as_long_as_a_few(app):
    text = "*a_" * 30_000
    with ending(within=2 * PROMISED), app.test_request_context("/"):
        shown = [message(text + str(number)) for number in range(20)]
        # A page is not kept waiting by what stands on it; it is all there.
        assert all(each.count("a") >= 30_000 for each in shown)
