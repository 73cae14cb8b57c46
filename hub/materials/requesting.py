"""What may not be used without asking: a partner says what for and where, the team answers, both hear of it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError

from ..accounts.models import User
from ..core import audit, clock
from ..core.access import Permission, can, roles_with, visible
from ..core.database import db, touched
from ..core.errors import Forbidden, HubError
from ..core.i18n import _l
from ..core.links import path
from ..notifications import kinds
from ..notifications.service import notify
from ..partners.models import Partner, own_partner_ids
from ..partners.service import partner_of
from .models import Asset, RequestState, UseRequest, with_consent

kinds.register("material.asked", _l("%(name)s asks to use “%(title)s”"), icon="photo")
kinds.register("material.granted", _l("You may use “%(title)s” now"), icon="photo")
kinds.register("material.refused", _l("You may not use “%(title)s”: %(reason)s"), icon="photo")


class AskFirst(Forbidden):
    message = _l("Ask to use it first: its codes and files are yours once the team has agreed.")


class AskedAlready(HubError):
    message = _l("Your organisation has asked for it already.")


class DecidedAlready(HubError):
    message = _l("A colleague has decided this already.")


# --- May it be used? -------------------------------------------------------


def usable(statement: Select[Any], user: Any) -> Select[Any]:
    """Of these assets, those that `user` may use at once."""
    if not can(user, Permission.PARTNERS_OWN):
        return statement
    return statement.where(with_consent(Partner.id.in_(own_partner_ids(user))))


def may_use(asset: Asset, user: Any) -> bool:
    """May `user` have the codes and the file of an asset that they see?"""
    if not asset.needs_approval:
        return True
    return db.session.scalar(usable(select(Asset.id), user).where(Asset.id == asset.id)) is not None


def not_yet(assets: Iterable[Asset], user: Any) -> set[int]:
    """Ids of those of these assets that `user` has to ask for first."""
    asked = {asset.id for asset in assets if asset.needs_approval}
    if not asked:
        return asked
    return asked - set(db.session.scalars(usable(select(Asset.id), user).where(Asset.id.in_(asked))))


def check(asset: Asset, user: Any) -> None:
    """Raise AskFirst unless `user` may use the asset."""
    if not may_use(asset, user):
        raise AskFirst


def latest(asset: Asset, user: Any) -> UseRequest | None:
    """What the user's organisation asked last about an asset."""
    own = visible(select(UseRequest), user).where(UseRequest.asset_id == asset.id)
    return db.session.scalar(own.order_by(UseRequest.id.desc()).limit(1))


# --- Asking and answering --------------------------------------------------


def ask(asset: Asset, user: User, purpose: str, place: str) -> UseRequest:
    """Ask to use an asset. Raises AskedAlready when a question is open or answered with yes."""
    partner = partner_of(user)
    if partner is None or not asset.needs_approval:
        raise HubError
    request = UseRequest(
        asset_id=asset.id, partner_id=partner.id, user_id=user.id, purpose=purpose, place=place
    )
    try:
        with db.session.begin_nested():
            db.session.add(request)
    except IntegrityError:
        raise AskedAlready from None
    audit.record(user, "asset.asked", f"asset:{asset.id}", after={"partner": partner.code})
    params = {"name": partner.name, "title": asset.title}
    notify(_deciders(partner), "material.asked", params, path("materials.requests"))
    return request


def grant(request: UseRequest, manager: User) -> None:
    """Say yes. Raises DecidedAlready."""
    _decide(request, manager, RequestState.GRANTED, None, of=[RequestState.ASKED])
    _answer(request, "material.granted", {"title": request.asset.title})


def refuse(request: UseRequest, manager: User, reason: str) -> None:
    """Say no, or take a yes back, and say why. Raises DecidedAlready."""
    _decide(request, manager, RequestState.REFUSED, reason, of=[RequestState.ASKED, RequestState.GRANTED])
    _answer(request, "material.refused", {"title": request.asset.title, "reason": reason})


def _decide(
    request: UseRequest, manager: User, state: RequestState, reason: str | None, *, of: list[RequestState]
) -> None:
    values = {"state": state, "reason": reason, "decided_at": clock.now(), "decided_by_id": manager.id}
    open_one = UseRequest.id == request.id, UseRequest.state.in_(of)
    if not touched(update(UseRequest).where(*open_one).values(values)):
        raise DecidedAlready
    after = {"state": str(state), "partner": request.partner.code, "reason": reason}
    audit.record(manager, "asset.request_decided", f"asset:{request.asset_id}", after=after)
    db.session.expire(request)


def _answer(request: UseRequest, kind: str, params: dict[str, Any]) -> None:
    notify([request.user], kind, params, path("materials.show", id=request.asset_id))


def _deciders(partner: Partner) -> list[User]:
    """The partner's manager; without one, everyone who may answer."""
    may = User.role.in_(roles_with(Permission.MATERIALS_MANAGE)), User.disabled_at.is_(None)
    team = list(db.session.scalars(select(User).where(*may)))
    return [user for user in team if user.id == partner.manager_id] or team
