"""Why someone got a newsletter, or why not: the ledger's answer in plain words, the same for all who may ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, or_, select

from ..accounts.models import User
from ..core import clock, i18n
from ..core.access import Permission, can, visible
from ..core.database import db
from ..core.i18n import _, ngettext
from ..partners.models import Membership, Partner
from . import consent, reading
from .letters import REASON
from .models import TOPICS, Delivery, DeliveryState, Newsletter, Status, Suppression, TopicOptOut
from .words import DELIVERY_WORDS, REASONS

#: The latest newsletters, and people of one partner, on a page.
LATEST = 15
MOST_PEOPLE = 50


@dataclass(frozen=True)
class Answer:
    """What became of one newsletter for one person."""

    newsletter: Newsletter
    subject: str
    status: tuple[Any, str]  # a word and its tone
    sentences: list[str]
    at: datetime
    arrived: bool = False  # as far as anybody knows

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def answers(newsletters: Sequence[Newsletter], people: Sequence[User], asker: Any) -> dict[int, list[Answer]]:
    """What became of newsletters that have started, for each of these people, by their id.

    Of a step that somebody has not come to there is nothing to say.
    """
    asked = [each for each in newsletters if each.started_at]
    by_id = {user.id: user for user in people}
    by_address = {consent.normalise(user.email): user for user in people}
    rows = select(Delivery).where(
        Delivery.newsletter_id.in_([each.id for each in asked]), _theirs(people, asker)
    )
    lines: dict[tuple[int, int], Delivery] = {}
    for row in db.session.scalars(rows.order_by(Delivery.id)):
        own = by_id.get(row.user_id or 0)
        if own is not None:
            lines[row.newsletter_id, own.id] = row
        if shared := by_address.get(row.address):
            lines.setdefault((row.newsletter_id, shared.id), row)
    return {
        user.id: [
            answer(each, user, lines.get((each.id, user.id)))
            for each in asked
            if not each.is_step or (each.id, user.id) in lines
        ]
        for user in people
    }


def latest(people: Sequence[User], asker: Any) -> dict[int, list[Answer]]:
    """The newest newsletters for these people: all with a line in the ledger, and those the asker sees besides."""
    mine = _theirs(people, asker)
    theirs = select(Delivery.newsletter_id).where(mine)
    open_to_asker = visible(select(Newsletter.id), asker).where(Newsletter.status == Status.SENT)
    # A step starts when its sequence is switched on: what counts is when people came to it.
    came = select(func.max(func.coalesce(Delivery.sent_at, Delivery.created_at)))
    came = came.where(Delivery.newsletter_id == Newsletter.id, mine)
    moment = case((Newsletter.sequence_id.is_(None), Newsletter.started_at), else_=came.scalar_subquery())
    newest = (
        select(Newsletter)
        .where(Newsletter.started_at.is_not(None))
        .where(or_(Newsletter.id.in_(theirs), Newsletter.id.in_(open_to_asker)))
        .order_by(moment.desc(), Newsletter.id.desc())
        .limit(LATEST)
    )
    found = answers(list(db.session.scalars(newest)), people, asker)
    return {
        number: sorted(each, key=lambda one: (_moment(one), one.newsletter.id), reverse=True)
        for number, each in found.items()
    }


def _moment(given: Answer) -> datetime:
    return given.at if given.newsletter.is_step else given.newsletter.started_at or given.at


def _theirs(people: Sequence[User], asker: Any) -> Any:
    """The ledger's lines of these people, and of their addresses.

    Who has an address now need not be who had it then: only the team is shown a line that is somebody else's.
    """
    of_address: Any = Delivery.address.in_([consent.normalise(user.email) for user in people])
    if not can(asker, Permission.PARTNERS_VIEW):
        of_address &= Delivery.user_id.is_(None)
    return or_(Delivery.user_id.in_([user.id for user in people]), of_address)


def people_of(partner: Partner) -> list[User]:
    """Who may get newsletters for an organisation."""
    members = select(User).join(Membership, Membership.user_id == User.id)
    found = members.where(Membership.partner_id == partner.id).order_by(User.id).limit(MOST_PEOPLE)
    return list(db.session.scalars(found))


def answer(newsletter: Newsletter, user: User, delivery: Delivery | None) -> Answer:
    """From the ledger's line, or from there being none."""
    if delivery is None:
        subject = reading.headline(newsletter, i18n.locale(), {})[0]
        sent_at = newsletter.started_at or newsletter.created_at
        return Answer(newsletter, subject, (_("not addressed"), ""), _unaddressed(newsletter, user), sent_at)
    sentences = told(newsletter, delivery)
    if delivery.user_id not in (None, user.id):
        line = _("One mail goes to each address. This one was addressed to %(name)s.", name=delivery.name)
        sentences.append(line)
    words = delivery.values if delivery.user_id == user.id else {}  # what it said of somebody else is theirs
    subject = reading.headline(newsletter, delivery.locale, words, delivery.variant)[0]
    status = (_("came back"), "bad") if delivery.bounced_at else DELIVERY_WORDS[delivery.state]
    arrived = delivery.state is DeliveryState.SENT and delivery.bounced_at is None
    return Answer(newsletter, subject, status, sentences, delivery.sent_at or delivery.created_at, arrived)


def _unaddressed(newsletter: Newsletter, user: User) -> list[str]:
    started = newsletter.started_at or newsletter.created_at
    if user.created_at > started:
        return [_("It was sent on %(date)s, before this account was made.", date=_day(started))]
    return [_("When it was sent on %(date)s, this account was not in its audience.", date=_day(started))]


