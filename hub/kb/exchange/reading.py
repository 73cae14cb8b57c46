"""Files and lines become articles: what is right of them, and what is wrong, with file and line."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any

import yaml

from ...core import clock
from ...core.errors import HubError
from ...core.i18n import LOCALES, _
from ...core.markup.articles import LIMIT
from ...core.markup.budget import refuse_long, refuse_traps
from ...core.slugs import slug
from ..models import Audience, Category, Status
from . import heads
from .heads import KEYS, OPTIONAL, BadHead, Head
from .sources import Files

CATEGORIES, PICTURES = "categories.yaml", "pictures"
_PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp")
_TITLE = re.compile(r"\s*# +(.+?)\s*#*\s*(?:\n|$)")
_MOST_PROBLEMS = 2000


@dataclass(frozen=True)
class Problem:
    """What is wrong, where. What `leaves_out` something keeps an article from going in."""

    where: str
    line: int
    reason: str
    leaves_out: bool = True

    def __str__(self) -> str:
        return f"{self.where}:{self.line}: {self.reason}"


@dataclass
class Entry:
    """An article in one language, as it came. `front` is the head of its file word for word."""

    where: str
    line: int  # of the first line of its body
    sha256: str
    head: Head
    body: str
    front: str = ""
    path: str = ""  # of its file within the folder, from which its links are meant
    shelf: str = ""  # of another system: a category that is made when it is missing
    is_dated: bool = True  # it says itself when it was updated

    def line_of(self, key: str) -> int:
        return heads.line_in(self.front, key) if self.front else self.line


@dataclass
class Bundle:
    """Everything that was found: `pictures` by the path they are asked for, opened when needed."""

    categories: list[dict[str, Any]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    pictures: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: int = 0  # articles that only missing links and pictures keep out
    paths: dict[str, str] = field(default_factory=dict)  # of a file, the id of its article
    owners: dict[str, int] = field(default_factory=dict)  # by e-mail address, those who are here

    def blame(self, where: str, line: int, reason: str, *, leaves_out: bool = True) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem(where, line, reason, leaves_out))


# --- Folders and archives ---


@dataclass(frozen=True)
class _How:
    """How files are read: see `read_files`. `prefix` stands before their paths in problems."""

    strict: bool
    prefix: str
    category: str


def read_files(files: Files, *, strict: bool = False, prefix: str = "", category: str = "") -> Bundle:
    """All articles of a folder or an archive.

    With `strict` every key has to be there and every file in its place, as in content of our own; otherwise
    what a head does not say follows from the file, and articles without a category go into `category`.
    """
    bundle, how = Bundle(), _How(strict, prefix, category)
    names = files.names()
    if CATEGORIES in names:
        _read_categories(files.read(CATEGORIES), prefix + CATEGORIES, bundle)
    elif strict:
        bundle.blame(
            prefix + CATEGORIES, 1, _("cannot be read: %(problem)s", problem=_("there is no such file"))
        )
    for name in names:
        path = PurePosixPath(name)
        if path.suffix.lower() in _PICTURE_ENDINGS:
            bundle.pictures[name] = lambda name=name: files.read(name)  # type: ignore[misc]
        if path.suffix.lower() not in (".md", ".markdown") or (strict and len(path.parts) != 2):
            continue
        try:
            _read_file(files.read(name), path, bundle, how)
        except (HubError, OSError) as error:
            bundle.blame(prefix + name, 1, str(error))
    _find_twins(bundle)
    return bundle


def _read_categories(raw: bytes, where: str, bundle: Bundle) -> None:
    try:
        text = raw.decode("utf-8")
        rows = heads.parse_any(text)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        reason = _("cannot be read: %(problem)s", problem=heads.short(error))
        bundle.blame(where, heads.line_of(error), reason)
        return
    if not isinstance(rows, list):
        bundle.blame(where, 1, _("it holds no list of categories"))
        return
    for number, row in enumerate(rows, 1):
        if is_category(row):
            bundle.categories.append(row)
        else:
            reason = _("a category needs `key` and `name`: number %(number)s", number=number)
            bundle.blame(where, 1, reason)


def is_category(row: Any) -> bool:
    if (
        not isinstance(row, dict)
        or not isinstance(row.get("key"), str)
        or not isinstance(row.get("name"), dict)
    ):
        return False
    described = row.get("description") or {}
    if not isinstance(described, dict):
        return False
    texts = [row["key"], *row["name"].values(), *described.values()]
    right = bool(re.fullmatch(r"[\w.-]+", row["key"])) and all(
        isinstance(row.get(name, ""), str) for name in ("parent", "icon")
    )
    order = row.get("order", 0)
    return right and isinstance(order, int) and abs(order) < 2**31 and all(map(_is_text, texts))


def _is_text(value: Any) -> bool:
    """A text that every database keeps: no NUL, and no half of a character."""
    try:
        return isinstance(value, str) and "\x00" not in value and bool(value.encode() or True)
    except UnicodeEncodeError:
        return False


def _read_file(raw: bytes, path: PurePosixPath, bundle: Bundle, how: "_How") -> None:
    where = f"{how.prefix}{path}"
    try:
        source = raw.decode("utf-8" if how.strict else "utf-8-sig")
        front, said, body = _parts(source, how.strict)
    except UnicodeDecodeError as error:
        bundle.blame(where, 1, _("cannot be read: %(problem)s", problem=heads.short(error)))
        return
    except BadHead as error:
        bundle.blame(where, error.line, error.reason)
        return
    is_dated = how.strict or any(said.get(key) is not None for key in ("updated", "date"))
    if not how.strict:
        said, body = _completed(said, body, path, how.category)
    wrong = list(_wrong(said, path if how.strict else None))
    for key, reason in wrong:
        bundle.blame(where, heads.line_in(front, key), reason)
    line = source[: len(source) - len(body)].count("\n") + 1
    if wrong or not _is_fit(body, where, line, bundle):
        return
    head = Head.of(said)
    sha256 = hashlib.sha256(raw).hexdigest()
    bundle.entries.append(Entry(where, line, sha256, head, body, front, str(path), is_dated=is_dated))
    bundle.paths[str(path)] = head.id


def _parts(source: str, strict: bool) -> tuple[str, dict[str, Any], str]:
    if strict or source.startswith("---\n"):
        return heads.split(source)
    source = source.replace("\r\n", "\n")  # written on Windows
    return heads.split(source) if source.startswith("---\n") else ("", {}, source)


def _is_fit(body: str, where: str, line: int, bundle: Bundle) -> bool:
    try:
        refuse_long(body, LIMIT)
        refuse_traps(body)
        if not _is_text(body):
            raise ValueError(_("the text holds characters that are no text"))
    except (HubError, ValueError) as error:
        bundle.blame(where, line, str(error))
        return False
    return True


def _completed(
    said: dict[str, Any], body: str, path: PurePosixPath, category: str
) -> tuple[dict[str, Any], str]:
    """What a head does not say, from the file's place and its first heading."""
    stem, _dot, ending = path.stem.rpartition(".")
    named = ending if stem and ending in LOCALES else ""
    folders = list(path.parts[:-1])
    lang = named or next((part for part in reversed(folders) if part in LOCALES), "")
    title = _TITLE.match(body)
    if "title" not in said and title:
        body = body[title.end() :].lstrip("\n")
    shelf = next((part for part in reversed(folders) if part not in LOCALES), "")
    guessed: dict[str, Any] = {
        "id": slug(stem if named else path.stem),
        "lang": lang,
        "slug": "",
        "title": title[1] if title else path.stem,
        "summary": said.get("description") or "",
        "category": category or slug(shelf, fallback=""),
        "audience": str(Audience.PARTNERS),
        "tags": [],
        "updated": said.get("date") or clock.now(),
    }
    known = {key: said[key] for key in (*KEYS, *OPTIONAL) if said.get(key) is not None}
    return guessed | known, body


