"""The demo's surveys: two that are over with their answers, one that waits, and what partners wish for."""

import random
from datetime import timedelta
from typing import Any

from ..accounts.demo import Cast
from ..accounts.models import User
from ..core.database import db
from ..core.i18n import speaking
from ..training.demo import seated
from . import ideas as wishes
from . import service
from .models import (
    Audience,
    Idea,
    IdeaStatus,
    IdeaVote,
    Invitation,
    Question,
    QuestionKind,
    Survey,
    SurveyStatus,
)
from .service import Given

K = QuestionKind


def _t(en: str, ru: str, uk: str, pl: str) -> dict[str, str]:
    return {"en": en, "ru": ru, "uk": uk, "pl": pl}


RECOMMEND = _t(
    "How likely are you to recommend our partner programme to a colleague?",
    "Насколько вероятно, что вы порекомендуете нашу партнёрскую программу коллеге?",
    "Наскільки ймовірно, що ви порадите нашу партнерську програму колезі?",
    "Na ile prawdopodobne jest polecenie naszego programu partnerskiego koledze lub koleżance?",
)
MISSING = _t(
    "What is missing most?",
    "Чего больше всего не хватает?",
    "Чого найбільше бракує?",
    "Czego najbardziej brakuje?",
)
MISSING_OPTIONS = [
    _t("New banners", "Новых баннеров", "Нових банерів", "Nowych banerów"),
    _t("Ready texts", "Готовых текстов", "Готових текстів", "Gotowych tekstów"),
    _t("Faster answers", "Быстрых ответов", "Швидких відповідей", "Szybszych odpowiedzi"),
    _t("Clearer earnings", "Ясности в доходах", "Ясності в доходах", "Jaśniejszych zarobków"),
]
CHANGE = _t(
    "What should we change first?",
    "Что нам изменить в первую очередь?",
    "Що нам змінити насамперед?",
    "Co powinniśmy zmienić w pierwszej kolejności?",
)
WORDS = {
    "en": (
        "A monthly list of what is new in the product, two weeks before it ships.",
        "Banners in the sizes newsletters use.",
        "Nothing urgent. The explanations beside each amount are excellent.",
        "Payouts in pounds twice a month.",
    ),
    "ru": (
        "Хотелось бы видеть продажи по статьям, а не только по ссылке.",
        "Больше вертикальных баннеров для историй.",
        "Отвечаете быстро, спасибо. Не хватает примеров текстов для писем.",
    ),
    "uk": (
        "Показуйте, з якої сторінки прийшов покупець.",
        "Більше вебінарів українською, останній був дуже корисний.",
        "Додайте банери для Telegram.",
    ),
    "pl": (
        "Statystyki z podziałem na strony.",
        "Szybsze zatwierdzanie prowizji od planu rocznego.",
        "Więcej gotowych tekstów na Facebooka, krótkich.",
    ),
}
IDEAS = (
    (
        "SHEVCHUK",
        "Банери для Telegram-каналів",
        "Квадратні й горизонтальні, з коротким текстом українською.",
        IdeaStatus.DONE,
        "Вони вже в матеріалах: кампанія «Месенджери».",
    ),
    (
        "WOJCIK",
        "Statystyki sprzedaży według podstron",
        "Mam dwadzieścia artykułów z tym samym linkiem i nie wiem, który sprzedaje.",
        IdeaStatus.PLANNED,
        "Pracujemy nad tym, pierwsza wersja w przyszłym kwartale.",
    ),
    (
        "BRIGHT",
        "A calendar of product releases for partners",
        "So that reviews are ready on the day, not a week later.",
        IdeaStatus.PLANNED,
        "From next month in the monthly update.",
    ),
    ("KRASNOVA", "Готовые письма для рассылки по подписчикам", "Три письма: знакомство, пример, напоминание о скидке.", IdeaStatus.NEW, ""),
    ("PENNY", "Payouts twice a month above £500", "", IdeaStatus.DECLINED, "One payout a month keeps the fees low for everyone; the 5th stays."),
    ("FAKTUROWNIK", "Powiadomienie o każdej sprzedaży na telefon", "Wystarczy krótka wiadomość z kwotą.", IdeaStatus.NEW, ""),
    ("GRUENDER", "A sandbox account to take screenshots in", "With invented customers and figures that look real.", IdeaStatus.DONE, "Ask your manager: every partner can have one now."),
    ("PODATKOWO", "Wspólny webinar partnera i zespołu", "Dla moich czytelników, z pytaniami na żywo.", IdeaStatus.NEW, ""),
)  # fmt: skip


def fill(cast: Cast, rng: random.Random) -> None:
    """Ask twice with answers, once without, and collect ideas."""
    if not cast.owners:
        return
    _spring(cast, rng)
    _after_webinar(cast, rng)
    _open(cast, rng)
    _wish(cast, rng)


def _survey(
    cast: Cast, *, opened: float, days: float, questions: list[dict[str, Any]], **values: Any
) -> Survey:
    with cast.at(days=opened) as at:
        survey = Survey(
            opens_at=at,
            closes_at=at + timedelta(days=days),
            status=SurveyStatus.PUBLISHED,
            invited_at=at,
            **values,
        )
        db.session.add(survey)
        db.session.flush()
        for order, question in enumerate(questions, 1):
            db.session.add(Question(survey_id=survey.id, order=order, **question))
        db.session.flush()
    return survey


def _answer(cast: Cast, survey: Survey, user: User, when: float, rng: random.Random) -> None:
    with speaking(user.locale), cast.at(days=when):
        answers = [given for each in survey.questions if (given := _given(each, user, rng))]
        service.respond(survey, user, answers)


