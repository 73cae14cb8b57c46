"""Ready texts from and to files: `content/newsletters/<lang>/<id>.md`, and `<id>.txt` when the plain text is written by hand.

A file that changed is taken; when the text was edited in the hub too, that is a conflict and the hub's stays.
Whom a ready text is for is no matter of files.
"""

from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ..core.database import db
from ..core.i18n import LOCALES
from ..core.slugs import slug
from ..kb.content import Unreadable, also
from ..kb.exchange import heads
from ..kb.exchange.reading import Problem
from ..kb.exchange.sides import Known
from ..kb.exchange.storing import Report
from ..kb.models.exchange import KnownFile
from . import drafts
from .models import Newsletter, Status, Topic

PREFIX = "newsletters/"
TEXT, PLAIN = ".md", ".txt"


def sync(folder: Path, *, force: bool = False) -> Report:
    """Bring the ready texts to what `folder` (…/content/newsletters) holds. Raises Unreadable before anything is written."""
    files = _read(folder)
    known, report, hub = Known(PREFIX, _says), Report(), _held()
    for path, text in files.items():
        where = str(folder / path)
        name = PREFIX + path
        if known.settle(name, path, text, hub.get(name), force=force, report=report, where=where):
            _put(path, None if text is None else _says(name, path, text))
    return report


def export(folder: Path) -> list[Path]:
    """Write every ready text to its files; those that have not changed get the same bytes. Returns what was written."""
    _give_keys()
    known, written = Known(PREFIX, _says), []
    for name, value in _held().items():
        path = name.removeprefix(PREFIX)
        path, text = known.file(name, value, path, partial(_write, path, value))
        written += known.save(folder, name, path, text)
    return written


def keys() -> set[str]:
    """Of the ready texts that came from files, even of those that were thrown away since."""
    names = select(KnownFile.name).where(KnownFile.name.startswith(PREFIX))
    return {Path(name).stem for name in db.session.scalars(names)}


def template(key: str) -> Newsletter | None:
    """A ready text by the name of its files."""
    return db.session.scalar(
        select(Newsletter).where(Newsletter.status == Status.TEMPLATE, Newsletter.key == key)
    )


# --- Files -----------------------------------------------------------------


def _read(folder: Path) -> dict[str, str | None]:
    """The text of each file by its path, all of them right; None for a plain text that there is not."""
    found: dict[str, str | None] = {}
    topics: dict[str, str] = {}
    mistakes: list[Problem] = []
    for path in sorted(folder.glob(f"*/*{TEXT}")):
        short, plain = str(path.relative_to(folder)), path.with_suffix(PLAIN)
        try:
            text = path.read_bytes().decode()
            topic = _says(PREFIX + short, short, text)["topic"]
            if topics.setdefault(path.stem, topic) != topic:
                mistakes.append(Problem(str(path), 1, "`topic` must be the same in every language"))
            found[short] = text
            found[str(plain.relative_to(folder))] = plain.read_bytes().decode() if plain.exists() else None
        except Unreadable as error:
            mistakes += [Problem(str(path), each.line, each.reason) for each in error.mistakes]
        except (OSError, UnicodeDecodeError) as error:
            mistakes.append(Problem(str(path), 1, heads.short(error)))
    if mistakes:
        raise Unreadable(mistakes)
    return found


def _says(_name: str, path: str, text: str) -> Any:
    """What a file says: topic, subject, preheader and body, or a plain text. Raises Unreadable."""
    if path.endswith(PLAIN):
        return _lines(text)
    try:
        front, said, body = heads.split(_lines(text))
    except heads.BadHead as error:
        raise Unreadable([Problem(path, error.line, error.reason)]) from None
    lang, key = Path(path).parent.name, Path(path).stem
    wrong = [
        ("id", said.get("id") != key, f"`id` must be {key}, as the file is called"),
        ("lang", said.get("lang") != lang or lang not in LOCALES, f"`lang` must be a language of the hub and that of the folder, {lang}"),
        ("topic", said.get("topic") not in set(Topic), f"`topic` must be one of {', '.join(Topic)}"),
        ("subject", not isinstance(said.get("subject"), str) or not said["subject"].strip(), "`subject` is missing"),
        ("preheader", not isinstance(said.get("preheader", ""), str), "`preheader` must be text"),
    ]  # fmt: skip
    if mistakes := [
        Problem(path, heads.line_in(front, name), reason) for name, is_so, reason in wrong if is_so
    ]:
        raise Unreadable(mistakes)
    return {
        "topic": str(said["topic"]),
        "subject": " ".join(said["subject"].split()),
        "preheader": " ".join(said.get("preheader", "").split()),
        "body": _trim(body),
    }


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _trim(body: str) -> str:
    return _lines(body).strip("\n") + "\n"


def _write(path: str, value: Any) -> str:
    if path.endswith(PLAIN):
        return str(value)
    head = {key: each for key, each in value.items() if key != "body"}
    named = {"id": Path(path).stem, "lang": Path(path).parent.name}
    return f"{heads.write(named | head)}\n{value['body']}"


# --- Rows ------------------------------------------------------------------


def _held() -> dict[str, Any]:
    """What the hub says, by the names of the files."""
    found: dict[str, Any] = {}
    ready = select(Newsletter).where(Newsletter.status == Status.TEMPLATE, Newsletter.key.is_not(None))
    for each in db.session.scalars(ready.order_by(Newsletter.key)):
        for content in each.written:
            name = f"{PREFIX}{content.locale}/{each.key}"
            found[name + TEXT] = {
                "topic": str(each.topic),
                "subject": content.subject,
                "preheader": content.preheader,
                "body": _trim(content.body),
            }
            if content.plain:
                found[name + PLAIN] = _lines(content.plain)
    return found


def _put(path: str, value: Any) -> None:
    """Let a ready text say this in one language."""
    locale, key = Path(path).parent.name, Path(path).stem
    newsletter = template(key)
    content = newsletter.content(locale) if newsletter else None
    if path.endswith(PLAIN):
        if content is not None:
            content.plain = value
        return
    if newsletter is None:
        texts = {name: value[name] for name in ("subject", "preheader", "body")}
        newsletter = drafts.create(None, Topic(value["topic"]), contents=[texts | {"locale": locale}])
        newsletter.status, newsletter.key = Status.TEMPLATE, key
    else:
        newsletter.topic = Topic(value["topic"])
        plain = content.plain if content else None
        texts = {name: value[name] for name in ("subject", "preheader", "body")}
        drafts.write(newsletter, locale, plain=plain, **texts)
    db.session.flush()


def _give_keys() -> None:
    """Ready texts that were written in the hub get names for their files."""
    taken = keys() | set(db.session.scalars(select(Newsletter.key).where(Newsletter.key.is_not(None))))
    nameless = select(Newsletter).where(Newsletter.status == Status.TEMPLATE, Newsletter.key.is_(None))
    for each in db.session.scalars(nameless.order_by(Newsletter.id)):
        if each.written:
            wanted = slug(each.title(), fallback="newsletter")
            numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
            each.key = next(name for name in (wanted, *numbered) if name not in taken)
            taken.add(each.key)
    db.session.flush()


also("newsletters", sync, export)
