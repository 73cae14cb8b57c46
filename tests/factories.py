"""A small cast of people and partners, ready to use."""

import itertools
from types import SimpleNamespace

from hub.accounts.models import User
from hub.core.access import Role
from hub.core.database import db
from hub.partners.models import MemberRole, Membership, Partner

_numbers = itertools.count(1)


def make_user(role: Role = Role.PARTNER, **values) -> User:
    n = next(_numbers)
    user = User(**({"email": f"user{n}@example.org", "name": f"User {n}", "role": role} | values))
    db.session.add(user)
    db.session.flush()
    return user


def make_partner(**values) -> Partner:
    n = next(_numbers)
    partner = Partner(
        **({"code": f"P{n:05d}", "name": f"Partner {n}", "country": "NO", "currency": "EUR"} | values)
    )
    db.session.add(partner)
    db.session.flush()
    return partner


def make_member(partner: Partner, role: MemberRole = MemberRole.OWNER, **values) -> User:
    user = make_user(Role.PARTNER, **values)
    db.session.add(Membership(partner_id=partner.id, user_id=user.id, role=role))
    db.session.flush()
    return user


def make_cast() -> SimpleNamespace:
    """Two partners with their owners, and one of each staff role, committed."""
    acme, other = make_partner(code="ACME", name="Acme Media"), make_partner(code="OTHER", name="Other Media")
    cast = SimpleNamespace(
        acme=acme,
        other_org=other,
        partner=make_member(acme, email="partner@example.org", name="Pat Partner"),
        other_partner=make_member(other, email="other@example.org", name="Otto Other"),
        agent=make_user(Role.AGENT, email="agent@example.org", name="Agnes Agent"),
        manager=make_user(Role.MANAGER, email="manager@example.org", name="Max Manager"),
        admin=make_user(Role.ADMIN, email="admin@example.org", name="Ada Admin"),
    )
    db.session.commit()
    return cast
