"""Readers ask and answer under articles; what is good becomes part of the article."""

import functools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from markupsafe import Markup
from sqlalchemy import Select, bindparam, exists, func, select, update
from sqlalchemy.orm import joinedload

from ..accounts.models import User
from ..core import audit, clock, markup
from ..core.access import Permission, Role, Somebody, can, is_staff, roles_with, visible
from ..core.database import db
from ..core.errors import Forbidden, HubError, Invalid
from ..core.i18n import _, _l
from ..core.links import path
from ..core.paging import Page, page
from ..notifications import kinds
from ..notifications.service import notify
from .models import Article, Translation
from .models.community import Post, shown_to

LONGEST = 4_000
#: How long an author may change or take back what they wrote.
EDITABLE = timedelta(minutes=30)
#: Posts of one partner within an hour.
MOST_AN_HOUR = 10
SHOWN = 10
MOST_ANSWERS = 200
_HEADING = 90

kinds.register("article.asked", _l("%(author)s asks under “%(title)s”"), icon="help")
kinds.register(
    "article.answered", _l("%(author)s answers your question under “%(title)s”"), icon="message-circle"
)
kinds.register(
    "article.discussed", _l("%(author)s answers a question under “%(title)s”"), icon="message-circle"
)
kinds.register("article.accepted", _l("Your answer under “%(title)s” is the accepted one"), icon="check")
kinds.register("article.folded", _l("Your answer is part of the article “%(title)s” now"), icon="book-2")


class TooManyPosts(HubError):
    status = 429
    message = _l("That is a lot in one hour. Your text is kept here: send it a little later.")


class TooLate(HubError):
    message = _l(
        "This can no longer be changed: it has been answered, or some time has passed. Ask the team."
    )


@dataclass(frozen=True)
class Said:
    """A post as one reader sees it, and what they may do with it."""

    post: Post
    name: str
    is_team: bool
    is_mine: bool
    may_edit: bool
    may_remove: bool
    may_accept: bool
    answers: tuple["Said", ...] = ()

    @property
    def html(self) -> Markup:
        """What `markup.message` has made of the text."""
        return Markup(self.post.html)


# --- Saying ---


def ask(translation: Translation, author: User, body: str, *, client_id: str) -> Post:
    """A question under an article; the owner hears of it. A repeated `client_id` is the same question.

    Raises Invalid for an empty or too long text, TooManyPosts.
    """
    return _say(translation, None, author, body, client_id)


def answer(question: Post, author: User, body: str, *, client_id: str) -> Post:
    """An answer to a question; who asked hears of it, and the owner of what partners answer. Raises as `ask`."""
    return _say(question.translation, question, author, body, client_id)


def edit(post: Post, actor: User, body: str) -> None:
    """Other words for one's own post. Raises Forbidden, TooLate, Invalid."""
    if post.author_id != actor.id:
        raise Forbidden
    if not may_edit(post, actor):
        raise TooLate
    if _checked(body) != post.body:
        _write(post, body)
        post.edited_at = clock.now()


def remove(post: Post, actor: User) -> None:
    """Take a post away, a question with its answers. Raises Forbidden for somebody else's, TooLate."""
    if not can(actor, Permission.KB_WRITE):
        if post.author_id != actor.id:
            raise Forbidden
        if not may_remove(post, actor):
            raise TooLate
    audit.record(actor, "article.post_removed", _object(post), before={"author": post.author_id})
    db.session.delete(post)


def hide(post: Post, actor: User, hidden: bool) -> None:
    """Let a post be seen by the team and its author alone, or by everyone again."""
    if (post.hidden_at is not None) == hidden:
        return
    post.hidden_at = clock.now() if hidden else None
    audit.record(actor, "article.post_hidden" if hidden else "article.post_shown", _object(post))