def _given(question: Question, user: User, rng: random.Random) -> Given | None:
    if question.kind is K.SCALE:
        scores = (10, 10, 9, 9, 9, 9, 8, 8, 8, 7, 7, 6, 5, 3)
        return Given(question, number=rng.choice(scores))
    if question.kind is K.SINGLE:
        return Given(
            question, number=rng.choice([n for n in range(len(question.options)) for _k in range(4 - n % 3)])
        )
    return Given(question, text=rng.choice(WORDS[user.locale])) if rng.random() < 0.4 else None


def _ask(survey: Survey, users: list[User]) -> None:
    db.session.add_all(
        Invitation(survey_id=survey.id, user_id=user.id, created_at=survey.opens_at) for user in users
    )
    db.session.flush()


def _spring(cast: Cast, rng: random.Random) -> None:
    """The half-yearly survey, anonymous."""
    opened = 172.0
    survey = _survey(
        cast, opened=opened, days=14, is_anonymous=True,
        titles=_t("How are we doing?", "Как у нас получается?", "Як у нас виходить?", "Jak nam idzie?"),
        intros=_t("Twice a year we ask everyone. Three questions, two minutes.", "Дважды в год спрашиваем всех. Три вопроса, две минуты.", "Двічі на рік питаємо всіх. Три запитання, дві хвилини.", "Dwa razy w roku pytamy wszystkich. Trzy pytania, dwie minuty."),
        questions=[
            {"kind": K.SCALE, "texts": RECOMMEND},
            {"kind": K.SINGLE, "texts": MISSING, "options": MISSING_OPTIONS},
            {"kind": K.TEXT, "texts": CHANGE, "is_required": False},
        ],
    )  # fmt: skip
    there = [user for user in cast.owners.values() if user.created_at < survey.opens_at]
    _ask(survey, there)
    for user in there:
        if rng.random() < 0.7:
            _answer(cast, survey, user, opened - rng.uniform(0.2, 12), rng)


def _after_webinar(cast: Cast, rng: random.Random) -> None:
    """What those who had a seat thought of the newest webinar."""
    past = cast.rooms.get("training", {}).get("past", [])
    if not past:
        return
    webinar = past[-1]
    opened = (cast.now - webinar.ends_at) / timedelta(days=1)
    survey = _survey(
        cast, opened=opened, days=10, audience=Audience.WEBINAR, webinar_id=webinar.id,
        titles=_t("After the webinar on earnings", "После вебинара о доходах", "Після вебінару про доходи", "Po webinarze o zarobkach"),
        intros=_t("Two minutes that make the next one better.", "Две минуты, чтобы следующий был лучше.", "Дві хвилини, щоб наступний був кращим.", "Dwie minuty, dzięki którym następny będzie lepszy."),
        questions=[
            {"kind": K.SCALE, "texts": _t("How useful was the webinar?", "Насколько полезен был вебинар?", "Наскільки корисним був вебінар?", "Na ile przydatny był webinar?")},
            {"kind": K.TEXT, "texts": _t("What would you like to hear about next?", "О чём рассказать в следующий раз?", "Про що розповісти наступного разу?", "O czym opowiedzieć następnym razem?"), "is_required": False},
        ],
    )  # fmt: skip
    people = [db.session.get_one(User, id) for id in seated(webinar)]
    _ask(survey, people)
    for user in people:
        if rng.random() < 0.75:
            _answer(cast, survey, user, opened - rng.uniform(0.1, 6), rng)


def _open(cast: Cast, rng: random.Random) -> None:
    """The one that is open: KRASNOVA's owner has still to answer."""
    survey = _survey(
        cast, opened=4, days=18,
        titles=_t("What should we prepare for the next quarter?", "Что подготовить к следующему кварталу?", "Що підготувати до наступного кварталу?", "Co przygotować na następny kwartał?"),
        intros=_t("Three questions. Your answers decide what we draw and write first.", "Три вопроса. Ваши ответы решат, что мы нарисуем и напишем первым.", "Три запитання. Ваші відповіді вирішать, що ми намалюємо й напишемо першим.", "Trzy pytania. Odpowiedzi zdecydują, co narysujemy i napiszemy najpierw."),
        questions=[
            {"kind": K.SCALE, "texts": RECOMMEND},
            {"kind": K.SINGLE, "texts": _t("Which material do you use most?", "Какие материалы вы используете чаще всего?", "Які матеріали ви використовуєте найчастіше?", "Z jakich materiałów korzysta się u Was najczęściej?"), "options": [
                _t("Banners", "Баннеры", "Банери", "Banery"), _t("Ready texts", "Готовые тексты", "Готові тексти", "Gotowe teksty"),
                _t("Videos", "Видео", "Відео", "Filmy"), _t("Only my own", "Только свои", "Лише власні", "Tylko własne")]},
            {"kind": K.TEXT, "texts": CHANGE, "is_required": False},
        ],
    )  # fmt: skip
    krasnova = cast.owners.get("KRASNOVA")
    people = list(cast.owners.values())
    _ask(survey, people)
    for user in people:
        if user is not krasnova and rng.random() < 0.35:
            _answer(cast, survey, user, rng.uniform(0.1, 3.9), rng)


def _wish(cast: Cast, rng: random.Random) -> None:
    everyone = list(cast.owners.values())
    for code, title, body, status, reply in IDEAS:
        author = cast.owners.get(code) or rng.choice(everyone)
        with cast.at(days=rng.uniform(8, 200)):
            idea: Idea = wishes.propose(author, title, body)
        idea.status, idea.reply = status, reply
        others = [user for user in everyone if user is not author]
        voters = rng.sample(others, min(len(others), rng.randint(2, 19)))
        db.session.add_all(IdeaVote(idea_id=idea.id, user_id=user.id) for user in voters)
        idea.votes = 1 + len(voters)
