"""The demo's tickets: a year of questions in four languages, the newest still waiting."""

import io
import random
import re
from datetime import datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select, update

from ..accounts.demo import Cast
from ..accounts.models import User
from ..core import i18n, storage
from ..core.access import visible
from ..core.clock import frozen, now
from ..core.database import db
from ..core.mail import receive
from ..core.settings import settings
from ..kb.models import Status as Published
from ..kb.models import Translation
from . import (
    deflecting,
    field_defining,
    fields,
    mail_files,
    mail_in,
    mail_tokens,
    policies,
    promises,
    rating,
    service,
    states,
)
from .field_values import offers
from .models import Category, Channel, Macro, Priority, Status, Ticket
from .models_fields import Kind, TicketField
from .models_mail import CopyState, Door, MailCopy
from .models_rating import Rating

TALKS = Path(__file__).with_name("demo.yaml")
MAILS = Path(__file__).with_name("demo_mails.yaml")
COUNT = 96
#: The programme asks a little more every month: how far back, and how much more.
SPAN = 390  # days
GROWTH = 1.2
#: These of the newest come by mail instead, so that the last month is no fuller than it should be.
BY_MAIL = (1, 3)
#: Questions that an article answered before they were asked.
SOLVED = 40
FEATURED = ("KRASNOVA", "WOJCIK", "BRIGHT", "SHEVCHUK")
#: What is younger stays as its conversation left it; nobody waits that long for a first answer.
LIVE_DAYS = 30
NEW_DAYS = 4
SIZES = ("300×250", "728×90", "160×600", "970×250")
MONTHS = {"en": "October", "ru": "октябрь", "uk": "жовтень", "pl": "październik"}

#: How many come back once they were solved, and what is said then.
REOPENED = 0.09
AGAIN = {
    "en": ("I am afraid it is still the same.", "Sorry, I missed one setting. It works now."),
    "ru": ("К сожалению, всё по-прежнему.", "Простите, одну настройку пропустили. Теперь всё работает."),
    "uk": ("На жаль, усе так само.", "Вибачте, одне налаштування пропустили. Тепер усе працює."),
    "pl": ("Niestety nadal jest tak samo.", "Przepraszamy, umknęło jedno ustawienie. Teraz działa."),
}
#: How many of the solved ones are rated, and what people say with a good and with a bad rating.
RATED = 0.6
OPINIONS = {
    "en": (
        ("Quick and clear, thank you.", "Solved within the hour."),
        ("It took two days to get a first answer.", "I had to explain it twice."),
    ),
    "ru": (
        ("Быстро и понятно, спасибо.", "Решили за час."),
        ("Первого ответа пришлось ждать два дня.", "Пришлось объяснять дважды."),
    ),
    "uk": (
        ("Швидко й зрозуміло, дякую.", "Розв’язали за годину."),
        ("Першої відповіді довелося чекати два дні.", "Довелося пояснювати двічі."),
    ),
    "pl": (
        ("Szybko i jasno, dziękuję.", "Rozwiązane w godzinę."),
        ("Na pierwszą odpowiedź trzeba było czekać dwa dni.", "Trzeba było tłumaczyć dwa razy."),
    ),
}
#: Fields that the programme has added: names in en, ru, uk, pl; its choices; about what; asked of partners, required.
FIELDS: tuple[tuple[tuple[str, ...], Kind, tuple[tuple[str, ...], ...], tuple[str, ...], bool, bool], ...] = (
    (
        ("Order number", "Номер заказа", "Номер замовлення", "Numer zamówienia"),
        Kind.TEXT,
        (),
        ("commission", "links"),
        True,
        False,
    ),
    (
        ("Cause", "Причина", "Причина", "Przyczyna"),
        Kind.CHOICE,
        (
            (
                "Attribution worked as agreed",
                "Правила сработали верно",
                "Правила спрацювали як слід",
                "Zgodnie z zasadami",
            ),
            (
                "Link or cookie was lost",
                "Потерян переход или cookie",
                "Втрачено перехід або cookie",
                "Utracony link lub cookie",
            ),
            ("Coupon not applied", "Промокод не применён", "Промокод не застосовано", "Kod niezastosowany"),
            ("Our mistake", "Наша ошибка", "Наша помилка", "Nasz błąd"),
            ("Bank or details", "Банк или реквизиты", "Банк або реквізити", "Bank lub dane do wypłaty"),
        ),
        ("commission", "payout", "links"),
        False,
        True,
    ),
    (
        (
            "Told the product team",
            "Передано разработчикам",
            "Передано розробникам",
            "Przekazano zespołowi produktu",
        ),
        Kind.YES_NO,
        (),
        (),
        False,
        False,
    ),
)
#: Days on which the team does not work.
HOLIDAYS = {
    "01-01": "New Year’s Day",
    "05-01": "Labour Day",
    "05-17": "Constitution Day",
    "12-25": "Christmas Day",
    "12-26": "Boxing Day",
}
#: Money that is late cannot wait.
QUICK = ({"category": "payout", "first": 180, "next": 360, "resolution": 1080},)

