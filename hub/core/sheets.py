"""CSV in both directions: read what people send with its line numbers, write what no spreadsheet will run."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import Invalid
from .i18n import _

#: A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Row:
    """A row of a file: the line it begins on (the header is line 1) and its cells by column."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass
class Sheet:
    columns: list[str]
    rows: list[Row] = field(default_factory=list)


def read(data: bytes, *, most_rows: int = 50_000) -> Sheet:
    """Read CSV in UTF-8 (or UTF-16 with its mark), separated by commas, semicolons or tabs.

    Column names are trimmed, lower-cased and written with underscores, cells trimmed, blank lines skipped.
    Raises Invalid when this is no such file.
    """
    text = _decode(data)
    if "\x00" in text:
        raise Invalid(_("This is not a CSV file. Save the sheet as “CSV UTF-8” and try again."))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    sheet, before = Sheet([]), 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not sheet.columns:
                sheet.columns = [cell.strip().lower().replace(" ", "_") for cell in cells]
                continue
            if len(sheet.rows) >= most_rows:
                raise Invalid(_("The file has more than %(count)s rows. Split it.", count=most_rows))
            sheet.rows.append(Row(line, _by_column(sheet.columns, cells)))
    except csv.Error as error:
        raise Invalid(_("Line %(line)s cannot be read as CSV.", line=reader.line_num)) from error
    if not sheet.columns:
        raise Invalid(_("The file is empty."))
    return sheet


def _by_column(columns: list[str], cells: list[str]) -> dict[str, str]:
    found = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
    # A separator inside an unquoted text moves everything after it: better a complaint than a wrong cell.
    extra = [cell for cell in cells[len(columns) :] if cell.strip()]
    return found | ({"": extra[0]} if extra else {})


def _decode(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Invalid(_("The text is not in UTF-8. Save the sheet as “CSV UTF-8” and try again.")) from error


def _delimiter(text: str) -> str:
    """The separator that splits the header most often."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max((",", ";", "\t"), key=header.count)


def write(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    """CSV with a byte order mark, by which spreadsheets know UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([safe(cell) for cell in header])
    for row in rows:
        writer.writerow([safe(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def safe(cell: Any) -> Any:
    """A cell as data: text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(FORMULA):
        return "'" + cell
    return "" if cell is None else cell


def workbook(title: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> bytes:
    """The same as an Excel file (XLSX): numbers are numbers, text is never a formula."""
    from openpyxl import Workbook  # here: 15 MB that most processes never need
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_name(title))
    sheet.freeze_panes = "A2"
    heads = [WriteOnlyCell(sheet, value=safe(cell)) for cell in header]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)
    for row in rows:
        sheet.append([_printable(safe(cell)) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet_name(title: str) -> str:
    return "".join(" " if c in r"[]:*?/\'" else c for c in title)[:31] or "1"


def _printable(cell: Any) -> Any:
    """Text without the control characters that XML cannot hold."""
    return "".join(c for c in cell if c >= " " or c in "\n\t") if isinstance(cell, str) else cell
