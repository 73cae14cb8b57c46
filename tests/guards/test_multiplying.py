"""The multiplied sample is large, keeps to the database's rules and is spread over parents."""

from sqlalchemy import func, select

from hub.core.database import db
from hub.partners.models import Membership, Partner

from .multiplying import multiply, snapshot


def test_every_table_with_rows_grows(cast):
    originals = snapshot(db.session)
    multiply(originals, range(1, 100), db.session)
    db.session.commit()
    for table, rows in originals.items():
        count = db.session.scalar(select(func.count()).select_from(table))
        assert count >= 90 * len(rows), table.name


def test_children_belong_to_the_original_parent_and_to_its_copies(cast):
    multiply(snapshot(db.session), range(1, 100), db.session)
    db.session.commit()
    parents = db.session.scalar(select(func.count(Membership.partner_id.distinct())))
    with_original = db.session.scalar(
        select(func.count()).where(
            Membership.partner_id == select(Partner.id).where(Partner.code == "ACME").scalar_subquery()
        )
    )
    assert parents > 20
    assert with_original > 20
