"""A mail taken apart: who, to whom, in answer to what, its words and its files.

Python's parser with its oldest policy takes anything; each header and part is
then decoded by itself, so that one broken piece spoils nothing else.
"""

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import Compat32
from email.utils import getaddresses, parseaddr, parsedate_to_datetime

from . import html, tnef
from .automatic import REPLY_ABOVE, Automatic, Bounce, bounces, children, judge
from .charsets import clean, decode

#: Longest text that is kept, in characters, and longest subject.
LONGEST_TEXT = 400_000
LONGEST_SUBJECT = 400
#: Parts of one mail, addresses of one mail, mails within mails, references.
MOST_PARTS, MOST_ADDRESSES, DEEPEST, MOST_REFERENCES = 500, 1000, 4, 200
_ID = re.compile(r"<([^<>\s]{3,300})>")
_SIGNATURES = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
_ENDINGS = {
    "application/pdf": ".pdf", "image/gif": ".gif", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp",
    "text/calendar": ".ics", "text/csv": ".csv", "text/plain": ".txt",
}  # fmt: skip


class _Bounded(Compat32):
    """Headers without end are cut: the parser looks at some of them again and again."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        most = 10_000 if name.lower().startswith(("content-", "subject")) else 200_000
        return name, value[:most]


_POLICY = _Bounded()


class Unreadable(Exception):
    """Not a mail that can be taken apart; the message says why, in a word."""


@dataclass(frozen=True)
class File:
    """A part that is a file. `cid` is what the HTML calls it, when it stands in the text."""

    name: str
    mime: str
    content: bytes
    cid: str = ""


@dataclass
class Received:
    """What a mail says. Ids are without their angle brackets, addresses in lower case."""

    message_id: str = ""
    references: tuple[str, ...] = ()  # oldest first, the one it answers last
    sender: str = ""
    sender_name: str = ""
    reply_to: str = ""
    recipients: tuple[str, ...] = ()  # To, Cc and where it was delivered
    subject: str = ""
    sent_at: datetime | None = None
    text: str = ""
    html: str = ""
    files: list[File] = field(default_factory=list)
    automatic: Automatic | None = None
    bounces: list[Bounce] = field(default_factory=list)
    is_encrypted: bool = False
    is_cut: bool = False  # the text was too long
    failed_dmarc: bool = False
    has_several_senders: bool = False
    loops: str = ""  # what programs mark their own mails with, to know them again


def parse(raw: bytes, *, our_addresses: tuple[str, ...] = ()) -> Received:
    """Take a mail apart. Raises Unreadable for what is no mail, or nested without end."""
    if not raw.strip():
        raise Unreadable("empty")
    try:
        message = BytesParser(policy=_POLICY).parsebytes(raw)
        received = _head(message, our_addresses)
        _body(message, received)
        _judge_words(message, received)
    except (RecursionError, MemoryError) as error:
        raise Unreadable("too_deep") from error
    if not message.keys():
        raise Unreadable("no_headers")
    return received


def skim(raw: bytes) -> Received:
    """The head alone, for a mail that cannot be taken apart; gives what there is, never raises."""
    head = re.split(rb"\r?\n\r?\n", raw[:100_000], maxsplit=1)[0]
    try:
        return _head(HeaderParser(policy=_POLICY).parsestr(head.decode("latin-1")), ())
    except Exception:
        return Received()


def as_text(raw: bytes) -> str:
    """Bytes as a text to look at, for what can be read in no other way."""
    return clean(decode(raw, None))


# --- Headers -----------------------------------------------------------------


def _head(message: Message, our_addresses: tuple[str, ...]) -> Received:
    sender_name, sender = _address(message, "From")
    if not sender:
        sender_name, sender = _address(message, "Sender")
    subject = _header(message, "Subject")[:LONGEST_SUBJECT]
    return Received(
        message_id=next(iter(_ids(message, "Message-ID")), ""),
        references=_references(message),
        sender=sender,
        sender_name=sender_name[:200],
        reply_to=_address(message, "Reply-To")[1],
        recipients=tuple(_recipients(message)),
        subject=subject,
        sent_at=_moment(message),
        automatic=judge(message, sender, subject, our_addresses),
        bounces=bounces(message),
        failed_dmarc=_failed_dmarc(message),
        loops=" ".join(_raw(message, "X-Loop"))[:2000].lower(),
        has_several_senders=len(_senders(message)) > 1,
    )


def _raw(message: Message, name: str) -> list[str]:
    """A header's values as they are on the line; bytes that are no ASCII stay hidden in surrogates."""
    return [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]


def _header(message: Message, name: str) -> str:
    return _words(next(iter(_raw(message, name)), ""))