#: Canned replies of the team: name, text, what is done when it is sent.
MACROS = (
    (
        "Payout: below the minimum",
        "Hi {{first_name}}, your balance is below the minimum of a payout, so it is carried over to the next month. Nothing is lost.\n\n{{agent}}",
        {"category": "payout"},
    ),
    (
        "Выплата: меньше минимума",
        "Здравствуйте, {{first_name}}! Сумма меньше минимальной выплаты, поэтому она переходит на следующий месяц. Ничего не пропадёт.\n\n{{agent}}",
        {"category": "payout"},
    ),
    (
        "Wypłata: poniżej minimum",
        "Dzień dobry, saldo jest poniżej minimum wypłaty, więc przechodzi na następny miesiąc. Nic nie przepada.\n\n{{agent}}",
        {"category": "payout"},
    ),
    (
        "Виплата: менше за мінімум",
        "Добрий день, {{first_name}}! Сума менша за мінімальну виплату, тому вона переходить на наступний місяць. Нічого не зникне.\n\n{{agent}}",
        {"category": "payout"},
    ),
    (
        "Level: what comes next",
        "Hi {{first_name}}, {{partner}} is {{tier}} now. The next level starts with the first sale after you reach it.\n\n{{agent}}",
        {"category": "commission"},
    ),
    (
        "Solved, thank you",
        "Glad that it works, {{first_name}}. Write here whenever something comes up.\n\n{{agent}}",
        {"status": "resolved"},
    ),
)


def fill(cast: Cast, rng: random.Random) -> None:
    """Ask and answer, oldest first, so that numbers grow with time."""
    _promise(cast)
    for name, body, actions in MACROS:
        db.session.add(Macro(name=name, body=body, actions=actions))
    _fields(cast)
    talks = yaml.safe_load(TALKS.read_text(encoding="utf-8"))
    turn = dict.fromkeys(i18n.LOCALES, 0)
    for n, age in enumerate(sorted((_by_day(cast, rng, each) for each in _ages(rng)), reverse=True)):
        there = _there(cast, age)
        if not there:
            continue
        locale = rng.choice(sorted(there))
        # Most of what is new is still open: else the inbox would show no work.
        told = _unsettled(talks[locale], age) if age < LIVE_DAYS and n % 4 else talks[locale]
        talk = told[turn[locale] % len(told)]
        turn[locale] += 1
        # Those whose sign-ins are printed have something to look at.
        featured = [user for code, user in cast.owners.items() if code in FEATURED and user in there[locale]]
        asker = rng.choice(featured or there[locale]) if turn[locale] % 3 == 1 else rng.choice(there[locale])
        _play(cast, rng, asker, talk, age=age, key=f"demo-{n:03d}")
    _by_mail(cast)
    _solved(cast, rng)
    db.session.execute(update(Rating).values(mail_due_at=None))
    # Nobody waits for mails about what the demo's people wrote a year ago.
    db.session.execute(update(MailCopy).values(state=CopyState.SENT))


def _fields(cast: Cast) -> None:
    with cast.at(days=SPAN + 1):
        for position, (names, kind, choices, categories, asked, required) in enumerate(FIELDS, 1):
            said = {
                "names": dict(zip(i18n.LOCALES, names, strict=True)),
                "kind": kind,
                "choices": [
                    {"key": str(n), "names": dict(zip(i18n.LOCALES, each, strict=True)), "gone": False}
                    for n, each in enumerate(choices, 1)
                ],
                "categories": list(categories),
                "for_partners": asked,
                "is_required": required,
                "position": position,
            }
            field_defining.save(cast.anna, TicketField(), said)


def _fill_in(ticket: Ticket, agent: User) -> None:
    """What the agent writes down before it is solved."""
    rng = random.Random(ticket.number)  # noqa: S311 - a demo
    typed = {}
    for filled in fields.of(ticket, agent):
        if filled.field.kind is Kind.TEXT:
            order = re.search(r"\b4\d{4}\b", ticket.subject)
            typed[filled.field.id] = order[0] if order else ""
        elif filled.field.is_required or rng.random() < 0.15:
            typed[filled.field.id] = rng.choice(offers(filled.field))[0]
    fields.fill_in(ticket, agent, typed)


