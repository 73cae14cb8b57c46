"""What an import would break: links that lead nowhere, pictures that are not there, categories nobody knows."""

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from sqlalchemy import select

from ...core.database import db
from ...core.i18n import _
from .. import pictures
from ..models import Article, Category, Redirect, Translation
from .reading import PICTURES, Bundle, Entry, Problem, names_of

#: `](target)` of links and pictures, and `[name]: target` of references.
_TARGET = re.compile(
    r"(?<=\]\()\s*<?([^\s<>()]{1,500})|^ {0,3}\[[^\]\n]{1,200}\]:\s*<?([^\s<>]{1,500})", re.M
)
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_KEY = re.compile(r"kb:([\w.-]+)(#.*)?")
_KEPT = re.compile(r"image:(.+)")
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//|/|#", re.I)
_CHUNK = 500
#: How a picture of the bundle is written in a text until it has been kept and has its name.
ARRIVING = "arriving:"


def check(bundle: Bundle, *, loosely: bool = False) -> list[Entry]:
    """The entries that may go in; what is wrong with the others is added to the problems.

    Links and pictures of other articles of the bundle are put into the form of the hub (`kb:…`, `image:…`).
    With `loosely` an article goes in although links or pictures are missing.
    """
    entries = _free(_shelved(bundle), bundle)
    targets = [(entry, list(_targets(entry, bundle))) for entry in entries if not entry.shelf]
    named = {(what, name) for _entry, found in targets for _line, what, name in found}
    known = _known_keys({name for what, name in named if what == "kb"})
    kept = _known_pictures({name for what, name in named if what == "image"})
    kept |= {path.removeprefix(f"{PICTURES}/") for path in bundle.pictures}
    problems: dict[Problem, None] = {}
    out: set[int] = set()
    while True:
        before = len(out)
        coming = known | {entry.head.id for entry in entries if id(entry) not in out}
        for entry, found in targets:
            broken = list(_broken(entry, found, coming, kept, leaves_out=not loosely))
            problems |= dict.fromkeys(broken)
            if broken and not loosely:
                out.add(id(entry))
        if len(out) == before:  # what leads to an article that stays out would lead nowhere
            break
    for problem in problems:
        bundle.blame(problem.where, problem.line, problem.reason, leaves_out=problem.leaves_out)
    bundle.broken = len(out)
    return [entry for entry in entries if id(entry) not in out]


def _shelved(bundle: Bundle) -> list[Entry]:
    """Entries whose category there is, or will be; a category may be called by its name."""
    keys = {name: each.key for each in db.session.scalars(select(Category)) for name in names_of(each)}
    keys |= {name: row["key"] for row in bundle.categories for name in names_of(row)}
    found = []
    for entry in bundle.entries:
        key = keys.get(entry.head.category, entry.head.category if entry.shelf else None)
        if key is None:
            reason = _("there is no category '%(key)s'", key=entry.head.category)
            if not entry.head.category:
                reason = _("the category is missing")
            bundle.blame(entry.where, entry.line_of("category"), reason)
            continue
        entry.head.category = key
        found.append(entry)
    return found


def _free(entries: list[Entry], bundle: Bundle) -> list[Entry]:
    """Without those whose address belongs, or has belonged, to another article."""
    owners: dict[tuple[str, str], str] = {}
    for some in _chunks(sorted({entry.head.slug for entry in entries} - {""})):
        now = select(Translation.locale, Translation.slug, Article.key).join(Translation.article)
        once = select(Redirect.locale, Redirect.slug, Article.key).join(
            Translation, Translation.id == Redirect.translation_id
        )
        for statement in (
            now.where(Translation.slug.in_(some)),
            once.join(Translation.article).where(Redirect.slug.in_(some)),
        ):
            owners |= {(lang, slug): key for lang, slug, key in db.session.execute(statement)}
    found = []
    for entry in entries:
        if owners.get((entry.head.lang, entry.head.slug), entry.head.id) == entry.head.id:
            found.append(entry)
            continue
        reason = _(
            "the address '%(slug)s' belongs, or has belonged, to another article", slug=entry.head.slug
        )
        bundle.blame(entry.where, entry.line_of("slug"), reason)
    return found


def _targets(entry: Entry, bundle: Bundle) -> Iterator[tuple[int, str, str]]:
    """(line, `kb`, `image` or `file`, name) of everything an article leads to within the hub; rewrites the body."""
    lines = entry.body.split("\n")
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip().startswith(fence):
            fence = ""
        if fence or ("](" not in line and "]:" not in line):
            continue
        found: list[tuple[int, str, str]] = []

        def inside(
            match: re.Match[str], number: int = number, found: list[tuple[int, str, str]] = found
        ) -> str:
            target = match[1] or match[2]
            what, name, written = _within(target, entry, bundle)
            if what:
                found.append((entry.line + number, what, name))
            return match[0].replace(target, written) if written != target else match[0]

        lines[number] = _TARGET.sub(inside, line)
        yield from found
    entry.body = "\n".join(lines)


def _within(target: str, entry: Entry, bundle: Bundle) -> tuple[str, str, str]:
    """(kind, name, how the hub writes it) of a target; kind is empty for what is outside or all right."""
    if found := _KEY.fullmatch(target):
        return "kb", found[1], target
    if found := _KEPT.fullmatch(target):
        return "image", found[1], target
    if _OUTSIDE.match(target) or not entry.path:
        return "", "", target
    path, _hash, anchor = unquote(target).partition("#")
    place = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), path))
    if place in bundle.paths:
        key = bundle.paths[place]
        return "kb", key, f"kb:{key}" + (f"#{anchor}" if anchor else "")
    if place in bundle.pictures:
        return "", "", f"{ARRIVING}{quote(place)}"
    return "file", path, target


def _broken(
    entry: Entry, targets: list[tuple[int, str, str]], keys: set[str], kept: set[str], *, leaves_out: bool
) -> Iterator[Problem]:
    for line, what, name in targets:
        is_there = (what == "kb" and name in keys) or (what == "image" and name in kept)
        if is_there:
            continue
        is_picture = what == "image" or name.lower().endswith(
            (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
        )
        target = f"kb:{name}" if what == "kb" else name
        reason = (
            _("the picture is missing: '%(target)s'", target=target)
            if is_picture
            else _("the link leads nowhere: '%(target)s'", target=target)
        )
        yield Problem(entry.where, line, reason, leaves_out)


def _known_keys(wanted: set[str]) -> set[str]:
    found: set[str] = set()
    for some in _chunks(sorted(wanted)):
        rows = select(Article.key, Article.external_id).where(
            Article.key.in_(some) | Article.external_id.in_(some)
        )
        found |= {name for row in db.session.execute(rows) for name in row if name}
    return found


def _known_pictures(wanted: set[str]) -> set[str]:
    return wanted - {name for some in _chunks(sorted(wanted)) for name in pictures.unknown(some)}


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
