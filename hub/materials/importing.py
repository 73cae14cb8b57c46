"""`hub materials import DIR`: a folder of files becomes materials, each file on its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from ..core import sheets
from ..core.database import db, transaction
from ..core.errors import HubError, Invalid
from ..core.i18n import LOCALES
from . import service
from .models import AssetVersion, Campaign, Kind
from .service import Details

SHEET = "materials.csv"
#: What the column with the file's name may be called.
FILE_COLUMNS = ("file", "filename", "name", "path")


class WrongSheet(Invalid):
    """`materials.csv` cannot be followed; the message names line and reason."""


@dataclass
class Outcome:
    """What became of a folder."""

    added: int = 0
    known: int = 0
    refused: list[str] = field(default_factory=list)


def files_in(folder: Path) -> list[Path]:
    """The files to import, those in folders within too, without hidden ones and the sheet."""
    found = (path for path in folder.rglob("*") if path.is_file() and path != folder / SHEET)
    return sorted(
        path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def described(folder: Path) -> dict[Path, dict[str, str]]:
    """What the sheet says, by file. Raises WrongSheet."""
    path = folder / SHEET
    if not path.exists():
        return {}
    wrong: list[str] = []
    found: dict[Path, dict[str, str]] = {}
    sheet = sheets.read(path.read_bytes())
    column = next((name for name in FILE_COLUMNS if name in sheet.columns), None)
    if column is None:
        raise WrongSheet(f"{SHEET}: there is no column “file”")
    for row in sheet.rows:
        file = folder / row[column]
        reasons = _reasons(folder, file, row.cells)
        wrong += [f"{SHEET}, line {row.line}: {reason}" for reason in reasons]
        if not reasons:
            found[file] = row.cells
    if wrong:
        raise WrongSheet("\n".join(wrong))
    return found


def _reasons(folder: Path, file: Path, row: dict[str, str]) -> list[str]:
    reasons = []
    if not file.is_file() or not file.resolve().is_relative_to(folder.resolve()):
        reasons.append(
            f"there is no file “{file.relative_to(folder) if file.is_relative_to(folder) else file}”"
        )
    if row.get("language") and row["language"] not in LOCALES:
        reasons.append(f"language “{row['language']}” is none of {', '.join(LOCALES)}")
    if row.get("size") and _size(row["size"]) is None:
        reasons.append(f"size “{row['size']}” is not like 300x250")
    return reasons


def run(folder: Path, *, progress: Callable[[], Any] = lambda: None) -> Outcome:
    """Import every file that is not in the library yet; `progress` is called after each."""
    sheet = described(folder)
    outcome = Outcome()
    for path in files_in(folder):
        try:
            if _take(path, sheet.get(path, {})):
                outcome.added += 1
            else:
                outcome.known += 1
        except HubError as error:
            outcome.refused.append(f"{path.relative_to(folder)}: {error.message}")
        finally:
            db.session.remove()
        progress()
    return outcome


def _take(path: Path, row: dict[str, str]) -> bool:
    """Add one file; False when the library has it already."""
    with path.open("rb") as stream:
        examined, stored = service.keep(FileStorage(stream, filename=path.name))
        given = _size(row.get("size", ""))
        if given and examined.width and given != (examined.width, examined.height):
            raise Invalid(f"{SHEET} says {row['size']}, the picture is {examined.width}x{examined.height}")
        if _is_known(service.digest(examined)):
            return False
        with transaction():
            asset = service.add_file(None, examined, stored, _details(row))
            if given and asset.width is None and asset.kind is not Kind.TEXT:
                asset.width, asset.height = given
    return True


def _is_known(sha256: str) -> bool:
    return (
        db.session.scalar(select(AssetVersion.id).where(AssetVersion.sha256 == sha256).limit(1)) is not None
    )


def _details(row: dict[str, str]) -> Details:
    details: Details = {
        "tags": service.clean_tags(row.get("tags", "").replace(";", ",")),
        "locale": row.get("language") or None,
    }
    if row.get("title"):
        details["title"] = row["title"][:200]
    if row.get("campaign"):
        details["campaign_id"] = _campaign(row["campaign"]).id
    return details


def _campaign(name: str) -> Campaign:
    """The campaign of this name in any language, or a new one."""
    wanted = name.strip().casefold()
    for each in db.session.scalars(select(Campaign)):
        if wanted in {called.casefold() for called in each.names.values()}:
            return each
    return service.save_campaign(None, {"en": name.strip()})


def _size(text: str) -> tuple[int, int] | None:
    width, _x, height = text.lower().replace("×", "x").replace(" ", "").partition("x")
    return (int(width), int(height)) if width.isdecimal() and height.isdecimal() and len(text) < 16 else None
