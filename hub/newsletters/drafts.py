"""Drafts: begin, write, say whom they are for, copy, throw away."""

from collections.abc import Iterable

from ..accounts.models import User
from ..core import audit, clock
from ..core.database import db
from ..core.errors import HubError, Invalid
from ..core.i18n import LOCALES, _, _l
from ..core.settings import settings
from . import rules
from .models import Content, Newsletter, Shown, Status, Topic
from .rules import Rule
from .steering import NotNow


class AlreadyStarted(HubError):
    message = _l("This newsletter is no longer a draft. Clone it to send something else.")


def create(author: User | None, topic: Topic, *, contents: Iterable[dict[str, str]] = ()) -> Newsletter:
    """A draft, with an empty text in the author's language unless others are given; the command line is nobody."""
    zone = author.time_zone if author else settings.programme_timezone
    newsletter = Newsletter(topic=topic, author_id=author.id if author else None, time_zone=zone, audience=[])
    db.session.add(newsletter)
    newsletter.contents = [Content(**each) for each in contents] or [
        Content(
            locale=author.locale if author else settings.default_locale, subject="", preheader="", body=""
        )
    ]
    db.session.flush()
    audit.record(author, "newsletter.created", f"newsletter:{newsletter.id}")
    return newsletter


def write(
    newsletter: Newsletter,
    locale: str,
    *,
    subject: str,
    preheader: str,
    body: str,
    plain: str | None = None,
    subject_b: str | None = None,
) -> Content:
    """Keep the text of one language; without `plain` its text part is made from the body. Raises AlreadyStarted."""
    must_be_draft(newsletter)
    if locale not in LOCALES:
        raise Invalid(_("This language is not offered."))
    content = newsletter.content(locale)
    if content is None:
        content = Content(locale=locale)
        newsletter.contents.append(content)
    content.subject, content.preheader, content.body = (
        " ".join(subject.split()),
        " ".join(preheader.split()),
        body,
    )
    content.plain = plain or None
    if subject_b is not None:
        content.subject_b = " ".join(subject_b.split())
    newsletter.updated_at = clock.now()
    db.session.flush()
    return content


def aim(newsletter: Newsletter, rule: Rule, topic: Topic, shown: Shown) -> None:
    """Say whom it is for and what it is about. Raises AlreadyStarted; NotNow for a step, whose sequence says so."""
    must_be_draft(newsletter)
    if newsletter.is_step:
        raise NotNow
    newsletter.audience, newsletter.topic, newsletter.shown = rules.clean(rule), topic, shown
    newsletter.updated_at = clock.now()
    db.session.flush()


def offer(newsletter: Newsletter, to_subscribers: bool) -> None:
    """Say whether subscribers get it, too. Raises AlreadyStarted."""
    must_be_draft(newsletter)
    newsletter.to_subscribers = to_subscribers
    db.session.flush()


def track(newsletter: Newsletter, *, clicks: bool, opens: bool) -> None:
    """Say what it counts; trying two subjects counts links. Raises AlreadyStarted."""
    must_be_draft(newsletter)
    newsletter.tracks_clicks, newsletter.tracks_opens = clicks or newsletter.ab_share is not None, opens
    db.session.flush()


def try_subjects(newsletter: Newsletter, share: int | None, hours: int) -> None:
    """Try a second subject on a share of the audience; None: there is one. Raises AlreadyStarted."""
    must_be_draft(newsletter)
    newsletter.ab_share, newsletter.ab_hours = share, hours if share else None
    newsletter.tracks_clicks = newsletter.tracks_clicks or share is not None
    db.session.flush()


def clone(newsletter: Newsletter, author: User) -> Newsletter:
    """A new draft with the same texts and audience."""
    copy = create(author, newsletter.topic, contents=texts(newsletter))
    for name in (
        "audience",
        "shown",
        "to_subscribers",
        "skips_seen",
        "tracks_clicks",
        "tracks_opens",
        "ab_share",
        "ab_hours",
    ):
        setattr(copy, name, getattr(newsletter, name))
    return copy


def texts(newsletter: Newsletter) -> list[dict[str, str]]:
    """Its texts, for another one."""
    names = ("locale", "subject", "subject_b", "preheader", "body", "plain")
    return [{name: getattr(each, name) for name in names} for each in newsletter.contents]


def again(newsletter: Newsletter, author: User) -> Newsletter:
    """A draft with the same texts for those of its audience who did not open it, or followed no link of it.

    Whether somebody did is asked when it is sent. Raises NotNow while it is being sent, and when nobody counted.
    """
    if newsletter.status is not Status.SENT or not (newsletter.tracks_opens or newsletter.tracks_clicks):
        raise NotNow
    kind = "unopened" if newsletter.tracks_opens else "unfollowed"
    copy = clone(newsletter, author)
    copy.audience = [*newsletter.audience, {"kind": kind, "values": [str(newsletter.id)]}]
    copy.ab_share, copy.ab_hours, copy.to_subscribers = None, None, False
    # It tells the same once more: of that month, and with the cards that the mail not read has had already.
    copy.month, copy.since, copy.skips_seen = newsletter.figures_month, newsletter.news_since, False
    db.session.flush()
    return copy


def keep_as_template(newsletter: Newsletter, author: User) -> Newsletter:
    """A copy to begin others with; it is never sent itself."""
    copy = clone(newsletter, author)
    copy.status = Status.TEMPLATE
    db.session.flush()
    return copy


def discard(newsletter: Newsletter, actor: User) -> None:
    """Delete a draft that was never sent. Raises AlreadyStarted; NotNow for a step that people have been sent."""
    must_be_draft(newsletter)
    if newsletter.has_started:
        raise NotNow
    audit.record(
        actor, "newsletter.discarded", f"newsletter:{newsletter.id}", before={"subject": newsletter.title()}
    )
    db.session.delete(newsletter)
    db.session.flush()


def must_be_draft(newsletter: Newsletter) -> None:
    if not newsletter.is_editable:
        raise AlreadyStarted
