"""What an import would break: links that lead nowhere, pictures that are not there, categories nobody knows."""

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from sqlalchemy import select

from ...accounts.models import User
from ...core.access import Permission, roles_with
from ...core.database import db
from ...core.i18n import _
from ...core.markup.video import video_of
from ...core.settings import settings
from ...core.slugs import slug as slug_of
from ...partners import groups, levels
from .. import pictures
from ..models import Article, Category, Redirect, Translation
from .reading import PICTURES, Bundle, Entry, Problem, names_of

#: `](target)` of links and pictures, and `[name]: target` of references (`[^1]: …` is a footnote).
_TARGET = re.compile(
    r"""(?P<picture>!\[[^\[\]\n]{0,500})?\]\(\s*(?:<(?P<quoted>[^<>\n]{1,500})>|(?P<bare>(?:[^\s<>()]|\([^\s<>()]*\)){1,500}))
    |^\ {0,3}\[(?!\^)[^\]\n]{1,200}\]:\s*<?(?P<named>[^\s<>]{1,500})(?=>?\s*(?:["'(].*)?$)""",
    re.M | re.X,
)
_CODE = re.compile(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)")
_FENCE = re.compile(r"^[\s>]*(```+|~~~+)")
_KEY = re.compile(r"kb:([\w.-]+)(#.*)?")
_KEPT = re.compile(r"image:(.+)")
_ADDRESS = re.compile(
    r"/kb/(?:open/(?P<key>[\w.-]+)|pictures/(?P<picture>[\w.]+)|(?P<text>[a-z]{2}/[\w-]+))/?(?:[?#].*)?"
)
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//|/|#", re.I)
_ELSEWHERE = re.compile(r"https?:|//", re.I)
_CHUNK = 500
#: How a picture of the bundle is written in a text until it has been kept and has its name.
ARRIVING = "arriving:"
#: Line, kind and name of what an article leads to.
Target = tuple[int, str, str]


def check(bundle: Bundle, *, loosely: bool = False) -> list[Entry]:
    """The entries that may go in; what is wrong with the others is added to the problems.

    Links and pictures of other articles of the bundle are put into the form of the hub (`kb:…`, `image:…`).
    With `loosely` an article goes in although links or pictures are missing.
    """
    entries = _free(_shelved(bundle), bundle)
    pictures_of = _Pictures(bundle)
    targets = [(entry, list(_targets(entry, bundle, pictures_of))) for entry in entries if not entry.shelf]
    named = {(what, name) for _entry, found in targets for _line, what, name in found}
    wanted = {
        what: {name for kind, name in named if kind == what} for what in ("kb", "image", "text", "tier")
    }
    known = _known_keys(wanted["kb"])
    there = {
        "image": _known_pictures(wanted["image"])
        | {path.removeprefix(f"{PICTURES}/") for path in bundle.pictures},
        "tier": {tier.key for tier in levels.ladder()} if wanted["tier"] else set(),
    }
    texts = _known_texts(wanted["text"])
    problems: dict[Problem, None] = {}
    out: set[int] = set()
    while True:
        before = len(out)
        coming = [entry for entry in entries if id(entry) not in out]
        there["kb"] = known | {entry.head.id for entry in coming}
        there["text"] = texts | {path for entry in coming for path in _addresses(entry)}
        for entry, found in targets:
            broken = list(_broken(entry, found, there, leaves_out=not loosely))
            problems |= dict.fromkeys(broken)
            if broken and not loosely:
                out.add(id(entry))
        if len(out) == before:  # what leads to an article that stays out would lead nowhere
            break
    for problem in problems:
        bundle.blame(problem.where, problem.line, problem.reason, leaves_out=problem.leaves_out)
    bundle.broken = len(out)
    good = [entry for entry in entries if id(entry) not in out]
    _find_owners(good, bundle)
    return good


def _find_owners(entries: list[Entry], bundle: Bundle) -> None:
    """Who of them is on the team here; an article of anybody else goes in without."""
    wanted = {entry.head.owner.lower() for entry in entries} - {""}
    writers = User.role.in_(roles_with(Permission.KB_WRITE))
    for some in _chunks(sorted(wanted)):
        rows = db.session.execute(select(User.email, User.id).where(User.email.in_(some), writers))
        bundle.owners |= {row.email: row.id for row in rows}
    for entry in entries:
        if entry.head.owner and entry.head.owner.lower() not in bundle.owners:
            reason = _("nobody of the team here has the address '%(email)s'", email=entry.head.owner)
            bundle.blame(entry.where, entry.line_of("owner"), reason, leaves_out=False)


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


