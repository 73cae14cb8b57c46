"""Forms of newsletters."""

from wtforms import (
    DateTimeLocalField,
    EmailField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Email, InputRequired, Length, Optional

from ..core.forms import HubForm
from ..core.i18n import _l, zones
from . import audience
from .models import TOPICS, Shown, Topic

TOPIC_CHOICES = [(topic.value, words[0]) for topic, words in TOPICS.items()]


class StartForm(HubForm):
    """What a new newsletter begins with."""

    topic = SelectField(_l("Topic"), choices=TOPIC_CHOICES, default=Topic.PRODUCT.value)
    starter = StringField(validators=[Optional(), Length(max=100)])


class TextForm(HubForm):
    """The text of one language; what is missing is said by the checklist, so that a draft can always be kept."""

    subject = StringField(
        _l("Subject"), description=_l("Phones show the first 40 characters."), validators=[Length(max=200)]
    )
    preheader = StringField(
        _l("Preview line"),
        description=_l("Mailboxes show it after the subject."),
        validators=[Optional(), Length(max=200)],
    )
    body = TextAreaField(_l("Text"), validators=[Length(max=50_000)])


class AudienceForm(HubForm):
    """Whom it is for. What is left empty does not narrow."""

    topic = SelectField(
        _l("Topic"),
        choices=TOPIC_CHOICES,
        description=_l("Readers who have declined this topic are left out."),
    )
    tier = SelectMultipleField(_l("Level"), validators=[Optional()])
    country = SelectMultipleField(_l("Country"), validators=[Optional()])
    language = SelectMultipleField(_l("Language of the reader"), validators=[Optional()])
    tag = SelectMultipleField(_l("Tag"), validators=[Optional()])
    chosen = SelectMultipleField(_l("Only these partners"), validators=[Optional()])
    shown = RadioField(
        _l("In the archive afterwards"),
        choices=[
            (Shown.PARTNERS.value, _l("All partners can read it")),
            (Shown.RECIPIENTS.value, _l("Only those who got it")),
            (Shown.PUBLIC.value, _l("Everyone can read it, without signing in")),
        ],
        default=Shown.PARTNERS.value,
    )

    def offer(self) -> "AudienceForm":
        """Fill the choices from the partners there are."""
        for kind, choices in audience.choices().items():
            self[kind].choices = choices
        return self

    @property
    def rule(self) -> audience.Rule:
        return audience.clean([{"kind": kind, "values": self[kind].data} for kind in audience.KINDS])


class ScheduleForm(HubForm):
    """When it starts, in the wall time of a zone."""

    local_time = DateTimeLocalField(
        _l("Date and time"), format="%Y-%m-%dT%H:%M", validators=[InputRequired()]
    )
    time_zone = SelectField(_l("Time zone"))

    def offer(self) -> "ScheduleForm":
        self.time_zone.choices = [(name, name.replace("_", " ")) for name in zones()]
        return self


class SuppressForm(HubForm):
    """An address that should get nothing more."""

    address = EmailField(_l("E-mail address"), validators=[DataRequired(), Email()])
