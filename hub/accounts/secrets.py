"""Random tokens and the hashes that stand for them in the database."""

import hashlib
import hmac
import secrets

from ..core.settings import settings


def token() -> str:
    """A fresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> str:
    """What is stored of a token: enough to know it again, useless to a thief."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed(text: str) -> str:
    """A name for something guessable, such as an address, that tells nothing without our secret."""
    return hmac.new(settings.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def recovery_code() -> str:
    """Sixty random bits in three groups, from letters and digits that nobody confuses."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(3))
