"""The forms of this room."""

from typing import Any

from flask_login import current_user
from wtforms import BooleanField, EmailField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, Email, InputRequired, Length

from ..core.access import Role
from ..core.forms import HubForm, options
from ..core.i18n import LOCALES, Text, _l
from ..core.timezones import ZoneField

ROLES: dict[Role, Text] = {
    Role.PARTNER: _l("Partner"),
    Role.AGENT: _l("Agent"),
    Role.MANAGER: _l("Manager"),
    Role.ADMIN: _l("Admin"),
}
#: What a role is for, beside its name.
DUTIES: dict[Role, Text] = {
    Role.AGENT: _l("answers tickets and chats, writes articles"),
    Role.MANAGER: _l("also partners, newsletters, training, materials and money"),
    Role.ADMIN: _l("also people, settings and the audit log"),
}
THEMES: dict[str, Text] = {"auto": _l("As the device"), "light": _l("Light"), "dark": _l("Dark")}


class SignInForm(HubForm):
    email = EmailField(_l("E-mail"), [DataRequired()])
    password = PasswordField(_l("Password"), [InputRequired()])
    keep = BooleanField(_l("Keep me signed in"), default=True)


class CodeForm(HubForm):
    code = StringField(_l("Code"), [DataRequired(), Length(max=40)])


class AddressForm(HubForm):
    email = EmailField(_l("E-mail"), [DataRequired(), Email()])


class NewPasswordForm(HubForm):
    password = PasswordField(_l("New password"), [InputRequired()])


class ConfirmForm(HubForm):
    password = PasswordField(_l("Password"), [InputRequired()])


class ChangePasswordForm(HubForm):
    old = PasswordField(_l("Password now"), [InputRequired()])
    new = PasswordField(_l("New password"), [InputRequired()])


class _PersonForm(HubForm):
    """Name, language and zone."""

    name = StringField(_l("Name"), [DataRequired(), Length(max=100)])
    locale = SelectField(_l("Language"))
    time_zone = ZoneField(_l("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.locale.choices = options(LOCALES.items())


class ProfileForm(_PersonForm):
    theme = SelectField(_l("Theme"), choices=options(THEMES.items()))


class AcceptForm(_PersonForm):
    password = PasswordField(_l("Choose a password"), [InputRequired()])


class InviteForm(HubForm):
    email = EmailField(_l("E-mail"), [DataRequired(), Email()])
    name = StringField(_l("Name"), [DataRequired(), Length(max=100)])
    role = SelectField(
        _l("Role"), choices=options((role, ROLES[role]) for role in DUTIES), default=str(Role.AGENT)
    )
    locale = SelectField(
        _l("Language"), choices=options(LOCALES.items()), default=lambda: current_user.locale
    )


class RoleForm(HubForm):
    role = SelectField(_l("Role"), choices=options((role, ROLES[role]) for role in DUTIES))


class TokenForm(HubForm):
    name = StringField(_l("What is it for?"), [DataRequired(), Length(max=100)])
