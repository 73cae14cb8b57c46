"""Who wants which mail: topics declined, addresses suppressed, and the signed links to change that."""

import contextlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import idna
from itsdangerous import BadSignature, URLSafeSerializer
from itsdangerous.encoding import base64_encode
from sqlalchemy import Select, delete, exists, func, select

from ..core import clock, links
from ..core.database import db, insert_of_dialect, touched
from ..core.links import absolute
from ..core.settings import settings
from .models import Delivery, DeliveryState, Newsletter, Suppression, SuppressionReason, Topic, TopicOptOut

_ADDRESS = re.compile(r"[^@\s\0<>,;\"]+@[^@\s\0<>,;\"]+\.[^@\s\0<>,;\".]+")
#: Why a mail waits for nobody: the reader has had enough of them this week.
BUDGET = "budget"
_READER = "newsletters.reader"
#: The domain of those the ledger has been made to forget.
ERASED = "erased.invalid"


def normalise(address: str) -> str:
    """The one spelling of an address: composed, in lower case, its domain in ASCII (IDNA 2008, RFC 5891: ß is no ss)."""
    address = address.strip().lower()
    if address.isascii():
        return address
    local, at, domain = unicodedata.normalize("NFC", address).rpartition("@")
    domain = unicodedata.normalize("NFKC", domain).lower()  # letters of full width are the same letters
    with contextlib.suppress(UnicodeError):  # which IDNAError is
        domain = idna.encode(domain).decode()
    return local + at + domain


def is_address(address: str) -> bool:
    """Does it look like one, in its one spelling? A domain that has none in ASCII does not exist.

    RFC 5321, 4.5.3.1: at most 64 octets before the @.
    """
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        return False
    local, _at, domain = address.rpartition("@")
    return domain.isascii() and len(local.encode()) <= 64


@dataclass(frozen=True)
class Reader:
    """Whom a signed link stands for: an address, and the mail it was in (its key; empty in a test)."""

    address: str
    topic: Topic
    locale: str
    key: str = ""

    def delivery(self) -> Delivery | None:
        return db.session.scalar(select(Delivery).where(Delivery.key == self.key)) if self.key else None


def sign(reader: Reader) -> str:
    """A token for links in a mail; it never expires, for old mails are opened too."""
    values = [reader.address, reader.topic, reader.locale, reader.key]
    # As short as can be: the whole link is one line of a mail's head.
    written = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return links.signed(base64_encode(written.encode()).decode(), _READER)


def read(token: str) -> Reader | None:
    """The reader behind a token of ours; None for any other."""
    try:
        # It reads those as well that were compressed: too short to gain by that, and each cost a mail dearly.
        address, topic, locale, key = URLSafeSerializer(settings.secret_key, salt=_READER).loads(token)
        return Reader(address, Topic(topic), locale, key)
    except (BadSignature, ValueError, TypeError):
        return None


def unsubscribe_url(token: str) -> str:
    return absolute("newsletters.unsubscribe", token=token)


def preferences_url(token: str) -> str:
    return absolute("newsletters.preferences", token=token)


class Ways:
    """The links of many readers: only the token differs."""

    def __init__(self) -> None:
        self._unsubscribe, self._preferences = unsubscribe_url("TOKEN"), preferences_url("TOKEN")

    def unsubscribe(self, token: str) -> str:
        return self._unsubscribe.replace("TOKEN", token)

    def preferences(self, token: str) -> str:
        return self._preferences.replace("TOKEN", token)


def declined(address: str, topic: Topic) -> str | None:
    """Why this address gets nothing on this topic: a SuppressionReason, `topic`, or None."""
    reason = db.session.scalar(select(Suppression.reason).where(Suppression.address == address))
    if reason is not None:
        return str(reason)
    opted_out = exists().where(TopicOptOut.address == address, TopicOptOut.topic == topic)
    return "topic" if db.session.scalar(select(opted_out)) else None


def declined_by(addresses: Iterable[str], topic: Topic, newsletter_id: int = 0) -> dict[str, str]:
    """Of these addresses, those that get nothing on this topic, with why; `newsletter_id` is the one on its way."""
    asked = list(addresses)
    if not asked:
        return {}
    had_enough = had_enough_mail(topic, newsletter_id)
    full: Iterable[str] = (
        [] if had_enough is None else db.session.scalars(had_enough.where(Delivery.address.in_(asked)))
    )
    return dict.fromkeys(full, BUDGET) | refused_by(asked, topic)


