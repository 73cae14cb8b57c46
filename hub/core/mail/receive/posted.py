"""A mail as SendGrid's Inbound Parse posts it: whole, or taken apart into fields.

Read byte by byte: the fields are in as many encodings as the mail had, which
no form parser is told (`charsets` tells us).
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from typing import Any

from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder, NeedData

#: Fields and files of one post.
MOST = 1000


class NotAPost(ValueError):
    """The body is no multipart form that holds a mail."""


@dataclass
class Posted:
    fields: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)  # field → (name, type, content)


def raw_mail(content_type: str, body: bytes) -> bytes:
    """The mail that was posted, as bytes. Raises NotAPost."""
    posted = read(content_type, body)
    if "email" in posted.fields:
        return posted.fields["email"]
    if "email" in posted.files:
        return posted.files["email"][2]
    if not posted.fields.keys() & {"headers", "from"}:
        raise NotAPost
    return assemble(posted)


def read(content_type: str, body: bytes) -> Posted:
    """The fields and files of a multipart form. Raises NotAPost."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise NotAPost
    posted = Posted()
    decoder = MultipartDecoder(options["boundary"].encode("latin-1", "replace"), max_parts=MOST)
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        _collect(decoder, posted)
    except ValueError as error:
        raise NotAPost from error
    return posted


def _collect(decoder: MultipartDecoder, posted: Posted) -> None:
    part: Field | File | None = None
    chunks: list[bytes] = []
    while not isinstance(event := decoder.next_event(), NeedData):
        if isinstance(event, Field | File):
            part, chunks = event, []
        elif isinstance(event, Data) and part is not None:
            chunks.append(event.data)
            if event.more_data:
                continue
            content = b"".join(chunks)
            if isinstance(part, File):
                kind = part.headers.get("Content-Type", "application/octet-stream")
                posted.files[part.name] = (part.filename, kind, content)
            else:
                posted.fields[part.name] = content
        elif type(event).__name__ == "Epilogue":
            return


def assemble(posted: Posted) -> bytes:
    """A mail made of the fields: its own headers, its texts in their own encodings, its files.

    The same fields give the same bytes, so that a repeated post is known again.
    """
    charsets = _json(posted.fields.get("charsets"))
    about = _json(posted.fields.get("attachment-info"))
    mail = MIMEMultipart("mixed", boundary=_boundary(posted))
    words = MIMEMultipart("alternative", boundary=_boundary(posted) + "-words")
    for name, subtype in (("text", "plain"), ("html", "html")):
        if posted.fields.get(name):
            charset = re.sub(r"[^\w.:-]", "", str(charsets.get(name, "utf-8")))[:40]
            words.attach(_part("text", subtype, posted.fields[name], charset=charset))
    mail.attach(words)
    for name, (filename, kind, content) in posted.files.items():
        main, _, sub = kind.partition(";")[0].partition("/")
        part = _part(main or "application", sub or "octet-stream", content)
        told = about.get(name)
        facts: dict[str, Any] = told if isinstance(told, dict) else {}
        shown = _line(str(facts.get("filename") or facts.get("name") or filename or "file"))
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", shown))
        if facts.get("content-id"):
            part.add_header("Content-ID", f"<{_line(str(facts['content-id']))}>")
        mail.attach(part)
    return _headers(posted) + mail.as_bytes()


def _part(main: str, sub: str, content: bytes, **parameters: str) -> MIMEBase:
    part = MIMEBase(re.sub(r"[^\w.+-]", "", main), re.sub(r"[^\w.+-]", "", sub))
    for key, value in parameters.items():
        part.set_param(key, value)
    part.set_payload(content)
    encode_base64(part)
    return part


def _headers(posted: Posted) -> bytes:
    """The mail's own headers but those about its body, and where it was delivered to."""
    given = posted.fields.get("headers", b"").replace(b"\r\n", b"\n").strip(b"\n")
    kept: list[bytes] = []
    keeping = True
    for line in given.split(b"\n"):
        if not line[:1].isspace():
            keeping = bool(line) and not re.match(rb"(?i)content-|mime-version", line)
        if keeping:
            kept.append(line)
    if not given:
        names = (("From", "from"), ("To", "to"), ("Cc", "cc"), ("Subject", "subject"))
        kept = [
            f"{head}: ".encode() + b" ".join(posted.fields[name].split())
            for head, name in names
            if name in posted.fields
        ]
    envelope = _json(posted.fields.get("envelope"))
    to = envelope.get("to")
    for address in to[:50] if isinstance(to, list) else []:
        kept.append(f"X-Original-To: {_line(str(address))}".encode())
    return b"".join(line + b"\r\n" for line in kept)


def _json(value: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(value or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _line(value: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:300]


def _boundary(posted: Posted) -> str:
    digest = hashlib.sha256()
    for name in sorted(posted.fields):
        digest.update(name.encode() + b"\x00" + posted.fields[name])
    return "=_" + digest.hexdigest()[:40]
