"""The one layer that decides who may do what.

Deny by default: a view without `@requires(...)`, `@signed_in` or `@public`
answers 403. Only this module knows roles; everything else asks `can()`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Select, bindparam

from .database import db
from .errors import Forbidden, NotFound, answer, wants_json
from .extensions import login_manager
from .light import always


class Role(StrEnum):
    PARTNER = "partner"
    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"


class Permission(StrEnum):
    """`room:action`. Partners' permissions concern their own data only."""

    # partners
    PARTNERS_OWN = "partners:own"  # see and edit one's own partner organisation
    PARTNERS_VIEW = "partners:view"
    PARTNERS_EDIT = "partners:edit"
    # earnings
    EARNINGS_OWN = "earnings:own"
    EARNINGS_VIEW = "earnings:view"
    EARNINGS_IMPORT = "earnings:import"
    # knowledge base
    KB_READ = "kb:read"  # what partners may read
    KB_READ_STAFF = "kb:read_staff"  # drafts and staff articles too
    KB_WRITE = "kb:write"
    KB_DISCUSS = "kb:discuss"  # ask and answer under articles
    # materials
    MATERIALS_VIEW = "materials:view"
    MATERIALS_MANAGE = "materials:manage"
    # tickets
    TICKETS_OPEN = "tickets:open"  # open and answer one's own
    TICKETS_WORK = "tickets:work"  # see, answer, assign everyone's
    TICKETS_MANAGE = "tickets:manage"  # working hours, promised times, reports; hears of what is overdue
    # newsletters
    NEWS_READ = "news:read"
    NEWSLETTERS_MANAGE = "newsletters:manage"
    # training
    TRAINING_ATTEND = "training:attend"  # webinars and courses; the team may sit in too
    TRAINING_MANAGE = "training:manage"
    # surveys
    SURVEYS_ANSWER = "surveys:answer"
    SURVEYS_MANAGE = "surveys:manage"
    # search, reports
    SEARCH_USE = "search:use"
    REPORTS_VIEW = "reports:view"
    # accounts
    USERS_MANAGE = "users:manage"
    SETTINGS_MANAGE = "settings:manage"
    AUDIT_VIEW = "audit:view"


P = Permission
_PARTNER = {
    P.PARTNERS_OWN,
    P.EARNINGS_OWN,
    P.KB_READ,
    P.KB_DISCUSS,
    P.MATERIALS_VIEW,
    P.TICKETS_OPEN,
    P.NEWS_READ,
    P.TRAINING_ATTEND,
    P.SURVEYS_ANSWER,
    P.SEARCH_USE,
}
_AGENT = {
    P.PARTNERS_VIEW,
    P.EARNINGS_VIEW,
    P.KB_READ,
    P.KB_READ_STAFF,
    P.KB_WRITE,
    P.KB_DISCUSS,
    P.MATERIALS_VIEW,
    P.TICKETS_WORK,
    P.NEWS_READ,
    P.TRAINING_ATTEND,
    P.SEARCH_USE,
}
_MANAGER = _AGENT | {
    P.PARTNERS_EDIT,
    P.EARNINGS_IMPORT,
    P.MATERIALS_MANAGE,
    P.NEWSLETTERS_MANAGE,
    P.TRAINING_MANAGE,
    P.SURVEYS_MANAGE,
    P.REPORTS_VIEW,
    P.TICKETS_MANAGE,
}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.PARTNER: frozenset(_PARTNER),
    Role.AGENT: frozenset(_AGENT),
    Role.MANAGER: frozenset(_MANAGER),
    Role.ADMIN: frozenset(_MANAGER | {P.USERS_MANAGE, P.SETTINGS_MANAGE, P.AUDIT_VIEW}),
}

View = TypeVar("View", bound=Callable[..., Any])


def can(user: Any, permission: Permission) -> bool:
    """May this user (or visitor) do this at all? Visitors may do nothing here."""
    role = getattr(user, "role", None)
    return role is not None and permission in GRANTS[role]


def is_staff(user: Any) -> bool:
    """Does this user work for the programme?"""
    return getattr(user, "role", None) in (Role.AGENT, Role.MANAGER, Role.ADMIN)


def roles_with(permission: Permission) -> list[Role]:
    """Roles that have a permission, for choosing whom to notify."""
    return [role for role, granted in GRANTS.items() if permission in granted]


def requires(*permissions: Permission) -> Callable[[View], View]:
    """Let only those in who have one of `permissions`; send visitors to sign in."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            if not current_user.is_authenticated:
                return _sign_in_first()
            if not any(can(current_user, permission) for permission in permissions):
                raise Forbidden
            return view(*args, **kwargs)

        guarded.access = " or ".join(permissions)  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def signed_in(view: View) -> View:
    """Let everyone in who is signed in."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if not current_user.is_authenticated:
            return _sign_in_first()
        return view(*args, **kwargs)

    guarded.access = "signed-in"  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def public(view: View) -> View:
    """Let everyone in."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def _sign_in_first() -> ResponseReturnValue:
    return answer(401) if wants_json() else login_manager.unauthorized()


# --- Which rows ------------------------------------------------------------


@dataclass(frozen=True)
class Somebody:
    """Anyone of a role, for a statement built once per role: whose rows they are is bound as `reader`.

    Only for models whose filter does not look at the clock.
    """

    role: Role
    id: ClassVar[Any] = bindparam("reader")
    is_authenticated: ClassVar[bool] = True


Filter = Callable[[Select[Any], Any], Select[Any]]
_filters: dict[type, Filter] = {}


def visibility(model: type) -> Callable[[Filter], Filter]:
    """Register the function that narrows a select of `model` to what a user may see."""

    def register(function: Filter) -> Filter:
        _filters[model] = function
        return function

    return register


def visible(statement: Select[Any], user: Any) -> Select[Any]:
    """`statement` narrowed to the rows of its first entity that `user` may see."""
    model = statement.column_descriptions[0]["entity"]
    return _filters[model](statement, user)


def visible_or_404(statement: Select[Any], user: Any, **values: Any) -> Any:
    """The one row of `statement` if `user` may see it; NotFound otherwise.

    `values` fill in the bound parameters of a statement that was built once.
    """
    row = db.session.scalars(visible(statement, user), values).unique().one_or_none()
    if row is None:
        raise NotFound
    return row


def init_app(app: Flask) -> None:
    @app.before_request
    @always
    def deny_by_default() -> None:
        if request.endpoint is None:  # no such address: 404 comes later
            return
        if not hasattr(app.view_functions[request.endpoint], "access"):
            abort(403)
