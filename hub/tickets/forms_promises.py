"""The form of working hours and promised times."""

from typing import Any

from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from ..core.forms import HubForm, options
from ..core.i18n import _, _l
from ..core.timezones import ZoneField
from . import policies
from .forms import CATEGORIES, PRIORITIES
from .models import Clock

WEEKDAYS = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)
CRITERIA = ("tier", "category", "priority")
#: Rows to fill in below those there are.
SPARE = 2
MOST = 60


class SpanField(StringField):
    """Hours and minutes of working time; `minutes` is what they are."""

    @property
    def minutes(self) -> int | None:
        return policies.read_span(self.data or "")

    def post_validate(self, form: Any, validation_stopped: bool) -> None:
        try:
            self.minutes  # noqa: B018
        except ValueError:
            raise ValidationError(_("Write it like 4:00 or 0:30.")) from None


class PolicyForm(HubForm):
    """One row: for which tickets, and how fast."""

    class Meta(HubForm.Meta):
        csrf = False

    tier = SelectField(_l("Level"), validate_choice=False)
    category = SelectField(_l("About"), choices=options([("", _l("Any")), *CATEGORIES.items()]))
    priority = SelectField(_l("Priority"), choices=options([("", _l("Any")), *PRIORITIES.items()]))
    first = SpanField(_l("First answer"))
    next = SpanField(_l("Next answer"))
    resolution = SpanField(_l("Solution"))
    remove = BooleanField(_l("Remove"))

    @property
    def is_meant(self) -> bool:
        """Is anything written in this row, and is it to stay?"""
        said = any(self[name].data for name in (*CRITERIA, *Clock))
        return said and not self.remove.data

    @property
    def criteria(self) -> tuple[str, ...]:
        return tuple(self[name].data or "" for name in CRITERIA)

    def as_data(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {name: self[name].data for name in CRITERIA if self[name].data}
        return chosen | {clock.value: self[clock].minutes for clock in Clock}

    def validate_resolution(self, field: SpanField) -> None:
        try:
            first, resolution = self.first.minutes, field.minutes
        except ValueError:
            return  # said beside the field that is wrong
        if first and resolution and resolution < first:
            raise ValidationError(_("Nothing is solved before it is answered."))


class PromisesForm(HubForm):
    """When the team works, and what it promises."""

    version = IntegerField(widget=HiddenField.widget, validators=[Optional()], default=0)
    zone = ZoneField(_l("Time zone"))
    week = FieldList(StringField(validators=[Length(max=120)]), min_entries=7, max_entries=7)
    holidays = TextAreaField(
        _l("Days off"),
        [Length(max=20_000)],
        description=_l("A line for each: the date, then a name if you like. 2026-12-25 Christmas Day"),
    )
    warn = IntegerField(
        _l("Warn so many minutes before"),
        [InputRequired(), NumberRange(0, 24 * 60)],
        description=_l("Minutes of working time."),
    )
    rows = FieldList(FormField(PolicyForm), max_entries=MOST)

    @classmethod
    def of(cls, data: policies.Data, version: int) -> "PromisesForm":
        """The form filled in with a version."""
        rows = [
            {name: each.get(name) or "" for name in CRITERIA}
            | {clock.value: policies.span(each.get(clock)) for clock in Clock}
            for each in data["policies"]
        ]
        form = cls(
            formdata=None,
            version=version,
            zone=data["zone"],
            week=[policies.hours(day) for day in data["week"]],
            holidays=policies.holidays(data),
            warn=data["warn"],
            rows=rows,
        )
        return form

    def offer(self, tiers: dict[str, str]) -> None:
        """Name the levels in every row, one that is gone by its key, and add rows to fill in."""
        blank = sum(not row.form.is_meant for row in self.rows)
        for _n in range(min(SPARE - blank, MOST - len(self.rows))):
            self.rows.append_entry()
        for row in self.rows:
            held = row.form.tier.data
            known = tiers if not held or held in tiers else tiers | {held: held}
            row.form.tier.choices = options([("", _l("Any")), *known.items()])

    def as_data(self) -> policies.Data:
        """What a version keeps; valid forms only."""
        days_off = policies.read_holidays(self.holidays.data or "")
        return {
            "zone": self.zone.data,
            "week": [policies.read_hours(day.data or "") for day in self.week],
            "holidays": list(days_off),
            "holiday_names": {day: name for day, name in days_off.items() if name},
            "warn": self.warn.data,
            "policies": [row.form.as_data() for row in self.rows if row.form.is_meant],
        }

    def validate_week(self, field: FieldList) -> None:
        wrong = []
        for name, day in zip(WEEKDAYS, field, strict=True):
            try:
                policies.read_hours(day.data or "")
            except ValueError:
                wrong.append(str(name))
        if wrong:
            raise ValidationError(
                _("%(days)s: write it like 09:00–12:00, 13:00–18:00.", days=", ".join(wrong))
            )
        if not any(day.data for day in field):
            raise ValidationError(_("No day is a working day."))

    def validate_holidays(self, field: TextAreaField) -> None:
        try:
            policies.read_holidays(field.data or "")
        except ValueError as error:
            raise ValidationError(_("“%(line)s” does not begin with a date.", line=str(error)[:60])) from None

    def validate_rows(self, field: FieldList) -> None:
        seen = [row.form.criteria for row in field if row.form.is_meant]
        if len(seen) != len(set(seen)):
            raise ValidationError(_("Two promises are for the same tickets. Leave one of them."))
