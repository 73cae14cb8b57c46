"""Surveys, who was asked and what was answered; ideas and their votes.

An anonymous survey keeps the two apart: its invitation says that someone took part, its responses hold
nothing that leads to an invitation, a person or a moment.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Select, UniqueConstraint, false, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import User
from ..core import clock, i18n
from ..core.access import Permission, can, visibility
from ..core.database import db

Texts = dict[str, str]  # locale → text


def said(texts: Texts, locale: str | None = None) -> str:
    """A text in the language spoken, else in English, else in whichever there is."""
    for code in (locale or i18n.locale(), "en", *texts):
        if texts.get(code):
            return texts[code]
    return ""


class Audience(StrEnum):
    ALL = "all"  # everyone of an active partner
    CHOSEN = "chosen"  # the partners in `partner_codes`
    WEBINAR = "webinar"  # who had a seat at the survey's webinar, once it is over


class SurveyStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"


class QuestionKind(StrEnum):
    SINGLE = "single"
    SCALE = "scale"  # 0–10, “how likely are you to recommend us”
    TEXT = "text"


class Survey(db.Model):
    """A few questions to some partners for some time."""

    __table_args__ = (Index("ix_survey_status_invited_at", "status", "invited_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    titles: Mapped[Texts] = mapped_column(JSON)
    intros: Mapped[Texts] = mapped_column(JSON, default=dict)
    audience: Mapped[Audience] = mapped_column(default=Audience.ALL)
    partner_codes: Mapped[list[str]] = mapped_column(JSON, default=list)
    webinar_id: Mapped[int | None] = mapped_column(ForeignKey("webinar.id"), index=True)
    is_anonymous: Mapped[bool] = mapped_column(default=False)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    status: Mapped[SurveyStatus] = mapped_column(default=SurveyStatus.DRAFT)
    invited_at: Mapped[datetime | None]  # when its audience became invitations
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    questions: Mapped[list["Question"]] = relationship(
        back_populates="survey", order_by="Question.order, Question.id"
    )

    @property
    def title(self) -> str:
        return said(self.titles)

    @property
    def intro(self) -> str:
        return said(self.intros)

    @property
    def is_draft(self) -> bool:
        return self.status is SurveyStatus.DRAFT

    @property
    def is_closed(self) -> bool:
        return self.closes_at <= clock.now()

    @property
    def is_open(self) -> bool:
        return not self.is_draft and self.opens_at <= clock.now() < self.closes_at


class Question(db.Model):
    """One question; a choice has options, each in several languages."""

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"), index=True)
    order: Mapped[int]
    kind: Mapped[QuestionKind]
    texts: Mapped[Texts] = mapped_column(JSON)
    options: Mapped[list[Texts]] = mapped_column(JSON, default=list)
    is_required: Mapped[bool] = mapped_column(default=True)

    survey: Mapped[Survey] = relationship(back_populates="questions")

    @property
    def text(self) -> str:
        return said(self.texts)

    @property
    def choices(self) -> list[str]:
        return [said(option) for option in self.options]


class Invitation(db.Model):
    """Someone is asked. Of an anonymous survey `responded_at` is the day only: no order leads to the answers."""

    __table_args__ = (
        UniqueConstraint("survey_id", "user_id"),
        Index("ix_invitation_user_id_responded_at", "user_id", "responded_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    responded_at: Mapped[datetime | None]

    survey: Mapped[Survey] = relationship()
    user: Mapped[User] = relationship()


class Response(db.Model):
    """One filled form. Its random id says nothing about when; an anonymous one has no invitation and no time."""

    __table_args__ = ({"sqlite_with_rowid": False},)  # rows lie in the order of their random ids

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: uuid4().hex)
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"), index=True)
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id"), unique=True)
    locale: Mapped[str]
    at: Mapped[datetime | None]

    invitation: Mapped[Invitation | None] = relationship()
    answers: Mapped[list["Answer"]] = relationship(back_populates="response")


class Answer(db.Model):
    """What was said to one question: the place of an option, a number, or words."""

    __table_args__ = (
        CheckConstraint("number IS NOT NULL OR text IS NOT NULL", name="says_something"),
        {"sqlite_with_rowid": False},
    )

    response_id: Mapped[str] = mapped_column(ForeignKey("response.id"), primary_key=True)
    question_id: Mapped[int] = mapped_column(ForeignKey("question.id"), primary_key=True, index=True)
    number: Mapped[int | None]
    text: Mapped[str | None]

    response: Mapped[Response] = relationship(back_populates="answers")


class IdeaStatus(StrEnum):
    NEW = "new"
    PLANNED = "planned"
    DONE = "done"
    DECLINED = "declined"


class Idea(db.Model):
    """What someone wishes for; others vote once each."""

    __table_args__ = (Index("ix_idea_votes", "votes", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    status: Mapped[IdeaStatus] = mapped_column(default=IdeaStatus.NEW, index=True)
    reply: Mapped[str] = mapped_column(default="")
    votes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    user: Mapped[User] = relationship()


class IdeaVote(db.Model):
    """One person wants one idea."""

    idea_id: Mapped[int] = mapped_column(ForeignKey("idea.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True, index=True)


@visibility(Survey)
def _surveys(statement: Select[Any], user: Any) -> Select[Any]:
    if can(user, Permission.SURVEYS_MANAGE):
        return statement
    if not can(user, Permission.SURVEYS_ANSWER):
        return statement.where(false())
    return statement.where(Survey.id.in_(select(Invitation.survey_id).where(Invitation.user_id == user.id)))


@visibility(Question)
def _questions(statement: Select[Any], user: Any) -> Select[Any]:
    return statement if can(user, Permission.SURVEYS_MANAGE) else statement.where(false())


@visibility(Invitation)
def _invitations(statement: Select[Any], user: Any) -> Select[Any]:
    return (
        statement.where(Invitation.user_id == user.id) if user.is_authenticated else statement.where(false())
    )


@visibility(Idea)
def _ideas(statement: Select[Any], user: Any) -> Select[Any]:
    may = can(user, Permission.SURVEYS_ANSWER) or can(user, Permission.SURVEYS_MANAGE)
    return statement if may else statement.where(false())
