"""Articles into the database, many at a time: rendered before the transaction, a handful of statements for all."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import unquote

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload, undefer

from ...core.database import db
from ...core.errors import HubError
from ...core.i18n import LOCALES
from ...core.jobs import ring
from ...core.slugs import slug as slug_of
from .. import pictures, service
from ..models import Article, ArticleReader, Audience, Category, Redirect, Revision, Translation
from ..models.writing import Picture, PictureUse
from .checking import ARRIVING
from .heads import KEYS, OPTIONAL, Head, parse
from .reading import PICTURES, Bundle, Entry, Problem

BATCH = 100
#: Category, audience, readers, review and owner.
Shared = tuple[str, Audience, list[str], date | None, int | None]
_ARRIVING = re.compile(rf"{ARRIVING}([^\s)>]+)|\bimage:([0-9a-f]{{20}}\.[a-z]{{3,4}})\b")


@dataclass
class Report:
    """What became of each article, by the file it came from."""

    created: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        names = ("created", "revised", "unchanged", "conflicts")
        return {name: len(getattr(self, name)) for name in names}

    def add(self, other: "Report") -> None:
        for name in ("created", "revised", "unchanged", "conflicts", "problems"):
            getattr(self, name).extend(getattr(other, name))


@dataclass(frozen=True)
class Author:
    """Who imports; known by number only, for an import outlives many sessions."""

    id: int | None


@dataclass(frozen=True)
class Ready:
    """An entry with what follows from its body."""

    entry: Entry
    derived: service.Derived


def batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """All languages of an article together, its source first."""
    articles: dict[str, list[Entry]] = {}
    for entry in entries:
        articles.setdefault(_name(entry), []).append(entry)
    batch: list[Entry] = []
    for some in articles.values():
        source = _source_of(some)
        batch += sorted(some, key=lambda entry: entry.head.lang != source)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _name(entry: Entry) -> str:
    """What all languages of an article are called alike; another system has a name of its own."""
    return entry.head.id or entry.head.external_id or ""


def _source_of(entries: list[Entry]) -> str:
    """The language the others are made from: as a file says, English if it is there, or the first."""
    said = next((entry.head.source for entry in entries if entry.head.source), "")
    langs = [entry.head.lang for entry in entries]
    return said if said in langs else "en" if "en" in langs else langs[0]


class Store:
    """One import. `force` takes the file even when the article was edited in the hub since."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        author_id: int | None = None,
        force: bool = False,
        why: Callable[[Entry], str] = lambda entry: entry.where,
    ) -> None:
        self.bundle, self.force, self.why = bundle, force, why
        self.author = Author(author_id)
        self.names: dict[str, str] = {}  # of pictures: what a text called them, what they are called now
        self.numbers: dict[tuple[str, str], int] = {}  # how far an address has been counted up

    def put_categories(self, *, overwrite: Collection[str] | None = None) -> None:
        """Categories that are new, and what the file says of those to `overwrite`: all or none, as `force` says."""
        rows = {row["key"]: row for row in self.bundle.categories}
        overwrite = (rows if self.force else ()) if overwrite is None else overwrite
        for entry in self.bundle.entries:
            if entry.shelf:
                name = {"en": entry.shelf.replace("-", " ").capitalize()}
                rows.setdefault(entry.head.category, {"key": entry.head.category, "name": name, "order": 500})
        known = {each.key: each for each in db.session.scalars(select(Category))}
        fresh: list[Category] = []
        for key, row in rows.items():
            if key not in known:
                fresh.append(_put_category(row, None))
                known[key] = fresh[-1]
            elif key in overwrite:
                _put_category(row, known[key])
        db.session.flush()
        for key, row in rows.items():
            parent = known.get(row.get("parent", ""))
            if key in overwrite or known[key] in fresh:
                known[key].parent_id = parent.id if parent and not _is_within(parent, key, known) else None
        db.session.flush()

    def prepare(self, batch: list[Entry]) -> tuple[list[Ready], Report]:
        """Render what is not in the hub already; needs no transaction."""
        report, ready = Report(), []
        same = {(key, lang): sha for key, lang, sha in self._known_files(batch)}
        for entry in batch:
            name = entry.head.id or entry.head.external_id
            if not self.force and entry.sha256 and same.get((name, entry.head.lang)) == entry.sha256:
                report.unchanged.append(entry.where)
                continue
            try:
                ready.append(Ready(entry, service.derive(entry.body)))
            except HubError as error:
                report.problems.append(Problem(entry.where, entry.line, str(error)))
        return ready, report

    def _known_files(self, batch: list[Entry]) -> Iterator[Any]:
        names = {entry.head.id or entry.head.external_id for entry in batch}
        columns = (Translation.locale, Translation.synced_sha256)
        for name in (Article.key, Article.external_id):
            statement = select(name, *columns).join(Translation.article).where(name.in_(names))
            yield from db.session.execute(statement)

    def put(self, ready: list[Ready]) -> Report:
        """Put a batch in, within a transaction."""
        report = Report()
        service.take_turns()
        ready = [self._with_pictures(each, report) for each in ready]
        with db.session.no_autoflush:
            known = self._articles(ready)
            shelves = {each.key: each for each in db.session.scalars(select(Category))}
            taken = _Taken(ready)
            written: list[tuple[Ready, Translation]] = []
            for each in ready:
                article = known.get(each.entry.head.id) or known.get(each.entry.head.external_id)
                if article is None:
                    article = self._article(each.entry, shelves, taken, [r.entry for r in ready])
                    known[article.key] = article
                    if article.external_id:
                        known[article.external_id] = article
                found = next((t for t in article.translations if t.locale == each.entry.head.lang), None)
                if found is None:
                    written.append((each, self._new(each, article, taken)))
                    report.created.append(each.entry.where)
                elif self._change(each, found, shelves, report):
                    written.append((each, found))
        db.session.flush()
        for each, translation in written:
            self._date(each.entry, translation)
        self._note_pictures([translation for _each, translation in written])
        db.session.flush()
        ring(service.INDEX)
        return report

    def _articles(self, ready: list[Ready]) -> dict[str | None, Article]:
        keys = {each.entry.head.id for each in ready} - {""}
        elsewhere = {each.entry.head.external_id for each in ready} - {None}
        statement = select(Article).where(Article.key.in_(keys) | Article.external_id.in_(elsewhere))
        loaded = statement.options(
            joinedload(Article.category),
            selectinload(Article.reader_rows),
            selectinload(Article.translations).options(undefer(Translation.body)),
        ).execution_options(populate_existing=True)
        found: dict[str | None, Article] = {}
        for article in db.session.scalars(loaded):
            found[article.key] = article
            if article.external_id:
                found[article.external_id] = article
        return found

    def _article(
        self, entry: Entry, shelves: dict[str, Category], taken: "_Taken", batch: list[Entry]
    ) -> Article:
        head = entry.head
        same = [
            each for each in batch if (each.head.id, each.head.external_id) == (head.id, head.external_id)
        ]
        article = Article(
            key=head.id or taken.free_key(slug_of(head.external_id or head.title)),
            external_id=head.external_id,
            category=shelves[head.category],
            audience=head.audience,
            owner_id=self.bundle.owners.get(head.owner.lower(), self.author.id),
            source_locale=_source_of(same),
            review_due=head.review,
            created_at=head.created,
            reader_rows=[ArticleReader(token=token) for token in head.readers],
            translations=[],
        )
        db.session.add(article)
        return article

    def _new(self, each: Ready, article: Article, taken: "_Taken") -> Translation:
        entry, head = each.entry, each.entry.head
        translation = Translation(
            article=article,
            locale=head.lang,
            slug=taken.free_slug(head.lang, head.slug or slug_of(head.title, fallback="article")),
            title=head.title,
            summary=head.summary,
            body=entry.body,
            tags=list(head.tags),
            revision=1,
            touched=1,
            revisions=[],
        )
        service.render(translation, each.derived)
        translation.revisions.append(self._revision(entry, 1))
        db.session.add(translation)
        return translation

    def _revision(self, entry: Entry, number: int) -> Revision:
        return Revision(
            number=number,
            title=entry.head.title,
            summary=entry.head.summary,
            body=entry.body,
            front=entry.front or None,
            author_id=self.author.id,
            why=self.why(entry),
        )

    def _change(
        self, each: Ready, translation: Translation, shelves: dict[str, Category], report: Report
    ) -> bool:
        """Bring a text there is to what the file says; whether it was."""
        entry, head = each.entry, each.entry.head
        text = service.Text(
            head.title, entry.body, head.summary, head.slug or translation.slug, list(head.tags)
        )
        if entry.shelf:  # another system knows nothing of these
            text = service.Text(
                head.title, entry.body, translation.summary, translation.slug, translation.tags
            )
        is_other = text != service.text_of(translation)
        shared = self._shared(entry, translation)
        if not is_other and (entry.shelf or not self._is_news(entry, translation, shared)):
            if not entry.shelf:
                _remember(entry, translation)
                _keep_head(entry, translation)
            report.unchanged.append(entry.where)
            return False
        is_edited = translation.revision != translation.synced_revision and not entry.shelf
        if not self.force and (is_edited or _is_moved_twice(head, translation)):
            report.conflicts.append(entry.where)
            return False
        if is_other:
            seen, front = translation.revision, entry.front or None
            try:
                service.revise(translation, self.author, text, seen=seen, why=self.why(entry), front=front)
            except service.EditedMeanwhile:
                report.conflicts.append(entry.where)
                return False
        else:
            _keep_head(entry, translation)
            service.mark_stale(translation)
        if not entry.shelf:
            category, audience, readers, review_due, owner_id = shared
            service.file_under(translation.article, shelves[category], audience, readers)
            translation.article.review_due, translation.article.owner_id = review_due, owner_id
        report.revised.append(entry.where)
        return True

    def _shared(self, entry: Entry, translation: Translation) -> Shared:
        """What the article is to be: as the file says, but nothing is undone by what it said before, too."""
        head, article = entry.head, translation.article
        place = head.category, head.audience, sorted(head.readers)
        review, owner = head.review, self._owner(head, article)
        again = set[str]() if self.force else _said_again(entry, translation)
        if again >= {"category", "audience", "readers"}:
            place = article.category.key, article.audience, sorted(article.readers)
        if "review" in again or translation is not article.source:
            review = article.review_due
        if "owner" in again or translation is not article.source:
            owner = article.owner_id
        return (*place, review, owner)

    def _is_news(self, entry: Entry, translation: Translation, shared: Shared) -> bool:
        """Does the file say of the text itself what the hub does not know?"""
        head, article = entry.head, translation.article
        place = article.category.key, article.audience, sorted(article.readers)
        if shared != (*place, article.review_due, article.owner_id):
            return True
        if entry.is_dated and head.updated != translation.updated_at:
            return True
        if self._takes_state(head, translation):
            state = translation.status, translation.publish_at
            published = head.published if entry.is_dated else translation.published_at
            if (head.status, head.publish_at) != state or published != translation.published_at:
                return True
        is_outdated = head.outdated, translation.is_outdated
        if is_outdated == (True, False) or (self.force and is_outdated == (False, True)):
            return True
        return bool(_new_addresses(head, translation))

    def _owner(self, head: Head, article: Article) -> int | None:
        """Whom the file names, if they are here; otherwise who it was."""
        return self.bundle.owners.get(head.owner.lower(), article.owner_id)

    def _takes_state(self, head: Head, translation: Translation) -> bool:
        """Nobody's decision in the hub is undone by a file that says what it always said."""
        known = translation.synced_status
        is_new = translation.synced_revision is None or known not in (None, head.status)
        return self.force or is_new or translation.status is head.status

    def _date(self, entry: Entry, translation: Translation) -> None:
        """State and moments as the file has them, and what the text was made from."""
        head, source = entry.head, translation.article.source
        if entry.shelf and translation.revision > 1:
            return
        translation.updated_at = head.updated
        if self._takes_state(head, translation):
            translation.status, translation.publish_at = head.status, head.publish_at
            translation.published_at = head.published
        _remember(entry, translation)
        if source is not None and source is not translation:
            translation.source_revision = 0 if head.outdated else source.revision
        for slug in _new_addresses(head, translation):
            db.session.add(Redirect(locale=translation.locale, slug=slug, translation_id=translation.id))

    # --- Pictures ---

    def _with_pictures(self, each: Ready, report: Report) -> Ready:
        """The text with the names that its pictures have got."""
        if ARRIVING not in each.entry.body and "image:" not in each.entry.body:
            return each
        body = _ARRIVING.sub(partial(self._name_of, each.entry, report), each.entry.body)
        if body == each.entry.body:
            return each
        each.entry.body = body
        return Ready(each.entry, service.derive(body))

    def _name_of(self, entry: Entry, report: Report, match: re.Match[str]) -> str:
        path = unquote(match[1]) if match[1] else f"{PICTURES}/{match[2]}"
        if path not in self.bundle.pictures:
            return match[0]
        if path not in self.names:
            try:
                self.names[path] = f"image:{pictures.adopt(self.author, self.bundle.pictures[path]()).name}"
            except HubError as error:
                self.names[path] = path  # no picture: the page shows that it is missing
                report.problems.append(Problem(entry.where, entry.line, f"{path}: {error.message}"))
        return self.names[path]

    def _note_pictures(self, translations: list[Translation]) -> None:
        uses = {each.id: pictures.names_in(each.body) for each in translations}
        names = {name for some in uses.values() for name in some}
        if not names:
            return
        ids = dict(db.session.execute(select(Picture.name, Picture.id).where(Picture.name.in_(names))).all())
        known = select(PictureUse.picture_id, PictureUse.translation_id)
        there = set(map(tuple, db.session.execute(known.where(PictureUse.translation_id.in_(uses)))))
        wanted = {(ids[name], id) for id, some in uses.items() for name in some if name in ids}
        db.session.add_all(
            PictureUse(picture_id=picture, translation_id=id) for picture, id in sorted(wanted - there)
        )


