"""What can be done with newsletters: write, check, start, stop."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import func, insert, select, update

from ..accounts.models import User
from ..core import audit, clock, markup
from ..core.database import after_commit, db, touched
from ..core.errors import HubError, Invalid
from ..core.i18n import LOCALES, _, _l
from ..core.jobs import ring
from ..core.links import path
from ..core.live import announce
from ..core.mail import Letter, queue_letter
from ..core.mail.compose import escape_markdown
from ..kb.service import link_of
from ..notifications import kinds
from ..notifications.service import notify
from . import audience, letters, variables
from .audience import Recipient, Rule
from .checks import NotReady, must_be_ready
from .models import Content, Delivery, DeliveryState, Hold, Newsletter, Shown, Status, Topic

#: A schedule overdue by more waits for a person: yesterday's “today only” helps nobody.
GRACE = timedelta(hours=12)
#: Rows of one insert when the audience is frozen.
CHUNK = 1000


class AlreadyStarted(HubError):
    message = _l("This newsletter is no longer a draft. Clone it to send something else.")


class NotNow(HubError):
    message = _l("This newsletter has moved on in the meantime. Look at its present state.")


# --- Writing -----------------------------------------------------------------


def create(author: User, topic: Topic, *, contents: Iterable[dict[str, str]] = ()) -> Newsletter:
    """A draft, with an empty text in the author's language unless others are given."""
    newsletter = Newsletter(topic=topic, author_id=author.id, time_zone=author.time_zone, audience=[])
    db.session.add(newsletter)
    newsletter.contents = [Content(**each) for each in contents] or [
        Content(locale=author.locale, subject="", preheader="", body="")
    ]
    db.session.flush()
    audit.record(author, "newsletter.created", f"newsletter:{newsletter.id}")
    return newsletter


def write(newsletter: Newsletter, locale: str, *, subject: str, preheader: str, body: str) -> Content:
    """Keep the text of one language. Raises AlreadyStarted."""
    _must_be_draft(newsletter)
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
    newsletter.updated_at = clock.now()
    db.session.flush()
    return content


def aim(newsletter: Newsletter, rule: Rule, topic: Topic, shown: Shown) -> None:
    """Say whom it is for and what it is about. Raises AlreadyStarted."""
    _must_be_draft(newsletter)
    newsletter.audience, newsletter.topic, newsletter.shown = audience.clean(rule), topic, shown
    newsletter.updated_at = clock.now()
    db.session.flush()


def clone(newsletter: Newsletter, author: User) -> Newsletter:
    """A new draft with the same texts and audience."""
    names = ("locale", "subject", "preheader", "body")
    texts = [{name: getattr(each, name) for name in names} for each in newsletter.contents]
    copy = create(author, newsletter.topic, contents=texts)
    copy.audience, copy.shown = newsletter.audience, newsletter.shown
    return copy


def discard(newsletter: Newsletter, actor: User) -> None:
    """Delete a draft that was never sent. Raises AlreadyStarted."""
    _must_be_draft(newsletter)
    audit.record(
        actor, "newsletter.discarded", f"newsletter:{newsletter.id}", before={"subject": newsletter.title()}
    )
    db.session.delete(newsletter)
    db.session.flush()


def _must_be_draft(newsletter: Newsletter) -> None:
    if not newsletter.is_editable:
        raise AlreadyStarted


def preview(newsletter: Newsletter, locale: str, reader: Recipient | None) -> Letter | None:
    """The mail as `reader` would get it in a language; None while nothing is written in it."""
    content = newsletter.content(locale)
    if content is None:
        return None
    prepared = letters.prepare(newsletter.topic, content)
    words = {name: f"{{{name}}}" for name in variables.OF_READER}
    if reader is not None:
        words = variables.values(reader.user, reader.partner, locale, variables.OF_READER)
    address, name = (reader.address, reader.user.name) if reader else ("reader@example.org", "")
    return prepared.letter(key="preview", address=address, name=name, values=words, sample=True)


def send_test(newsletter: Newsletter, locale: str, to: User) -> None:
    """Mail one language of it to `to`, filled with their name and the first recipient's organisation.

    Raises NotReady.
    """
    content = newsletter.content(locale)
    if content is None or content.is_empty:
        raise NotReady(_("Write a subject and a text in this language first."))
    if stray := variables.unknown(_names(content)):
        raise NotReady(variables.complaint(stray[0]))
    first = next(audience.recipients(newsletter.audience, newsletter.topic, limit=1), None)
    words = variables.values(to, first.partner if first else None, locale, variables.OF_READER)
    letter = letters.prepare(newsletter.topic, content).letter(
        key=uuid.uuid4().hex, address=audience.normalise(to.email), name=to.name, values=words, sample=True
    )
    queue_letter(replace(letter, subject=_("Test: %(subject)s", subject=letter.subject)), "newsletters/test")


