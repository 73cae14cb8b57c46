"""Forms of training."""

import re
from typing import Any
from urllib.parse import urlsplit

from wtforms import (
    DateTimeLocalField,
    FieldList,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    URLField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from ..core.forms import HubForm, clean, options
from ..core.i18n import LOCALES, _, _l
from ..core.timezones import ZoneField
from .models import Webinar

_LINK = re.compile(r"^(?P<title>.*?)\s*\|?\s*(?P<url>https?://\S+)$")


def web_address(_form: Any, field: Any) -> None:
    """Refuse what a browser would not open as a page: `javascript:` above all."""
    parts = urlsplit(field.data or "")
    if field.data and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValidationError(_("Enter a full address, with https:// in front."))


class WebinarForm(HubForm):
    title = StringField(_l("Title"), [InputRequired(), Length(max=160)])
    description = TextAreaField(_l("What it is about"), [InputRequired()])
    language = SelectField(_l("Language of the webinar"), choices=list(LOCALES.items()))
    starts_at = DateTimeLocalField(
        _l("Begins"), [InputRequired()], format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )
    zone = ZoneField(_l("On the clock of"))
    minutes = IntegerField(_l("Minutes"), [InputRequired(), NumberRange(5, 480)], default=60)
    host = StringField(_l("Host"), [InputRequired(), Length(max=120)])
    host_about = StringField(_l("About the host"), [Optional()], description=_l("One line under the name."))
    capacity = IntegerField(_l("Seats"), [InputRequired(), NumberRange(1, 10_000)], default=100)
    join_url = URLField(
        _l("Link to join"), [Optional(), web_address, Length(max=1000)],
        description=_l("Only those who have a seat see it."),
    )  # fmt: skip
    recording_url = URLField(
        _l("Link to the recording"), [Optional(), web_address, Length(max=1000)],
        description=_l("Once it is here, everyone who was registered hears of it."),
    )  # fmt: skip
    links = TextAreaField(
        _l("Slides and other materials"), [Optional()],
        description=_l("One per line: a name, a space, the address."),
    )  # fmt: skip

    def __init__(self, *args: Any, webinar: Webinar | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def validate_links(self, field: Any) -> None:
        for line in (field.data or "").splitlines():
            if line.strip() and not _LINK.match(line.strip()):
                raise ValidationError(
                    _("There is no address in the line “%(line)s”.", line=line.strip()[:60])
                )

    def values(self) -> dict[str, Any]:
        """What the service takes."""
        names = ["title", "description", "language", "zone", "minutes", "host", "capacity"]
        optional = {name: self[name].data or "" for name in ("host_about", "join_url", "recording_url")}
        return (
            {name: self[name].data for name in names}
            | optional
            | {"starts": self.starts_at.data, "links": links_of(self.links.data or "")}
        )


def links_of(text: str) -> list[dict[str, str]]:
    """The lines of the field as materials; a line without a name is called by its host."""
    found = [match for line in text.splitlines() if (match := _LINK.match(line.strip()))]
    return [
        {"title": match["title"] or urlsplit(match["url"]).hostname or match["url"], "url": match["url"]}
        for match in found
    ]


class QuestionForm(HubForm):
    text = StringField(_l("Your question"), [InputRequired(), Length(min=3, max=300)])


class AnswerForm(HubForm):
    text = StringField(_l("Answer"), [Length(max=500)])


# --- Courses ---------------------------------------------------------------


class CourseForm(HubForm):
    """A course in one language, without its lessons."""

    title = StringField(_l("Title"), [InputRequired(), Length(max=160)])
    summary = TextAreaField(
        _l("Summary"), [InputRequired(), Length(max=400)], description=_l("One or two sentences for the list.")
    )  # fmt: skip
    minutes = IntegerField(
        _l("Minutes"), [InputRequired(), NumberRange(1, 1000)], description=_l("For the whole course.")
    )  # fmt: skip
    body = TextAreaField(
        _l("Introduction"), [Optional()], description=_l("Above the list of lessons: what one will be able to do.")
    )  # fmt: skip
    seen = HiddenField()

    def values(self) -> dict[str, Any]:
        """What is written of a course."""
        return {name: self[name].data for name in ("title", "summary", "minutes")} | {
            "body": self.body.data or ""
        }


class NewCourseForm(CourseForm):
    language = SelectField(_l("Language"), choices=options(LOCALES.items()))


class LessonForm(HubForm):
    title = StringField(_l("Title"), [InputRequired(), Length(max=160)])
    minutes = IntegerField(_l("Minutes"), [InputRequired(), NumberRange(1, 500)])
    body = TextAreaField(_l("Text"), [InputRequired(), Length(max=200_000)])
    seen = HiddenField()

    def values(self) -> dict[str, Any]:
        """What is written of a lesson."""
        return {name: self[name].data for name in ("title", "minutes", "body")}


#: Empty lines for options that a form offers.
OPTIONS = 6


class QuizForm(HubForm):
    """A question of a quiz; options left empty are left out."""

    text = StringField(_l("Question"), [InputRequired(), Length(max=300)])
    options = FieldList(
        StringField(filters=[clean], validators=[Length(max=300)]), min_entries=OPTIONS, max_entries=50
    )
    answer = IntegerField(_l("The right one"), [Optional()])
    why = TextAreaField(
        _l("Why it is right"), [Optional(), Length(max=600)], description=_l("Shown after the answer, right or wrong.")
    )  # fmt: skip

    def __init__(self, question: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"data": question or {}})

    def validate_options(self, field: Any) -> None:
        given = [each for each in field.data if each]
        if len(given) < 2:
            raise ValidationError(_("A question needs two options or more."))
        if len(set(given)) < len(given):
            raise ValidationError(_("Two options are the same."))
        at = self.answer.data
        if at is None or not 0 <= at < len(field.data) or not field.data[at]:
            raise ValidationError(_("Mark the option that is right."))

    def values(self) -> dict[str, Any]:
        """A question as a quiz keeps it."""
        given = [each for each in self.options.data if each]
        right = self.options.data[self.answer.data]
        why = self.why.data or ""
        return {"text": self.text.data, "options": given, "answer": given.index(right), "why": why}