def told(newsletter: Newsletter, delivery: Delivery) -> list[str]:
    """What the ledger's line says, and what was heard afterwards."""
    return [*_STATES[delivery.state](newsletter, delivery), *_afterwards(delivery)]


def _sent(newsletter: Newsletter, delivery: Delivery) -> list[str]:
    moment = delivery.sent_at or delivery.claimed_at or delivery.created_at
    words = {"address": delivery.address, "moment": i18n.format_datetime(moment)}
    topic = TOPICS[newsletter.topic][0]
    if REASON in delivery.values:
        return [_("Sent to %(address)s on %(moment)s.", **words), delivery.values[REASON]]
    if newsletter.is_step:
        reason = _("It is part of a sequence that this account came into. Topic: %(topic)s.", topic=topic)
        return [_("Sent to %(address)s on %(moment)s.", **words), reason]
    reason = _("This account was in its audience and had not declined the topic: %(topic)s.", topic=topic)
    return [_("Sent to %(address)s on %(moment)s.", **words), reason]


def _failed(_newsletter: Newsletter, delivery: Delivery) -> list[str]:
    reason = _ended(delivery.reason or _("no reason was given"))
    tried = ngettext(
        "It could not be sent to %(address)s after %(count)s attempt: %(reason)s",
        "It could not be sent to %(address)s after %(count)s attempts: %(reason)s",
        delivery.attempts,
        address=delivery.address,
        reason=reason,
    )
    return [tried]


def _uncertain(_newsletter: Newsletter, delivery: Delivery) -> list[str]:
    moment = i18n.format_datetime(delivery.claimed_at or delivery.created_at)
    words = {"address": delivery.address, "moment": moment}
    handed = _("It was handed over for %(address)s on %(moment)s, but nobody answered.", **words)
    return [handed, _("It may have arrived, so it is not sent again by itself.")]


def _suppressed(_newsletter: Newsletter, delivery: Delivery) -> list[str]:
    why = REASONS.get(delivery.reason or "", delivery.reason) or _("no reason was given")
    return [_("Not sent to %(address)s: %(reason)s", address=delivery.address, reason=_ended(str(why)))]


def _waiting(newsletter: Newsletter, delivery: Delivery) -> list[str]:
    if newsletter.status is Status.CANCELLED:
        return [_("The sending was cancelled before it was this mail’s turn.")]
    if newsletter.status is Status.PAUSED:
        return [_("The sending is paused. This mail has not been sent yet.")]
    if delivery.state is DeliveryState.HELD:
        return [_("It waits until one of two subjects has been chosen.")]
    if delivery.attempts:
        words = {"moment": i18n.format_datetime(delivery.next_at), "reason": _ended(delivery.reason or "")}
        return [_("The mail server asks to wait; it is tried again on %(moment)s. %(reason)s", **words)]
    if delivery.next_at > clock.now():
        return [_("It waits for its turn on %(moment)s.", moment=i18n.format_datetime(delivery.next_at))]
    return [_("It is being sent; this mail has not had its turn yet.")]


_STATES = {
    DeliveryState.SENT: _sent,
    DeliveryState.FAILED: _failed,
    DeliveryState.UNCERTAIN: _uncertain,
    DeliveryState.SUPPRESSED: _suppressed,
    DeliveryState.PENDING: _waiting,
    DeliveryState.HELD: _waiting,
    DeliveryState.CLAIMED: _waiting,
}


def _afterwards(delivery: Delivery) -> list[str]:
    found = []
    if delivery.bounced_at:
        words = {"date": _day(delivery.bounced_at), "reason": _ended(delivery.reason or "")}
        found.append(_("It came back on %(date)s. %(reason)s", **words).strip())
    elif delivery.delivered_at:
        moment = i18n.format_datetime(delivery.delivered_at)
        found.append(_("The mailbox took it on %(moment)s.", moment=moment))
    if delivery.complained_at:
        found.append(_("It was marked as unwanted on %(date)s.", date=_day(delivery.complained_at)))
    if delivery.unsubscribed_at:
        found.append(_("It was unsubscribed from on %(date)s.", date=_day(delivery.unsubscribed_at)))
    return found


def _day(moment: datetime) -> str:
    return i18n.format_date(moment)


def _ended(sentence: str) -> str:
    """With a full stop, as the far end may have left it out."""
    return sentence if not sentence or sentence[-1] in ".!?…" else f"{sentence}."


def today(people: Sequence[User]) -> dict[int, str]:
    """Of these people, by their id, what they would get nothing of now."""
    by_address = {consent.normalise(user.email): user.id for user in people}
    unwanted: dict[str, list[str]] = {}
    opted_out = select(TopicOptOut.address, TopicOptOut.topic).where(TopicOptOut.address.in_(by_address))
    for address, topic in db.session.execute(opted_out.order_by(TopicOptOut.id)):
        unwanted.setdefault(address, []).append(str(TOPICS[topic][0]))
    found = {
        address: _("At present it gets nothing on: %(topics)s.", topics=", ".join(topics))
        for address, topics in unwanted.items()
    }
    suppressed = select(Suppression.address, Suppression.reason).where(Suppression.address.in_(by_address))
    for address, reason in db.session.execute(suppressed):
        words = _ended(str(REASONS[reason]))
        found[address] = _("At present this address gets no newsletters: %(reason)s", reason=words)
    return {by_address[address]: text for address, text in found.items()}
