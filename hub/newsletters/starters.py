"""Texts to begin with while `hub content sync` has not brought them in: `content/newsletters/<language>/*.md`."""

from dataclasses import dataclass
from pathlib import Path

import frontmatter
from sqlalchemy import select

from ..core import i18n
from ..core.database import db
from ..core.i18n import LOCALES
from . import content, drafts
from .models import Newsletter, Status, Topic

FOLDER = Path(__file__).parents[2] / "content" / "newsletters"


@dataclass(frozen=True)
class Starter:
    """A ready text in one or more languages."""

    id: str
    topic: Topic
    contents: dict[str, dict[str, str]]  # locale → locale, subject, preheader, body

    def subject(self, locale: str) -> str:
        """What it is called for a reader of `locale`."""
        content = self.contents.get(locale) or next(iter(self.contents.values()))
        return content["subject"]


def starters() -> list[Starter]:
    """What there is; a file without id or subject, or with an unknown topic, is left out."""
    found: dict[str, Starter] = {}
    known = content.keys()
    for locale in LOCALES:
        for path in sorted((FOLDER / locale).glob("*.md")):
            post = frontmatter.load(str(path))
            key, topic = str(post.get("id", "")), post.get("topic")
            if key in known or not key or not post.get("subject") or topic not in set(Topic):
                continue
            starter = found.setdefault(key, Starter(key, Topic(str(topic)), {}))
            starter.contents[locale] = {
                "locale": locale,
                "subject": str(post["subject"]),
                "preheader": str(post.get("preheader", "")),
                "body": post.content.strip() + "\n",
            }
    return list(found.values())


def starter(key: str) -> Starter | None:
    return next((each for each in starters() if each.id == key), None)


def titles() -> list[tuple[str, str]]:
    """(key, subject) of everything there is to begin with, the team's own ready texts too."""
    kept = select(Newsletter).where(Newsletter.status == Status.TEMPLATE).order_by(Newsletter.id.desc())
    locale = i18n.locale()
    own = [(f"#{each.id}", each.title(locale)) for each in db.session.scalars(kept.limit(50))]
    return [*((each.id, each.subject(locale)) for each in starters()), *own]


def contents(key: str) -> list[dict[str, str]]:
    """The texts behind a key of `titles`; none for any other."""
    if key.startswith("#") and key[1:].isdecimal():
        kept = select(Newsletter).where(Newsletter.id == int(key[1:]), Newsletter.status == Status.TEMPLATE)
        newsletter = db.session.scalar(kept)
        return drafts.texts(newsletter) if newsletter else []
    found = starter(key)
    return list(found.contents.values()) if found else []
