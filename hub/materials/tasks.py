"""Background work: small pictures for the gallery."""

import structlog
from sqlalchemy import and_, or_, select, update

from ..core import clock, storage
from ..core.database import db, transaction
from ..core.jobs import job
from . import branding, clicks, colours, crediting, indexing, pictures, receiving, service, showing, telling
from .models import Asset, AssetVersion, ThumbnailState

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
    branding.forget_unused()
    return clicks.forget_visitors()


@job("materials.tell", every="5 7 * * *")
def tell() -> int:
    """Tell partners what is new, and what they use that ends soon."""
    return telling.tell_of_new() + telling.tell_of_ending()


@job("materials.clean_uploads", every="41 * * * *")
def clean_uploads() -> int:
    """Throw away files that were begun and never added."""
    return receiving.clean()


@job("materials.thumbnails", every="* * * * *")
def thumbnails() -> int:
    """Make the thumbnails that are missing, and name their colours; how many. Doing one twice does no harm."""
    made = 0
    while (version := _next()) is not None:
        try:
            small = pictures.thumbnail(service.content(version))
            shares = colours.palette(small)
            key: str | None = storage.store(small, limit=5_000_000).key
            state = ThumbnailState.READY
        except Exception as error:
            # One bad picture must not keep the others waiting; a full disk is tried again.
            if isinstance(error, OSError) and error.errno == 28:
                raise
            log.warning("thumbnail failed", version=version.id, error=str(error)[:200])
            key, state, shares = None, ThumbnailState.FAILED, []
        with transaction() as session:
            values = {
                "thumbnail_state": state,
                "thumbnail_key": key,
                "colours": [colour for colour, _share in shares],
            }
            session.execute(update(AssetVersion).where(AssetVersion.id == version.id).values(values))
            if version.is_current:
                # The gallery counts anew, but nothing has changed that search knows.
                now = {"colour": colours.family(shares), "updated_at": clock.now()}
                session.execute(update(Asset).where(Asset.id == version.asset_id).values(now))
        made += 1
    return made


def _next() -> AssetVersion | None:
    db.session.rollback()
    unseen = and_(AssetVersion.thumbnail_state == ThumbnailState.READY, AssetVersion.colours.is_(None))
    missing = or_(AssetVersion.thumbnail_state == ThumbnailState.PENDING, unseen)
    return db.session.scalar(select(AssetVersion).where(missing).order_by(AssetVersion.id).limit(1))
