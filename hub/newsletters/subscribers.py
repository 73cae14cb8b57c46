"""Public news for visitors: asked for, confirmed from the mailbox itself, and ended in one click.

What was asked for travels in the link of the confirming mail and nowhere else: of an address that is never confirmed
only that mail's row is left, and that not for long.
"""

from array import array
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import Select, delete, exists, func, select, update

from ..accounts.models import User
from ..core import audit, clock, mail
from ..core.database import db, insert_of_dialect, touched
from ..core.i18n import LOCALES
from ..core.links import absolute
from ..core.mail.outgoing import MailMessage
from ..core.settings import settings
from . import audience, consent
from .audience import Count
from .models import Delivery, DeliveryState, Newsletter, Suppression, SuppressionReason, Topic, TopicOptOut
from .models_subscribers import Subscription
from .models_tracking import Untracked

#: What concerns everybody; the others are about a partnership.
PUBLIC = (Topic.PRODUCT, Topic.MATERIALS, Topic.TRAINING)
#: A link to confirm is good for so long, and the mail that it was in is remembered for so long.
CONFIRM_WITHIN = timedelta(days=7)
#: Confirming mails to one address: one in this time, and so many in a day.
PAUSE, MOST_A_DAY = timedelta(minutes=10), 3
MAIL = "newsletters/mail/confirm"
PAGE = 500

#: (address, topics, language) that somebody asked for
Wish = tuple[str, list[Topic], str]


# --- Asking and confirming ----------------------------------------------------------------


def ask(address: str, topics: Iterable[Topic], locale: str) -> None:
    """Mail a link to confirm, unless that address has had enough of them or must not be written to.

    Whoever asks learns nothing of which it was.
    """
    address = consent.normalise(address)
    if not consent.is_address(address):
        return
    _wait_for_others(address)
    if _has_been_asked(address) or _must_not(address):
        return
    wanted = [topic for topic in PUBLIC if topic in set(topics)]
    token = _signer().dumps([address, wanted, locale])
    mail.queue(address, MAIL, locale=locale, link=absolute("newsletters.confirm", token=token))


def _wait_for_others(address: str) -> None:
    """Until those who ask for the same address have committed; on SQLite one writes at a time anyhow."""
    if db.session.get_bind().dialect.name == "postgresql":
        number = func.hashtextextended(f"hub.newsletters.ask.{address}", 0)
        db.session.execute(select(func.pg_advisory_xact_lock(number)))


def _has_been_asked(address: str) -> bool:
    mails = select(MailMessage.created_at).where(MailMessage.address == address, MailMessage.template == MAIL)
    today = mails.where(MailMessage.created_at > clock.now() - timedelta(days=1))
    sent = list(db.session.scalars(today))
    return len(sent) >= MOST_A_DAY or any(each > clock.now() - PAUSE for each in sent)


def _must_not(address: str) -> bool:
    """Mails to it came back, or were complained of, or the team took it off; who unsubscribed may change their mind."""
    reason = db.session.scalar(select(Suppression.reason).where(Suppression.address == address))
    return reason not in (None, SuppressionReason.UNSUBSCRIBE)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret_key, salt="newsletters.subscribe")


def read(token: str) -> Wish | None:
    """What somebody asked for, while the link is good; None for any other.

    Whatever the address has declined since is left out: whoever changed their mind asks anew.
    """
    try:
        wish, asked_at = _signer().loads(
            token, max_age=int(CONFIRM_WITHIN.total_seconds()), return_timestamp=True
        )
        address, topics, locale = wish
        asked = [Topic(each) for each in topics]
    except (BadSignature, ValueError, TypeError):
        return None
    if _has_left(address, asked_at):
        return None
    declined = _declined(address, asked_at)
    left = [each for each in asked if each not in declined]
    return (address, left, locale if locale in LOCALES else "en") if left else None


def _has_left(address: str, since: datetime) -> bool:
    """Has it unsubscribed from everything since, or must it not be written to at all?"""
    unsubscribed = select(Suppression.id).where(
        Suppression.address == address, Suppression.created_at > since
    )
    return _must_not(address) or db.session.scalar(unsubscribed) is not None


def _declined(address: str, since: datetime) -> set[Topic]:
    opted_out = (TopicOptOut.address == address, TopicOptOut.created_at > since)
    return set(db.session.scalars(select(TopicOptOut.topic).where(*opted_out)))


def confirm(wish: Wish) -> None:
    """From now on the address gets these topics, in this language; doing it again changes nothing."""
    _subscribe(*wish, anew=True)


def _subscribe(address: str, topics: list[Topic], locale: str, *, anew: bool = False) -> None:
    if not topics:
        return
    unsubscribed = delete(Suppression).where(
        Suppression.address == address, Suppression.reason == SuppressionReason.UNSUBSCRIBE
    )
    if touched(unsubscribed) and not is_stranger(address):  # a partner takes back this and no more
        consent.choose(address, set(topics))
    opted_out = TopicOptOut.address == address
    db.session.execute(delete(TopicOptOut).where(opted_out, TopicOptOut.topic.in_(topics)))
    _keep([{"address": address, "topic": topic, "locale": locale} for topic in topics], anew=anew)


def _keep(rows: list[dict[str, Any]], *, anew: bool = False) -> int:
    """Add subscriptions that are not there yet; how many. With `anew` those that are there change their language."""
    insert = insert_of_dialect(Subscription).execution_options(preserve_rowcount=True)
    now, number = clock.now(), 0
    for start in range(0, len(rows), PAGE):
        some = [{"confirmed_at": now} | row for row in rows[start : start + PAGE]]
        add = insert.values(some)
        change = {"index_elements": ["address", "topic"], "set_": {"locale": add.excluded.locale}}
        number += touched(add.on_conflict_do_update(**change) if anew else add.on_conflict_do_nothing())
    return number


