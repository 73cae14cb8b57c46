"""Every setting of the hub: its default, its meaning and its `HUB_` variable."""

import difflib
import os
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from flask import current_app
from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from werkzeug.local import LocalProxy

from . import setting_rules as rules
from .i18n import N_

DEFAULT_SECRET = "development-only-secret"  # noqa: S105 (refused in production)


#: Hosts that only this machine reaches under these names.
LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104


class Env(StrEnum):
    """How the process runs; production refuses weak secrets and demo data."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


#: Packages that are of no use to this process, known before it has settings: a client of Redis takes 6 MB.
UNUSED = () if os.environ.get("HUB_REDIS_URL") else ("redis",)


class Settings(BaseSettings):
    """All settings. The environment is read here and nowhere else."""

    model_config = SettingsConfigDict(env_prefix="HUB_", extra="ignore")

    env: Env = Field(Env.DEVELOPMENT, description=N_("`development`, `test` or `production`."))
    home: Path = Field(
        Path("var"), description=N_("Folder of everything embedded: database, index, files, outbox, queue.")
    )
    host: str = Field("127.0.0.1", description=N_("Address the web server listens on."))
    port: int = Field(8000, ge=1, le=65535, description=N_("Port the web server listens on."))
    base_url: str = Field(
        "", description=N_("Public address; links in mails start with it. Default: `http://HOST:PORT`.")
    )
    trusted_hosts: str = Field("", description=N_("Further host names to answer for, separated by commas."))
    proxies: int = Field(
        0, ge=0, le=5, description=N_("Reverse proxies in front whose `X-Forwarded-*` headers are believed.")
    )
    secret_key: str = Field(
        DEFAULT_SECRET,
        description=N_("Signs cookies and links; production needs at least 32 characters of your own."),
    )
    database_url: str = Field("", description=N_("SQLAlchemy address. Default: SQLite at `HOME/hub.db`."))
    redis_url: str = Field(
        "", description=N_("Redis for the queue, live events and rate limits. Default: embedded.")
    )
    storage_url: str = Field(
        "",
        description=N_(
            "`file:///path` or `s3://key:secret@bucket?endpoint=…&signed=60`; `signed` hands downloads over to S3 for so many seconds. Default: `HOME/files`."
        ),
    )
    accel_prefix: str = Field(
        "",
        description=N_(
            "nginx's internal location of the stored files, such as `/files`; nginx then sends them itself."
        ),
    )
    mail_url: str = Field(
        "outbox:",
        description=N_(
            "`outbox:` (files under `HOME/outbox`), `smtp://user:password@host:port`, `smtps://…` or `sendgrid:KEY`."
        ),
    )
    sendgrid_url: str = Field("https://api.sendgrid.com", description=N_("Where SendGrid's API answers."))
    sendgrid_webhook_key: str = Field(
        "",
        description=N_("Public key of SendGrid's signed event webhook; without it no event is believed."),
    )
    mail_connections: int = Field(
        2,
        ge=1,
        le=4,
        description=N_("Connections kept to the mail server while a newsletter is sent: 1 to 4."),
    )
    mail_per_minute: int = Field(
        0, ge=0, description=N_("Newsletter mails that leave within a minute at most. 0: no limit.")
    )
    mail_per_domain: int = Field(
        0, ge=0, description=N_("The same to the mailboxes of one domain, such as `gmail.com`. 0: no limit.")
    )
    mail_weekly_budget: int = Field(
        4,
        ge=0,
        description=N_(
            "Newsletters one person gets in seven days at most; service mail is not counted. 0: no limit."
        ),
    )
    mail_from: str = Field(
        "Nordbill Partners <partners@nordbill.example>", description=N_("Sender of every mail.")
    )
    dkim_key: str = Field(
        "",
        description=N_(
            "File with the private RSA key (PEM) that signs what leaves by SMTP, for the domain of `HUB_MAIL_FROM`."
        ),
    )
    dkim_selector: str = Field(
        "hub", description=N_("Name under which DNS has its public half: `SELECTOR._domainkey.DOMAIN`.")
    )
    mail_inbox: str = Field(
        "", description=N_("Address that answers to mails come back to. Default: that of `HUB_MAIL_FROM`.")
    )
    mail_minutes: int = Field(
        5,
        ge=0,
        description=N_(
            "Minutes that a message to someone who is in the hub just now waits to be read before it is mailed."
        ),
    )
    mail_hook_secret: str = Field(
        "",
        description=N_(
            "Last part of the address to which SendGrid posts mail, at least 20 characters. Without it nothing is taken."
        ),
    )
    imap_url: str = Field(
        "",
        description=N_(
            "Mailbox to fetch mail from every minute: `imaps://user:password@host:993/INBOX`, or `imap://…`."
        ),
    )
    rate_limits: Switch = Field(
        Switch.ON, description=N_("`on` or `off`: throttling of sign-in and of other costly requests.")
    )
    programme_name: str = Field(
        "Nordbill Partner Programme", description=N_("Name of the programme, in pages and mails.")
    )
    programme_timezone: str = Field(
        "Europe/Oslo", description=N_("IANA zone in which months and statements begin and end.")
    )
    programme_site: str = Field(
        "https://nordbill.example",
        description=N_("Site that referral links lead to; other hosts are refused."),
    )
    link_hosts: str = Field(
        "", description=N_("Further hosts that referral links may lead to, separated by commas.")
    )
    default_locale: str = Field(
        "en", description=N_("Language when a visitor's own is not offered: `en`, `ru`, `uk` or `pl`.")
    )
    staff_totp: Switch = Field(
        Switch.OFF, description=N_("`on` requires a second factor of every agent, manager and admin.")
    )
    session_days: int = Field(30, ge=1, description=N_("Days without a visit after which a session ends."))
    max_upload_mb: int = Field(25, ge=1, description=N_("Largest upload, in MB of 1,000,000 bytes."))
    max_material_mb: int = Field(
        500,
        ge=1,
        description=N_("Largest material, in MB; it comes in pieces when scripts run in the browser."),
    )
    ticket_reopen_days: int = Field(
        14,
        ge=1,
        description=N_(
            "Days after which a resolved ticket closes; a later answer opens a ticket that follows it."
        ),
    )
    web_threads: int = Field(
        256, ge=4, description=N_("Threads of a web process; each open live connection holds one.")
    )
    worker_threads: int = Field(2, ge=1, description=N_("Threads of the worker."))
    metrics_token: str = Field(
        "",
        description=N_(
            "Bearer token for `/metrics`. Without it they are closed in production, and open to this machine elsewhere."
        ),
    )
    crash_at: str = Field(
        "", description=N_("`name:n` ends a process at a named point; obeyed in tests only.")
    )
    search_log_days: int = Field(
        90, ge=0, description=N_("Days that searches are kept, with who asked; `0` keeps none.")
    )
    log_format: str = Field(
        "", description=N_("`json` or `text`. Default: `json` in production, `text` elsewhere.")
    )

    @field_validator(*rules.RULES)
    @classmethod
    def _is_usable(cls, value: str, info: ValidationInfo) -> str:
        value = value.strip()
        rules.RULES[info.field_name or ""](value)
        return value

    @field_validator("mail_hook_secret")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < 20:
            raise ValueError("needs at least 20 characters")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        self.home = self.home.absolute()
        self.base_url = (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")
        self.database_url = self.database_url or f"sqlite:///{self.home / 'hub.db'}"
        # Plain postgresql:// would pick psycopg2, which the hub does not use.
        self.database_url = self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        self.storage_url = self.storage_url or f"file://{self.home / 'files'}"
        self.log_format = self.log_format or ("json" if self.is_production else "text")
        if self.is_production and (self.secret_key == DEFAULT_SECRET or len(self.secret_key) < 32):
            raise ValueError(
                "HUB_SECRET_KEY: production needs a secret of your own of at least 32 characters"
            )
        return self

    @property
    def is_production(self) -> bool:
        return self.env is Env.PRODUCTION

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def hosts(self) -> list[str]:
        """Host names this hub answers for; any other gets 400."""
        names = {urlsplit(self.base_url).hostname or "", self.host, *self.trusted_hosts.split(",")}
        if not self.is_production:
            names |= {"localhost", "127.0.0.1"}
        return sorted(name.strip() for name in names if name.strip())


def complaints(error: ValidationError) -> list[str]:
    """What is wrong with the settings, a line each that begins with the variable; values may be secrets."""
    lines = []
    for each in error.errors():
        where, words = "_".join(map(str, each["loc"])).upper(), each["msg"].removeprefix("Value error, ")
        lines.append(f"HUB_{where}: {words}" if where else words)
    return lines


def warnings(settings: Settings) -> list[str]:
    """What works, but hardly as it was meant; a line each."""
    known = [f"HUB_{name.upper()}" for name in Settings.model_fields]
    found = []
    for name in sorted(os.environ):
        if name.startswith("HUB_") and name not in known and not name.startswith("HUB_TEST_"):
            close = difflib.get_close_matches(name, known, 1)
            meant = f" Is {close[0]} meant?" if close else ""
            found.append(f"{name} is no setting of the hub and changes nothing.{meant}")
    if settings.is_production and settings.mail_url.startswith("outbox"):
        found.append(
            "HUB_MAIL_URL is the outbox: no mail leaves this machine. Write smtp://user:password@host:port or sendgrid:KEY."
        )
    if settings.is_production and urlsplit(settings.base_url).hostname in LOCAL:
        found.append(
            f"HUB_BASE_URL is not the public address: links in mails lead to {settings.base_url}. Write https://hub.example."
        )
    return found


def _current() -> Settings:
    return current_app.extensions["hub.settings"]


#: The settings of the running application.
settings: Settings = LocalProxy(_current)  # type: ignore[assignment]
