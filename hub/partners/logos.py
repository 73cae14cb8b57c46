"""A partner's logo, which stands on materials in their name: one picture, checked like any upload."""

import io
from typing import Any

from PIL import Image

from ..core import audit, storage, uploads
from ..core.errors import Invalid
from ..core.i18n import _l
from .models import Partner

MOST_BYTES, BOX = 5_000_000, (1200, 1200)


class NoPicture(Invalid):
    message = _l("A logo is one still picture: PNG, JPEG or WebP.")


def prepare(file: Any) -> str:
    """Examine an upload and keep it as a PNG of sensible size; its key. Before any transaction: it may take a while.

    Raises NoPicture, BadFile, TooLarge.
    """
    examined = uploads.examine(file, limit=MOST_BYTES)
    if examined.kind != "image":
        raise NoPicture
    out = io.BytesIO()
    with Image.open(examined.stream) as picture:
        small = picture.convert("RGBA")
        small.thumbnail(BOX, Image.Resampling.LANCZOS)
        small.save(out, "PNG", optimize=True)
    out.seek(0)
    return storage.store(out, limit=20_000_000).key


def put(partner: Partner, key: str | None, actor: Any) -> None:
    """Give the partner this logo, or none."""
    if partner.logo_key != key:
        partner.logo_key = key
        audit.record(actor, "partner.logo", f"partner:{partner.id}", after={"has_logo": key is not None})