def words_of(user: Any, locale: str) -> dict[str, str]:
    """What the variables stand for, for someone reading in the archive; nothing for visitors and the team."""
    own = audience.recipient(user.id) if user.is_authenticated else None
    return variables.values(own.user, own.partner, locale, variables.OF_READER) if own else {}


def headline(newsletter: Newsletter, locale: str, words: dict[str, str]) -> tuple[str, str]:
    """(subject, preview line) in the reader's language and with their own words."""
    content = newsletter.content_for(locale)
    if content is None:
        return "", ""
    return variables.fill(content.subject, words), variables.fill(content.preheader, words)


def for_page(newsletter: Newsletter, locale: str, user: Any) -> tuple[Content, str, Markup] | None:
    """(text, subject, HTML) of a newsletter for the archive, in the reader's language and with their own words."""
    content = newsletter.content_for(locale)
    if content is None:
        return None
    words = words_of(user, content.locale)
    body = variables.fill(content.body, {name: escape_markdown(word) for name, word in words.items()})
    page = markup.article(body, links=link_of)
    return content, headline(newsletter, content.locale, words)[0], page.html


# --- Sending -----------------------------------------------------------------


def moment_of(local_time: str, zone: str) -> datetime:
    """The UTC moment of a wall time: in the gap of spring it moves forward, in the fold of autumn the first counts."""
    try:
        naive = datetime.fromisoformat(local_time)
        moment = naive.replace(tzinfo=ZoneInfo(zone), second=0, microsecond=0)
    except (ValueError, KeyError, OSError):
        raise Invalid(_("Enter a date and a time."), local_time=[_("Enter a date and a time.")]) from None
    return moment.astimezone(ZoneInfo("UTC"))


def schedule(newsletter: Newsletter, local_time: str, zone: str, actor: User) -> None:
    """Have it start at a wall time of a zone. Raises Invalid, NotReady, AlreadyStarted."""
    _must_be_draft(newsletter)
    due_at = moment_of(local_time, zone)
    if due_at <= clock.now():
        raise Invalid(
            _("This moment has passed."), local_time=[_("This moment has passed. Choose a later one.")]
        )
    must_be_ready(newsletter)
    newsletter.local_time, newsletter.time_zone, newsletter.due_at = local_time, zone, due_at
    newsletter.status, newsletter.hold = Status.SCHEDULED, None
    db.session.flush()
    audit.record(
        actor, "newsletter.scheduled", f"newsletter:{newsletter.id}", after={"at": local_time, "zone": zone}
    )


def unschedule(newsletter: Newsletter, actor: User) -> None:
    """Back to a draft, to be edited or not sent at all. Raises NotNow."""
    _move(newsletter, Status.DRAFT, Status.SCHEDULED)
    audit.record(actor, "newsletter.unscheduled", f"newsletter:{newsletter.id}")


def start(newsletter: Newsletter, actor: User | None = None) -> int:
    """Freeze the audience as the ledger's rows and begin sending; how many rows.

    Raises NotReady, NotNow.
    """
    must_be_ready(newsletter)
    _move(newsletter, Status.SENDING, Status.DRAFT, Status.SCHEDULED)
    newsletter.started_at, newsletter.due_at = clock.now(), None
    number = freeze(newsletter)
    audit.record(actor, "newsletter.started", f"newsletter:{newsletter.id}", after={"recipients": number})
    ring("newsletters.send")
    return number


def freeze(newsletter: Newsletter) -> int:
    """Write a row for everyone it is for, with what their variables stand for now."""
    names = {each.locale: _names(each) for each in newsletter.written}
    now, number, rows = clock.now(), 0, []
    # Addresses that differ only in spelling are one.
    seen: set[str] = set()
    for recipient in list(audience.recipients(newsletter.audience, newsletter.topic)):
        if recipient.address in seen:
            continue
        seen.add(recipient.address)
        locale = newsletter.content_for(recipient.user.locale).locale  # type: ignore[union-attr]
        rows.append(
            {
                "newsletter_id": newsletter.id,
                "key": uuid.uuid4().hex,
                "address": recipient.address,
                "name": variables.tidy(recipient.user.name),
                "user_id": recipient.user.id,
                "partner_id": recipient.partner.id,
                "locale": locale,
                "values": variables.values(recipient.user, recipient.partner, locale, names[locale]),
                "created_at": now,
                "next_at": now,
            }
        )
        number += 1
        if len(rows) == CHUNK:
            db.session.execute(insert(Delivery), rows)
            rows = []
    if rows:
        db.session.execute(insert(Delivery), rows)
    return number


def _names(content: Content) -> list[str]:
    return [name for name, _default in variables.used(content.subject, content.preheader, content.body)]


