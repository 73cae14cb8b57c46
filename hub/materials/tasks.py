"""Background work: small pictures for the gallery."""

import io

import structlog
from PIL import Image, ImageOps
from sqlalchemy import select, update

from ..core import storage
from ..core.database import db, transaction
from ..core.jobs import job
from . import clicks, crediting, indexing, receiving, service, showing
from .models import AssetVersion, ThumbnailState

log = structlog.get_logger()


@job(service.INDEX, every="* * * * *")
def index() -> int:
    """Tell search what has changed, and what has begun or ended by date."""
    return indexing.index_stale()


@job(clicks.COUNT, every="* * * * *")
def count_clicks() -> int:
    """Count the clicks that web processes have noted."""
    return clicks.collect()


@job(showing.COUNT, every="* * * * *")
def count_views() -> int:
    """Count the views that web processes have noted."""
    return showing.collect()


@job(crediting.CREDIT, every="*/10 * * * *")
def credit() -> int:
    """Say which material each new sale counts for, and which earn best."""
    clicks.collect()  # a sale may come right after its click
    return crediting.credit()


@job("materials.forget_visitors", every="17 3 * * *")
def forget_visitors() -> int:
    """Drop what told visitors of past days apart."""
    showing.forget_files()
    return clicks.forget_visitors()


@job("materials.clean_uploads", every="41 * * * *")
def clean_uploads() -> int:
    """Throw away files that were begun and never added."""
    return receiving.clean()


BOX = (600, 500)  # twice a tile's size, for dense screens


@job("materials.thumbnails", every="* * * * *")
def thumbnails() -> int:
    """Make the thumbnails that are missing; how many were made. Doing one twice does no harm."""
    made = 0
    while (version := _next()) is not None:
        try:
            key = storage.store(thumbnail(service.content(version)), limit=5_000_000).key
            state = ThumbnailState.READY
        except Exception as error:
            # One bad picture must not keep the others waiting; a full disk is tried again.
            if isinstance(error, OSError) and error.errno == 28:
                raise
            log.warning("thumbnail failed", version=version.id, error=str(error)[:200])
            key, state = None, ThumbnailState.FAILED
        with transaction() as session:
            session.execute(
                update(AssetVersion)
                .where(AssetVersion.id == version.id, AssetVersion.thumbnail_state == ThumbnailState.PENDING)
                .values(thumbnail_state=state, thumbnail_key=key)
            )
        made += 1
    return made


def _next() -> AssetVersion | None:
    db.session.rollback()
    pending = AssetVersion.thumbnail_state == ThumbnailState.PENDING
    return db.session.scalar(select(AssetVersion).where(pending).order_by(AssetVersion.id).limit(1))


def thumbnail(picture: io.BytesIO) -> io.BytesIO:
    """A WebP of the picture (of its first frame) that fits the box; never larger than the original."""
    out = io.BytesIO()
    with Image.open(picture) as image:
        image.draft("RGB", BOX)  # JPEGs are decoded no larger than needed
        small = ImageOps.exif_transpose(
            image.convert("RGBA" if image.mode in ("P", "LA", "PA", "RGBA") else "RGB")
        )
        small.thumbnail(BOX, Image.Resampling.LANCZOS)
        small.save(out, "WEBP", quality=82, method=4)
    out.seek(0)
    return out
