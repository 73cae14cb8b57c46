"""What people may send to a ticket."""

import re
import secrets
from typing import Any

from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import HiddenInput

from ..core.forms import HubForm, options
from ..core.i18n import LOCALES, _, _l
from .asked import LONGEST_CLIENT_ID
from .messages import MAX_BODY
from .models import Category, Channel, Priority, Status
from .scores import SCORES

CATEGORIES = {
    Category.COMMISSION: _l("Commission"),
    Category.PAYOUT: _l("Payouts"),
    Category.LINKS: _l("Links and tracking"),
    Category.MATERIALS: _l("Banners and materials"),
    Category.ACCOUNT: _l("Account and access"),
    Category.OTHER: _l("Something else"),
}
PRIORITIES = {
    Priority.LOW: _l("Low"),
    Priority.NORMAL: _l("Normal"),
    Priority.HIGH: _l("High"),
    Priority.URGENT: _l("Urgent"),
}
CHANNELS = {
    Channel.PORTAL: _l("Website"),
    Channel.CHAT: _l("Chat"),
    Channel.MAIL: _l("E-mail"),
    Channel.API: _l("API"),
}
STATUSES = {
    Status.NEW: _l("New"),
    Status.OPEN: _l("Open"),
    Status.WAITING: _l("Waiting"),
    Status.RESOLVED: _l("Resolved"),
    Status.CLOSED: _l("Closed"),
}
#: The same states as a partner sees them: whose turn it is.
STATUSES_FOR_PARTNER = {
    Status.NEW: _l("Sent to the team"),
    Status.OPEN: _l("The team is on it"),
    Status.WAITING: _l("Waiting for you"),
    Status.RESOLVED: _l("Resolved"),
    Status.CLOSED: _l("Closed"),
}
TONES = {
    Status.NEW: "warn",
    Status.OPEN: "accent",
    Status.WAITING: "",
    Status.RESOLVED: "ok",
    Status.CLOSED: "",
}
TONES_FOR_PARTNER = {
    Status.NEW: "",
    Status.OPEN: "",
    Status.WAITING: "accent",
    Status.RESOLVED: "ok",
    Status.CLOSED: "",
}


def new_client_id() -> str:
    """An id that makes sending the same form twice harmless."""
    return secrets.token_hex(12)


class TicketForm(HubForm):
    subject = StringField(
        _l("Subject"),
        [DataRequired(), Length(max=200)],
        description=_l("One sentence: what should be different?"),
    )
    category = SelectField(_l("About"), choices=options(CATEGORIES.items()), default=Category.OTHER)
    body = TextAreaField(
        _l("What happened"),
        [DataRequired(), Length(max=MAX_BODY)],
        description=_l("Order numbers, dates and amounts help us answer at the first attempt."),
    )
    files = MultipleFileField(_l("Files"), description=_l("Screenshots or documents, up to 25 MB together."))
    client_id = HiddenField(
        validators=[InputRequired(), Length(max=LONGEST_CLIENT_ID)], default=new_client_id
    )
    entry = IntegerField(_l("Amount"), [Optional()], widget=HiddenInput())
    article = IntegerField(_l("Article"), [Optional()], widget=HiddenInput())


#: “300 × 250” however it is typed, with a Cyrillic х too.
_PIXELS = re.compile(r"(\d{2,4})\s*[x×хX*Х]\s*(\d{2,4})(?:\s*px)?")


class BannerForm(HubForm):
    """What a partner needs a banner for, and how large."""

    size = StringField(_l("Size"), [DataRequired()], description=_l("Width × height in pixels."))
    language = SelectField(_l("Language"), choices=options(LOCALES.items()))
    purpose = TextAreaField(
        _l("What for"),
        [DataRequired(), Length(max=2000)],
        description=_l("What you promote, to whom, and what it should say."),
    )
    place = StringField(_l("Where it will be seen"), [DataRequired(), Length(max=300)])
    needed_by = DateField(_l("Needed by"), [Optional()])
    client_id = HiddenField(
        validators=[InputRequired(), Length(max=LONGEST_CLIENT_ID)], default=new_client_id
    )

    @property
    def pixels(self) -> str:
        """The size as it is written, “300 × 250”; empty for one that is none."""
        found = _PIXELS.fullmatch(self.size.data or "")
        return f"{found[1]} × {found[2]}" if found else ""

    def validate_size(self, field: StringField) -> None:
        if not self.pixels:
            raise ValidationError(_("Write it like 300 × 250."))


