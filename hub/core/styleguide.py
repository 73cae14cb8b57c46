"""The living style page: every macro in every state, for whoever builds pages (development only)."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    DecimalField,
    FileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    URLField,
    validators,
    widgets,
)

from .access import public

bp = Blueprint("styleguide", __name__)

SWATCHES = (
    ("paper", "Paper", "page"),
    ("surface", "Surface", "panels, inputs"),
    ("sunken", "Sunken", "hover, code"),
    ("ink", "Ink", "text"),
    ("ink-3", "Ink 3", "muted text"),
    ("accent", "Petrol", "action, link"),
    ("weak", "Petrol weak", "selected"),
    ("saffron", "Saffron", "unread, never text"),
    ("ok", "Ok", "done, paid"),
    ("warn", "Warn", "soon, waiting"),
    ("bad", "Bad", "error, overdue"),
    ("note", "Note", "internal notes"),
)


class SampleForm(FlaskForm):
    """A field of every kind; one of them is wrong."""

    company = StringField("Company name", [validators.Optional()])
    website = URLField("Website", default="https://brightledger.example")
    iban = StringField("IBAN", default="NO93 8601 1117 94")
    fee = DecimalField("Fee", default=25)
    about = TextAreaField("About you", description="Two or three sentences.")
    country = SelectField("Country", choices=[("no", "Norway"), ("pl", "Poland")])
    goes_out_at = DateTimeLocalField("Goes out on", default=datetime(2026, 12, 1, 9))  # noqa: DTZ001 – a local time, as typed
    day = DateField("Use until")
    file = FileField("Banner")
    topics = SelectMultipleField(
        "Topics",
        choices=[("monthly", "Monthly update"), ("materials", "New materials")],
        default=["monthly"],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    pace = RadioField("How often", choices=[("now", "At once"), ("daily", "Once a day")], default="now")
    sound = BooleanField("Sound for new chats", default=True)
    body = TextAreaField("Message", default="**November** was good. [Read more](https://nordbill.example)")


@bp.get("/styleguide")
@public
def index() -> str:
    """Show every component."""
    form = SampleForm()
    form.iban.errors = ["One digit is missing. A Norwegian IBAN has 15 characters."]
    now = datetime.now(UTC)
    return render_template(
        "styleguide.html", form=form, swatches=SWATCHES, now=now, earlier=now - timedelta(minutes=40)
    )
