"""Finding, on whichever engine the database under test brings."""

import random
import shutil
import threading

import pytest
from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC

from hub.core import fulltext, jobs
from hub.core.fulltext import Document, IndexMissing, Section
from hub.core.fulltext.question import Question, Wanted
from hub.core.fulltext.search import search
from hub.core.fulltext.whoosh_engine import WhooshEngine
from hub.core.settings import settings

EVERYONE = frozenset({"public"})
PARTNER = EVERYONE | {"partners"}
TEAM = PARTNER | {"staff"}


def article(number, title, body="", lang="ru", audience="public", kind="article", **more):
    return Document(
        kind, number, lang, frozenset(audience.split()), title, f"/kb/{lang}/{number}", body=body, **more
    )


@pytest.fixture
def index(app):
    """`index(documents)` makes an index of just these, per language."""

    def index(*documents):
        for lang in ("en", "ru", "uk", "pl"):
            fulltext.engine().rebuild(lang, [each for each in documents if each.lang == lang], lambda _: None)

    index()
    return index


def ask(text, lang="ru", audience=EVERYONE, **options):
    return search(fulltext.engine(), lang, text, audience, **options)


def found(*args, **options):
    return [hit.document.id for hit in ask(*args, **options).hits]


def test_an_inflected_question_finds_and_marks_every_form(index):
    index(
        article(1, "Выплата комиссии", "Комиссию считают <b>ежедневно</b>. Выплаты идут 5 числа."),
        article(2, "Баннеры"),
    )
    hit = ask("выплатами комиссиям").hits[0]
    assert hit.document.id == 1
    assert hit.title == "<mark>Выплата</mark> <mark>комиссии</mark>"
    assert "<mark>Комиссию</mark> считают &lt;b&gt;" in hit.fragment


def test_a_title_outranks_a_body_and_all_words_outrank_one(index):
    index(
        article(1, "Ссылка", "партнёрская ссылка и купон купон купон"),
        article(2, "Купон", "скидка"),
        article(3, "Купон и ссылка", "скидка"),
        *(article(n, f"Прочее {n}", "другое") for n in range(4, 12)),
    )
    assert found("купон ссылка")[0] == 3
    assert found("купон")[:2] == [2, 3]


def test_what_a_viewer_may_not_see_leaves_no_trace(index):
    index(
        article(1, "Правила для всех", "общая статья"),
        article(2, "Секретарский регламент", "секретно", audience="staff"),
        article(3, "Секретарский журнал", "секретно", audience="staff"),
    )
    for text in ("секретарский", "секретарскый", "секретарск", "секретно"):
        answer = ask(text, audience=PARTNER, typing=True)
        assert (answer.hits, answer.by_kind, answer.instead) == ([], {}, {})
    assert found("секретарскый", audience=TEAM) == [2, 3]


def test_a_document_that_changes_audience_takes_its_words_along(index):
    index(article(1, "Калибровка", "текст"), article(2, "Другое"))
    fulltext.engine().write("ru", [article(1, "Калибровка", "текст", audience="staff")])
    assert ask("калибровкк").instead == {}
    assert ask("калибровкк", audience=TEAM).instead == {"калибровкк": ["калибровка"]}


def test_a_removed_document_is_gone_with_its_words(index):
    index(article(1, "Калибровка"), article(2, "Другое"))
    fulltext.engine().write("ru", [], ["article:1"])
    assert found("калибровка") == []
    assert ask("калибровкк").instead == {}


def test_a_typo_is_corrected_and_said(index):
    index(article(1, "Партнёрская ссылка"), article(2, "Баннеры"))
    answer = ask("партненская сылка")
    assert answer.hits[0].document.id == 1
    assert answer.instead == {"партненская": ["партнерская"], "сылка": ["ссылка"]}


def test_an_unknown_form_of_a_known_word_is_no_typo(index):
    index(article(1, "Ссылка"), article(2, "Сылка города"))
    answer = ask("ссылками")
    assert [hit.document.id for hit in answer.hits] == [1]
    assert answer.instead == {}


def test_the_last_word_completes_while_typing_and_when_nothing_else_is_known(index):
    index(article(1, "Партнёрская ссылка"), article(2, "Партнёр"))
    assert found("партнёр", typing=True) == [2, 1]
    assert found("партнёр", typing=False) == [2]
    assert found("партнёрс", typing=True) == found("партнёрс") == found("gfhny`hc") == [1]


def test_polish_letters_are_optional(index):
    index(article(1, "Zgłoszenie", lang="pl"), article(2, "Wypłata", lang="pl"))
    assert found("zgloszenie", lang="pl") == [1]


