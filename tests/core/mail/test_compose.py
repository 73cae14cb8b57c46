"""What a mail looks like to the programs that read it."""

from dataclasses import replace
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import SMTP

import pytest

from hub.core import clock, i18n
from hub.core.mail import Letter, UnsafeHeader
from hub.core.mail.compose import escape_markdown, header, lay_out, mailbox, one_click, quoted
from hub.core.mail.form import Form
from hub.core.settings import settings


def letter(subject="Новости программы", markdown="Hello", **values):
    with i18n.speaking("ru"):
        texts = lay_out(subject=subject, markdown=markdown)
    fields = {
        "key": "k1",
        "address": "reader@example.org",
        "name": "Мария Краснова",
        "locale": "ru",
        "headers": {},
    } | values
    return Letter(subject=texts.subject, html=texts.html, text=texts.text, **fields)


def read(raw):
    return message_from_bytes(raw, policy=SMTP)


def test_a_mail_is_alternative_text_and_html_in_utf8(app):
    mail = read(letter(markdown="# Привет\n\nПервый абзац.").as_bytes())
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text["Content-Transfer-Encoding"] == html["Content-Transfer-Encoding"] == "8bit"
    assert "Первый абзац." in text.get_content()
    assert "Первый абзац." in html.get_content()
    assert mail["Subject"] == "Новости программы"
    assert mail["To"].addresses[0].display_name == "Мария Краснова"
    assert mail["From"].addresses[0].addr_spec == "partners@nordbill.example"
    assert mail["Message-ID"] == "<k1@nordbill.example>"
    assert mail["Content-Language"] == "ru"
    assert mail.defects == []


def test_no_line_is_longer_than_998_octets(app):
    raw = letter(subject="слово " * 60, markdown="щ" * 50 + " " + "длинное слово " * 4000).as_bytes()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert read(raw)["Subject"] == ("слово " * 60).strip()
    for subject in ("x" * 989, "x" * 990, "x" * 3000, "a < b " + "x" * 1000):
        raw = letter(subject=subject).as_bytes()
        assert max(len(line) for line in raw.split(b"\r\n")) <= 998
        assert read(raw)["Subject"] == subject


@pytest.mark.once
@pytest.mark.parametrize("word", ["<ж>", "two\nlines", "ж" * 900, "long " * 300, ".dot"])
def test_what_is_filled_in_octets_is_what_is_filled_in_text(app, word):
    form = Form([], ["<p>\n.a ", (0, "html"), "\r\n\n", (0, "html"), " b\r", (0, "address"), "\n</p>\n"], [])
    filled = letter(form=form, words=[word])
    filled = replace(filled, html=form.fill([word])[1])
    with clock.frozen(clock.now()):
        assert filled.as_bytes() == replace(filled, form=None).as_bytes()
    assert (form.page([word]) is None) == (len(word) > 800 or "\n" in word)


def test_an_endless_word_is_encoded_and_survives(app):
    word = "ж" * 3000
    raw = letter(markdown=word).as_bytes()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    text, html = read(raw).iter_parts()
    assert word in text.get_content()
    assert word in html.get_content()


def test_a_paragraph_that_is_one_link_becomes_a_button(app):
    html = letter(markdown="[Open](https://example.org/a?b=1&c=2)\n\nSee [this](https://example.org).").html
    assert html.count('class="button"') == 1
    assert html.count('class="button-link"') == 1
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    text = letter(
        markdown="[Open](https://example.org/a)\n\n- one\n- two [x](https://e.org)\n\n> said\n\n1. first"
    ).text
    assert "Open: https://example.org/a" in text
    assert "- one\n- two x (https://e.org)" in text
    assert "> said" in text
    assert "1. first" in text


def test_html_in_markdown_stays_text_and_scripts_do_not_become_links(app):
    html = letter(markdown="<script>alert(1)</script> [x](javascript:alert(1))").html
    assert "<script" not in html
    assert 'href="javascript' not in html


def test_values_cannot_become_markup(app):
    evil = "[click](http://evil.example) **bold**\n# Title <b>"
    html = letter(markdown=f"Hello {escape_markdown(evil)}").html
    assert "[click](http://evil.example) **bold** # Title &lt;b&gt;" in html
    assert "<a " not in html


def test_a_quotation_keeps_its_lines(app):
    made = letter(markdown=str(quoted("one *x*\ntwo\n\nthree")))
    assert "> one *x*\n> two\n> \n> three" in made.text


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\0b"])
def test_a_header_with_a_line_break_is_refused(app, bad):
    with pytest.raises(UnsafeHeader):
        header("Subject", bad)
    with pytest.raises(UnsafeHeader):
        letter(headers={"X-Topic": bad}).as_bytes()
    with pytest.raises(UnsafeHeader):
        mailbox("Name", f"{bad}@example.org")


@pytest.mark.parametrize(
    "bad", ["a@b@c", "two words@example.org", "a@example.org,b@example.org", "<a@example.org>", "nobody"]
)
def test_an_address_that_is_none_is_refused(bad):
    with pytest.raises(UnsafeHeader):
        mailbox("", bad)


def test_names_are_quoted(app):
    assert mailbox('O"Neil, Jr.', "a@example.org") == '"O\\"Neil, Jr." <a@example.org>'
    raw = letter(name="Ж" * 120).as_bytes()
    line = raw.partition(b"\r\nTo: ")[2].partition(b"\r\nSubject")[0].decode()
    assert str(make_header(decode_header(line))) == "Ж" * 120 + " <reader@example.org>"


def test_one_click_headers_follow_rfc_8058(app):
    url = settings.base_url + "/news/unsubscribe/" + "t" * 150
    mail = read(letter(headers=one_click(url)).as_bytes())
    assert mail["List-Unsubscribe"] == f"<{url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_layout_knows_dark_mode_and_language(app):
    html = letter().html
    assert "prefers-color-scheme: dark" in html
    assert 'name="color-scheme" content="light dark"' in html
    assert '<html lang="ru"' in html
    assert len(html) < 20_000
