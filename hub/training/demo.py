"""The demo's training: webinars of the past year with who came, the next ones, a course half read."""

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from ..accounts.demo import Cast
from ..accounts.models import User
from ..core.database import db
from ..core.i18n import speaking
from . import content, courses
from .models import (
    Registration,
    RegistrationStatus,
    Webinar,
    WebinarQuestion,
    WebinarStatus,
    WebinarVote,
)
from .service import moment

CONTENT = Path(__file__).parents[2] / "content" / "training"
S = RegistrationStatus


@dataclass(frozen=True)
class Talk:
    """A webinar of the demo: so many days from today, at an hour on its own clock."""

    days: int
    hour: int
    zone: str
    language: str
    title: str
    about: str
    host: str
    host_about: str
    minutes: int = 60
    capacity: int = 100
    slides: str = ""
    questions: tuple[tuple[str, str], ...] = ()  # question, answer


ANNA = ("Anna Lindqvist", "Partner manager at Nordbill")
TOMASZ = ("Tomasz Zieliński", "opiekun partnerów, od ośmiu lat w marketingu partnerskim")
OLENA = ("Олена Коваленко", "спеціалістка підтримки партнерів")
MARIA = ("Мария Краснова", "«Студия Краснова», партнёр с уровнем «Золото»")

PAST = (
    Talk(
        -331, 15, "Europe/Oslo", "en", "Your first month as a partner",
        "What to place first, which numbers to look at and when the first payout comes. With two partners who began last year.\n\n- a link that is counted\n- three placements that work from day one\n- reading your earnings", *ANNA,
        slides="Slides: your first month",
        questions=(("Do clicks from a newsletter count?", "Yes, as long as the link is yours and readers asked for the newsletter."),),
    ),
    Talk(
        -254, 11, "Europe/Warsaw", "pl", "Kody rabatowe: kiedy pomagają, a kiedy szkodzą",
        "Kod daje klientowi 10% zniżki i zawsze wygrywa z linkiem. Pokazujemy, gdzie go umieścić, a gdzie lepiej zostawić sam link.\n\n- podcasty i nagrania wideo\n- kod w opisie czy w treści\n- jak nie oddać prowizji serwisom z kodami", *TOMASZ,
        minutes=45, slides="Slajdy: kody rabatowe",
        questions=(("Czy można mieć dwa kody?", "Tak, po jednym na kanał. Wystarczy zgłoszenie."),),
    ),
    Talk(
        -187, 16, "Asia/Almaty", "ru", "Обзор, которому верят: как писать о сервисе честно",
        "Почему обзор с недостатками продаёт лучше, чем без них. Разбираем три статьи партнёров абзац за абзацем.\n\n- с чего начать, если читатель уже выбирает\n- где ставить ссылку\n- как обновлять статью раз в квартал", *MARIA,
        slides="Слайды и шаблон обзора",
        questions=(
            ("Нужно ли указывать, что ссылка партнёрская?", "Да, одной фразой до первой ссылки. На доход это не влияет, а доверие растёт."),
            ("Сколько текста достаточно?", "Ориентир — 900 слов и два снимка экрана."),
        ),
    ),
    Talk(
        -122, 13, "Europe/Kyiv", "uk", "Куди діваються переходи: мітки, перенаправлення, блокувальники",
        "Перевіряємо посилання від кліку до продажу й шукаємо, де воно губиться.\n\n- мітки UTM і глибокі посилання\n- що роблять скорочувачі\n- перевірка за дві хвилини перед публікацією", *OLENA,
        minutes=50, slides="Слайди та список перевірки",
    ),
    Talk(
        -66, 10, "Europe/London", "en", "From Silver to Gold: what the fastest partners did",
        "Five partners passed thirty sales in a year. We looked at when, where and with what, and made a plan out of it.\n\n- seasons worth preparing for\n- old articles that sell again\n- working with your manager", *ANNA,
        slides="Slides and the yearly plan",
        questions=(("Does the level fall again in January?", "Yes. On 1 January everyone starts from Bronze again; what was earned before stays as it was."),),
    ),
    Talk(
        -24, 12, "Europe/Warsaw", "pl", "Jak czytać swoje zarobki: od kliknięcia do wypłaty",
        "Oczekuje, zatwierdzone, do wypłaty, wypłacone: co znaczy każde z nich i skąd się bierze każda kwota.\n\n- okres wstrzymania i zwroty\n- prowizja od odnowień\n- kiedy zapytać o wpis", *TOMASZ,
        slides="Slajdy i przykładowe zestawienie",
    ),
)  # fmt: skip