def _promise(cast: Cast) -> None:
    """The team's hours and promised times, and how they became better in autumn."""
    rules = policies.data_of(None) | {"zone": settings.programme_timezone} | _days_off(cast.now.year)
    with cast.at(days=SPAN + 1):
        policies.change(cast.anna, rules, based_on=0)
    with cast.at(days=120):
        last = policies.versions()[0].id
        faster = [{"tier": "gold", "first": 120, "next": 240, "resolution": 1080}, *QUICK]
        policies.change(cast.anna, rules | {"policies": [*rules["policies"], *faster]}, based_on=last)


def _days_off(year: int) -> dict[str, Any]:
    names = {f"{each}-{day}": name for each in (year - 1, year, year + 1) for day, name in HOLIDAYS.items()}
    return {"holidays": sorted(names), "holiday_names": names}


def _ages(rng: random.Random) -> list[float]:
    """How many days ago each was asked, the oldest first: evenly growing, whatever day it is today."""
    turns = (n for n in reversed(range(COUNT)) if n not in BY_MAIL)
    return [SPAN * ((n + rng.random()) / COUNT) ** GROWTH for n in turns]


def _by_day(cast: Cast, rng: random.Random, age: float) -> float:
    """The same age, moved to a time at which people are awake, and mostly at work."""
    if age < 2:
        return age
    moment = cast.now - timedelta(days=age)
    if moment.weekday() > 4 and rng.random() < 0.75:
        moment += timedelta(days=rng.choice((2, 3)))
    hour = rng.choices(range(6, 22), (1, 3, 6, 9, 10, 9, 7, 8, 9, 7, 5, 3, 2, 2, 2, 1))[0]
    moment = moment.replace(hour=hour, minute=rng.randint(0, 59))
    return max((cast.now - moment) / timedelta(days=1), 0.5)


def _there(cast: Cast, age: float) -> dict[str, list[User]]:
    """Who had joined by then, by language."""
    moment = cast.now - timedelta(days=age)
    found: dict[str, list[User]] = {}
    for user in cast.owners.values():
        if user.created_at <= moment:
            found.setdefault(user.locale, []).append(user)
    return found


def _unsettled(talks: list[dict[str, Any]], age: float) -> list[dict[str, Any]]:
    """Conversations that have not come to their end at this age."""
    over = {Status.RESOLVED} if age < NEW_DAYS else {Status.RESOLVED, Status.NEW}
    return [talk for talk in talks if talk["end"] not in over]


def _solved(cast: Cast, rng: random.Random) -> None:
    """Some who were about to ask found an article enough; of some a ticket came all the same."""
    owners = list(cast.owners.values())
    texts = select(Translation).where(Translation.status == Published.PUBLISHED).order_by(Translation.id)
    articles = list(db.session.scalars(visible(texts, owners[0]))) if owners else []
    for _ in range(SOLVED if articles else 0):
        reader = rng.choice(owners)
        mine = [each for each in articles if each.locale == reader.locale]
        with cast.at(days=rng.uniform(0.5, 80)):
            if mine:
                deflecting.claim(reader, rng.choice(mine))
    with cast.at():
        deflecting.settle()


def _by_mail(cast: Cast) -> None:
    """A few mails as a mailbox brings them: questions, an automatic reply, and one that nobody can place."""
    for n, each in enumerate(yaml.safe_load(MAILS.read_text(encoding="utf-8"))):
        sender = cast.owners.get(each.get("code", ""))
        if sender is None and "code" in each:
            continue
        with cast.at(hours=each["hours"]):
            raw = _raw(each, sender.email if sender else each["from"], n)
            row = mail_in.add(storage.store(io.BytesIO(raw), limit=len(raw)), Door.IMAP)
            received = receive.parse(raw)
            mail_in.place(row, received, mail_files.keep(received), f"demo-{n}")


def _raw(each: dict[str, Any], sender: str, n: int) -> bytes:
    head = {
        "From": sender,
        "To": mail_tokens.inbox(),
        "Subject": str(Header(each["subject"], each["charset"]).encode()),
        "Date": format_datetime(now()),
        "Message-ID": f"<demo-{n}@mail.example>",
        "Content-Type": f"text/plain; charset={each['charset']}",
        "Content-Transfer-Encoding": "8bit",
    } | each.get("head", {})
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return lines.encode() + b"\r\n" + each["text"].encode(each["charset"])


