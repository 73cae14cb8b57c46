"""Forms of surveys and ideas. Texts have a field for each language: `title_en`, `title_ru` …"""

import re
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wtforms import BooleanField, DateTimeLocalField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from ..core import clock
from ..core.forms import HubForm
from ..core.i18n import LOCALES, _l, zone
from ..training.service import moment
from .models import Audience, IdeaStatus, Question, QuestionKind, Survey
from .service import options_of

LOCAL = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


def per_language(make: Any, name: str, label: Any) -> dict[str, Any]:
    """A field for each language: {"title_en": …}."""
    return {f"{name}_{code}": make(label, code) for code in LOCALES}


class SurveyForm(HubForm):
    """Times are those of the clock of whoever fills it in."""

    audience = SelectField(
        _l("Who is asked"),
        choices=[
            (Audience.ALL.value, _l("Everyone of an active partner")),
            (Audience.CHOSEN.value, _l("Chosen partners")),
            (Audience.WEBINAR.value, _l("Those who had a seat at a webinar")),
        ],
    )
    partner_codes = TextAreaField(
        _l("Partners' codes"),
        [Optional(), Length(max=5000)],
        description=_l("Separated by spaces, commas or new lines."),
    )
    webinar_id = SelectField(_l("Webinar"), coerce=lambda value: int(value) if value else None)
    is_anonymous = BooleanField(
        _l("Anonymous"),
        description=_l(
            "Nobody, not even the team, can see who gave which answer. Groups under five are not shown."
        ),
    )
    opens_at = DateTimeLocalField(_l("Opens"), [InputRequired()], format=LOCAL)
    closes_at = DateTimeLocalField(_l("Closes"), [InputRequired()], format=LOCAL)

    def __init__(self, webinars: list[Any], survey: Survey | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"data": _survey_data(survey)})
        self.webinar_id.choices = [("", "–"), *[(str(each.id), each.title) for each in webinars]]

    def texts(self, name: str) -> dict[str, str]:
        return {code: self[f"{name}_{code}"].data for code in LOCALES if self[f"{name}_{code}"].data}

    def values(self) -> dict[str, Any]:
        """What the service takes. Raises Invalid for an hour that does not exist."""
        codes = re.split(r"[\s,;]+", (self.partner_codes.data or "").upper())
        audience = Audience(self.audience.data)
        here = zone().key
        return {
            "titles": self.texts("title"),
            "intros": self.texts("intro"),
            "audience": audience,
            "partner_codes": [code for code in codes if code] if audience is Audience.CHOSEN else [],
            "webinar_id": self.webinar_id.data,
            "is_anonymous": self.is_anonymous.data,
            "opens_at": moment(self.opens_at.data, here),
            "closes_at": moment(self.closes_at.data, here),
        }


def _survey_data(survey: Survey | None) -> dict[str, Any]:
    if survey is None:
        now = clock.now().astimezone(zone()).replace(second=0, microsecond=0, tzinfo=None)
        return {"opens_at": now, "closes_at": now + timedelta(days=14), "webinar_id": ""}
    data: dict[str, Any] = {
        "audience": survey.audience.value,
        "partner_codes": " ".join(survey.partner_codes),
        "webinar_id": survey.webinar_id or "",
        "is_anonymous": survey.is_anonymous,
        "opens_at": _local(survey.opens_at),
        "closes_at": _local(survey.closes_at),
    }
    for code in LOCALES:
        data |= {f"title_{code}": survey.titles.get(code, ""), f"intro_{code}": survey.intros.get(code, "")}
    return data


def _local(value: Any) -> Any:
    return value.astimezone(UTC).astimezone(ZoneInfo(zone().key)).replace(tzinfo=None)


class QuestionForm(HubForm):
    kind = SelectField(
        _l("Kind of question"),
        choices=[
            (QuestionKind.SCALE.value, _l("A number from 0 to 10")),
            (QuestionKind.SINGLE.value, _l("One of several options")),
            (QuestionKind.TEXT.value, _l("Own words")),
        ],
    )
    is_required = BooleanField(_l("Needs an answer"), default=True)

    def __init__(self, question: Question | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"data": _question_data(question)})

    def values(self) -> dict[str, Any]:
        """What the service takes. Raises Invalid when the options of languages do not match."""
        texts = {code: self[f"text_{code}"].data for code in LOCALES if self[f"text_{code}"].data}
        kind = QuestionKind(self.kind.data)
        options = (
            options_of({code: self[f"options_{code}"].data or "" for code in LOCALES})
            if kind is QuestionKind.SINGLE
            else []
        )
        return {"kind": kind, "texts": texts, "options": options, "is_required": self.is_required.data}


def _question_data(question: Question | None) -> dict[str, Any]:
    if question is None:
        return {"is_required": True}
    data: dict[str, Any] = {"kind": question.kind.value, "is_required": question.is_required}
    for code in LOCALES:
        data[f"text_{code}"] = question.texts.get(code, "")
        data[f"options_{code}"] = "\n".join(option.get(code, "") for option in question.options)
    return data


def _line(label: Any, _code: str) -> Any:
    return StringField(label, [Optional(), Length(max=200)])


def _area(label: Any, _code: str) -> Any:
    return TextAreaField(label, [Optional(), Length(max=2000)])


for _name, _field in (
    per_language(_line, "title", _l("Title")) | per_language(_area, "intro", _l("Introduction"))
).items():
    setattr(SurveyForm, _name, _field)
for _name, _field in (
    per_language(_line, "text", _l("Question"))
    | per_language(_area, "options", _l("Options, one on each line"))
).items():
    setattr(QuestionForm, _name, _field)


class IdeaForm(HubForm):
    title = StringField(_l("Your idea in one line"), [InputRequired(), Length(min=3, max=160)])
    body = TextAreaField(_l("What would it change for you"), [Optional(), Length(max=2000)])


class DecisionForm(HubForm):
    status = SelectField(
        _l("Status"),
        choices=[
            (IdeaStatus.NEW.value, _l("New")),
            (IdeaStatus.PLANNED.value, _l("Planned")),
            (IdeaStatus.DONE.value, _l("Done")),
            (IdeaStatus.DECLINED.value, _l("Not planned")),
        ],
    )
    reply = StringField(_l("Answer of the team"), [Optional(), Length(max=500)])
