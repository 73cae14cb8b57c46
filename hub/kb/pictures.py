"""Pictures in articles: kept once by their content, seen by those who may read a text that shows them."""

import io
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from PIL import Image
from sqlalchemy import delete, select
from werkzeug.datastructures import FileStorage

from ..core import storage, uploads
from ..core.database import db
from ..core.errors import Invalid
from ..core.i18n import _l
from ..core.uploads import Examined, Kind
from .models import Translation
from .models.writing import Picture, PictureUse

LIMIT = 10_000_000
_USED = re.compile(r"\bimage:([0-9a-f]{20}\.(?:png|jpg|webp|gif))\b")


class NoPicture(Invalid):
    message = _l("Only pictures can be shown in an article: PNG, JPEG, GIF or WebP.")


def keep(author: Any, file: Examined) -> Picture:
    """The picture of an examined file; the same content is the same picture. Raises NoPicture."""
    if file.kind not in (Kind.IMAGE, Kind.ANIMATED) or not file.width or not file.height:
        raise NoPicture
    stored = storage.store(file.stream, limit=LIMIT)
    name = f"{stored.sha256[:20]}{file.suffix}"
    found = db.session.scalar(select(Picture).where(Picture.name == name))
    if found is None:
        found = Picture(name=name, key=stored.key, mime=file.mime, width=file.width, height=file.height)
        found.author_id = getattr(author, "id", None)
        db.session.add(found)
        db.session.flush()
    return found


def adopt(author: Any, data: bytes) -> Picture:
    """The picture of a file from an archive. One that a hub has written keeps every byte and so its name.

    Raises NoPicture, BadFile, TooLarge.
    """
    examined = uploads.examine(FileStorage(io.BytesIO(data), "picture"), limit=LIMIT)
    if examined.kind in (Kind.IMAGE, Kind.ANIMATED) and uploads.is_bare(data):
        examined = replace(examined, stream=io.BytesIO(data), size=len(data))
    return keep(author, examined)


def is_one(data: bytes) -> bool:
    """Does a file begin as a picture that can be shown? Whether all of it is right, `adopt` finds out."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "GIF", "WEBP"]):
            return True
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def names_in(body: str) -> set[str]:
    """The pictures a text names."""
    return set(_USED.findall(body))


def note_uses(translation: Translation) -> None:
    """Remember which pictures a text shows now."""
    names = names_in(translation.body)
    uses = PictureUse.translation_id == translation.id
    known = set(db.session.scalars(select(PictureUse.picture_id).where(uses)))
    wanted = set(db.session.scalars(select(Picture.id).where(Picture.name.in_(names)))) if names else set()
    if known - wanted:
        db.session.execute(delete(PictureUse).where(uses, PictureUse.picture_id.in_(known - wanted)))
    db.session.add_all(
        PictureUse(picture_id=picture_id, translation_id=translation.id)
        for picture_id in sorted(wanted - known)
    )


def unknown(names: Iterable[str]) -> set[str]:
    """Those of `names` that there is no picture of."""
    names = set(names)
    return names - set(db.session.scalars(select(Picture.name).where(Picture.name.in_(names))))
