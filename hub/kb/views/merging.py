"""Two edits of one article: shown side by side, and made one."""

from dataclasses import dataclass

from flask import render_template, request
from sqlalchemy import select
from sqlalchemy.orm import undefer

from ...accounts.models import User
from ...core.database import db
from .. import comparing
from ..forms import ArticleForm
from ..models import Revision, Translation


@dataclass(frozen=True)
class Line:
    """A field of one line: what it was (None: nobody knows), what both made of it."""

    name: str
    label: str
    was: str | None
    mine: str
    theirs: str

    @property
    def is_open(self) -> bool:
        """Did both change it, each in another way?"""
        return self.theirs not in (self.was, self.mine) and self.mine != self.was

    def settled(self, choice: str) -> str:
        if self.is_open:
            return self.theirs if choice == "theirs" else self.mine
        return self.theirs if self.mine == self.was else self.mine


def conflict(form: ArticleForm, translation: Translation, message: str) -> str:
    """What the other one has saved beside what this one wants to save."""
    base, theirs = _revisions(translation, form.number("seen"), translation.revision)
    author = db.session.get(User, theirs.author_id or 0)
    return render_template(
        "kb/merge.html",
        form=form,
        translation=translation,
        message=message,
        theirs=theirs,
        author=author.name if author else None,
        lines=[each for each in _lines(form, base, theirs) if each.is_open],
        together=comparing.merge(base.body, form.text.body, theirs.body),
        change=comparing.rows(base.body, theirs.body),
        kept=[field for field in form if field.name not in ("csrf_token", "reader_tiers")],
    )


def put_together(form: ArticleForm, translation: Translation) -> None:
    """Fill the form with both edits, as the writer has decided."""
    base, theirs = _revisions(translation, form.number("seen"), translation.revision)
    parts = comparing.merge(base.body, form.text.body, theirs.body)
    chosen = [request.form.get(f"part-{at}", "both") for at in range(len(parts))]
    for line in _lines(form, base, theirs):
        form[line.name].data = line.settled(request.form.get(f"line-{line.name}", "mine"))
    form.body.data = "".join(map(_decided, parts, chosen)).strip("\n")
    form.seen.data = str(translation.revision)
    form.names_seen.data = form.names_of(translation)


def _revisions(translation: Translation, seen: int, now: int) -> tuple[Revision, Revision]:
    """What the writer began with (the first text, if that is not known) and what there is now."""
    statement = select(Revision).where(Revision.translation_id == translation.id)
    rows = statement.where(Revision.number.in_({seen, 1, now})).options(undefer(Revision.body))
    by_number = {each.number: each for each in db.session.scalars(rows)}
    return by_number.get(seen, by_number[1]), by_number[now]


def _lines(form: ArticleForm, base: Revision, theirs: Revision) -> list[Line]:
    slug, tags = form.names_begun()
    now = theirs.translation
    texts = {
        "title": (base.title, theirs.title),
        "summary": (base.summary, theirs.summary),
        "slug": (slug, now.slug),
        "tags": (tags, ", ".join(now.tags)),
    }
    return [
        Line(name, str(form[name].label.text), was, form[name].data or "", there)
        for name, (was, there) in texts.items()
    ]


def _decided(part: comparing.Part, choice: str) -> str:
    if part.settled is not None:
        return part.settled
    if choice in ("mine", "theirs"):
        return part.mine if choice == "mine" else part.theirs
    return part.theirs + ("" if part.theirs.endswith("\n") or not part.theirs else "\n") + part.mine