def _wrong(said: dict[str, Any], path: PurePosixPath | None) -> Iterator[tuple[str, str]]:
    """(key, reason) of everything wrong in a head; with its `path`, of a file out of place."""
    missing = [("", _("`%(key)s` is missing", key=key)) for key in KEYS if key not in said]
    if missing:
        yield from missing
        return
    unknown = [
        (str(key), _("`%(key)s` is not known here", key=key)) for key in said if key not in KEYS + OPTIONAL
    ]
    texts = [
        (key, _("`%(key)s` must be a text", key=key))
        for key in (*KEYS[:7], "source", "owner", "external_id")
        if not _is_text(said.get(key, ""))
    ]
    if unknown or texts:
        yield from unknown + texts
        return
    yield from ((key, reason) for key, is_right, reason in _checks(said) if not is_right)
    if path is None:
        return
    if path.parent.name != said["lang"]:
        yield "lang", _("the file is in the folder of '%(lang)s'", lang=path.parent.name)
    if path.stem != said["id"]:
        yield "id", _("the file of '%(id)s' must be called %(id)s.md", id=said["id"])
    if not said["slug"]:
        yield "slug", _("'%(slug)s' is no address", slug="")


def _checks(said: dict[str, Any]) -> list[tuple[str, bool, str]]:
    lang, readers = said["lang"], said.get("readers", [])
    speaks = _("the hub does not speak '%(lang)s'; it speaks %(known)s", lang=lang, known=", ".join(LOCALES))
    return [
        ("lang", lang in LOCALES, speaks),
        ("id", bool(re.fullmatch(r"[\w.-]+", said["id"])), _("'%(id)s' is no name for links", id=said["id"])),
        ("source", said.get("source", lang) in LOCALES, speaks),
        ("title", bool(said["title"].strip()), _("the title is empty")),
        ("slug", _is_slug(said["slug"]), _("'%(slug)s' is no address", slug=said["slug"])),
        (
            "audience",
            said["audience"] in list(Audience),
            _("`audience` must be one of %(known)s", known=", ".join(Audience)),
        ),
        (
            "status",
            said.get("status", "published") in list(Status)
            and (said.get("status") == Status.SCHEDULED) == ("publish_at" in said),
            _(
                "`status` must be one of %(known)s; `publish_at` goes with `scheduled`",
                known=", ".join(Status),
            ),
        ),
        ("tags", _are_texts(said["tags"]), _("`tags` must be a list of words")),
        ("former", _are_slugs(said.get("former", [])), _("`former` must be a list of addresses")),
        ("outdated", isinstance(said.get("outdated", False), bool), _("`outdated` must be true or false")),
        (
            "readers",
            _are_texts(readers) and all(map(_is_group, readers)),
            _("`readers` must be a list such as [tier:gold, tag:video]"),
        ),
        (
            "audience",
            bool(readers) == (said["audience"] == Audience.CHOSEN),
            _("`readers` go with the audience `chosen`, and it with them"),
        ),
        *(
            (
                key,
                key not in said or _is_moment(said[key]),
                _("`%(key)s` must be a date such as 2026-11-09", key=key),
            )
            for key in ("updated", "publish_at", "published", "created", "review")
        ),
    ]


