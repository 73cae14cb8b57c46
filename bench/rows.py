"""What a measurement is, and the two forms in which all of them are shown."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure; `ratio` is value divided by baseline, both in `unit`."""

    name: str
    scale: int
    backend: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None


def against(name: str, value: float, baseline: float, *, scale: int, backend: str, unit: str) -> Row:
    """Return a row that compares the value with a baseline measured in the same run."""
    return Row(name, scale, backend, round(value, 3), unit, round(baseline, 3), round(value / baseline, 2))


def table(rows: Iterable[Row]) -> str:
    """Return the rows as aligned text."""
    lines = [("name", "scale", "backend", "value", "unit", "baseline", "ratio")]
    lines += [tuple("—" if cell is None else str(cell) for cell in asdict(row).values()) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    left = {0, 2, 4}

    def aligned(line: tuple[str, ...]) -> str:
        cells = zip(line, widths, range(len(widths)), strict=True)
        return "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width) for cell, width, column in cells
        )

    return "\n".join(aligned(line).rstrip() for line in lines)


def write(rows: Iterable[Row], path: Path) -> None:
    """Write the rows as JSON for other tools."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
