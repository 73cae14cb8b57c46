"""Partner organisations as the search index sees them: for the team, by name, code, people and tags."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from ..core import fulltext
from ..core.access import Permission, can
from ..core.database import db
from ..core.fulltext import Document, Source
from ..core.i18n import LOCALES, _l
from .models import Membership, Partner

KIND = "partner"
AUDIENCE = "partner-list"
_BATCH = 500


def document(partner: Partner, lang: str) -> Document:
    """An organisation in the index of `lang`: its names are the same in each."""
    people = [membership.user for membership in partner.memberships]
    facts = (partner.website, ", ".join(partner.channels), ", ".join(partner.tags))
    names = ", ".join(f"{user.name} {user.email}" for user in people)
    return Document(
        kind=KIND,
        id=partner.id,
        lang=lang,
        audience=frozenset((AUDIENCE,)),
        title=partner.name,
        url=f"/partners/{partner.code}",
        body="\n".join(filter(None, (partner.code, *facts, names))),
        crumbs=(partner.tier.names.get(lang) or partner.tier.names["en"],) if partner.tier else (),
        codes=(partner.code, *(user.email for user in people)),
        badge=partner.code,
        updated_at=partner.joined_at.isoformat(),
    )


def _some(ids: list[int]) -> Iterator[Document]:
    whole = selectinload(Partner.memberships).joinedload(Membership.user), joinedload(Partner.tier)
    found = select(Partner).where(Partner.id.in_(ids)).options(*whole)
    for partner in db.session.scalars(found.execution_options(populate_existing=True)):
        for lang in LOCALES:
            yield document(partner, lang)


def _everything(lang: str) -> Iterator[Document]:
    last = 0
    while True:
        page = select(Partner.id).where(Partner.id > last).order_by(Partner.id).limit(_BATCH)
        ids = list(db.session.scalars(page))
        if not ids:
            return
        yield from (each for each in _some(ids) if each.lang == lang)
        last = ids[-1]
        db.session.expunge_all()


def _levels(viewer: Any) -> set[str]:
    return {AUDIENCE} if can(viewer, Permission.PARTNERS_VIEW) else set()


fulltext.register(
    Source(
        KIND,
        _l("Partners"),
        "users",
        _everything,
        _levels,
        _some,
        needs_all_words=True,
        rows=select(Partner.id),
    )
)
fulltext.follow(Partner, KIND)
fulltext.follow(Membership, KIND, lambda membership: membership.partner_id)
