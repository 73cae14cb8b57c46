"""Newsletters, their texts by language, the ledger of their deliveries, and who wants none."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, Text, UniqueConstraint, false, or_, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import User
from ..core import clock, months
from ..core.access import Permission, can, visibility
from ..core.database import db
from ..core.i18n import LOCALES, _l


class Topic(StrEnum):
    """What a newsletter is about; readers choose which of these they want."""

    PRODUCT = "product_news"
    MATERIALS = "materials"
    TRAINING = "training"
    REPORT = "monthly_report"
    SERVICE = "service"


TOPICS = {
    Topic.PRODUCT: (_l("Product news"), _l("New plans and features, and how to explain them.")),
    Topic.MATERIALS: (_l("Materials"), _l("New banners, texts and campaigns.")),
    Topic.TRAINING: (_l("Training"), _l("Webinars, recordings and courses.")),
    Topic.REPORT: (_l("Monthly report"), _l("Once a month: payouts, dates and what is new.")),
    Topic.SERVICE: (_l("Service"), _l("Changes of the terms and other matters of your partnership.")),
}


class Status(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"
    TEMPLATE = "template"  # never sent itself


class Hold(StrEnum):
    """Why a newsletter waits for a person."""

    PERSON = "person"
    CREDENTIALS = "credentials"
    ERRORS = "errors"
    MISSED = "missed"
    INCOMPLETE = "incomplete"


class Shown(StrEnum):
    """Who finds a sent newsletter in the archive."""

    RECIPIENTS = "recipients"
    PARTNERS = "partners"
    PUBLIC = "public"


class Newsletter(db.Model):
    """One sending. Its texts and audience may change until it starts, and never after."""

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Of a ready text: the name of its files.
    key: Mapped[str | None] = mapped_column(unique=True)
    topic: Mapped[Topic] = mapped_column(default=Topic.PRODUCT)
    status: Mapped[Status] = mapped_column(default=Status.DRAFT, index=True)
    #: Conditions that all hold for every recipient, see `rules`; none means all active partners.
    audience: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    shown: Mapped[Shown] = mapped_column(default=Shown.PARTNERS)
    #: Wall time, `2026-12-01T09:00`, in `time_zone`; `due_at` is the same moment in UTC.
    local_time: Mapped[str | None]
    time_zone: Mapped[str]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    #: The wall time is each reader's own: it starts where that comes first, and every row waits for its moment.
    own_time: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: First day of the closed month whose figures it tells; None: the month before it is sent.
    month: Mapped[date | None]
    #: Since when things count as new; None: since the month before that began.
    since: Mapped[datetime | None]
    #: Besides partners, to visitors who subscribed to its topic.
    to_subscribers: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: Leaves out of each mail what its reader has seen already.
    skips_seen: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: Does it count who opens it, and who follows its links? Of readers who do not mind.
    tracks_opens: Mapped[bool] = mapped_column(default=False, server_default=false())
    tracks_clicks: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: Two subjects are tried on this many percent of the audience for so many hours, see `trial`.
    ab_share: Mapped[int | None]
    ab_hours: Mapped[int | None]
    ab_winner: Mapped[str | None]  # `a` or `b`, once it stands
    ab_result: Mapped[dict[str, list[int]] | None] = mapped_column(
        JSON
    )  # (sent, followed) when it was chosen
    hold: Mapped[Hold | None]
    #: Failures in a row; a delivery that succeeds sets it back.
    failures: Mapped[int] = mapped_column(default=0)
    #: Of a step: its sequence, its place there, and the days after the step before, at an hour of the reader's.
    sequence_id: Mapped[int | None] = mapped_column(ForeignKey("newsletter_sequence.id"), index=True)
    position: Mapped[int | None]
    delay_days: Mapped[int | None]
    local_hour: Mapped[int | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)

    author: Mapped[User | None] = relationship()
    contents: Mapped[list["Content"]] = relationship(
        back_populates="newsletter", cascade="all, delete-orphan", lazy="selectin", order_by="Content.id"
    )

    @property
    def is_editable(self) -> bool:
        return self.status in (Status.DRAFT, Status.TEMPLATE)

    @property
    def is_step(self) -> bool:
        """Does it go to people one by one, as they come to it in a sequence?"""
        return self.sequence_id is not None

    @property
    def figures_month(self) -> date:
        """First day of the month whose figures it tells."""
        of_now = clock.now() if self.is_step else self.started_at or clock.now()
        return self.month or months.previous_month(months.month_of(of_now))

    @property
    def news_since(self) -> datetime:
        """From when on things are new in it."""
        return self.since or months.bounds(self.figures_month)[0]

    @property
    def has_started(self) -> bool:
        return self.started_at is not None

    def content(self, locale: str) -> "Content | None":
        """The text in exactly this language."""
        return next((each for each in self.contents if each.locale == locale), None)

    @property
    def written(self) -> list["Content"]:
        """The texts that have something in them, in the order of the languages."""
        ready = [each for each in self.contents if not each.is_empty]
        return sorted(ready, key=lambda each: list(LOCALES).index(each.locale))

    def content_for(self, locale: str) -> "Content | None":
        """The text a reader of `locale` gets: their language, else English, else the first written."""
        written = {each.locale: each for each in self.written}
        return written.get(locale) or written.get("en") or next(iter(written.values()), None)

    def title(self, locale: str = "en") -> str:
        """A subject to call it by; empty while nothing is written."""
        content = self.content_for(locale) or next(iter(self.contents), None)
        return content.subject_for(self.ab_winner) if content else ""


class Content(db.Model):
    """The text of a newsletter in one language."""

    __tablename__ = "newsletter_content"
    __table_args__ = (UniqueConstraint("newsletter_id", "locale"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletter.id", ondelete="CASCADE"))
    locale: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    subject_b: Mapped[str] = mapped_column(default="", server_default="")  # tried beside the first
    preheader: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(Text, default="")  # Markdown with {variables} and `:::` blocks
    plain: Mapped[str | None] = mapped_column(Text)  # the plain-text part; None: made from the body

    newsletter: Mapped[Newsletter] = relationship(back_populates="contents")

    def subject_for(self, variant: str | None) -> str:
        return self.subject_b if variant == "b" and self.subject_b else self.subject

    @property
    def is_empty(self) -> bool:
        return not (self.subject.strip() and self.body.strip())


class DeliveryState(StrEnum):
    PENDING = "pending"
    HELD = "held"  # until one of two subjects has won
    CLAIMED = "claimed"  # being handed over
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"  # handed over, but nobody answered
    SUPPRESSED = "suppressed"  # wanted none by the time it would have been sent


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


class Delivery(db.Model):
    """One newsletter to one address: what happened, and everything needed to make it happen."""

    __table_args__ = (
        UniqueConstraint("newsletter_id", "address", "entry"),
        Index("ix_delivery_queue", "newsletter_id", "state", "next_at", "id"),
        Index("ix_delivery_claimed_at_domain", "claimed_at", "domain"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    #: The Message-ID's left side, where it is signed, and the file in the outbox.
    key: Mapped[str] = mapped_column(unique=True, default=lambda: uuid.uuid4().hex)
    newsletter_id: Mapped[int] = mapped_column(ForeignKey("newsletter.id"))
    address: Mapped[str] = mapped_column(index=True)
    #: Of a step of a sequence: the reader's way through it; 0 for what goes to each address once.
    entry: Mapped[int] = mapped_column(default=0, server_default="0")
    domain: Mapped[str] = mapped_column(
        default=lambda context: domain_of(context.get_current_parameters()["address"]), server_default=""
    )
    name: Mapped[str] = mapped_column(default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    partner_id: Mapped[int | None] = mapped_column(ForeignKey("partner.id", ondelete="SET NULL"), index=True)
    locale: Mapped[str]  # of the text that is sent
    variant: Mapped[str | None]  # which of two subjects
    values: Mapped[dict[str, str]] = mapped_column(
        JSON, default=dict
    )  # what the variables stood for at the start
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PENDING)
    reason: Mapped[str | None]  # why not sent, in the far end's words or ours
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    next_at: Mapped[datetime] = mapped_column(default=clock.now)
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]  # name of the worker's journal
    sent_at: Mapped[datetime | None]
    # What happened afterwards, each when it was first heard of.
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    machine_opened_at: Mapped[datetime | None]  # by a program that looks at mails before people do
    clicked_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    complained_at: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]

    newsletter: Mapped[Newsletter] = relationship()


class SuppressionReason(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"


class Suppression(db.Model):
    """An address that gets no newsletter any more, whatever its topic."""

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(unique=True)
    reason: Mapped[SuppressionReason]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class TopicOptOut(db.Model):
    """A topic that an address does not want."""

    __table_args__ = (UniqueConstraint("address", "topic"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    topic: Mapped[Topic]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Segment(db.Model):
    """A rule with a name, to be used again; what a rule is, `rules` says."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    rule: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)