def _remember(entry: Entry, translation: Translation) -> None:
    """File and hub say the same now."""
    translation.synced_revision, translation.synced_sha256 = translation.revision, entry.sha256
    translation.synced_status = entry.head.status


def _keep_head(entry: Entry, translation: Translation) -> None:
    """The head of the file word for word, for the day it goes out again."""
    if entry.front:
        translation.revisions[-1].front = entry.front


def _said_again(entry: Entry, translation: Translation) -> set[str]:
    """What the head says, or leaves out, just as the one that was taken last."""
    number = translation.synced_revision
    here = Revision.translation_id == translation.id, Revision.number == number
    front = db.session.scalar(select(Revision.front).where(*here)) if number and entry.front else None
    if not front:
        return set()
    before, now = parse(front), parse(entry.front)
    return {key for key in (*KEYS, *OPTIONAL) if before.get(key) == now.get(key)}


def _is_moved_twice(head: Head, translation: Translation) -> bool:
    """Has its state changed in the file, and in another way in the hub?"""
    known = translation.synced_status
    return known is not None and len({known, head.status, translation.status}) == 3


def _new_addresses(head: Head, translation: Translation) -> list[str]:
    """Former addresses that nothing stands at yet."""
    wanted = set(head.former) - {translation.slug}
    if not wanted:
        return []
    taken: set[str] = set()
    for table in (Redirect, Translation):
        here = table.locale == translation.locale, table.slug.in_(wanted)
        taken.update(db.session.scalars(select(table.slug).where(*here)))
    return sorted(wanted - taken)