def refused_by(asked: list[str], topic: Topic) -> dict[str, str]:
    """Of these addresses, those that want nothing on this topic or at all, with why.

    Who was erased while a mail of theirs was being handed over gets no second attempt.
    """
    erased = [address for address in asked if address.endswith(f"@{ERASED}")]
    opted_out = select(TopicOptOut.address).where(TopicOptOut.address.in_(asked), TopicOptOut.topic == topic)
    suppressed = select(Suppression.address, Suppression.reason).where(Suppression.address.in_(asked))
    gone = dict.fromkeys(erased, str(SuppressionReason.UNSUBSCRIBE))
    return (
        dict.fromkeys(db.session.scalars(opted_out), "topic")
        | gone
        | {address: str(reason) for address, reason in db.session.execute(suppressed)}
    )


def had_enough_mail(topic: Topic, but: int = 0) -> Select[Any] | None:
    """Addresses that have had their newsletters of the last seven days, one left aside; None where nobody ever has.

    Service mail neither counts nor waits. What is being handed over counts, and so does what may have arrived.
    """
    if topic is Topic.SERVICE or not settings.mail_weekly_budget:
        return None
    states = (DeliveryState.SENT, DeliveryState.CLAIMED, DeliveryState.UNCERTAIN)
    return (
        select(Delivery.address)
        .join(Newsletter, Newsletter.id == Delivery.newsletter_id)
        .where(
            Newsletter.topic != Topic.SERVICE,
            Delivery.newsletter_id != but,
            Delivery.state.in_(states),
            func.coalesce(Delivery.sent_at, Delivery.claimed_at) > clock.now() - timedelta(days=7),
        )
        .group_by(Delivery.address)
        .having(func.count() >= settings.mail_weekly_budget)
    )


def wanted(address: str) -> set[Topic]:
    """Topics that this address has not declined."""
    unwanted = db.session.scalars(select(TopicOptOut.topic).where(TopicOptOut.address == address))
    return set(Topic) - set(unwanted)


def choose(address: str, topics: set[Topic]) -> None:
    """From now on this address wants exactly these topics; choosing one ends an unsubscription from all."""
    db.session.execute(delete(TopicOptOut).where(TopicOptOut.address == address))
    _decline(address, (topic for topic in Topic if topic not in topics))
    if topics:
        unsubscribed = Suppression.reason == SuppressionReason.UNSUBSCRIBE
        db.session.execute(delete(Suppression).where(Suppression.address == address, unsubscribed))


def opt_out(address: str, topic: Topic) -> None:
    """Decline a topic; doing it again changes nothing."""
    _decline(address, [topic])


def _decline(address: str, topics: Iterable[Topic]) -> None:
    rows = [{"address": address, "topic": topic} for topic in topics]
    if rows:  # of two at once, the second finds it done
        db.session.execute(insert_of_dialect(TopicOptOut).values(rows).on_conflict_do_nothing())


def suppress(address: str, reason: SuppressionReason) -> None:
    """Send nothing more to an address; the first reason stays."""
    row = insert_of_dialect(Suppression).values(address=address, reason=reason)
    db.session.execute(row.on_conflict_do_nothing())


def suppress_all(rows: Iterable[tuple[int, str, str]]) -> tuple[int, list[int]]:
    """Suppress many (line, address, reason); how many were not suppressed yet, and the lines without an address.

    Addresses that differ only in spelling are one; a reason that is not known becomes “by hand”.
    """
    wanted: dict[str, SuppressionReason] = {}
    wrong: list[int] = []
    for line, written, reason in rows:
        # A file that was written for a spreadsheet marks what might be a formula.
        address = normalise(written.removeprefix("'"))
        if not is_address(address):
            wrong.append(line)
            continue
        known = reason.strip().lower() in set(SuppressionReason)
        wanted.setdefault(
            address, SuppressionReason(reason.strip().lower()) if known else SuppressionReason.MANUAL
        )
    found = [{"address": address, "reason": reason} for address, reason in wanted.items()]
    add = insert_of_dialect(Suppression).execution_options(preserve_rowcount=True)
    parts = (found[start : start + 500] for start in range(0, len(found), 500))
    return sum(touched(add.values(part).on_conflict_do_nothing()) for part in parts), wrong


def release(address: str) -> None:
    """Let an address get newsletters again."""
    db.session.execute(delete(Suppression).where(Suppression.address == address))


def is_suppressed(address: str) -> bool:
    return db.session.scalar(select(Suppression.id).where(Suppression.address == address)) is not None
