"""winmail.dat: what Outlook sends when it thinks it speaks with Outlook.

Reads the attachments and the body out of the container ([MS-OXTNEF]); a
damaged one gives what could be read.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

SIGNATURE = 0x223E9F78
_BODY, _ATTACH_DATA, _ATTACH_TITLE, _ATTACH_START, _ATTACHMENT, _MESSAGE = (
    0x0002800C, 0x0006800F, 0x00018010, 0x00069002, 0x00069005, 0x00069003,
)  # fmt: skip
_PR_BODY, _PR_HTML, _PR_DATA, _PR_FILENAME, _PR_LONG_FILENAME = 0x1000, 0x1013, 0x3701, 0x3704, 0x3707
#: Property type → size of its value; others carry a length of their own.
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_MOST = 10_000


@dataclass
class Winmail:
    """What was inside: text, HTML, and files as (name, content)."""

    text: str = ""
    html: str = ""
    files: list[tuple[str, bytes]] = field(default_factory=list)


def unpack(data: bytes) -> Winmail:
    """Read a container; never raises, and gives nothing for what is none."""
    found = Winmail()
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != SIGNATURE:
        return found
    name, content = "", b""

    def finish() -> None:
        if content:
            found.files.append((name or "file", content))

    for identity, value in _attributes(data):
        if identity == _ATTACH_START:
            finish()
            name, content = "", b""
        elif identity == _ATTACH_TITLE:
            name = name or _text(value)
        elif identity == _ATTACH_DATA:
            content = value
        elif identity == _BODY:
            found.text = _text(value)
        elif identity == _ATTACHMENT:
            properties = dict(_properties(value))
            name = (
                _text(properties.get(_PR_LONG_FILENAME, b""))
                or name
                or _text(properties.get(_PR_FILENAME, b""))
            )
            content = content or properties.get(_PR_DATA, b"")
        elif identity == _MESSAGE:
            properties = dict(_properties(value))
            found.text = found.text or _text(properties.get(_PR_BODY, b""))
            found.html = _text(properties.get(_PR_HTML, b""))
    finish()
    return found


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 6
    while position + 9 <= len(data):
        _level, identity, length = struct.unpack_from("<BII", data, position)
        position += 9
        if position + length > len(data):
            return
        yield identity, data[position : position + length]
        position += length + 2  # a checksum, which Outlook itself gets wrong


def _properties(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The MAPI properties of an attribute: (number, value), as far as they can be read."""
    try:
        (count,) = struct.unpack_from("<I", data)
        position = 4
        for _ in range(min(count, _MOST)):
            kind, number = struct.unpack_from("<HH", data, position)
            position += 4
            if number >= 0x8000:
                position = _after_name(data, position)
            if kind in _FIXED:
                yield number, data[position : position + _FIXED[kind]]
                position += _FIXED[kind]
                continue
            if kind not in (0x0D, 0x1E, 0x1F, 0x102):
                return  # several values, or a kind no mail of ours needs
            (values,) = struct.unpack_from("<I", data, position)
            position += 4
            for _each in range(min(values, _MOST)):
                (length,) = struct.unpack_from("<I", data, position)
                value = data[position + 4 : position + 4 + length]
                if kind == 0x1F:
                    value = value.decode("utf-16-le", "replace").encode()
                yield number, value
                position += 4 + length + (-length % 4)
    except struct.error:
        return


def _after_name(data: bytes, position: int) -> int:
    """Where the value of a named property begins."""
    (kind,) = struct.unpack_from("<I", data, position + 16)
    position += 20
    (length,) = struct.unpack_from("<I", data, position)
    position += 4
    return position + length + (-length % 4) if kind == 1 else position


def _text(value: bytes) -> str:
    value = value.split(b"\x00")[0]
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1251", "replace")
