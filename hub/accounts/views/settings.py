"""The settings in force, to read: they are changed where the hub is started."""

from urllib.parse import urlsplit

from flask import render_template
from flask.typing import ResponseReturnValue

from ...core.access import Permission, requires
from ...core.i18n import _
from ...core.settings import Settings
from ...core.settings import settings as current
from . import bp

SECRET = ("secret_key", "metrics_token", "mail_hook_secret")
ADDRESSES = ("database_url", "redis_url", "storage_url", "mail_url", "imap_url")


@bp.get("/settings")
@requires(Permission.SETTINGS_MANAGE)
def settings() -> ResponseReturnValue:
    """List every setting with its variable, value and meaning; secrets are masked."""
    rows = [
        {
            "variable": f"HUB_{name.upper()}",
            "value": shown(name, getattr(current, name)),
            "meaning": _(str(field.description)).replace("`", ""),
        }
        for name, field in Settings.model_fields.items()
    ]
    return render_template("accounts/settings.html", rows=rows)


def shown(name: str, value: object) -> str:
    """A setting as an admin may read it."""
    text = str(value)
    if name in SECRET:
        return "••••••••" if text else ""
    return _without_password(text) if name in ADDRESSES else text


def _without_password(address: str) -> str:
    """`smtp://me:secret@host` → `smtp://••••••••@host`; a scheme that carries a bare key loses it."""
    if "://" not in address:
        scheme, _, rest = address.partition(":")
        return f"{scheme}:••••••••" if rest else address
    address = address.partition("?")[0]  # passwords may stand there too
    login, at, _host = urlsplit(address).netloc.rpartition("@")
    return address.replace(f"{login}@", "••••••••@", 1) if at else address
