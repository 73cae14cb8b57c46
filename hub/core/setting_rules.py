"""What a setting must look like; each rule raises ValueError with what is wrong and an example.

None repeats the value: it may hold a password.
"""

from collections.abc import Callable
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from .i18n import LOCALES


def _address(url: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    """The parts of `scheme://host…`."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (raises when it is no number)
    except ValueError as error:
        raise ValueError(f"is no address ({error}); write {example}") from error
    if parts.scheme not in schemes:
        raise ValueError(f"begins with none of {', '.join(f'{each}:' for each in schemes)}; write {example}")
    if not parts.hostname:
        raise ValueError(f"names no host; write {example}")
    return parts


def website(url: str) -> None:
    _address(url, ("https", "http"), "https://hub.example")


def database(url: str) -> None:
    example = "postgresql://user:password@host/name or sqlite:////path/hub.db"
    try:
        driver = make_url(url).drivername
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"is no address of a database; write {example}") from error
    if driver not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise ValueError(f"begins with neither postgresql: nor sqlite:; write {example}")


def redis(url: str) -> None:
    _address(url, ("redis", "rediss"), "redis://host:6379/0")


def storage(url: str) -> None:
    example = "file:///path or s3://key:secret@bucket?endpoint=https://host"
    scheme, _, rest = url.partition(":")
    if scheme == "file":
        if not rest.startswith("///"):
            raise ValueError("needs a whole path after file://; write file:///path")
        return
    parts = _address(url, ("file", "s3"), example)
    if not parse_qs(parts.query).get("signed", ["0"])[0].isdecimal():
        raise ValueError("signed is a number of seconds; write …?signed=60")


def mail(url: str) -> None:
    example = "smtp://user:password@host:port, sendgrid:KEY or outbox:"
    scheme, _, rest = url.partition(":")
    if scheme == "outbox":
        return
    if scheme == "sendgrid":
        if not rest.strip("/"):
            raise ValueError(f"names no key; write {example}")
        return
    _address(url, ("smtp", "smtps", "sendgrid", "outbox"), example)


def mailbox(url: str) -> None:
    _address(url, ("imaps", "imap"), "imaps://user:password@host:993/INBOX")


def sender(text: str) -> None:
    name, at, host = parseaddr(text)[1].rpartition("@")
    if not (name and at and host):
        raise ValueError("holds no e-mail address; write Name <name@hub.example>")


def key_file(path: str) -> None:
    try:
        text = Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError("is no file with a key that the hub can read; write /etc/hub/dkim.pem") from error
    if "PRIVATE KEY-----" not in text:
        raise ValueError("holds no private key; make one with openssl genrsa -out dkim.pem 2048")


def language(code: str) -> None:
    if code not in LOCALES:
        raise ValueError(f"{code!r} is no language of the hub; write {', '.join(LOCALES)}")


def zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone; write one such as Europe/Oslo") from error


def _unless_empty(rule: Callable[[str], None]) -> Callable[[str], None]:
    return lambda value: rule(value) if value else None


#: Setting → its rule.
RULES: dict[str, Callable[[str], None]] = {
    "base_url": _unless_empty(website),
    "database_url": _unless_empty(database),
    "redis_url": _unless_empty(redis),
    "storage_url": _unless_empty(storage),
    "mail_url": mail,
    "sendgrid_url": website,
    "mail_from": sender,
    "dkim_key": _unless_empty(key_file),
    "imap_url": _unless_empty(mailbox),
    "programme_timezone": zone,
    "programme_site": website,
    "default_locale": language,
}