class ChatForm(HubForm):
    """The first message of a chat."""

    body = TextAreaField(_l("Your question"), [DataRequired(), Length(max=MAX_BODY)])
    client_id = HiddenField(
        validators=[InputRequired(), Length(max=LONGEST_CLIENT_ID)], default=new_client_id
    )


class SaveViewForm(HubForm):
    """A name for the list that the address asks for."""

    name = StringField(_l("Name of the view"), [DataRequired(), Length(max=40)])
    is_shared = BooleanField(_l("For the whole team"))


class MessageForm(HubForm):
    """A reply or a note. Text may be empty when a file is attached."""

    body = TextAreaField(_l("Message"), [Length(max=MAX_BODY)])
    files = MultipleFileField(_l("Files"))
    client_id = HiddenField(validators=[InputRequired(), Length(max=LONGEST_CLIENT_ID)])
    seen = IntegerField(validators=[Optional()], default=0)
    macro = IntegerField(validators=[Optional()])


class ParkedMailForm(HubForm):
    """For whom a parked mail is to become a ticket."""

    email = StringField(
        _l("For whom"),
        [DataRequired(), Length(max=320)],
        description=_l(
            "The address of a partner’s member. Answers go there, not to the address of the mail."
        ),
    )


class RatingForm(HubForm):
    """How the help was."""

    score = RadioField(
        _l("Your rating"),
        [InputRequired(_l("Choose one of them."))],
        choices=options(SCORES.items()),
        coerce=int,
    )
    comment = TextAreaField(_l("Anything you would like to add"), [Optional(), Length(max=2000)])


class StatusForm(HubForm):
    status = SelectField(_l("Status"), choices=options(STATUSES.items()))


class AssignForm(HubForm):
    assignee = IntegerField(_l("Assigned to"), [Optional()])


class ClassifyForm(HubForm):
    priority = SelectField(_l("Priority"), choices=options(PRIORITIES.items()))
    category = SelectField(_l("Category"), choices=options(CATEGORIES.items()))


class TagsForm(HubForm):
    tags = StringField(_l("Tags"), [Length(max=400)])


class SnoozeForm(HubForm):
    until = StringField(_l("Until"), [DataRequired(), Length(max=30)])


class MergeForm(HubForm):
    into = IntegerField(_l("Number of the other ticket"), [InputRequired(), NumberRange(1, 2**31 - 1)])
    sure = BooleanField(_l("Both may read everything"))


class TieForm(HubForm):
    """Another ticket that has to do with this one."""

    other = IntegerField(_l("Number of the other ticket"), [InputRequired(), NumberRange(1, 2**31 - 1)])
    part = BooleanField(_l("Part them"))


class SplitForm(HubForm):
    subject = StringField(_l("Subject"), [DataRequired(), Length(max=200)])


class DeskForm(HubForm):
    """How a colleague works."""

    takes_turns = BooleanField(_l("Give me new tickets in turn"))
    capacity = IntegerField(_l("Most tickets waiting for me at once"), [InputRequired(), NumberRange(1, 200)])
    opens = TimeField(_l("From"), [InputRequired()])
    closes = TimeField(_l("To"), [InputRequired()])


def _or_nothing(states: dict[Any, Any]) -> list[SelectChoice]:
    return options([("", _l("leave as it is")), *states.items()])


class MacroForm(HubForm):
    """A prepared answer and what is done when it is sent."""

    name = StringField(_l("Name of the canned reply"), [DataRequired(), Length(max=60)])
    body = TextAreaField(_l("Text"), [DataRequired(), Length(max=5000)])
    is_shared = BooleanField(_l("For the whole team"))
    status = SelectField(
        _l("Status afterwards"),
        choices=_or_nothing({key: STATUSES[key] for key in (Status.OPEN, Status.RESOLVED)}),
        default="",
    )
    priority = SelectField(_l("Priority"), choices=_or_nothing(PRIORITIES), default="")
    category = SelectField(_l("About"), choices=_or_nothing(CATEGORIES), default="")
    field = SelectField(_l("Fill in a field"), default="")
    tag = StringField(_l("Add a tag"), [Length(max=30)])
    assign = SelectField(
        _l("Assigned to"), choices=_or_nothing({"me": _l("me"), "team": _l("Nobody")}), default=""
    )