def _words(raw: str) -> str:
    """An encoded header as text on one line (RFC 2047, and what is sent instead)."""
    if not raw.isascii():
        raw = decode(raw.encode("utf-8", "surrogateescape"), None)
    try:
        pieces: Sequence[tuple[bytes | str, str | None]] = (
            decode_header(raw) if "=?" in raw else [(raw, None)]
        )
    except (ValueError, binascii.Error, LookupError):
        pieces = [(raw, None)]
    text = "".join(
        decode(data, charset) if isinstance(data, bytes) else data for data, charset in _joined(pieces)
    )
    return " ".join(clean(text).split())


def _joined(pieces: Sequence[tuple[bytes | str, str | None]]) -> list[tuple[bytes | str, str | None]]:
    """Neighbours in one charset as one: some programs break a letter between two encoded words."""
    joined: list[tuple[bytes | str, str | None]] = []
    for data, charset in pieces:
        if joined and charset and joined[-1][1] == charset and isinstance(data, bytes):
            joined[-1] = (bytes(joined[-1][0]) + data, charset)  # type: ignore[arg-type]
        else:
            joined.append((data, charset))
    return joined


def _address(message: Message, name: str) -> tuple[str, str]:
    """The (name, address) of a header; the address is empty when there is none."""
    value = " ".join(next(iter(_raw(message, name)), "")[:2000].split())
    # An unquoted “@” or comma in the name misleads the library's parser, angle brackets do not lie.
    match = re.search(r"^(.*)<([^<>\s@]+@[^<>\s@]+)>", value)
    if match is not None and f"<{match[2]}>" in _without_remarks(value):
        return _words(match[1].strip(' "').replace('\\"', '"')), _plain(match[2])
    shown, address = parseaddr(value)
    return (_words(shown), _plain(address)) if "@" in address else ("", "")


def _without_remarks(value: str) -> str:
    """An address header without what is quoted or in parentheses: whatever stands there is nobody's address."""
    return re.sub(r'"(?:[^"\\]|\\.)*"|\([^()]*\)', " ", value)


def _senders(message: Message) -> set[str]:
    """Every address that “From” names; of more than one, servers look at this and programs show that."""
    found: set[str] = set()
    for value in _raw(message, "From")[:20]:
        for piece in re.split("[,;]", _without_remarks(value[:2000])):
            angled = re.findall(r"<\s*([^<>\s@]+@[^<>\s@]+)\s*>", piece)
            found.update(map(_plain, angled or re.findall(r"[^<>\s@]+@[^<>\s@]+", piece)))
    return found


def _plain(address: str) -> str:
    return "".join(c for c in _words(address) if c.isprintable() and not c.isspace()).lower()[:320]


def _recipients(message: Message) -> Iterator[str]:
    names = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Forwarded-To")
    values = [value[:100_000] for name in names for value in _raw(message, name)]
    seen: set[str] = set()
    for _name, found in getaddresses(values)[:MOST_ADDRESSES]:
        address = _plain(found)
        if "@" in address and address not in seen:
            seen.add(address)
            yield address


def _ids(message: Message, name: str) -> list[str]:
    value = " ".join(_raw(message, name))[:100_000]
    return [clean(found) for found in _ID.findall(value)]


def _references(message: Message) -> tuple[str, ...]:
    found = [*_ids(message, "References"), *_ids(message, "In-Reply-To")]
    last_place = {each: i for i, each in enumerate(found)}
    return tuple(sorted(last_place, key=lambda each: last_place[each])[-MOST_REFERENCES:])


def _moment(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(message.get("Date", ""))[:200])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _failed_dmarc(message: Message) -> bool:
    """Did the server that took the mail for us find that its sender is not who it says? (RFC 8601)"""
    verdicts = message.get_all("Authentication-Results", [])
    return bool(verdicts) and bool(re.search(r"\bdmarc=fail\b", str(verdicts[0]), re.IGNORECASE))


def _judge_words(message: Message, received: Received) -> None:
    """What only the text tells: help desks that do not say what they are, and reports in words alone."""
    if received.automatic is None and REPLY_ABOVE.match(received.text[:1000].lstrip()):
        received.automatic = Automatic.REPLY
    if received.automatic is Automatic.BOUNCE and not received.bounces:
        match = re.search(r"(?im)^[> ]{0,4}Message-ID:\s{0,4}(<[^<>\s]{3,300}>)", received.text)
        original = match[1] if match else ""
        _name, recipient = _address(message, "X-Failed-Recipients")
        if recipient:
            received.bounces = [Bounce(recipient, "failed", "", "", original)]
        received.references += (original.strip("<>"),) if original else ()


# --- Body --------------------------------------------------------------------


def _body(message: Message, received: Received) -> None:
    texts: list[str] = []
    pages: list[str] = []
    for part in _parts(message, received):
        kind = part.get_content_type()
        if kind in ("application/ms-tnef", "application/vnd.ms-tnef"):
            _unpack(part, received, texts, pages)
        elif kind == "text/plain" and not _is_file(part):
            texts.append(_unflowed(part, _text(part)))
        elif kind == "text/html" and not _is_file(part):
            pages.append(_text(part))
        elif kind not in _SIGNATURES:
            received.files.append(_file(part))
    received.html = "\n".join(pages)
    text = clean("\n\n".join(each.strip("\n") for each in texts if each.strip()))
    if not text.strip() and pages:
        text = clean(html.to_text(received.html))
    received.is_cut = len(text) > LONGEST_TEXT
    received.text = text[:LONGEST_TEXT].strip("\n")


