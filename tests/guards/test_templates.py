"""Templates hold no inline script or style, and no sentence that cannot be translated."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

HUB = Path(__file__).parents[2] / "hub"
TEMPLATES = sorted(HUB.glob("**/templates/**/*.html"))
PAGES = [path for path in TEMPLATES if "mail" not in path.parts]
DATA_SCRIPTS = {"application/json", "application/ld+json", "speculationrules"}
SPOKEN_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "aria-description", "label", "content"}
# Text in these is code or a name, the same in every language.
UNSPOKEN = {"script", "style", "code", "kbd", "pre", "svg"}
VOID = {"br", "hr", "img", "input", "link", "meta", "source", "wbr", "area", "col", "track", "embed"}
TRANSLATED = re.compile(r"{%-?\s*trans\b.*?{%-?\s*endtrans\s*-?%}", re.DOTALL)
JINJA = re.compile(r"{#.*?#}|{{.*?}}|{%.*?%}", re.DOTALL)
NAMES = re.compile(r"Partner Hub")
WORD = re.compile(r"[^\W\d_]{2,}")


class Reader(HTMLParser):
    """Collects what a page must not hold."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.inline = []
        self.untranslated = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        line = self.getpos()[0]
        if tag == "style" or (
            tag == "script" and "src" not in given and given.get("type") not in DATA_SCRIPTS
        ):
            self.inline.append(f"line {line}: <{tag}>")
        for name, value in given.items():
            if name == "style" or name.startswith("on") or (value or "").lower().startswith("javascript:"):
                self.inline.append(f"line {line}: {name}=")
            if name in SPOKEN_ATTRIBUTES and tag != "meta" and WORD.search(value or ""):
                self.untranslated.append(f'line {line}: {name}="{value}"')
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if WORD.search(NAMES.sub("", data)) and not UNSPOKEN & set(self.open):
            self.untranslated.append(f"line {self.getpos()[0]}: {data.strip()[:60]}")


def read(path):
    """Read a template with what Jinja fills in left out and the line numbers kept."""

    def blank(match):
        return "\n" * match.group().count("\n")

    reader = Reader()
    reader.feed(JINJA.sub(blank, TRANSLATED.sub(blank, path.read_text())))
    return reader


def name_of(path):
    return str(path.relative_to(HUB))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_inline_script_or_style(path):
    assert read(path).inline == []


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path.stem != "styleguide"], ids=name_of)
def test_every_sentence_can_be_translated(path):
    assert read(path).untranslated == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_nothing_is_declared_safe_in_a_template(path):
    assert not re.search(r"\|\s*safe\b", path.read_text()), "let the code that made it safe return Markup"


def test_what_is_wrong_with_a_field_is_seen_wherever_it_stands():
    """The vendor's style hides the message unless it follows the control itself, which it does in no toolbar or list."""
    rules = (HUB / "static" / "tokens.css").read_text()
    assert re.search(r"^\.invalid-feedback[^{]*\{[^}]*display: flex", rules, re.MULTILINE)
