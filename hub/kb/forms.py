"""Forms of the knowledge base."""

from wtforms import (
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, Regexp

from ..core.forms import HubForm
from ..core.i18n import LOCALES, _l
from .models import Audience, Reason
from .service import Text

AUDIENCES = {
    Audience.PUBLIC: _l("Everyone"),
    Audience.PARTNERS: _l("All partners"),
    Audience.STAFF: _l("The team only"),
}
REASONS = {
    Reason.UNCLEAR: _l("I do not understand the explanation"),
    Reason.OTHER_CASE: _l("My case is different"),
    Reason.OUTDATED: _l("The information is out of date"),
}


class ArticleForm(HubForm):
    """A translation as it is written; category and audience are shared by all translations."""

    locale = SelectField(_l("Language"), choices=list(LOCALES.items()))
    title = StringField(_l("Title"), validators=[InputRequired(_l("An article needs a title."))])
    summary = TextAreaField(
        _l("Summary"), validators=[Length(max=400)], description=_l("One or two sentences under the title.")
    )
    category = SelectField(_l("Category"), coerce=int)
    audience = SelectField(
        _l("Who may read it"), choices=[(each.value, text) for each, text in AUDIENCES.items()]
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
    seen = HiddenField(default="0")

    @property
    def text(self) -> Text:
        """What was written."""
        tags = [tag.strip() for tag in (self.tags.data or "").split(",") if tag.strip()]
        return Text(
            self.title.data, self.body.data + "\n", self.summary.data or "", self.slug.data or "", tags
        )


class PublishForm(HubForm):
    """Publish now, or at a moment in the writer's own time."""

    at = DateTimeLocalField(_l("Publish at"), validators=[Optional()])


class FeedbackForm(HubForm):
    """Did the article help, and if not, why?"""

    helpful = RadioField(choices=[("yes", ""), ("no", "")], validators=[InputRequired()])
    reason = RadioField(
        choices=[(each.value, text) for each, text in REASONS.items()], validators=[Optional()]
    )
    comment = TextAreaField(validators=[Optional(), Length(max=2000)])


class RestoreForm(HubForm):
    """Which revision becomes the present one."""

    number = IntegerField(validators=[InputRequired()])