def _parts(message: Message, received: Received, depth: int = 0) -> Iterator[Message]:
    """The parts that hold something, in order; a mail within the mail is a file and its files."""
    waiting, count = [message], 0
    while waiting and count < MOST_PARTS:
        part = waiting.pop(0)
        count += 1
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global") and part.is_multipart():
            received.files.extend(
                file for inner in children(part) for file in _nested(inner, received, depth)
            )
        elif kind.startswith("message/") and part.is_multipart():
            continue  # a report of delivery: read elsewhere
        elif part.is_multipart():
            received.is_encrypted |= kind == "multipart/encrypted"
            waiting[:0] = children(part)
        elif kind not in ("text/rfc822-headers", "message/disposition-notification"):
            received.is_encrypted |= kind in ("application/pkcs7-mime", "application/x-pkcs7-mime")
            yield part


def _nested(inner: Message, received: Received, depth: int) -> Iterator[File]:
    """A mail within the mail, as a text that can be read, and the files it brings."""
    subject = _header(inner, "Subject")
    head = [
        f"{name}: {value}" for name in ("From", "To", "Date", "Subject") if (value := _header(inner, name))
    ]
    within = Received()
    if depth < DEEPEST:
        texts: list[str] = []
        pages: list[str] = []
        for part in _parts(inner, within, depth + 1):
            kind = part.get_content_type()
            if kind == "text/plain" and not _is_file(part):
                texts.append(_text(part))
            elif kind == "text/html" and not _is_file(part):
                pages.append(html.to_text(_text(part)))
            elif kind not in _SIGNATURES:
                within.files.append(_file(part))
        head += ["", *(texts or pages)]
    name = (re.sub(r"[^\w .,()№#-]+", " ", subject).strip()[:80] or "message") + ".txt"
    yield File(name, "text/plain", clean("\n".join(head)).encode())
    yield from within.files


def _is_file(part: Message) -> bool:
    disposition = str(part.get("Content-Disposition", "")).strip().lower()
    return disposition.startswith("attachment") or bool(_name(part))


def _name(part: Message) -> str:
    try:
        found = part.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        found = ""
    return _words(found)[:200]


def _file(part: Message) -> File:
    kind = part.get_content_type()
    cid = str(part.get("Content-ID", "")).strip(" <>\t\r\n")[:300]
    name = _name(part) or ("image" if kind.startswith("image/") else "file") + _ENDINGS.get(kind, "")
    return File(name, kind, _bytes(part), cid)


def _bytes(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, binascii.Error):
        payload = None
    if isinstance(payload, bytes):
        return payload
    return str(part.get_payload()).encode("utf-8", "surrogateescape")


def _text(part: Message) -> str:
    try:
        charset = part.get_param("charset")
    except (ValueError, LookupError):
        charset = None
    if isinstance(charset, tuple):  # RFC 2231
        charset = charset[2]
    data = _bytes(part)
    if charset is None and part.get_content_type() == "text/html":
        match = re.search(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{2,40})", data[:4000], re.IGNORECASE)
        charset = match[1].decode() if match else None
    return decode(data, str(charset) if charset else None)


def _unflowed(part: Message, text: str) -> str:
    """Lines that were broken for the journey only, put together again (RFC 3676)."""
    if str(part.get_param("format") or "").lower() != "flowed":
        return text
    deletes_space = str(part.get_param("delsp") or "").lower() == "yes"
    lines: list[tuple[int, str]] = []
    open_at = -1
    for line in text.replace("\r\n", "\n").split("\n"):
        words = line.lstrip(">")
        depth = len(line) - len(words)
        words = words.removeprefix(" ")
        flows = words.endswith(" ") and words != "-- "
        if open_at == depth and words != "-- ":
            lines[-1] = (depth, lines[-1][1] + words)
        else:
            lines.append((depth, words))
        if flows and deletes_space:
            lines[-1] = (depth, lines[-1][1][:-1])
        open_at = depth if flows else -1
    return "\n".join(("> " * depth + words) if depth else words for depth, words in lines)


def _unpack(part: Message, received: Received, texts: list[str], pages: list[str]) -> None:
    """What Outlook wrapped up in winmail.dat; the wrapping itself when nothing comes out."""
    inside = tnef.unpack(_bytes(part))
    if not (inside.files or inside.text or inside.html):
        received.files.append(_file(part))
        return
    if not any(text.strip() for text in texts):
        texts.append(inside.text)
        if inside.html:
            pages.append(inside.html)
    for name, content in inside.files[:MOST_PARTS]:
        received.files.append(File(_words(name)[:200] or "file", "application/octet-stream", content))
