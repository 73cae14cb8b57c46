"""Assets as the search index sees them: by title, campaign, size, kind, tag and, of ready texts, words."""

from collections.abc import Iterator

from sqlalchemy import or_, select, update
from sqlalchemy.orm import joinedload, selectinload

from ..core import clock, fulltext
from ..core.database import db, transaction
from ..core.fulltext import PARTNERS, STAFF, Document, IndexBusy, Source
from ..core.i18n import LOCALES, _l, speaking
from ..partners.groups import index_token, index_tokens
from .models import KINDS, Asset, Visibility, usable_now

KIND = "material"
_BATCH = 500
_WHOLE = (
    joinedload(Asset.campaign),
    joinedload(Asset.current),
    selectinload(Asset.tag_rows),
    selectinload(Asset.reader_rows),
)


def document(asset: Asset, lang: str) -> Document:
    """An asset as a document of the index of `lang`."""
    with speaking(lang):
        campaign = asset.campaign.name if asset.campaign else ""
        kind = str(KINDS[asset.kind])
    size = (f"{asset.width}x{asset.height}", f"{asset.width} × {asset.height}") if asset.width else ()
    facts = (kind, *size, campaign, ", ".join(asset.tags))
    # What is given out on request must not be read in bits of what was found.
    text = None if asset.needs_approval else asset.current.text
    return Document(
        kind=KIND,
        id=asset.id,
        lang=lang,
        audience=_audience(asset),
        title=asset.title,
        url=f"/materials/{asset.id}",
        body="\n".join(filter(None, (" · ".join(filter(None, facts)), text))),
        crumbs=(campaign,) if campaign else (),
        codes=(*size[:1], asset.public_id),
        badge=size[1] if size else "",
        updated_at=asset.updated_at.isoformat(),
    )


def index_stale() -> int:
    """Bring the index up to date; how many assets were looked at.

    An asset changed meanwhile stays stale: only what was written is marked fresh.
    """
    _notice_dates()
    done = 0
    while rows := _stale():
        usable = {asset.id: _is_usable(asset) for asset in rows}
        is_busy = False
        for lang in LOCALES:
            keep = [
                document(asset, lang) for asset in rows if usable[asset.id] and asset.locale in (lang, None)
            ]
            kept = {doc.id for doc in keep}
            try:
                fulltext.write(lang, keep, [f"{KIND}:{asset.id}" for asset in rows if asset.id not in kept])
            except IndexBusy:
                is_busy = True
        if is_busy:  # the other languages have them; for this one they stay stale
            return done
        with transaction() as session:
            for asset in rows:
                unchanged = Asset.id == asset.id, Asset.updated_at == asset.updated_at
                values = {"is_stale": False, "is_indexed": usable[asset.id], "updated_at": asset.updated_at}
                session.execute(update(Asset).where(*unchanged).values(values))
        done += len(rows)
    return done


def _notice_dates() -> None:
    """Mark what has come into its dates or gone out of them since it was written."""
    changed = or_(Asset.is_indexed & ~usable_now(), ~Asset.is_indexed & usable_now())
    if db.session.scalar(select(Asset.id).where(changed, ~Asset.is_stale).limit(1)) is not None:
        with transaction() as session:
            marked = update(Asset).where(changed).values(is_stale=True, updated_at=clock.now())
            session.execute(marked, execution_options={"synchronize_session": False})


def _stale() -> list[Asset]:
    db.session.rollback()
    statement = select(Asset).where(Asset.is_stale).order_by(Asset.id).limit(_BATCH)
    return list(db.session.scalars(statement.options(*_WHOLE).execution_options(populate_existing=True)))


def _is_usable(asset: Asset) -> bool:
    return asset.status == "published" and asset.is_valid()


def _audience(asset: Asset) -> frozenset[str]:
    if asset.visibility is Visibility.ALL:
        return frozenset((PARTNERS,))
    return frozenset((STAFF, *map(index_token, asset.readers)))


def _everything(lang: str) -> Iterator[Document]:
    statement = select(Asset).where(usable_now(), or_(Asset.locale == lang, Asset.locale.is_(None)))
    last = 0
    while True:
        page = statement.where(Asset.id > last).order_by(Asset.id).limit(_BATCH).options(*_WHOLE)
        rows = list(db.session.scalars(page.execution_options(populate_existing=True)))
        if not rows:
            return
        yield from (document(asset, lang) for asset in rows)
        last = rows[-1].id
        db.session.expunge_all()


_ROWS = select(Asset.id).where(usable_now())
fulltext.register(
    Source(
        KIND,
        _l("Materials"),
        "photo",
        _everything,
        index_tokens,
        rows=_ROWS,
        is_behind=Asset.is_stale.is_(True),
    )
)