def test_ukrainian_letters_are_optional(index):
    index(article(1, "Ґрунтовний звіт", lang="uk"), article(2, "Від’ємний баланс", lang="uk"))
    assert found("грунтовний", lang="uk") == [1]
    assert found("відємний", lang="uk") == [2]


def test_ukrainian_typed_as_russian_is_understood(index):
    index(article(1, "Як рахується комісія", lang="uk"), article(2, "Виплати", lang="uk"))
    assert found("комисия", lang="uk") == [1]
    assert found("выплаты", lang="uk") == [2]


def test_words_run_together_are_taken_apart(index):
    index(
        article(1, "Sign up here", lang="en"), article(2, "Sign here", lang="en"), article(3, "Up", lang="en")
    )
    answer = ask("signup", lang="en")
    assert answer.hits[0].document.id == 1
    assert answer.instead == {"signup": ["sign up"]}
    assert ask("ofup", lang="en").hits == []


def test_another_keyboard_and_another_language_are_said(index):
    index(article(1, "Промо"), article(1, "Payout calendar", lang="en"))
    keyboard = ask("ghjvj")
    assert (keyboard.hits[0].document.id, keyboard.text, keyboard.is_other_keyboard) == (1, "промо", True)
    for text in ("GHJVJ", "Ghjvj", "ghjvj 2024"):
        assert ask(text).hits[0].document.id == 1, text
    language = ask("payout calendar", lang="ru")
    assert (language.lang, language.hits[0].document.title) == ("en", "Payout calendar")


def test_another_language_is_known_without_its_letters_too(index):
    index(article(1, "Wypłata prowizji", lang="pl"), article(1, "Payout calendar", lang="en"))
    answer = ask("wyplata", lang="en")
    assert (answer.lang, answer.instead) == ("pl", {"wyplata": ["wypłata"]})
    assert [hit.document.id for hit in answer.hits] == [1]
    assert ask("wyplatx", lang="en").lang == "en"


def test_codes_match_whole_and_only_whole(index):
    index(
        article(1, "Студия", codes=("KRASNOVA", "2107")), article(2, "Студия красок", "студия студия студия")
    )
    assert found("студия krasnova")[0] == 1
    assert found("2107") == [1]
    assert found("210") == []


def test_numbers_and_addresses_match_exactly(index):
    index(
        article(1, "Счёт 2107", "Пишите на anna@firm.example"),
        article(2, "Счёт 2108", "Пишите на anna@other.example"),
    )
    for text in ("2017", "210", "21o7"):
        assert found(text, typing=True) == [], text
    assert found("2107") == [1]
    assert found("Anna@Firm.example") == [1]
    assert found("ann@firm.example") == []
    assert "<mark>anna@firm.example</mark>" in ask("anna@firm.example").hits[0].fragment


def test_a_word_that_is_everywhere_makes_no_answer_of_its_own(index):
    index(
        article(1, "Как вывести деньги", "коротко"),
        *(article(n, f"Как {n}", "как и что") for n in range(2, 30)),
    )
    assert found("как вывести") == [1]
    assert ask("как").total == 29


def test_many_words_in_a_body_outweigh_a_small_word_in_a_title(index):
    body = "Если покупатель вернул заказ, комиссия отменяется."
    index(
        article(1, "Возвраты", body),
        article(2, "Если", "коротко"),
        *(article(n, f"Раздел {n}", "Если что, комиссия и заказ порознь") for n in range(3, 20)),
    )
    assert found("если покупатель вернул")[0] == 1


def test_both_engines_rank_alike(index, tmp_path):
    """On PostgreSQL this holds its SQL against the sums of the other engine."""
    chance = random.Random(3)
    words = [
        "выплата",
        "комиссия",
        "купон",
        "ссылка",
        "баннер",
        "уровень",
        "договор",
        "отчёт",
        "партнёр",
        "клиент",
        "тариф",
        "налог",
    ]
    documents = [
        article(
            number,
            " ".join(chance.sample(words, 3)),
            " ".join(chance.choices(words, weights=range(1, 13), k=chance.randrange(5, 60))),
            headings=(chance.choice(words),),
        )
        for number in range(60)
    ]
    index(*documents)
    other = WhooshEngine(tmp_path)
    other.rebuild("ru", documents, lambda _: None)
    for text in (
        "выплатам",
        "купон ссылка",
        "договору партнёра налоги",
        "комисия клиента",
        "тарифы отчёт купон",
    ):
        ids = [hit.document.id for hit in search(other, "ru", text, EVERYONE, limit=5).hits]
        assert found(text, limit=5)[0] == ids[0], text
        assert len(set(found(text, limit=5)) & set(ids)) >= 4, text


