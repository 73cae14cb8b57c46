"""What a survey found. In an anonymous one no group of fewer than five is shown, nor what would give it away."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from ..accounts.models import User
from ..core.database import db
from ..core.i18n import LOCALES, _, number
from ..partners.service import names_of
from .models import Answer, Invitation, Question, QuestionKind, Response, Survey

#: Fewer answers than this could be recognised.
SMALLEST_GROUP = 5
#: Free texts on the page; all of them are in the file.
TEXTS_SHOWN = 100


@dataclass(frozen=True)
class Nps:
    """Net promoter score: share of 9–10 minus share of 0–6, in points; only answers count."""

    promoters: int
    passives: int
    detractors: int

    @property
    def count(self) -> int:
        return self.promoters + self.passives + self.detractors

    @property
    def score(self) -> int | None:
        """−100 to 100, rounded half away from zero; None when nobody answered."""
        if not self.count:
            return None
        points, half = 100 * (self.promoters - self.detractors), self.count // 2
        return (abs(points) + half) // self.count * (1 if points >= 0 else -1)

    @property
    def shown(self) -> str:
        """“+42”, “−7”, “0”, or “—” when nobody answered."""
        if self.score is None:
            return "—"
        return ("+" if self.score > 0 else "−" if self.score < 0 else "") + number(abs(self.score))


def nps(counts: dict[int, int]) -> Nps:
    """From how often each number of 0–10 was given."""

    def between(low: int, high: int) -> int:
        return sum(counts.get(n, 0) for n in range(low, high + 1))

    return Nps(between(9, 10), between(7, 8), between(0, 6))


@dataclass(frozen=True)
class Bar:
    """One possible answer and how many chose it."""

    label: str
    count: int
    share: int  # basis points of those who answered


@dataclass(frozen=True)
class Group:
    """The score among those who answered in one language; None where it may not be shown."""

    label: str
    nps: Nps | None


@dataclass
class Result:
    """What was answered to one question."""

    question: Question
    answered: int
    bars: list[Bar] = field(default_factory=list)
    nps: Nps | None = None
    groups: list[Group] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def chart(self) -> dict[str, Any]:
        """For the chart's macro."""
        values = [bar.count for bar in self.bars]
        return {
            "type": "bar",
            "labels": [bar.label for bar in self.bars],
            "series": [{"label": _("Answers"), "values": values}],
        }


@dataclass(frozen=True)
class Results:
    """A survey's outcome; `is_hidden` when too few answered an anonymous one."""

    invited: int
    responded: int
    is_hidden: bool
    questions: list[Result]

    @property
    def share(self) -> int | None:
        """Basis points of those invited who answered; None when nobody was."""
        return round(self.responded * 10_000 / self.invited) if self.invited else None


def of(survey: Survey) -> Results:
    """Everything the results page shows, in a fixed number of statements."""
    invited = db.session.scalar(select(func.count()).where(Invitation.survey_id == survey.id)) or 0
    responded = db.session.scalar(select(func.count()).where(Response.survey_id == survey.id)) or 0
    if survey.is_anonymous and responded < SMALLEST_GROUP:
        return Results(invited, responded, True, [])
    counts = _counts(survey)
    texts = _texts(survey)
    shown = [_result(survey, each, counts, texts) for each in survey.questions]
    return Results(invited, responded, False, shown)


def _counts(survey: Survey) -> dict[int, dict[str, Counter[int]]]:
    """question → language → number → how often."""
    rows = db.session.execute(
        select(Answer.question_id, Response.locale, Answer.number, func.count())
        .join(Response, Response.id == Answer.response_id)
        .where(Response.survey_id == survey.id, Answer.number.is_not(None))
        .group_by(Answer.question_id, Response.locale, Answer.number)
    )
    found: dict[int, dict[str, Counter[int]]] = {}
    for question_id, locale, value, count in rows:
        found.setdefault(question_id, {}).setdefault(locale, Counter())[value or 0] += count
    return found