class LinkCheck(db.Model):
    """An address outside the hub that stands in a newsletter, and whether it answers."""

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(unique=True)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    checked_at: Mapped[datetime | None] = mapped_column(index=True)
    status: Mapped[int | None]  # of HTTP
    problem: Mapped[str | None]  # why there is no status


@visibility(Newsletter)
def _newsletters(statement: Select[Any], user: Any) -> Select[Any]:
    """Managers see all; others those that were sent and are shown to them."""
    if can(user, Permission.NEWSLETTERS_MANAGE):
        return statement
    sent = statement.where(Newsletter.status == Status.SENT)
    if not can(user, Permission.NEWS_READ):
        return sent.where(Newsletter.shown == Shown.PUBLIC)
    received = select(Delivery.newsletter_id).where(
        Delivery.user_id == user.id, Delivery.state == DeliveryState.SENT
    )
    return sent.where(or_(Newsletter.shown != Shown.RECIPIENTS, Newsletter.id.in_(received)))


@visibility(Segment)
def _segments(statement: Select[Any], user: Any) -> Select[Any]:
    return statement if can(user, Permission.NEWSLETTERS_MANAGE) else statement.where(false())


@visibility(Delivery)
def _deliveries(statement: Select[Any], user: Any) -> Select[Any]:
    """The team sees what was sent to whom, others what was sent to themselves."""
    if can(user, Permission.PARTNERS_VIEW):
        return statement
    return statement.where(Delivery.user_id == user.id) if user.is_authenticated else statement.where(false())