def test_results_are_narrowed_down_to_a_shelf(index):
    index(
        *(article(n, "Купон", crumbs=("Ссылки",)) for n in range(3)),
        *(article(n, "Купон", crumbs=("Выплаты",)) for n in range(3, 5)),
        article(1, "Купон", kind="material", crumbs=("Осень",)),
    )
    answer = ask("купон", kinds=["article"], shelf="Выплаты")
    assert sorted(hit.document.id for hit in answer.hits) == [3, 4]
    assert answer.by_shelf == {"Ссылки": 3, "Выплаты": 2}
    assert answer.by_kind == {"article": 5, "material": 1}


def test_what_stands_deep_in_a_long_text_is_shown_with_its_section(index):
    body = "Обычный текст о деньгах.\n" * 2000 + "Глубина\nЗдесь живёт нарвал."
    index(article(1, "Длинная", body, sections=(Section("deep", "Глубина", body.index("Глубина")),)))
    hit = ask("нарвалы").hits[0]
    assert (hit.url, "<mark>нарвал</mark>" in hit.fragment) == ("/kb/ru/1#deep", True)


def test_what_is_pasted_finds_as_what_is_typed(index):
    index(article(1, "Ко\u0301мната №\u00a07", codes=("ABC-7",)), article(2, "Прочее"))
    assert found("ком\u00adната") == found("abc\u20117") == found("ABC-\u200b7") == [1]
    assert ask("комнаты").hits[0].title.startswith("<mark>Ко\u0301мната</mark>")


def test_an_index_of_another_form_counts_as_missing(index, monkeypatch):
    index(article(1, "Купон"))
    monkeypatch.setattr(fulltext.engine().__class__, "form", 0)
    with pytest.raises(IndexMissing):
        ask("купон")


def test_kinds_are_counted_and_filtered(index):
    index(*(article(n, "Купон") for n in range(5)), *(article(n, "Купон", kind="material") for n in range(3)))
    answer = ask("купон", kinds=["material"], limit=2)
    assert answer.by_kind == {"article": 5, "material": 3}
    assert [hit.document.kind for hit in answer.hits] == ["material", "material"]
    assert answer.total == 8
    assert ask("купон", kinds=["article"], limit=3, offset=3).hits[-1].document.kind == "article"


def test_a_hit_leads_to_its_section(index):
    body = "Вступление о программе.\nСтавка уровня серебро двадцать процентов.\nБанк переводит деньги пятого числа."
    sections = (
        Section("rate", "Ставка", body.index("Ставка")),
        Section("transfer", "Перевод", body.index("Банк")),
    )
    index(article(1, "Деньги", body, sections=sections, headings=("Ставка", "Перевод")))
    assert ask("банк").hits[0].url == "/kb/ru/1#transfer"
    assert ask("ставкой").hits[0].url == "/kb/ru/1#rate"
    assert ask("деньги программе").hits[0].url == "/kb/ru/1"


@pytest.mark.parametrize(
    "text", ["", "   ", "'", "\\", "&|!():*", "a' OR 1=1 --", "x" * 5000, "%_", "<b>", "\x00a\x01"]
)
def test_odd_questions_are_harmless(index, text):
    index(article(1, "Статья о <script> и 'кавычках' \\"), article(2, "Другая"))
    assert all("<script" not in hit.title for hit in ask(text).hits)


def test_random_text_never_breaks_either_engine(index):
    index(article(1, "Выплаты и комиссии", "Обычный текст о деньгах"))
    chance = random.Random(7)
    for _ in range(60):
        assert len(ask("".join(chr(chance.randrange(32, 1300)) for _ in range(12)), typing=True).hits) <= 1
    assert len(ask("выплаты").hits) == 1


def test_writing_twice_is_writing_once(index):
    index()
    for _ in range(2):
        fulltext.engine().write("ru", [article(1, "Купон", "купон")])
    answer = ask("купон")
    assert answer.by_kind == {"article": 1}
    fulltext.engine().write("ru", [], ["article:1"])
    assert ask("купон").by_kind == {}


def test_a_failed_rebuild_leaves_the_old_index(index):
    index(article(1, "Купон"))

    def broken():
        yield article(2, "Новое")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        fulltext.engine().rebuild("ru", broken(), lambda _: None)
    assert found("купон") == [1]
    assert found("новое") == []


def test_readers_have_the_old_index_until_the_new_one_is_whole(index):
    index(article(1, "Калибровка"))
    seen = []

    def slowly():
        for number in (2, 3):
            seen.append((found("калибровка"), ask("калибровкк").instead))
            yield article(number, "Скидка")

    fulltext.engine().rebuild("ru", slowly(), lambda _: None)
    assert seen == [([1], {"калибровкк": ["калибровка"]})] * 2
    assert (found("калибровка"), found("скидки")) == ([], [2, 3])