COMING = (
    Talk(
        5, 13, "Europe/Kyiv", "uk", "Що продає перед святами: розбір п’яти кампаній",
        "Беремо п’ять справжніх кампаній партнерів і дивимося, що спрацювало: заголовок, час листа, розмір банера. Наприкінці зберемо план на два тижні, який можна повторити.\n\n- який тариф купують перед святами й чому\n- коли писати: три дні, що дають половину продажів\n- помилки в посиланнях, через які губиться комісія", *OLENA,
        capacity=60,
        questions=(
            ("Чи варто давати промокод, якщо вже є знижка на річний тариф?", ""),
            ("Як порахувати, скільки принесла стаття, а скільки розсилка?", ""),
            ("Чи будуть банери для Telegram?", "Так, вони вже є в матеріалах."),
        ),
    ),
    Talk(
        9, 17, "Asia/Almaty", "ru", "Видео о сервисе: сценарий на четыре минуты",
        "Короткое видео с экраном и голосом приводит больше покупателей, чем длинный обзор. Пишем сценарий вместе, на ваших примерах.\n\n- первые двадцать секунд\n- что показать, а что рассказать\n- промокод в кадре и в описании", *MARIA,
        capacity=40,
        questions=(("Нужен ли отдельный промокод для видео?", ""), ("Можно ли показывать демонстрационный аккаунт?", "")),
    ),
    Talk(
        12, 11, "Europe/Warsaw", "pl", "Plan na kwartał w godzinę",
        "Przynieś swoje liczby z ostatnich trzech miesięcy. Wyjdziesz z planem publikacji, celem i listą trzech rzeczy, które warto przestać robić.\n\n- co się sprzedawało, a co tylko klikało\n- sezon w księgowości małych firm\n- cel, który da się sprawdzić", *TOMASZ,
        minutes=60, capacity=6,
    ),
    Talk(
        20, 10, "Europe/London", "en", "Ask us anything: payouts, levels, attribution",
        "No slides. Bring the entry you never understood, and we will follow it from the click to the payout.\n\n- questions with the most votes come first\n- your own figures stay private", *ANNA,
        minutes=45, capacity=80,
    ),
)  # fmt: skip


def fill(cast: Cast, rng: random.Random) -> None:
    """A year of webinars, the next ones, and readers of the course."""
    people = sorted(cast.owners.values(), key=lambda user: user.id)
    cast.rooms["training"] = {"past": [_hold(cast, talk, people, rng) for talk in PAST]}
    for talk in COMING:
        _announce(cast, talk, people, rng)
    if CONTENT.is_dir():  # an installation without the source tree has none
        with cast.at(days=350):
            content.sync(CONTENT)
        _learn(cast, people, rng)


def _plan(cast: Cast, talk: Talk, announced: float) -> Webinar:
    day = (cast.now + timedelta(days=talk.days)).astimezone(ZoneInfo(talk.zone)).date()
    while day.weekday() > 4:
        day += timedelta(days=1 if talk.days > 0 else -1)
    starts_at = moment(datetime.combine(day, time(talk.hour)), talk.zone)
    with cast.at(days=announced) as at:
        webinar = Webinar(
            title=talk.title, description=talk.about, language=talk.language, zone=talk.zone, starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=talk.minutes), host=talk.host, host_about=talk.host_about,
            capacity=talk.capacity, join_url=f"https://meet.nordbill.example/{abs(talk.days) * 7919 % 10000:04d}",
            created_at=at, updated_at=at,
        )  # fmt: skip
    db.session.add(webinar)
    db.session.flush()
    return webinar


