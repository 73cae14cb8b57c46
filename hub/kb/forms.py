"""Forms of the knowledge base."""

import json
import secrets
from contextlib import suppress
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, Regexp

from ..core.forms import HubForm, options
from ..core.i18n import LOCALES, _l
from ..partners import groups
from .models import Audience, Reason, Translation
from .service import Text

AUDIENCES = {
    Audience.PUBLIC: _l("Everyone"),
    Audience.PARTNERS: _l("All partners"),
    Audience.CHOSEN: _l("Chosen partners"),
    Audience.STAFF: _l("The team only"),
}
REASONS = {
    Reason.UNCLEAR: _l("I do not understand the explanation"),
    Reason.OTHER_CASE: _l("My case is different"),
    Reason.OUTDATED: _l("The information is out of date"),
}


class ArticleForm(HubForm):
    """A translation as it is written; what begins with category is shared by all translations."""

    locale = SelectField(_l("Language"), choices=options(LOCALES.items()))
    title = StringField(_l("Title"), validators=[InputRequired(_l("An article needs a title."))])
    summary = TextAreaField(
        _l("Summary"), validators=[Length(max=400)], description=_l("One or two sentences under the title.")
    )
    slug = StringField(
        _l("Address"),
        validators=[Optional(), Regexp(r"[\w-]+$", message=_l("Letters, digits and hyphens only."))],
        description=_l("The last part of the page's address. Left empty, it is made from the title."),
    )
    tags = StringField(_l("Tags"), validators=[Optional()], description=_l("Separated by commas."))
    body = TextAreaField(
        _l("Text"), validators=[InputRequired(_l("An article needs a text.")), Length(max=200_000)]
    )
    why = StringField(
        _l("What changed"), validators=[Optional()], description=_l("Shown in the list of revisions.")
    )
    category = SelectField(_l("Category"), coerce=int)
    audience = SelectField(_l("Who may read it"), choices=options(AUDIENCES.items()))
    reader_tiers = SelectMultipleField(_l("Levels"), choices=[], validators=[Optional()])
    reader_tags = StringField(
        _l("Partners’ tags"),
        validators=[Optional()],
        description=_l("Separated by commas. A partner with one of the levels or tags may read it."),
    )
    owner = SelectField(_l("Owner"), coerce=int, description=_l("Who is asked whether it is still right."))
    review_due = DateField(_l("Review by"), validators=[Optional()])
    is_minor = BooleanField(_l("A small change: translations stay up to date"))
    is_current = BooleanField(_l("The translation says what the source says now"))
    answer = HiddenField()  # the reader's answer that the text takes in
    seen = HiddenField(default="0")
    source_seen = HiddenField(default="0")
    names_seen = HiddenField()  # address and tags when the editor was opened
    shared_seen = HiddenField()  # what all translations shared when the editor was opened

    @property
    def text(self) -> Text:
        """What was written."""
        return Text(
            self.title.data,
            self.body.data + "\n",
            self.summary.data or "",
            self.slug.data or "",
            _listed(self.tags.data),
        )

    @property
    def readers(self) -> list[str]:
        """The groups of partners that were chosen."""
        return groups.tokens(self.reader_tiers.data or [], _listed(self.reader_tags.data))

    @property
    def shared(self) -> list[Any]:
        """What all translations share, as it was sent: category, readers, owner, review."""
        readers = sorted(set(self.readers)) if self.audience.data == Audience.CHOSEN else []
        due = self.review_due.data
        return [
            self.category.data,
            [str(self.audience.data), *readers],
            self.owner.data or 0,
            due.isoformat() if due else "",
        ]

    def number(self, name: str) -> int:
        """What a hidden field holds; 0 for anything that is no number."""
        text = str(self[name].data or "")
        return int(text) if text.isdecimal() and len(text) < 10 else 0

    @staticmethod
    def names_of(translation: Translation) -> str:
        """Address and tags, as `names_seen` keeps them; revisions do not."""
        return json.dumps([translation.slug, ", ".join(translation.tags)])

    def names_begun(self) -> tuple[str | None, str | None]:
        """The address and the tags the writer began with, where that is known."""
        try:
            slug, tags = json.loads(self.names_seen.data or "")
        except (TypeError, ValueError):
            return None, None
        return str(slug), str(tags)

    def take(self, kept: dict[str, Any]) -> None:
        """Fill in what was typed once, as far as the fields still know it."""
        for name, value in kept.items():
            if name in self:
                with suppress(ValueError):
                    self[name].process_formdata(value if isinstance(value, list) else [value])

    def has_changed(self) -> list[bool]:
        """Which of `shared` the writer has changed; all of it, where it is not known what they began with."""
        try:
            begun = json.loads(self.shared_seen.data or "")
            return [mine != was for mine, was in zip(self.shared, begun, strict=True)]
        except (TypeError, ValueError):
            return [True] * 4


def _listed(text: str | None) -> list[str]:
    return [each.strip() for each in (text or "").split(",") if each.strip()]


class PublishForm(HubForm):
    """Publish now, or at a moment in the writer's own time."""

    at = DateTimeLocalField(_l("Publish at"), validators=[Optional()])


class CategoryForm(HubForm):
    """A category: a name in at least one language."""

    parent = SelectField(_l("Within"), coerce=int)
    icon = SelectField(_l("Icon"))
    name_en = StringField("English", validators=[Optional()])
    name_ru = StringField("Русский", validators=[Optional()])
    name_uk = StringField("Українська", validators=[Optional()])
    name_pl = StringField("Polski", validators=[Optional()])
    description_en = StringField("English", validators=[Optional(), Length(max=400)])
    description_ru = StringField("Русский", validators=[Optional(), Length(max=400)])
    description_uk = StringField("Українська", validators=[Optional(), Length(max=400)])
    description_pl = StringField("Polski", validators=[Optional(), Length(max=400)])

    def validate(self, extra_validators: Any = None) -> bool:
        """One name is enough; readers of other languages see it instead of theirs."""
        is_right = bool(super().validate(extra_validators))
        if not self.names:
            self.name_en.errors = [
                *self.name_en.errors,
                _l("A category needs a name in one language at least."),
            ]
        return is_right and bool(self.names)

    @property
    def names(self) -> dict[str, str]:
        return self._texts("name")

    @property
    def descriptions(self) -> dict[str, str]:
        return self._texts("description")

    def _texts(self, what: str) -> dict[str, str]:
        texts = {lang: self[f"{what}_{lang}"].data for lang in LOCALES}
        return {lang: text for lang, text in texts.items() if text}


class FeedbackForm(HubForm):
    """Did the article help, and if not, why?"""

    helpful = RadioField(choices=options([("yes", ""), ("no", "")]), validators=[InputRequired()])
    reason = RadioField(choices=options(REASONS.items()), validators=[Optional()])
    comment = TextAreaField(validators=[Optional(), Length(max=2000)])


class NumberForm(HubForm):
    """Which revision is meant."""

    number = IntegerField(validators=[InputRequired()])


class PostForm(HubForm):
    """A question or an answer of a reader; how long it may be is a rule, so that a longer one is not lost."""

    body = TextAreaField(validators=[Optional()])
    client_id = HiddenField()

    @property
    def key(self) -> str:
        """By which the same text sent twice is known; a form without one is sent once."""
        return (self.client_id.data or secrets.token_hex(12))[:40]
