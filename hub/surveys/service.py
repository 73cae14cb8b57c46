"""Surveys: writing them, asking people, taking each one's answers once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from flask import url_for
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import contains_eager

from ..accounts.models import User
from ..core import audit, clock, i18n
from ..core.database import db, touched
from ..core.errors import HubError, Invalid
from ..core.i18n import Text, _, _l
from ..core.jobs import ring
from ..notifications.service import notify
from ..partners.models import Membership, Partner, PartnerStatus
from ..training.models import SEATED, Registration, Webinar
from ..training.service import Afterwards, after_webinar
from . import kinds
from .models import (
    Answer,
    Audience,
    Invitation,
    Question,
    QuestionKind,
    Response,
    Survey,
    SurveyStatus,
    said,
)

SCALE = range(11)
LONGEST_ANSWER = 4000


class SurveyClosed(HubError):
    message = _l("This survey is not open.")


class AlreadyAnswered(HubError):
    message = _l("You have already answered this survey. Thank you.")


class AlreadyPublished(HubError):
    message = _l("The survey is published: its questions stay as they were asked.")


class NothingToAsk(HubError):
    message = _l("Add at least one question before publishing.")


# --- Writing ---------------------------------------------------------------


def draft(author: User, **values: Any) -> Survey:
    """Begin a survey. Raises Invalid for times in the wrong order or partners nobody knows."""
    survey = Survey()
    _set(survey, values)
    db.session.add(survey)
    db.session.flush()
    audit.record(author, "survey.drafted", f"survey:{survey.id}")
    return survey


def change(survey: Survey, author: User, **values: Any) -> None:
    """Edit a survey. Once published only its texts and its end can change; the rest stays as it was."""
    if not survey.is_draft:
        values = {name: values[name] for name in ("titles", "intros", "closes_at")}
    _set(survey, values)
    audit.record(author, "survey.changed", f"survey:{survey.id}")


def _set(survey: Survey, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(survey, name, value)
    if not said(survey.titles):
        raise Invalid(title_en=[_("Write the title in at least one language.")])
    if survey.closes_at <= survey.opens_at:
        raise Invalid(closes_at=[_("The end comes before the beginning.")])
    if survey.audience is Audience.CHOSEN:
        _check_codes(survey.partner_codes)
    if survey.audience is Audience.WEBINAR and survey.webinar_id is None:
        raise Invalid(webinar_id=[_("Choose the webinar.")])


def _check_codes(codes: list[str]) -> None:
    known = set(db.session.scalars(select(Partner.code).where(Partner.code.in_(codes))))
    unknown = [code for code in codes if code not in known]
    if unknown or not codes:
        text = (
            _("No partner has this code: %(codes)s.", codes=", ".join(unknown))
            if unknown
            else _("Name the partners.")
        )
        raise Invalid(partner_codes=[text])


def set_question(
    survey: Survey, question: Question | None, *, kind: QuestionKind, texts: dict[str, str],
    options: list[dict[str, str]], is_required: bool,
) -> Question:  # fmt: skip
    """Add a question at the end, or change one. Raises AlreadyPublished, Invalid."""
    if not survey.is_draft:
        raise AlreadyPublished
    if not said(texts):
        raise Invalid(text_en=[_("Write the question in at least one language.")])
    if kind is QuestionKind.SINGLE and len(options) < 2:
        raise Invalid(options_en=[_("Give at least two options, one on each line.")])
    if question is None:
        last = db.session.scalar(select(func.max(Question.order)).where(Question.survey_id == survey.id))
        question = Question(survey_id=survey.id, order=(last or 0) + 1)
        db.session.add(question)
    question.kind, question.texts, question.is_required = kind, texts, is_required
    question.options = options if kind is QuestionKind.SINGLE else []
    db.session.flush()
    return question


def drop_question(question: Question) -> None:
    """Take a question out of a draft."""
    if not question.survey.is_draft:
        raise AlreadyPublished
    db.session.delete(question)


def lift_question(question: Question) -> None:
    """Ask a question one place earlier."""
    if not question.survey.is_draft:
        raise AlreadyPublished
    rows = list(question.survey.questions)
    at = rows.index(question)
    rows.insert(max(0, at - 1), rows.pop(at))
    for order, row in enumerate(rows, 1):
        row.order = order


def options_of(columns: dict[str, str]) -> list[dict[str, str]]:
    """Options from one text per language, a line each: the lines of all languages belong together.

    Raises Invalid when a language that has options has another number of them.
    """
    lines = {
        code: [line.strip() for line in text.splitlines() if line.strip()] for code, text in columns.items()
    }
    lines = {code: rows for code, rows in lines.items() if rows}
    most = max((len(rows) for rows in lines.values()), default=0)
    short: dict[str, list[Text]] = {
        f"options_{code}": [_("Every language needs the same number of options, in the same order.")]
        for code, rows in lines.items()
        if len(rows) != most
    }
    if short:
        raise Invalid(**short)  # type: ignore[arg-type]
    return [{code: rows[n] for code, rows in lines.items()} for n in range(most)]


def publish(survey: Survey, author: User) -> None:
    """Let it open at its time; then its audience is asked. Twice is as good as once."""
    db.session.refresh(survey, with_for_update=True)
    if not survey.is_draft:
        return
    if not survey.questions:
        raise NothingToAsk
    survey.status = SurveyStatus.PUBLISHED
    audit.record(author, "survey.published", f"survey:{survey.id}")
    ring("surveys.invite")


def close(survey: Survey, author: User) -> None:
    """End a survey now."""
    if survey.is_open:
        survey.closes_at = clock.now()
        audit.record(author, "survey.closed", f"survey:{survey.id}")


# --- Asking ----------------------------------------------------------------


def invite() -> int:
    """Turn the audience of every survey whose time has come into invitations; how many people were asked.

    The survey's row says that it is done, in the same transaction: two jobs at once ask once.
    """
    due = (
        select(Survey)
        .outerjoin(Webinar, Webinar.id == Survey.webinar_id)
        .where(
            Survey.status == SurveyStatus.PUBLISHED,
            Survey.invited_at.is_(None),
            Survey.opens_at <= clock.now(),
            Survey.closes_at > clock.now(),
            or_(Survey.audience != Audience.WEBINAR, Webinar.ends_at <= clock.now()),
        )
        .with_for_update(of=Survey, skip_locked=True, key_share=True)
    )
    return sum(_invite(survey) for survey in db.session.scalars(due).all())


def _invite(survey: Survey) -> int:
    survey.invited_at = clock.now()
    people = audience_of(survey)
    db.session.add_all([Invitation(survey_id=survey.id, user_id=user.id) for user in people])
    db.session.flush()
    by_locale: dict[str, list[User]] = {}
    for user in people:
        by_locale.setdefault(user.locale, []).append(user)
    for locale, users in by_locale.items():
        notify(users, kinds.INVITED.name, {"title": said(survey.titles, locale)}, path(survey))
    return len(people)


def audience_of(survey: Survey) -> list[User]:
    """Whom the survey asks now: active people, each once."""
    asked = select(User).where(User.disabled_at.is_(None)).order_by(User.id)
    if survey.audience is Audience.WEBINAR:
        seated = select(Registration.user_id).where(
            Registration.webinar_id == survey.webinar_id, Registration.status.in_(SEATED)
        )
        return list(db.session.scalars(asked.where(User.id.in_(seated))))
    members = (
        select(Membership.user_id)
        .join(Partner, Partner.id == Membership.partner_id)
        .where(Partner.status == PartnerStatus.ACTIVE)
    )
    if survey.audience is Audience.CHOSEN:
        members = members.where(Partner.code.in_(survey.partner_codes))
    return list(db.session.scalars(asked.where(User.id.in_(members))))


def path(survey: Survey) -> str:
    """Where its form is inside the hub."""
    return f"/surveys/{survey.id}"


def open_for(user: User, limit: int = 20) -> list[Survey]:
    """Surveys that wait for this person's answers, the one that closes first first."""
    now = clock.now()
    rows = (
        select(Survey)
        .join(Invitation, Invitation.survey_id == Survey.id)
        .where(
            Invitation.user_id == user.id,
            Invitation.responded_at.is_(None),
            Survey.opens_at <= now,
            Survey.closes_at > now,
        )
        .order_by(Survey.closes_at, Survey.id)
        .limit(limit)
    )
    return list(db.session.scalars(rows))


