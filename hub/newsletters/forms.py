"""Forms of newsletters."""

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    EmailField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Email, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from ..core.forms import HubForm, options
from ..core.i18n import LOCALES, _, _l
from ..core.timezones import ZoneField
from . import trial
from .models import TOPICS, Shown, Topic
from .models_sequences import Trigger
from .sequences import MOST_DAYS
from .subscribers import PUBLIC
from .triggers import TRIGGERS

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
    subject_b = StringField(
        _l("Second subject"),
        description=_l("Tried beside the first on a share of the audience."),
        validators=[Optional(), Length(max=200)],
    )
    preheader = StringField(
        _l("Preview line"),
        description=_l("Mailboxes show it after the subject."),
        validators=[Optional(), Length(max=200)],
    )
    body = TextAreaField(_l("Text"), validators=[Length(max=50_000)])
    has_plain = BooleanField(_l("Write the plain text by hand"))
    plain = TextAreaField(
        _l("Plain text"),
        description=_l("Variables work here too. Blocks do not: write what they say."),
        validators=[Optional(), Length(max=50_000)],
    )


class AudienceForm(HubForm):
    """What it is about and who finds it later; whom it is for are rows of the page."""

    topic = SelectField(
        _l("Topic"),
        choices=TOPIC_CHOICES,
        description=_l("Readers who have declined this topic are left out."),
    )
    shown = RadioField(
        _l("In the archive afterwards"),
        choices=[
            (Shown.PARTNERS.value, _l("All partners can read it")),
            (Shown.RECIPIENTS.value, _l("Only those who got it")),
            (Shown.PUBLIC.value, _l("Everyone can read it, without signing in")),
        ],
        default=Shown.PARTNERS.value,
    )
    to_subscribers = BooleanField(
        _l("Also to subscribers of public news"),
        description=_l(
            "Visitors who asked for this topic and confirmed it; it must be public. Whoever is a partner gets it once."
        ),
    )
    tracks_clicks = BooleanField(_l("Count which links are followed"))
    tracks_opens = BooleanField(
        _l("Count who opens it"),
        description=_l("Readers who do not want that are not counted; they say so where they choose topics."),
    )

    ab_share = SelectField(
        _l("Try two subjects"),
        default="",
        choices=[("", _l("No, there is one")), *((str(each), f"{each} %") for each in trial.SHARES)],
        description=_l(
            "So many of the audience get one or the other; the better one by followed links goes to the rest."
        ),
    )
    ab_hours = IntegerField(
        _l("Hours until one is chosen"), default=4, validators=[Optional(), NumberRange(*trial.HOURS)]
    )


class SegmentForm(HubForm):
    """What a segment is called; its conditions are rows of the page."""

    name = StringField(_l("Name of the segment"), validators=[DataRequired(), Length(max=100)])


class ScheduleForm(HubForm):
    """When it starts, in the wall time of a zone."""

    local_time = DateTimeLocalField(
        _l("Date and time"), format="%Y-%m-%dT%H:%M", validators=[InputRequired()]
    )
    time_zone = ZoneField(_l("Time zone"))
    own_time = BooleanField(
        _l("At this time of each reader’s own day"),
        description=_l(
            "It leaves zone by zone, as the clock gets there; the zone above does not count then."
        ),
    )

    def offer(self) -> "ScheduleForm":
        return self


class SuppressForm(HubForm):
    """An address that should get nothing more."""

    address = EmailField(_l("E-mail address"), validators=[DataRequired(), Email()])


class SequenceForm(HubForm):
    """What a sequence is called, whom it means, what it counts."""

    name = StringField(
        _l("Name of the sequence"),
        description=_l("Only the team sees it."),
        validators=[DataRequired(), Length(max=100)],
    )
    trigger = RadioField(
        _l("Who comes in"),
        choices=[(key.value, words) for key, words in TRIGGERS.items()],
        default=Trigger.APPROVED.value,
    )
    days = IntegerField(
        _l("Days of silence"),
        default=60,
        description=_l("After so many days without a sign-in and without a sale."),
        validators=[InputRequired(), NumberRange(7, MOST_DAYS)],
    )
    topic = SelectField(
        _l("Topic"),
        choices=TOPIC_CHOICES,
        default=Topic.SERVICE.value,
        description=_l("Readers who have declined this topic are left out."),
    )
    tracks_clicks = BooleanField(_l("Count which links are followed"))


class StepForm(HubForm):
    """When a step is sent, and what a new one begins with."""

    days = IntegerField(
        _l("Days after the step before"),
        default=0,
        description=_l("For the first step: after coming in."),
        validators=[InputRequired(), NumberRange(0, MOST_DAYS)],
    )
    hour = SelectField(_l("Time of the reader’s day"), default="9")
    starter = SelectField(_l("Begin with"), default="")

    def offer(self, titles: list[tuple[str, str]]) -> "StepForm":
        """With the hours, and with the ready texts."""
        self.hour.choices = options([("", _("any")), *((hour, f"{hour:02}:00") for hour in range(24))])
        self.starter.choices = options([("", _("an empty page")), *titles])
        return self

    @property
    def at(self) -> int | None:
        return int(self.hour.data) if self.hour.data else None


class SubscribeForm(HubForm):
    """What a visitor asks for."""

    address = EmailField(_l("E-mail address"), validators=[DataRequired(), Email(), Length(max=254)])
    language = SelectField(_l("Language"), choices=options(LOCALES.items()))
    topics = SelectMultipleField(
        _l("Topics"),
        choices=options((topic, TOPICS[topic][0]) for topic in PUBLIC),
        default=[topic.value for topic in PUBLIC],
        validators=[DataRequired(_l("Choose at least one topic."))],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