def _play(cast: Cast, rng: random.Random, asker: Any, talk: dict[str, Any], *, age: float, key: str) -> None:
    words = _words(rng, asker)
    agent = rng.choice([cast.tomasz, cast.tomasz, cast.olena])
    recent = age < (NEW_DAYS if talk["end"] == Status.NEW else LIVE_DAYS)
    ticket: Ticket | None = None
    with cast.at(days=age):
        moment = now()
    for n, (who, text) in enumerate(talk["talk"]):
        with frozen(moment):
            client_id = f"{key}-{n:02d}"
            if ticket is None:
                subject = talk["subject"].format(**words)
                channel = rng.choice([Channel.PORTAL, Channel.PORTAL, Channel.CHAT])
                category = Category(talk["category"])
                ticket = service.open_ticket(
                    asker,
                    subject,
                    text.format(**words),
                    category=category,
                    channel=channel,
                    client_id=client_id,
                )
            elif who == "N":
                service.note(ticket, agent, text.format(**words), client_id=client_id)
            else:
                author = asker if who == "P" else agent
                service.reply(ticket, author, text.format(**words), seen=ticket.last_seq, client_id=client_id)
        moment = min(_at_the_desk(rng, moment + _pause(rng, who)), cast.now)
    assert ticket is not None
    _leave(rng, ticket, agent, talk, recent=recent, moment=moment, today=cast.now)


def _leave(
    rng: random.Random,
    ticket: Ticket,
    agent: Any,
    talk: dict[str, Any],
    *,
    recent: bool,
    moment: datetime,
    today: datetime,
) -> None:
    """A recent ticket stays as its conversation left it; an old one is settled."""
    with frozen(moment):
        if recent:
            if rng.random() < 0.25:
                service.classify(ticket, agent, priority=Priority.HIGH, category=ticket.category)
            if talk["end"] == Status.RESOLVED:
                _fill_in(ticket, agent)
                service.set_status(ticket, agent, Status.RESOLVED)
            return
        if ticket.status is Status.NEW:
            text = talk["answer"]
            service.reply(
                ticket, agent, text.format(coupon="SPRING10"), seen=99, client_id=f"demo-end-{ticket.number}"
            )
        _fill_in(ticket, agent)
        service.set_status(ticket, agent, Status.RESOLVED)
    if rng.random() < REOPENED:
        moment = _once_more(rng, ticket, agent, moment, today)
    if rng.random() < RATED:
        _rate(rng, ticket, moment + timedelta(minutes=rng.randint(20, 3000)), today)
    over = moment + timedelta(days=settings.ticket_reopen_days)
    if ticket.status is Status.RESOLVED and over < today:
        with frozen(over):
            states.turn(ticket, None, Status.CLOSED)


def _once_more(rng: random.Random, ticket: Ticket, agent: Any, moment: datetime, today: datetime) -> datetime:
    """It was not solved after all; when it was then."""
    asked, answered = AGAIN[ticket.requester.locale]
    back = _at_the_desk(rng, moment + timedelta(hours=rng.randint(2, 60)))
    later = _at_the_desk(rng, back + _pause(rng, "P"))
    if later >= today:
        return moment
    with frozen(back):
        service.reply(
            ticket, ticket.requester, asked, seen=ticket.last_seq, client_id=f"demo-back-{ticket.number}"
        )
    with frozen(later):
        service.reply(ticket, agent, answered, seen=ticket.last_seq, client_id=f"demo-more-{ticket.number}")
        service.set_status(ticket, agent, Status.RESOLVED)
    return later


def _rate(rng: random.Random, ticket: Ticket, moment: datetime, now: datetime) -> None:
    """Most are content; who is not says why more often."""
    asked = rating.latest(ticket)
    if asked is None or moment >= now:
        return
    score = rng.choices((5, 4, 3, 2, 1), (11, 6, 2, 1, 1))[0]
    said = OPINIONS[ticket.requester.locale][0 if score > 3 else 1]
    with frozen(moment):
        rating.rate(asked, ticket.requester, score, rng.choice(said) if rng.random() < 0.4 else "")


def _at_the_desk(rng: random.Random, moment: datetime) -> datetime:
    """The moment itself, or soon after the team is back: next morning, after the weekend."""
    opening = promises.rules_now().hours.next_opening(moment)
    if opening is None or opening <= moment:
        return moment
    return opening + timedelta(minutes=rng.randint(4, 110))


def _pause(rng: random.Random, who: str) -> timedelta:
    return timedelta(minutes=rng.randint(2, 15) if who == "N" else rng.randint(12, 300))


def _words(rng: random.Random, asker: Any) -> dict[str, str]:
    with i18n.speaking(asker.locale):
        currency = {"pl": "PLN", "uk": "UAH", "en": "GBP"}.get(asker.locale, "EUR")
        minor = {"PLN": 19180, "UAH": 179980, "GBP": 4780, "EUR": 4780}[currency]
        return {
            "order": str(rng.randint(41000, 48999)),
            "amount": i18n.money(minor, currency),
            "size": rng.choice(SIZES),
            "coupon": rng.choice(("SPRING10", "INVOICE10", "FREELANCE10")),
            "month": MONTHS[asker.locale],
            "hub": settings.base_url,
        }