def _texts(survey: Survey) -> dict[int, list[str]]:
    """question → what was written, in the order of the responses' random ids."""
    rows = db.session.execute(
        select(Answer.question_id, Answer.text)
        .join(Response, Response.id == Answer.response_id)
        .where(Response.survey_id == survey.id, Answer.text.is_not(None))
        .order_by(Response.id)
        .limit(TEXTS_SHOWN * 20)
    )
    found: dict[int, list[str]] = {}
    for question_id, text in rows:
        found.setdefault(question_id, []).append(text or "")
    return found


def _result(survey: Survey, question: Question, counts: Any, texts: dict[int, list[str]]) -> Result:
    if question.kind is QuestionKind.TEXT:
        written = texts.get(question.id, [])
        return Result(question, len(written), texts=written[:TEXTS_SHOWN])
    by_locale: dict[str, Counter[int]] = counts.get(question.id, {})
    total = sum(by_locale.values(), Counter())
    answered = total.total()
    labels = question.choices if question.kind is QuestionKind.SINGLE else [str(n) for n in range(11)]
    bars = [
        Bar(label, total[n], round(total[n] * 10_000 / answered) if answered else 0)
        for n, label in enumerate(labels)
    ]
    result = Result(question, answered, bars)
    if question.kind is QuestionKind.SCALE:
        result.nps = nps(total)
        result.groups = _groups(survey, by_locale)
    return result


def _groups(survey: Survey, by_locale: dict[str, Counter[int]]) -> list[Group]:
    if len(by_locale) < 2:
        return []
    sizes = {locale: counts.total() for locale, counts in by_locale.items()}
    hidden = too_small(sizes) if survey.is_anonymous else set()
    return [
        Group(LOCALES.get(locale, locale), None if locale in hidden else nps(by_locale[locale]))
        for locale in sorted(by_locale)
    ]


def too_small(sizes: dict[str, int]) -> set[str]:
    """Groups that may not be shown beside the total.

    Those under five; and where together they are still fewer than five, the next smallest too:
    otherwise the total less what is shown would be what is hidden.
    """
    in_order = sorted(sizes, key=lambda name: (sizes[name], name))
    hidden = {name for name in in_order if sizes[name] < SMALLEST_GROUP}
    for name in in_order:
        if not hidden or sum(sizes[each] for each in hidden) >= SMALLEST_GROUP:
            break
        hidden.add(name)
    return hidden


def table(survey: Survey) -> tuple[list[str], list[list[Any]]]:
    """All responses for a spreadsheet; of an anonymous survey without who, and only from five on."""
    questions = list(survey.questions)
    head = [each.text for each in questions]
    if not survey.is_anonymous:
        head = [_("Name"), _("Partner"), _("Answered at (UTC)"), *head]
    responses = db.session.scalars(
        select(Response).where(Response.survey_id == survey.id).order_by(Response.id)
    ).all()
    if survey.is_anonymous and len(responses) < SMALLEST_GROUP:
        return head, []
    people = {} if survey.is_anonymous else _people(survey)
    answers: dict[tuple[str, int], Answer] = {
        (each.response_id, each.question_id): each
        for each in db.session.scalars(
            select(Answer)
            .join(Response, Response.id == Answer.response_id)
            .where(Response.survey_id == survey.id)
        )
    }
    rows = []
    for response in responses:
        cells = [_cell(each, answers.get((response.id, each.id))) for each in questions]
        rows.append([*people.get(response.id, ["", "", ""]), *cells] if not survey.is_anonymous else cells)
    return head, rows


def _people(survey: Survey) -> dict[str, list[Any]]:
    rows = db.session.execute(
        select(Response.id, Response.at, User.id, User.name)
        .join(Invitation, Invitation.id == Response.invitation_id)
        .join(User, User.id == Invitation.user_id)
        .where(Response.survey_id == survey.id)
    ).all()
    partners = names_of([row[2] for row in rows])
    return {id: [name, partners.get(user_id, ""), f"{at:%Y-%m-%d %H:%M}"] for id, at, user_id, name in rows}


def _cell(question: Question, answer: Answer | None) -> Any:
    if answer is None:
        return ""
    if question.kind is QuestionKind.SINGLE and answer.number is not None:
        return question.choices[answer.number]
    return answer.text if answer.text is not None else answer.number