def accept(post: Post, actor: User, accepted: bool) -> None:
    """Say that an answer is the one, in place of any other; or no longer. Raises Forbidden, Invalid for a question."""
    if post.question is None:
        raise Invalid
    if not _may_accept(post.question, actor):
        raise Forbidden
    if (post.accepted_at is not None) == accepted:
        return
    db.session.execute(select(Post.id).where(Post.id == post.question_id).with_for_update(key_share=True))
    db.session.execute(update(Post).where(Post.question_id == post.question_id).values(accepted_at=None))
    post.accepted_at = clock.now() if accepted else None
    db.session.flush()
    audit.record(actor, "article.answer_accepted" if accepted else "article.answer_unaccepted", _object(post))
    if accepted and post.author_id != actor.id:
        _tell([post.author], "article.accepted", post)


# --- Into the article ---


def with_answer(body: str, post: Post) -> str:
    """A text with an answer under its question at the end, for the editor."""
    if post.question is None or post.body in body:
        return body
    asked = " ".join(markup.plain(post.question.body).split())
    heading = asked if len(asked) <= _HEADING else asked[:_HEADING].rsplit(" ", 1)[0] + " …"
    return f"{body.rstrip()}\n\n## {heading}\n\n{post.body}\n"


def credit(post: Post) -> str:
    """Why there is a new revision, naming who wrote the words."""
    return _("From an answer by %(name)s", name=post.author.name)


def folded(post: Post, actor: User) -> None:
    """The article has taken an answer in; its author hears of that."""
    is_first, post.folded_at = post.folded_at is None, clock.now()
    audit.record(actor, "article.answer_folded", _object(post))
    if is_first and post.author_id != actor.id:
        _tell([post.author], "article.folded", post)


# --- Reading ---


#: Most articles have none, and are spared the rest.
_ANY = select(exists().where(Post.translation_id == bindparam("text")))


def questions(translation: Translation, user: Any, cursor: str | None, only: int | None = None) -> Page:
    """A page of questions with their answers, the newest first, or one of them alone.

    As `user` sees them, who may read the article.
    """
    if not db.session.scalar(_ANY, {"text": translation.id}):
        return Page([], None, None)
    under = Post.translation_id == translation.id, Post.question_id.is_(None), shown_to(user)
    asked = select(Post).where(*under)
    if only is not None:
        asked = asked.where(Post.id == only)
    shown = page(asked.options(joinedload(Post.author)), cursor, Post.id, size=SHOWN)
    replies = _answers([each.id for each in shown], user) if shown.items else {}
    return Page([_seen(each, user, replies.get(each.id, [])) for each in shown], shown.newer, shown.older)


def unanswered() -> Any:
    """The condition on Post that it is a question nobody has answered."""
    replies = select(Post.question_id).where(Post.question_id.is_not(None), Post.hidden_at.is_(None))
    return Post.question_id.is_(None) & Post.hidden_at.is_(None) & Post.id.not_in(replies)


def name_for(author: User, reader: Any) -> str:
    """The team's names are known; a partner's in full to the team, in short to partners, to nobody else."""
    if is_staff(author) or is_staff(reader) or author.id == getattr(reader, "id", None):
        return author.name
    if not getattr(reader, "is_authenticated", False):
        return _("A partner")
    first, *others = author.name.split() or [""]
    return f"{first} {others[-1][0]}." if others else first


def may_edit(post: Post, user: Any) -> bool:
    """One's own, for a while, as long as nothing rests on it."""
    is_fresh = clock.now() - post.at < EDITABLE
    return post.author_id == user.id and is_fresh and post.accepted_at is None and post.folded_at is None


def may_remove(post: Post, user: Any) -> bool:
    """One's own as long as it may be changed and nobody else has answered."""
    if not may_edit(post, user):
        return False
    others = select(Post.id).where(Post.question_id == post.id, Post.author_id != user.id)
    return not post.is_question or db.session.scalar(others.limit(1)) is None


@functools.cache
def _to_questions(role: Role | None) -> Select[Any]:
    """Built once per role, and once for visitors: answers to questions that are shown, the accepted one first."""
    return (
        select(Post)
        .where(Post.question_id.in_(bindparam("asked", expanding=True)))
        .where(shown_to(Somebody(role) if role else None))
        .options(joinedload(Post.author))
        .order_by(Post.accepted_at.is_(None), Post.id)
        .limit(MOST_ANSWERS)
    )


