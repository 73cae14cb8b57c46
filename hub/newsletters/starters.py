"""Texts to begin with while `hub content sync` has not brought them in: `content/newsletters/<language>/*.md`."""

from dataclasses import dataclass
from pathlib import Path

import frontmatter

from ..core.i18n import LOCALES
from . import content
from .models import Topic

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
