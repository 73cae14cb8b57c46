"""The base of every form: messages in the reader's language, clean text, bounded length."""

import functools
from collections.abc import Iterable
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.i18n import get_translations
from wtforms.validators import DataRequired, InputRequired, Length

from .errors import HubError, Invalid
from .i18n import Text, locale

#: Longest input of a field that has no Length of its own.
LINE = 200
TEXT = 20_000


class HubForm(FlaskForm):
    """A form of the hub: lines hold 200 characters and text areas 20,000 unless they say otherwise."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: Any) -> Any:
            return _messages(locale())

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            field = super().bind_field(form, unbound_field, options)
            if isinstance(field, StringField):
                # A password may well begin or end with a space.
                is_password = isinstance(field, PasswordField)
                field.filters = [without_nul if is_password else clean, *field.filters]
                if not is_password:
                    _need_words(field)
                _limit(field)
                if isinstance(field, TextAreaField):
                    # A browser would cut off what is pasted past it, and say nothing; the form says it.
                    field.flags.maxlength = False
            return field

    def blame(self, error: HubError) -> None:
        """Show a refusal beside the fields it names; above the form when it names none of them."""
        named = error.errors if isinstance(error, Invalid) else {}
        for name in named.keys() & self._fields.keys():
            self[name].errors = [*self[name].errors, *named[name]]
        if not named.keys() & self._fields.keys():
            self.form_errors.append(error.message)


def options(pairs: Iterable[tuple[object, Text]]) -> list[SelectChoice]:
    """Choices of a select field from (value, label) pairs."""
    return [SelectChoice(str(value), label) for value, label in pairs]


def clean(value: Any) -> Any:
    """Text with plain line ends and no space around it."""
    value = without_nul(value)
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


def without_nul(value: Any) -> Any:
    """Text without NUL, which PostgreSQL refuses to store."""
    return value.replace("\x00", "") if isinstance(value, str) else value


def _need_words(field: Field) -> None:
    """What is required is more than space: `InputRequired` looks at what was sent, not at what is left of it."""
    wanted = [each for each in field.validators if isinstance(each, InputRequired)]
    field.validators = [*field.validators, *(DataRequired(each.message) for each in wanted)]


def _limit(field: Field) -> None:
    if any(isinstance(validator, Length) for validator in field.validators):
        return
    length = Length(max=TEXT if isinstance(field, TextAreaField) else LINE)
    field.validators = [*field.validators, length]
    for name, value in length.field_flags.items():
        setattr(field.flags, name, value)


@functools.cache
def _messages(code: str) -> Any:
    return get_translations([code])