def test_of_very_many_only_the_likely_are_weighed_but_all_are_counted(index, monkeypatch):
    monkeypatch.setattr("hub.core.fulltext.postgres_find.MOST_WEIGHED", 3)
    index(
        *(article(n, f"Прочее {n}", "купон", crumbs=("Разное",)) for n in range(8)),
        article(8, "Купон", "скидка", crumbs=("Деньги",)),
        article(9, "Прочее", "купон", kind="material", crumbs=("Осень",)),
    )
    answer = ask("купон", limit=2)
    assert answer.hits[0].document.id == 8
    assert answer.by_kind == {"article": 9, "material": 1}
    assert found("купон", kinds=["material"]) == [9]
    assert ask("купон", kinds=["article"], shelf="Разное").by_shelf == {"Разное": 8, "Деньги": 1}
    assert len(found("купон", kinds=["article"], shelf="Разное", limit=2)) == 2


def test_a_form_that_begins_otherwise_is_marked_too(index):
    index(article(1, "Программа", "Хороших людей мало."), article(1, "Program", "Ludzie piszą.", lang="pl"))
    assert "<mark>людей</mark>" in ask("человек").hits[0].fragment
    assert "<mark>Ludzie</mark>" in ask("człowiek", lang="pl").hits[0].fragment


def test_a_word_without_an_end_stops_no_index(index):
    """PostgreSQL refuses a word of 2 KB, and anybody may write one."""
    index(article(1, "Калибровка", f"текст {'aB3' * 800} конец"))
    assert found("калибровка") == found("конец") == [1]
    assert found("aB3" * 800) == []


def test_many_small_saves_stay_findable(index):
    index()
    for number in range(12):
        fulltext.engine().write("ru", [article(number, f"Купон {number}")])
    assert ask("купон", limit=20).by_kind == {"article": 12}


@pytest.mark.once
def test_who_still_reads_the_index_as_it_was_is_not_read_into(index):
    """Two snapshots share the files of a segment, in which only one can look things up at a time."""
    index(article(1, "Купон"))
    before = fulltext.engine()._snapshot("ru")
    fulltext.engine().write("ru", [article(2, "Ставка")])
    after = fulltext.engine()._snapshot("ru")
    assert after is not before
    assert {part.segment for part in after.segments} & {part.segment for part in before.segments}
    asked, answered = threading.Event(), threading.Event()

    def look():
        asked.set()
        after.ids(Question("ru", [Wanted("купон", terms={"купон": 1.0}, having=1)]), frozenset(), "article")
        answered.set()

    with before._lock:
        thread = threading.Thread(target=look)
        thread.start()
        assert asked.wait(30)
        assert not answered.wait(0.2)
    thread.join(30)
    assert answered.is_set()


@pytest.mark.once
def test_a_lost_or_damaged_index_is_noticed_and_built_again(app, index, partner, monkeypatch):
    index(article(1, "Купон"))
    source = fulltext.Source(
        "article", "Articles", "book-2", lambda lang: iter([article(1, "Купон")] if lang == "ru" else [])
    )
    monkeypatch.setattr("hub.core.fulltext.registry._sources", {"article": source})
    folder = settings.home / "index" / "ru"
    for damage in (
        lambda: shutil.rmtree(folder),
        lambda: [path.write_bytes(b"no") for path in folder.glob("*/*.toc")],
        lambda: [path.write_bytes(b"\7" * path.stat().st_size) for path in folder.glob("*/*.seg")],
        lambda: [
            path.write_bytes(path.read_bytes().replace(WHOOSH3_HEADER_MAGIC, bytes(4)))
            for path in folder.glob("*/*.seg")
        ],
        lambda: [path.unlink() for path in folder.glob("*/words.db*")],
    ):
        damage()
        fulltext.init_app(app, settings)  # as another process finds it
        with pytest.raises(IndexMissing):
            ask("купон")
        assert not fulltext.find(partner, "ru", "купон").is_complete
        assert len(jobs.queue()) >= 1
        fulltext.write("ru", [article(1, "Купон")])
        assert found("купон") == [1]


def test_a_fragment_reads_as_sentences(index):
    index(article(1, "Прочее", "Возвраты\nВозврат отменяет комиссию.\nСтавка\nКомиссия"))
    fragment = ask("возврат").hits[0].fragment
    assert fragment == "<mark>Возвраты</mark>. <mark>Возврат</mark> отменяет комиссию. Ставка. Комиссия"