def _put_category(row: dict[str, Any], category: Category | None) -> Category:
    category = category or Category(key=row["key"], names={})
    db.session.add(category)
    category.names = {str(lang): text for lang, text in row["name"].items()}
    category.descriptions = {str(lang): text for lang, text in (row.get("description") or {}).items()}
    category.order, category.icon = int(row.get("order", 100)), str(row.get("icon", "book-2"))
    return category


def _is_within(category: Category | None, key: str, known: dict[str, Category]) -> bool:
    """Would this parent be below its own child?"""
    by_id = {each.id: each for each in known.values()}
    for _step in range(len(by_id) + 1):
        if category is None:
            return False
        if category.key == key:
            return True
        category = by_id.get(category.parent_id) if category.parent_id else None
    return True


class _Taken:
    """Keys and addresses that are taken, asked for once for a whole batch."""

    def __init__(self, ready: list[Ready]) -> None:
        self.slugs: dict[tuple[str, str], bool] = {}
        self.keys: dict[str, bool] = {}
        heads = [each.entry.head for each in ready]
        slugs = {head.slug or slug_of(head.title, fallback="article") for head in heads}
        self._learn_slugs(slugs)
        self._learn_keys({head.id or slug_of(head.external_id or head.title) for head in heads})

    def free_slug(self, lang: str, wanted: str) -> str:
        for slug in _numbered(wanted):
            if (lang, slug) not in self.slugs:
                self._learn_slugs(_next(wanted, slug))
            if not self.slugs[lang, slug]:
                self.slugs[lang, slug] = True
                return slug
        raise AssertionError

    def free_key(self, wanted: str) -> str:
        for key in _numbered(wanted):
            if key not in self.keys:
                self._learn_keys(_next(wanted, key))
            if not self.keys[key]:
                self.keys[key] = True
                return key
        raise AssertionError

    def _learn_slugs(self, slugs: set[str]) -> None:
        for slug in slugs:
            for lang in LOCALES:
                self.slugs.setdefault((lang, slug), False)
        for table in (Translation, Redirect):
            for row in db.session.execute(select(table.locale, table.slug).where(table.slug.in_(slugs))):
                self.slugs[row.locale, row.slug] = True

    def _learn_keys(self, keys: set[str]) -> None:
        self.keys |= {key: False for key in keys if key not in self.keys}
        self.keys |= dict.fromkeys(db.session.scalars(select(Article.key).where(Article.key.in_(keys))), True)


def _numbered(wanted: str) -> Iterator[str]:
    yield wanted
    number = 1
    while True:
        number += 1
        yield f"{wanted}-{number}"


def _next(wanted: str, at: str) -> set[str]:
    """The next hundred names, so that a title that many texts share is not asked for one by one."""
    number = int(at.rpartition("-")[2]) if at != wanted else 1
    return {at} | {f"{wanted}-{each}" for each in range(number, number + 100)}
