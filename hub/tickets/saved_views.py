"""Lists of the inbox that are kept under a name, by one person or for the whole team."""

from collections.abc import Iterable

from sqlalchemy import func, select

from ..accounts.models import User
from ..core.access import Permission, can, visible
from ..core.database import db
from ..core.errors import HubError
from ..core.i18n import _l
from .inbox import Asked
from .models import SavedView

#: Of one person: every page of the inbox counts what each view holds.
MOST = 20


class TooManyViews(HubError):
    message = _l("You have 20 views. Remove one you do not need, or put these filters into it.")


def may_change(view: SavedView, user: User) -> bool:
    """Its owner may; what is shared, whoever manages tickets too."""
    return view.owner_id == user.id or (view.is_shared and can(user, Permission.TICKETS_MANAGE))


def kept(asked: Asked, views: Iterable[SavedView], user: User) -> SavedView | None:
    """The one of `views` that shows this very list, if `user` may change it."""
    same = (each for each in views if each.asked == asked.parameters() and may_change(each, user))
    return next(same, None)


def changeable(user: User) -> list[SavedView]:
    """The views that `user` may change, by name."""
    seen = visible(select(SavedView), user).order_by(SavedView.name, SavedView.id)
    return [each for each in db.session.scalars(seen) if may_change(each, user)]


def save(user: User, name: str, asked: Asked, *, is_shared: bool) -> SavedView:
    """Keep a list under a name, for `user` alone or for the whole team. Raises TooManyViews."""
    held = select(func.count()).where(SavedView.owner_id == user.id)
    if (db.session.scalar(held) or 0) >= MOST:
        raise TooManyViews
    view = SavedView(owner_id=user.id, name=name, asked=asked.parameters(), is_shared=is_shared)
    db.session.add(view)
    db.session.flush()
    return view