def _hold(cast: Cast, talk: Talk, people: list[User], rng: random.Random) -> Webinar:
    """A webinar that took place, its recording and who came."""
    webinar = _plan(cast, talk, announced=18 - talk.days)
    webinar.status = WebinarStatus.DONE
    webinar.recording_url = f"https://video.nordbill.example/{-talk.days}"
    webinar.recording_told_at = webinar.ends_at + timedelta(hours=20)
    if talk.slides:
        webinar.links = [
            {"title": talk.slides, "url": f"https://files.nordbill.example/webinars/{-talk.days}.pdf"}
        ]
    for user in _interested(talk, people, rng):
        if user.created_at < webinar.starts_at:
            roll = rng.random()
            status = S.ATTENDED if roll < 0.68 else S.REGISTERED if roll < 0.93 else S.CANCELLED
            _enter(webinar, user, status, rng)
    _ask(webinar, talk, people, rng)
    return webinar


def _announce(cast: Cast, talk: Talk, people: list[User], rng: random.Random) -> None:
    """A webinar to come; the owner of KRASNOVA has still to register, for whoever tries the demo."""
    webinar = _plan(cast, talk, announced=6)
    krasnova = cast.owners.get("KRASNOVA")
    seats = webinar.capacity
    for user in _interested(talk, [user for user in people if user is not krasnova], rng):
        _enter(webinar, user, S.REGISTERED if seats > 0 else S.WAITLISTED, rng, now=cast.now)
        seats -= 1
    _ask(webinar, talk, people, rng, now=cast.now)


def _interested(talk: Talk, people: list[User], rng: random.Random) -> list[User]:
    """Most who speak the language, and a few others."""
    return [user for user in people if rng.random() < (0.75 if user.locale == talk.language else 0.08)]


def _enter(webinar: Webinar, user: User, status: S, rng: random.Random, now: datetime | None = None) -> None:
    since = (now or webinar.starts_at) - timedelta(hours=rng.uniform(1, 120))
    db.session.add(
        Registration(
            webinar_id=webinar.id,
            user_id=user.id,
            status=status,
            since=since,
            day_reminder_at=None if now else webinar.starts_at - timedelta(days=1),
            hour_reminder_at=None if now else webinar.starts_at - timedelta(hours=1),
        )
    )


def _ask(
    webinar: Webinar, talk: Talk, people: list[User], rng: random.Random, now: datetime | None = None
) -> None:
    speakers = [user for user in people if user.locale == talk.language]
    for text, answer in talk.questions if speakers else ():
        voters = rng.sample(speakers, rng.randint(1, len(speakers)))
        question = WebinarQuestion(
            webinar_id=webinar.id,
            user_id=voters[0].id,
            text=text,
            answer=answer or None,
            votes=len(voters),
            created_at=(now or webinar.starts_at) - timedelta(hours=rng.uniform(2, 90)),
        )
        db.session.add(question)
        db.session.flush()
        db.session.add_all(WebinarVote(question_id=question.id, user_id=user.id) for user in voters)


def _learn(cast: Cast, people: list[User], rng: random.Random) -> None:
    """Some have finished the course, some are in the middle, KRASNOVA's owner has two lessons left."""
    krasnova = cast.owners.get("KRASNOVA")
    for user in people:
        lessons = 3 if user is krasnova else rng.choice((0, 0, 0, 1, 2, 4, 5, 5))
        days = min(rng.uniform(3, 300), (cast.now - user.created_at).days)
        with speaking(user.locale), cast.at(days=days):
            course = courses.open_course("basics", user)
            for step in course.steps[:lessons]:
                courses.finish(step, user)
            if lessons == len(course.steps):
                right = [question["answer"] for question in course.text.quiz]
                if rng.random() < 0.4:
                    right[rng.randrange(len(right))] = 0
                courses.take_quiz(courses.open_course("basics", user), user, right)


def seated(webinar: Webinar) -> list[int]:
    """Ids of those who came or had a seat, for a survey afterwards."""
    rows = select(Registration.user_id).where(
        Registration.webinar_id == webinar.id, Registration.status.in_((S.ATTENDED, S.REGISTERED))
    )
    return list(db.session.scalars(rows.order_by(Registration.user_id)))