@after_webinar
def _survey_of(webinar: Webinar, user: User) -> list[Afterwards]:
    return [
        Afterwards(survey.title, url_for("surveys.show", id=survey.id))
        for survey in open_for(user)
        if survey.webinar_id == webinar.id
    ]


# --- Answering -------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """One answer before it is stored."""

    question: Question
    number: int | None = None
    text: str | None = None


def check(questions: Iterable[Question], form: Any) -> tuple[list[Given], dict[int, str]]:
    """Read answers from a form's `q<id>` fields; those given, and by question what is wrong."""
    given, wrong = [], {}
    for question in questions:
        raw = (form.get(f"q{question.id}") or "").replace("\x00", "").strip()
        if not raw:
            if question.is_required:
                wrong[question.id] = _("This question needs an answer.")
            continue
        answer = _read(question, raw)
        if answer is None:
            wrong[question.id] = (
                _("The answer is longer than %(count)s characters.", count=LONGEST_ANSWER)
                if question.kind is QuestionKind.TEXT
                else _("Choose one of the answers.")
            )
        else:
            given.append(answer)
    return given, wrong


def _read(question: Question, raw: str) -> Given | None:
    if question.kind is QuestionKind.TEXT:
        return Given(question, text=raw) if len(raw) <= LONGEST_ANSWER else None
    allowed = SCALE if question.kind is QuestionKind.SCALE else range(len(question.options))
    number = int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 4 else -1
    return Given(question, number=number) if number in allowed else None


