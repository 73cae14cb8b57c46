"""Writing a mail: a room's template or Markdown becomes subject, HTML and text, and those become bytes.

A template is Jinja over Markdown, `<room>/templates/<room>/mail/<name>.md`. It
sets `subject`, and may set `preheader` (what a mailbox shows after the
subject) and `reason` (why the reader gets this). Values are escaped for
Markdown; a paragraph that is a single link becomes a button.
"""

import base64
import hashlib
import quopri
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any

from flask import current_app
from jinja2 import Environment, Template
from markdown_it.token import Token
from markupsafe import Markup, escape
from mjml import mjml2html

from .. import clock, i18n
from ..settings import settings
from . import body
from .form import LONG_LINE, Form

#: RFC 5322, 2.1.1: a line has at most 998 octets without its end.
LONGEST_LINE = 998
_ATOM = r"[^\s\x00-\x1f\x7f@<>,;:\"()\[\]\\]+"
_ADDRESS = re.compile(f"{_ATOM}@{_ATOM}")


class UnsafeHeader(ValueError):
    """A header or an address that would forge another header (RFC 5322, 2.2)."""


@dataclass(frozen=True)
class Letter:
    """One mail to one address, ready for any backend.

    `key` is its identity: the Message-ID, the file in the outbox, the id a
    provider reports back.
    """

    key: str
    address: str
    name: str
    subject: str
    html: str
    text: str
    locale: str
    headers: dict[str, str] = field(default_factory=dict)
    #: What it was filled from, and with which words, if others were too.
    form: Form | None = None
    words: Sequence[str] = ()

    def all_headers(self) -> dict[str, str]:
        """Every header that is not about the body."""
        fixed = {
            "From": _written(settings.mail_from),
            "To": mailbox(self.name, self.address),
            "Subject": self.subject,
            "Date": _dated(clock.now().replace(microsecond=0)),
        }
        if "Message-ID" not in self.headers:
            fixed["Message-ID"] = message_id(self.key)
        return fixed | self.headers

    def head(self) -> list[str]:
        """The header lines. Raises UnsafeHeader."""
        return [header(name, value) for name, value in self.all_headers().items()]

    def as_bytes(self) -> bytes:
        """The message as it travels, lines ended with CRLF (RFC 5322)."""
        lines = self.head()
        boundary = "=_" + hashlib.sha256(self.key.encode()).hexdigest()[:32]
        lines.append(
            f'Content-Language: {self.locale}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"'
        )
        page = self.form.page(self.words) if self.form else None
        parts = [
            _part("plain", self.text, boundary),
            _part("html", self.html, boundary) if page is None else _as_it_is("html", page, boundary),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + b"".join(parts) + f"--{boundary}--\r\n".encode()


def sender() -> tuple[str, str]:
    """(name, address) that every mail is from."""
    return _parsed(settings.mail_from)


@lru_cache(maxsize=8)
def _parsed(mailbox: str) -> tuple[str, str]:
    return parseaddr(mailbox)


@lru_cache(maxsize=8)
def _written(sender: str) -> str:
    return mailbox(*_parsed(sender))


@lru_cache(maxsize=1)  # hundreds of mails leave within a second
def _dated(moment: datetime) -> str:
    return format_datetime(moment)


def sender_address() -> str:
    return sender()[1]


def sender_domain() -> str:
    return sender()[1].rpartition("@")[2] or "localhost"


def message_id(key: str) -> str:
    return f"<{key}@{sender_domain()}>"


def one_click(url: str) -> dict[str, str]:
    """Headers with which a mail program offers to unsubscribe (RFC 8058)."""
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


@lru_cache(maxsize=64)  # most lines of a newsletter's mails are the same in all
def header(name: str, value: str) -> str:
    """A header line, folded and encoded; refuses what would begin another one."""
    if re.search(r"[\r\n\0]", name + value):
        raise UnsafeHeader(name)
    if value.isascii() and len(name) + len(value) < 76:
        return f"{name}: {value}"
    fits = value.isascii() and max(map(len, value.split(" "))) < LONGEST_LINE - len(name) - 2
    if "<" in value and fits:  # addresses and ids: never encoded, never broken inside
        return f"{name}: " + "\r\n ".join(value.split(" "))
    if fits:
        return f"{name}: " + Header(value, "us-ascii", header_name=name).encode(linesep="\r\n")
    return f"{name}: " + "\r\n ".join(encoded(value, len(name) + 2))


def encoded(value: str, taken: int = 0) -> list[str]:
    """Encoded words, one for each line, the first of which has some columns taken (RFC 2047, 2).

    The standard library's `Header` does the same in sixty times the time, which
    a newsletter pays for each reader.
    """
    octets, start, room = value.encode(), 0, max(4, (76 - taken - 12) // 4 * 3)
    lines = []
    while start < len(octets):
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # not within a letter
            end -= 1
        lines.append(octets[start:end])
        start, room = end, 45
    return [f"=?utf-8?b?{base64.b64encode(line).decode()}?=" for line in lines or [b""]]


def mailbox(name: str, address: str) -> str:
    """`Name <address>`, its name quoted or encoded as needed."""
    if not _ADDRESS.fullmatch(address):
        raise UnsafeHeader(address)
    name = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", name).split())
    if not name:
        return address
    if name.isascii():
        escaped = re.sub(r'(["\\])', r"\\\1", name)
        return f'"{escaped}" <{address}>'
    return f"{' '.join(encoded(name))} <{address}>"


def _part(kind: str, content: str, boundary: str) -> bytes:
    lines = content.encode().splitlines()
    if (longest := _longest(lines)) > LONG_LINE:
        lines = _short_lines(content).encode().splitlines()
        longest = _longest(lines)
    if longest <= LONGEST_LINE:
        how, payload = "8bit", b"\r\n".join(lines)
    else:
        how, payload = "quoted-printable", b"\r\n".join(quopri.encodestring(b"\n".join(lines)).splitlines())
    return _as_it_is(kind, payload, boundary, how)


def _as_it_is(kind: str, payload: bytes, boundary: str, how: str = "8bit") -> bytes:
    head = f'--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {how}\r\n\r\n'
    # The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1).
    return head.encode() + payload + b"\r\n\r\n"


def _longest(lines: list[bytes]) -> int:
    return max(map(len, lines), default=0)


def _short_lines(content: str) -> str:
    """Break long lines at spaces, where a break means the same."""
    out = []
    for line in content.split("\n"):
        current: list[str] = []
        size = 0
        for word in line.split(" ") if len(line) > 200 else [line]:
            length = len(word.encode()) + 1
            if current and size + length > LONG_LINE:
                out.append(" ".join(current))
                current, size = [], 0
            current.append(word)
            size += length
        out.append(" ".join(current))
    return "\n".join(out)


# --- Templates ---------------------------------------------------------------

_SPECIAL = re.compile(r"([!-/:-@\[-`{-~])")


def escape_markdown(value: Any) -> str:
    """A value as literal text on one line of Markdown; Markup passes as it is."""
    if isinstance(value, Markup):
        return value
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def quoted(text: str) -> Markup:
    """What a person wrote, as a quotation that keeps its lines."""
    lines = str(text).strip().splitlines()
    return Markup(
        "\n".join(
            "> "
            + escape_markdown(line)
            + ("\\" if line.strip() and i + 1 < len(lines) and lines[i + 1].strip() else "")
            for i, line in enumerate(lines)
        )
    )


def _environment() -> Environment:
    """The application's templates, read as Markdown."""
    extensions = current_app.extensions
    if "hub.mail.environment" not in extensions:
        environment = current_app.jinja_env.overlay(finalize=escape_markdown, autoescape=False)
        environment.filters = current_app.jinja_env.filters | {"quoted": quoted}
        extensions["hub.mail.environment"] = environment
    return extensions["hub.mail.environment"]


def _layout() -> Template:
    """The layout, compiled from MJML once; its Jinja survives that and is filled for each mail."""
    extensions, environment = current_app.extensions, current_app.jinja_env
    if "hub.mail.layout" not in extensions:
        source, _path, _fresh = environment.loader.get_source(environment, "mail/layout.mjml")  # type: ignore[union-attr]
        # A line of its styles that begins with a dot would have to be looked for and doubled in each mail.
        compiled = mjml2html(source, fonts={}).replace("\n.", "\n .")
        extensions["hub.mail.layout"] = environment.overlay(autoescape=True).from_string(compiled)
    return extensions["hub.mail.layout"]


@dataclass(frozen=True)
class Texts:
    """What a mail says, before it has a reader."""

    subject: str
    html: str
    text: str


def compose(template: str, locale: str, zone: str | None = None, **values: Any) -> Texts:
    """Write `template` ("accounts/mail/invite") in a language, with times in a zone."""
    with i18n.speaking(locale, zone or settings.programme_timezone):
        module: Any = _environment().get_template(template + ".md").make_module(values)
        return lay_out(
            subject=module.subject,
            markdown=str(module),
            preheader=getattr(module, "preheader", ""),
            reason=getattr(module, "reason", ""),
        )


def lay_out(
    *,
    subject: str,
    markdown: str | list[Token],
    preheader: str = "",
    reason: str = "",
    links: Sequence[tuple[str, str]] = (),
    to: Callable[[str], str] = str,
) -> Texts:
    """Put Markdown, or what was parsed of it, into the programme's layout, in the language being spoken.

    `reason` (why the reader gets this) and `links` (label, address) stand
    below; `to` writes the addresses of links and images.
    """
    subject = " ".join(subject.split())
    tokens = body.parse(markdown) if isinstance(markdown, str) else markdown
    body.relink(tokens, to)
    text = body.text(tokens)
    imprint = f"{settings.programme_name}, {settings.programme_site.split('://')[-1]}"
    anchor = Markup('<a href="{}" style="color:#5b6865;">{}</a>')
    below = [
        escape(reason),
        Markup(" · ").join(anchor.format(url, label) for label, url in links),
        escape(imprint),
    ]
    html = _layout().render(
        locale=i18n.locale(),
        subject=subject,
        preheader=preheader or " ",
        programme=settings.programme_name,
        logo=settings.base_url + "/static/mail-logo.png",
        body=Markup(body.html(tokens)),
        footer=Markup("<br>").join(line for line in below if line),
    )
    end = [reason, *(f"{label}: {url}" for label, url in links), imprint]
    foot = "\n".join(line for line in end if line)
    # Short lines from the start, broken within tags: who fills the form for thousands need not break them again.
    return Texts(subject, html.replace(' style="', '\nstyle="'), f"{text}\n-- \n{foot}\n")