def _answers(question_ids: list[int], user: Any) -> dict[int, list[Post]]:
    values = {"asked": question_ids, "reader": getattr(user, "id", None)}
    found: dict[int, list[Post]] = {}
    for each in db.session.scalars(_to_questions(getattr(user, "role", None)), values):
        found.setdefault(each.question_id or 0, []).append(each)
    return found


def _seen(post: Post, user: Any, answers: list[Post], question: Post | None = None) -> Said:
    is_mine = post.author_id == getattr(user, "id", None)
    edits = is_mine and may_edit(post, user)
    is_free = not any(each.author_id != post.author_id for each in answers)
    return Said(
        post,
        name_for(post.author, user),
        is_staff(post.author),
        is_mine,
        may_edit=edits,
        may_remove=(edits and is_free) or can(user, Permission.KB_WRITE),
        may_accept=question is not None and _may_accept(question, user),
        answers=tuple(_seen(each, user, [], post) for each in answers),
    )


def _may_accept(question: Post, user: Any) -> bool:
    return can(user, Permission.KB_WRITE) or question.author_id == getattr(user, "id", None)


# --- Within ---


def _say(translation: Translation, question: Post | None, author: User, body: str, client_id: str) -> Post:
    # A double click waits for the first one, and finds its post.
    db.session.execute(select(User.id).where(User.id == author.id).with_for_update(key_share=True))
    same = select(Post).where(Post.author_id == author.id, Post.client_id == client_id)
    said = db.session.scalar(same)
    if said is not None:
        return said
    _checked(body)
    _slow_down(author)
    post = Post(translation=translation, question=question, author=author, client_id=client_id)
    _write(post, body)
    db.session.add(post)
    db.session.flush()
    _tell_of(post)
    return post


def _checked(body: str) -> str:
    body = body.strip()
    if not body:
        raise Invalid(_l("Write something first."))
    if len(body) > LONGEST:
        raise Invalid(_("At most %(count)s characters: this has %(has)s.", count=LONGEST, has=len(body)))
    return body


def _write(post: Post, body: str) -> None:
    post.body = _checked(body)
    post.html = str(markup.message(post.body))


def _slow_down(author: User) -> None:
    if is_staff(author):
        return
    recent = Post.author_id == author.id, Post.at > clock.now() - timedelta(hours=1)
    if (db.session.scalar(select(func.count(Post.id)).where(*recent)) or 0) >= MOST_AN_HOUR:
        raise TooManyPosts


def _tell_of(post: Post) -> None:
    owners = [each for each in _owners(post) if each.id != post.author_id]
    if post.question is None:
        return _tell(owners, "article.asked", post)
    asker = post.question.author
    if asker.id != post.author_id:
        _tell([asker], "article.answered", post)
    if not is_staff(post.author):
        _tell([each for each in owners if each.id != asker.id], "article.discussed", post)
    return None


def _owners(post: Post) -> list[User]:
    """Who looks after the article, or everyone who writes when nobody does."""
    owner_id = select(Article.owner_id).where(Article.id == post.translation.article_id)
    owner = db.session.scalar(select(User).where(User.id == owner_id.scalar_subquery()))
    if owner and owner.is_active:
        return [owner]
    return list(db.session.scalars(select(User).where(User.role.in_(roles_with(Permission.KB_WRITE)))))


def _tell(people: list[User], kind: str, post: Post) -> None:
    """Tell those who may read it, each with the name they may know."""
    wanted = select(Post).where(Post.id == post.id)
    for person in people:
        if db.session.scalar(visible(wanted, person)) is not None:
            params = {"title": post.translation.title, "author": name_for(post.author, person)}
            notify([person], kind, params, path("kb.post", post_id=post.id))


def _object(post: Post) -> str:
    return f"article_post:{post.id}"
