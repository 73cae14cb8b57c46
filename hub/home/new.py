"""What is new for a partner: materials, articles in their language, webinars to come."""

import functools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import Select, bindparam, or_, select

from ..accounts.models import User
from ..core import clock, i18n
from ..core.access import Role, Somebody, visible
from ..core.database import db
from ..core.i18n import _, ngettext
from ..kb.models import Status, Translation
from ..materials.models import Asset, usable_now
from ..training import service as training

#: Older things are no news.
FRESH = timedelta(days=60)
MOST = 6


@dataclass(frozen=True)
class News:
    """A line of what is new; `action` is the word on its button, if there is something to do."""

    kind: str
    icon: str
    title: str
    url: str
    about: str
    at: datetime
    action: str | None = None


def news(user: User) -> list[News]:
    """The newest first."""
    found = [*_materials(user), *_articles(user), *_webinars(user)]
    return sorted(found, key=lambda each: each.at, reverse=True)[:MOST]


def _materials(user: User) -> list[News]:
    fresh = visible(select(Asset), user).where(
        usable_now(),
        Asset.released_at > clock.now() - FRESH,
        or_(Asset.locale == i18n.locale(), Asset.locale.is_(None)),
    )
    return [
        News(
            kind=_("Material"),
            icon="photo",
            title=asset.title,
            url=url_for("materials.show", id=asset.id),
            about=" · ".join(filter(None, (asset.size, _last_day(asset)))),
            at=asset.released_at,
        )
        for asset in db.session.scalars(fresh.order_by(Asset.released_at.desc()).limit(3))
    ]


def _last_day(asset: Asset) -> str:
    return _("Use until %(day)s", day=i18n.format_date(asset.last_day)) if asset.last_day else ""


@functools.cache
def _fresh_articles(role: Role) -> Select[Any]:
    return (
        visible(select(Translation), Somebody(role))
        .where(Translation.status == Status.PUBLISHED, Translation.locale == bindparam("locale"))
        .where(Translation.published_at > bindparam("since"))
        .order_by(Translation.published_at.desc())
        .limit(4)
    )


def _articles(user: User) -> list[News]:
    values = {"reader": user.id, "locale": i18n.locale(), "since": clock.now() - FRESH}
    return [
        News(
            kind=_("Article"),
            icon="book-2",
            title=article.title,
            url=article.path,
            about=ngettext("%(count)s minute", "%(count)s minutes", article.minutes),
            at=article.published_at or article.updated_at,
        )
        for article in db.session.scalars(_fresh_articles(user.role), values)
    ]


def _webinars(user: User) -> list[News]:
    return [
        News(
            kind=_("Webinar"),
            icon="video",
            title=each.webinar.title,
            url=url_for("training.show", id=each.webinar.id),
            about=_about(each),
            at=each.webinar.created_at,
            action=None if each.status and (each.is_seated or each.is_waiting) else _("Register"),
        )
        for each in training.coming(user, limit=2)
    ]


def _about(each: training.Coming) -> str:
    moment = i18n.format_datetime(each.webinar.starts_at)
    if each.is_seated:
        return _("%(moment)s. You are registered", moment=moment)
    if each.is_waiting:
        return _("%(moment)s. You are on the waiting list", moment=moment)
    left = ngettext("%(count)s seat is free", "%(count)s seats are free", each.left)
    return f"{moment}. {left}"