class _Pictures:
    """Which files of the bundle are pictures, whatever their names say; each is looked at once."""

    def __init__(self, bundle: Bundle) -> None:
        self.files, self.found = bundle.pictures, dict[str, bool]()

    def has(self, path: str) -> bool:
        if path not in self.found:
            self.found[path] = path in self.files and pictures.is_one(self.files[path]())
        return self.found[path]


def _targets(entry: Entry, bundle: Bundle, pictures_of: _Pictures) -> Iterator[Target]:
    """Everything an article leads to within the hub; rewrites the body."""
    for token in entry.head.readers:
        if token.startswith(groups.TIER):
            yield entry.line_of("readers"), "tier", token.removeprefix(groups.TIER)
    lines = entry.body.split("\n")
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        if fence or ("](" not in line and "]:" not in line):
            continue
        code = [each.span() for each in _CODE.finditer(line)]
        found: list[Target] = []

        def inside(
            match: re.Match[str],
            number: int = number,
            code: list[tuple[int, int]] = code,
            found: list[Target] = found,
        ) -> str:
            if any(first <= match.start() < last for first, last in code):
                return match[0]
            start, end = match.span(str(match.lastgroup))
            target = match.string[start:end]
            what, name, written = _within(target, entry, bundle)
            file = unquote(written.removeprefix(ARRIVING)) if written.startswith(ARRIVING) else None
            is_far = _ELSEWHERE.match(written) and not written.startswith(settings.base_url)
            if match["picture"] is not None and is_far and not video_of(written):
                reason = _("a picture of another site is not shown: '%(target)s'", target=target)
                bundle.blame(entry.where, entry.line + number, reason, leaves_out=False)
            is_shown = match["picture"] is not None and what in ("kb", "text")
            if is_shown or (file and not pictures_of.has(file)):
                what, name = "no picture", target
            if what:
                found.append((entry.line + number, what, name))
            return match.string[match.start() : start] + written + match.string[end : match.end()]

        lines[number] = _TARGET.sub(inside, line)
        yield from found
    entry.body = "\n".join(lines)


def _within(target: str, entry: Entry, bundle: Bundle) -> tuple[str, str, str]:
    """(kind, name, how the hub writes it) of a target; kind is empty for what is outside or all right."""
    for what, form in (("kb", _KEY), ("image", _KEPT)):
        if found := form.fullmatch(target):
            return what, found[1], target
    if found := _ADDRESS.fullmatch(target.removeprefix(settings.base_url)):
        kinds = {"key": "kb", "picture": "image", "text": "text"}
        return kinds[str(found.lastgroup)], unquote(found[str(found.lastgroup)]), target
    if _OUTSIDE.match(target):
        return "", "", target
    path, _hash, anchor = unquote(target).partition("#")
    here = entry.path or f"{entry.head.lang}/{entry.head.id}.md"
    place = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
    if place in bundle.paths:
        key = bundle.paths[place]
        return "kb", key, f"kb:{key}" + (f"#{anchor}" if anchor else "")
    if place in bundle.pictures:
        return "", "", f"{ARRIVING}{quote(place)}"
    return "file", path, target


def _broken(
    entry: Entry, targets: list[Target], there: dict[str, set[str]], *, leaves_out: bool
) -> Iterator[Problem]:
    for line, what, name in targets:
        if name not in there.get(what, ()):
            yield Problem(entry.where, line, _reason(what, name), leaves_out)


def _reason(what: str, name: str) -> str:
    if what == "tier":
        return _("there is no level '%(key)s'", key=name)
    if what == "no picture" or name.lower().endswith(".svg"):
        return _("'%(target)s' is no picture: PNG, JPEG, GIF and WebP are", target=name)
    if what == "image" or name.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp")):
        return _("the picture is missing: '%(target)s'", target=name)
    prefix = {"kb": "kb:", "text": "/kb/"}.get(what, "")
    return _("the link leads nowhere: '%(target)s'", target=prefix + name)


def _addresses(entry: Entry) -> Iterator[str]:
    """Where the article will be found: its address and its former ones."""
    head = entry.head
    for each in (head.slug or slug_of(head.title, fallback="article"), *head.former):
        yield f"{head.lang}/{each}"


def _known_texts(wanted: set[str]) -> set[str]:
    """Those of `en/address` that lead to an article now."""
    found: set[str] = set()
    for some in _chunks(sorted({each.partition("/")[2] for each in wanted})):
        for table in (Translation, Redirect):
            rows = db.session.execute(select(table.locale, table.slug).where(table.slug.in_(some)))
            found |= {f"{lang}/{slug}" for lang, slug in rows}
    return found


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
