"""The form of a field that the programme adds to its tickets."""

from typing import Any

from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from ..core.forms import HubForm, options
from ..core.i18n import LOCALES, _, _l
from .field_defining import MOST_CHOICES, renamed
from .forms import CATEGORIES
from .models_fields import Kind, TicketField

KINDS = {
    Kind.TEXT: _l("Text"),
    Kind.NUMBER: _l("Number"),
    Kind.DATE: _l("Date"),
    Kind.CHOICE: _l("Choice"),
    Kind.YES_NO: _l("Yes or no"),
}
#: Rows to fill in below those there are.
SPARE = 3


class ChoiceForm(HubForm):
    """One of the things to choose from, in the hub's languages."""

    class Meta(HubForm.Meta):
        csrf = False

    key = HiddenField(validators=[Length(max=9)])
    en = StringField("English", [Length(max=80)])
    ru = StringField("Русский", [Length(max=80)])
    uk = StringField("Українська", [Length(max=80)])
    pl = StringField("Polski", [Length(max=80)])
    gone = BooleanField(_l("No longer offered"))

    @property
    def names(self) -> dict[str, str]:
        return {locale: self[locale].data for locale in LOCALES if self[locale].data}

    def validate_en(self, field: StringField) -> None:
        if not field.data and (self.names or self.key.data):
            raise ValidationError(_("English is what everyone else sees: fill it in."))


class FieldForm(HubForm):
    """What is asked, of whom and when."""

    en = StringField("English", [DataRequired(), Length(max=80)])
    ru = StringField("Русский", [Optional(), Length(max=80)])
    uk = StringField("Українська", [Optional(), Length(max=80)])
    pl = StringField("Polski", [Optional(), Length(max=80)])
    kind = SelectField(
        _l("Kind"), choices=options(KINDS.items()), description=_l("It cannot be changed afterwards.")
    )
    choices = FieldList(FormField(ChoiceForm), max_entries=MOST_CHOICES)
    categories = SelectMultipleField(
        _l("About"),
        choices=options(CATEGORIES.items()),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_l("In tickets about these. None of them: in all tickets."),
    )
    is_required = BooleanField(_l("The team fills it in before a ticket is resolved"))
    for_partners = BooleanField(_l("Partners see it, and may fill it in when they ask"))
    position = IntegerField(
        _l("Place"), [InputRequired(), NumberRange(0, 999)], default=0, description=_l("The smallest first.")
    )

    @classmethod
    def of(cls, field: TicketField) -> "FieldForm":
        """The form filled in with a field."""
        told = {name: getattr(field, name) for name in ("kind", "is_required", "for_partners", "position")}
        choices = [{"key": each["key"], "gone": each["gone"], **each["names"]} for each in field.choices]
        return cls(formdata=None, categories=field.categories, choices=choices, **told, **field.names)

    def make_room(self) -> None:
        """Add rows to fill in."""
        blank = sum(not row.form.names and not row.form.key.data for row in self.choices)
        for _n in range(min(SPARE - blank, MOST_CHOICES - len(self.choices))):
            self.choices.append_entry()

    def as_data(self, field: TicketField) -> dict[str, Any]:
        """What the field keeps of it; valid forms only."""
        kind = field.kind if field.id else Kind(self.kind.data)
        rows = [
            (row.form.key.data or "", row.form.names, row.form.gone.data)
            for row in self.choices
            if row.form.names
        ]
        return {
            "names": {locale: self[locale].data for locale in LOCALES if self[locale].data},
            "kind": kind,
            "choices": renamed(field.choices or [], rows) if kind is Kind.CHOICE else [],
            "categories": list(self.categories.data or []),
            "is_required": self.is_required.data,
            "for_partners": self.for_partners.data,
            "position": self.position.data,
        }

    def validate_choices(self, field: FieldList) -> None:
        if self.kind.data == Kind.CHOICE and not any(row.form.names for row in field):
            raise ValidationError(_("Write down what there is to choose from."))