def respond(survey: Survey, user: User, answers: list[Given]) -> Response:
    """Take someone's answers, once. Raises SurveyClosed, AlreadyAnswered.

    Who took part is noted by a conditional update, which of two at once only one passes. An anonymous
    response then keeps neither the invitation nor the time, and the invitation only the day.
    """
    if not survey.is_open:
        raise SurveyClosed
    now = clock.now()
    took_part = (
        update(Invitation)
        .where(
            Invitation.survey_id == survey.id,
            Invitation.user_id == user.id,
            Invitation.responded_at.is_(None),
        )
        .values(responded_at=_day(now) if survey.is_anonymous else now)
    )
    if not touched(took_part.execution_options(synchronize_session=False)):
        raise AlreadyAnswered
    invitation_id = None if survey.is_anonymous else invitation_of(survey, user).id
    response = Response(
        survey_id=survey.id,
        invitation_id=invitation_id,
        locale=i18n.locale(),
        at=None if survey.is_anonymous else now,
    )
    db.session.add(response)
    db.session.flush()
    db.session.add_all(
        Answer(response_id=response.id, question_id=each.question.id, number=each.number, text=each.text)
        for each in answers
    )
    db.session.flush()
    return response


def _day(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time(), moment.tzinfo)


def invitation_of(survey: Survey, user: User) -> Invitation:
    """This person's invitation, which there is."""
    return db.session.scalars(
        select(Invitation)
        .where(Invitation.survey_id == survey.id, Invitation.user_id == user.id)
        .execution_options(populate_existing=True)
    ).one()


def answered_by(user: User, limit: int = 10) -> list[Invitation]:
    """The surveys this person has answered, the newest first."""
    rows = (
        select(Invitation)
        .join(Invitation.survey)
        .options(contains_eager(Invitation.survey))
        .where(Invitation.user_id == user.id, Invitation.responded_at.is_not(None))
        .order_by(Invitation.responded_at.desc(), Invitation.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(rows))