def pause(newsletter: Newsletter, hold: Hold = Hold.PERSON, actor: User | None = None) -> None:
    """Stop after the mail that is being handed over. Raises NotNow."""
    _move(newsletter, Status.PAUSED, Status.SENDING)
    newsletter.hold = hold
    audit.record(actor, "newsletter.paused", f"newsletter:{newsletter.id}", after={"why": hold})
    tell_progress(newsletter.id)


def resume(newsletter: Newsletter, actor: User) -> None:
    """Go on where it stopped. Raises NotNow."""
    _move(newsletter, Status.SENDING, Status.PAUSED)
    newsletter.hold, newsletter.failures = None, 0
    waiting = (Delivery.newsletter_id == newsletter.id, Delivery.state == DeliveryState.PENDING)
    db.session.execute(update(Delivery).where(*waiting).values(next_at=clock.now()))
    audit.record(actor, "newsletter.resumed", f"newsletter:{newsletter.id}")
    ring("newsletters.send")
    tell_progress(newsletter.id)


def cancel(newsletter: Newsletter, actor: User) -> None:
    """Send nothing more; who has got it has got it. Raises NotNow."""
    _move(newsletter, Status.CANCELLED, Status.SENDING, Status.PAUSED)
    newsletter.finished_at = clock.now()
    audit.record(actor, "newsletter.cancelled", f"newsletter:{newsletter.id}", after=counts(newsletter.id))
    tell_progress(newsletter.id)


def _move(newsletter: Newsletter, to: Status, *origins: Status) -> None:
    """Change the status if it still is one of `origins`: of two who try, one wins."""
    present = (Newsletter.id == newsletter.id, Newsletter.status.in_(origins))
    if not touched(update(Newsletter).where(*present).values(status=to, updated_at=clock.now())):
        raise NotNow
    db.session.refresh(newsletter)


# --- Looking -----------------------------------------------------------------


def counts(newsletter_id: int) -> dict[str, int]:
    """Deliveries by state, every state named."""
    statement = select(Delivery.state, func.count()).where(Delivery.newsletter_id == newsletter_id)
    found = {state: number for state, number in db.session.execute(statement.group_by(Delivery.state))}  # noqa: C416
    return {state.value: found.get(state, 0) for state in DeliveryState}


def progress(newsletter: Newsletter) -> dict[str, Any]:
    """What the page of a running newsletter shows, ready for JSON."""
    states = counts(newsletter.id)
    total = sum(states.values())
    waiting = states["pending"] + states["claimed"]
    return {"status": newsletter.status.value, "total": total, "done": total - waiting, "counts": states}


def tell_progress(newsletter_id: int) -> None:
    """Tell the pages that show this newsletter how far it is, once committed."""

    def tell() -> None:
        newsletter = db.session.get(Newsletter, newsletter_id, populate_existing=True)
        if newsletter is not None:
            announce(f"newsletter:{newsletter_id}", "progress", {"id": newsletter_id, **progress(newsletter)})

    after_commit(tell)


# --- On time, and telling people ----------------------------------------------


def start_on_time(newsletter: Newsletter) -> None:
    """Start a scheduled newsletter; one that is long overdue or no longer ready goes back to its author."""
    hold = Hold.MISSED if newsletter.due_at and clock.now() - newsletter.due_at > GRACE else None
    if hold is None:
        try:
            start(newsletter)
            return
        except NotReady:
            hold = Hold.INCOMPLETE
    _move(newsletter, Status.DRAFT, Status.SCHEDULED)
    newsletter.hold, newsletter.due_at = hold, None
    tell_author(newsletter, hold)


def tell_author(newsletter: Newsletter, hold: Hold) -> None:
    """Say that a newsletter waits for a person, and why."""
    _notify(newsletter, f"newsletter_{hold}")


def tell_sent(newsletter: Newsletter) -> None:
    _notify(newsletter, "newsletter_sent")


def _notify(newsletter: Newsletter, kind: str) -> None:
    if newsletter.author is not None:
        params = {"subject": newsletter.title(newsletter.author.locale)}
        notify([newsletter.author], kind, params, url=path("newsletters.show", number=newsletter.id))


for _kind, _text in (
    ("sent", _l("“%(subject)s” has been sent")),
    (Hold.CREDENTIALS, _l("“%(subject)s” is paused: the mail server does not accept our sign-in")),
    (Hold.ERRORS, _l("“%(subject)s” is paused: too many mails in a row failed")),
    (Hold.MISSED, _l("“%(subject)s” missed its time and was not sent")),
    (Hold.INCOMPLETE, _l("“%(subject)s” could not start: it is not ready")),
):
    kinds.register(f"newsletter_{_kind}", _text, icon="mail")