def _is_slug(text: str) -> bool:
    return bool(re.fullmatch(r"[\w-]{0,200}", text))


def _are_slugs(value: Any) -> bool:
    return _are_texts(value) and all(each and _is_slug(each) for each in value)


def _is_group(text: str) -> bool:
    """A level or a tag of partners; tags are kept in small letters."""
    kind, _colon, name = text.partition(":")
    return (
        bool(name) and name == name.strip() and (kind == "tier" or (kind == "tag" and name == name.lower()))
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_moment(value: Any) -> bool:
    try:
        heads.moment(value)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _find_twins(bundle: Bundle) -> None:
    """Two texts may not want the same address, nor be the same article in the same language."""
    first: dict[tuple[str, str, str], str] = {}
    kept = []
    for entry in bundle.entries:
        names = [("id", entry.head.lang, entry.head.id)]
        if entry.head.external_id:
            names.append(("external_id", "", entry.head.external_id))
        if entry.head.slug:
            names.append(("slug", entry.head.lang, entry.head.slug))
        twin = next((name for name in names if name in first), None)
        if twin is None:
            first.update(dict.fromkeys(names, entry.where))
            kept.append(entry)
            continue
        key, _lang, value = twin
        reason = _("%(file)s has the %(key)s '%(value)s' already", file=first[twin], key=key, value=value)
        bundle.blame(entry.where, entry.line_of(key), reason)
    bundle.entries = kept


# --- Lines ---

FIELDS = ("id", "lang", "page", "title", "body")


def read_lines(stream: IO[bytes], where: str) -> Bundle:
    """Articles a line each: of ours (`category`, `audience` …), or of another system (`page`)."""
    bundle = Bundle()
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(stream.read().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = _row(line)
            if "category" in row and isinstance(row["category"], dict):
                bundle.categories.append(row["category"])
                continue
            if "picture" in row:
                name, data = _picture(row)
                bundle.pictures[name] = lambda data=data: data  # type: ignore[misc]
                continue
            entry = _ours(row, where, number) if "audience" in row else _theirs(row, where, number)
            named = row["id"], row["lang"]
            first = seen.setdefault(named, number)
            if first != number:
                raise ValueError(
                    _("'%(id)s' is there twice, first in line %(line)s", id=row["id"], line=first)
                )
        except (ValueError, HubError) as error:
            bundle.blame(where, number, str(error))
        else:
            entry.sha256 = hashlib.sha256(line).hexdigest()
            if _is_fit(entry.body, where, number, bundle):
                bundle.entries.append(entry)
    if not any(entry.shelf for entry in bundle.entries):
        _find_twins(bundle)
    return bundle


def _row(line: bytes) -> dict[str, Any]:
    """The object of a line. Raises ValueError with what is wrong."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise ValueError(_("the line is not JSON: %(problem)s", problem=error.msg)) from None
    except UnicodeDecodeError:
        raise ValueError(_("the line is not UTF-8")) from None
    except RecursionError:
        raise ValueError(_("the line is nested too deeply")) from None
    if not isinstance(row, dict):
        raise ValueError(_("the line is no object {…}"))
    if isinstance(row.get("category"), dict) and not is_category(row["category"]):
        raise ValueError(_("a category needs `key` and `name`: number %(number)s", number=1))
    return row


def _picture(row: dict[str, Any]) -> tuple[str, bytes]:
    try:
        return f"{PICTURES}/{row['picture']}", base64.b64decode(row["data"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise ValueError(_("a picture needs its name and its data in base64")) from None


def _ours(row: dict[str, Any], where: str, number: int) -> Entry:
    body = row.pop("body", None)
    if not isinstance(body, str):
        raise ValueError(_("%(names)s must be a text", names="body"))
    wrong = [reason for _key, reason in _wrong(row, None)]
    if wrong:
        raise ValueError("; ".join(wrong))
    return Entry(where, number, "", Head.of(row), body)


def _theirs(row: dict[str, Any], where: str, number: int) -> Entry:
    wrong = [name for name in FIELDS if not _is_text(row.get(name))]
    if wrong:
        raise ValueError(_("%(names)s must be a text", names=", ".join(wrong)))
    if row["lang"] not in LOCALES:
        raise ValueError(
            _(
                "the hub does not speak '%(lang)s'; it speaks %(known)s",
                lang=row["lang"],
                known=", ".join(LOCALES),
            )
        )
    if not row["title"].strip() or not row["id"].strip():
        raise ValueError(_("the title is empty") if row["id"].strip() else _("the id is empty"))
    shelf = row["page"].split("/", maxsplit=1)[0] or "import"
    head = Head(
        id="",
        lang=row["lang"],
        slug="",
        title=row["title"],
        summary="",
        category=slug(shelf, fallback="import"),
        audience=Audience.PUBLIC,
        tags=[],
        updated=clock.now(),
        external_id=row["id"],
    )
    head.published = head.created = head.updated
    return Entry(where, number, "", head, row["body"], shelf=shelf)


def names_of(category: Category | dict[str, Any]) -> set[str]:
    """What a file may call a category."""
    if isinstance(category, dict):
        return {category["key"], *map(str, category["name"].values())}
    return {category.key, *category.names.values()}