# --- Choosing and leaving -----------------------------------------------------------------


def is_stranger(address: str) -> bool:
    """Does nobody sign in with it?"""
    return not db.session.scalar(select(exists().where(User.email == address)))


def topics_of(address: str) -> set[Topic]:
    """What an address gets as a subscriber."""
    rows = select(Subscription.topic).where(Subscription.address == address)
    return set(db.session.scalars(rows)) & consent.wanted(address)


def choose(address: str, topics: set[Topic], locale: str) -> None:
    """A stranger's choice: of public topics, those they want; nothing is said of the others."""
    left = topics_of(address) - topics
    _subscribe(address, [topic for topic in PUBLIC if topic in topics], locale)
    for topic in left:
        leave(address, topic)
        consent.opt_out(address, topic)


def leave(address: str, topic: Topic | None = None) -> None:
    """No longer a subscriber of a topic, or of any."""
    gone = delete(Subscription).where(Subscription.address == address)
    db.session.execute(gone if topic is None else gone.where(Subscription.topic == topic))


def forget(address: str, actor: Any) -> bool:
    """Erase an address: what it asked for, and who got what; how many got something stays.

    Of one that somebody signs in with only the subscriptions go: False.
    """
    leave(address)
    stranger = is_stranger(address)
    if stranger:
        for model in (TopicOptOut, Untracked):
            db.session.execute(delete(model).where(model.address == address))
        mine = (Delivery.address == address, Delivery.user_id.is_(None))
        waiting = Delivery.state.in_((DeliveryState.PENDING, DeliveryState.HELD))
        let_off = {"state": DeliveryState.SUPPRESSED, "reason": SuppressionReason.UNSUBSCRIBE}
        db.session.execute(update(Delivery).where(*mine, waiting).values(let_off))
        for number in list(db.session.scalars(select(Delivery.id).where(*mine))):
            erased = {
                "address": f"{number}@{consent.ERASED}",
                "domain": consent.ERASED,
                "name": "",
                "values": {},
            }
            db.session.execute(update(Delivery).where(Delivery.id == number).values(erased))
        db.session.execute(
            delete(MailMessage).where(MailMessage.address == address, MailMessage.template == MAIL)
        )
    audit.record(actor, "subscriber.erased", "subscribers")
    return stranger


def forget_unconfirmed() -> None:
    """Drop the confirming mails whose link is no longer good."""
    old = MailMessage.created_at < clock.now() - CONFIRM_WITHIN
    db.session.execute(delete(MailMessage).where(MailMessage.template == MAIL, old))


def take_in(rows: Iterable[tuple[int, str, str, str, str]]) -> tuple[int, list[int]]:
    """Subscriptions from a file: (line, address, topic, language, day of consent); how many are new, and the lines that are none.

    Without the day on which they agreed nobody is taken in.
    """
    found: list[dict[str, Any]] = []
    wrong: list[int] = []
    for line, written, topic, locale, since in rows:
        address = consent.normalise(written.removeprefix("'"))
        agreed = _moment(since)
        if not consent.is_address(address) or topic not in PUBLIC or locale not in LOCALES or agreed is None:
            wrong.append(line)
        else:
            found.append(
                {"address": address, "topic": Topic(topic), "locale": locale, "confirmed_at": agreed}
            )
    return _keep(found), wrong


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.now().tzinfo)
    # Before 2000 nobody agreed to mail; the first and the last years of all do not fit into every time zone.
    return moment if moment.year >= 2000 and moment <= clock.now() else None


# --- As an audience -----------------------------------------------------------------------


def _reading(newsletter: Newsletter) -> Select[Any]:
    """Subscriptions that a newsletter goes to: who gets it as a partner, gets it as a partner."""
    own = audience.addresses(newsletter.audience, newsletter.topic)
    return select(Subscription).where(
        Subscription.topic == newsletter.topic,
        Subscription.address.not_in(own),
        Subscription.address.not_in(select(Suppression.address)),
        Subscription.address.not_in(select(TopicOptOut.address).where(TopicOptOut.topic == newsletter.topic)),
    )


def languages(newsletter: Newsletter) -> dict[str, int]:
    """Subscribers it goes to by language; none if it is not for them."""
    if not newsletter.to_subscribers:
        return {}
    figures = _reading(newsletter).with_only_columns(Subscription.locale, func.count())
    return {locale: number for locale, number in db.session.execute(figures.group_by(Subscription.locale))}  # noqa: C416


def reached(newsletter: Newsletter) -> Count:
    """How many partners and people get it, subscribers among the people."""
    count = audience.count(newsletter.audience, newsletter.topic)
    return Count(count.partners, count.people + sum(languages(newsletter).values()), count.left_out)


def batches(newsletter: Newsletter) -> Iterator[list[Any]]:
    """(address, language) of those it goes to, many at a time; while its ledger is written."""
    if not newsletter.to_subscribers:
        return
    # Asked for in one go, as a page of them costs as much; only their numbers stay in memory.
    there = select(Delivery.address).where(Delivery.newsletter_id == newsletter.id)
    chosen = _reading(newsletter).where(Subscription.address.not_in(there))
    chosen = chosen.with_only_columns(Subscription.id).order_by(Subscription.id)
    numbers = array("q", db.session.scalars(chosen.execution_options(yield_per=PAGE)))
    for start in range(0, len(numbers), PAGE):
        some = Subscription.id.in_(list(numbers[start : start + PAGE]))
        rows = select(Subscription.address, Subscription.locale).where(some).order_by(Subscription.id)
        yield [(address, locale) for address, locale in db.session.execute(rows)]
