"""The forms of this room."""

from typing import Any

from wtforms import (
    DateField,
    EmailField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import URL, DataRequired, Email, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from ..core.forms import HubForm, options
from ..core.i18n import LOCALES, _l
from ..core.timezones import ZoneField
from .models import MemberRole, Partner
from .places import countries
from .words import CHANNELS, KIND, ROLE

CURRENCIES = ("EUR", "GBP", "PLN", "UAH")


class ChecksField(SelectMultipleField):
    """Several choices, each a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class _FactsForm(HubForm):
    """What a partner may change about their own organisation."""

    name = StringField(_l("Name of the organisation"), [DataRequired(), Length(max=120)])
    kind = SelectField(_l("Kind"))
    country = SelectField(_l("Country"))
    locale = SelectField(_l("Language"), description=_l("Of what we write to the organisation."))
    time_zone = ZoneField(_l("Time zone"))
    website = StringField(
        _l("Website"), [Optional(), URL(), Length(max=200)], description=_l("With https:// at the beginning.")
    )
    contact = StringField(
        _l("Contact on materials"),
        [Optional(), Length(max=120)],
        description=_l(
            "A telephone or an address for customers, on materials in your name. Empty: the website."
        ),
    )
    reach = IntegerField(
        _l("People you reach in a month"), [Optional(), NumberRange(min=0, max=2_000_000_000)]
    )
    audience = TextAreaField(_l("Who they are"), [Optional(), Length(max=2000)])
    channels = ChecksField(_l("Where you reach them"))

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.kind.choices = options(KIND.items())
        self.country.choices = options(countries())
        self.locale.choices = options(LOCALES.items())
        self.channels.choices = options(CHANNELS.items())

    def facts(self) -> dict[str, Any]:
        """The fields as `service.edit` takes them."""
        found = {
            field.short_name: field.data
            for field in self
            if field.short_name not in ("csrf_token", "code", "manager", "tags")
        }
        return found | {name: found[name] or None for name in ("website", "contact", "audience")}


class OwnForm(_FactsForm):
    pass


class PartnerForm(_FactsForm):
    """Staff may change more."""

    code = StringField(
        _l("Code"),
        [DataRequired(), Length(min=2, max=20)],
        description=_l("Stands in the partner's links and never changes."),
    )
    currency = SelectField(_l("Main currency"), choices=options((code, code) for code in CURRENCIES))
    manager = SelectField(_l("Manager"))
    tags = StringField(_l("Tags"), [Length(max=300)], description=_l("Separated by commas."))

    def __init__(self, managers: list[Any], **values: Any) -> None:
        super().__init__(**values)
        self.manager.choices = options([("", "–"), *((user.id, user.name) for user in managers)])

    @staticmethod
    def of(partner: Partner, managers: list[Any]) -> "PartnerForm":
        """The form filled with a partner's facts."""
        form = PartnerForm(
            managers,
            obj=partner,
            data={"manager": str(partner.manager_id or ""), "tags": ", ".join(partner.tags)},
        )
        if not form.is_submitted():
            form.manager.data, form.tags.data = str(partner.manager_id or ""), ", ".join(partner.tags)
        return form

    def facts(self) -> dict[str, Any]:
        tags = dict.fromkeys(tag.strip().lower() for tag in (self.tags.data or "").split(","))
        return super().facts() | {
            "manager_id": int(self.manager.data) if self.manager.data else None,
            "tags": [tag for tag in tags if tag],
        }


class MemberForm(HubForm):
    name = StringField(_l("Name"), [DataRequired(), Length(max=100)])
    email = EmailField(_l("E-mail"), [DataRequired(), Email()])
    role = SelectField(_l("Role"), choices=options(ROLE.items()), default=MemberRole.MEMBER.value)


class CouponForm(HubForm):
    code = StringField(
        _l("Coupon"),
        [DataRequired(), Length(min=4, max=16)],
        description=_l("4 to 16 Latin letters and digits."),
    )
    until = DateField(_l("Last day"), [Optional()], description=_l("Empty: without an end."))
    note = StringField(_l("Where it is used"), [Length(max=200)])


class LinkForm(HubForm):
    """The link builder: a GET form, so that its address can be kept."""

    class Meta(HubForm.Meta):
        csrf = False

    to = StringField(_l("Page of the site"), description=_l("Such as /plans; empty for the home page."))
    utm_source = StringField(_l("Where the link stands (utm_source)"), [Length(max=60)])
    utm_medium = StringField(_l("In what form (utm_medium)"), [Length(max=60)])
    utm_campaign = StringField(_l("As part of what (utm_campaign)"), [Length(max=60)])
    utm_content = StringField(_l("Which of several (utm_content)"), [Length(max=60)])
