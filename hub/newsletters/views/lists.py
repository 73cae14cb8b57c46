"""Lists of addresses that come as a file."""

from collections.abc import Sequence

from flask import request

from ...core import sheets
from ...core.errors import Invalid

#: Of a list that is read in, in bytes.
LARGEST = 5_000_000


def uploaded(columns: Sequence[str], otherwise: str) -> sheets.Sheet:
    """The CSV file of the form. Raises Invalid(`otherwise`) where there is none, or it is too large or lacks a column."""
    file = request.files.get("file")
    data = file.read(LARGEST + 1) if file else b""
    sheet = sheets.read(data) if data and len(data) <= LARGEST else None
    if sheet is None or not set(columns) <= set(sheet.columns):
        raise Invalid(otherwise)
    return sheet


def enumerated(lines: Sequence[int]) -> str:
    """The first numbers of lines, as they are told to who brought the file."""
    return ", ".join(map(str, lines[:20])) + ("…" if len(lines) > 20 else "")
