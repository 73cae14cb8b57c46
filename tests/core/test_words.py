"""Words of four languages become the same term in every form."""

import unicodedata

import pymorphy3
import pytest

from hub.core.fulltext.keyboard import swapped
from hub.core.fulltext.vocabulary import distance
from hub.core.fulltext.words import _pymorphy, analyse, fold, terms


@pytest.mark.parametrize(
    ("lang", "one", "other"),
    [
        ("en", "payments", "payment"),
        ("ru", "комиссией", "комиссия"),
        ("ru", "Партнёрами", "партнер"),
        ("uk", "виплатами", "виплата"),
        ("uk", "об’єднань", "об'єднання"),
        ("pl", "prowizji", "prowizja"),
        ("pl", "wypłatach", "wypłata"),
        ("pl", "hookami", "hooków"),
    ],
)
def test_forms_of_one_word_share_a_term(lang, one, other):
    assert set(terms(lang, one)) & set(terms(lang, other))


def test_tokens_tell_where_they_stand():
    text = "Ставка: 20 %, п’ять партнёров."
    tokens = list(analyse("ru", text))
    assert [text[token.start : token.end] for token in tokens] == ["Ставка", "20", "п’ять", "партнёров"]
    assert tokens[-1].surface == "партнеров"


@pytest.mark.parametrize(
    ("lang", "written", "usual"),
    [
        *(("uk", f"п{sign}ять", "п'ять") for sign in "‘’ʼ´′＇`"),
        ("uk", unicodedata.normalize("NFD", "її змінюй"), "її змінюй"),
        ("pl", unicodedata.normalize("NFD", "zgłoszeń źle"), "zgłoszeń źle"),
        ("ru", "за\u0301мок договора\u0301", "замок договора"),
        ("ru", "ко\u00adмис\u200bсия\u2060", "комиссия"),
    ],
)
def test_what_cannot_be_seen_or_looks_the_same_makes_no_other_word(lang, written, usual):
    tokens = list(analyse(lang, f"({written})"))
    assert [token[:2] for token in tokens] == [token[:2] for token in analyse(lang, usual)]
    assert tokens[-1].end == len(written) + 1


@pytest.mark.parametrize(
    ("lang", "word", "plain"), [("pl", "zgłoszenie", "zgloszenie"), ("uk", "їжак", "іжак")]
)
def test_folding_is_what_a_foreign_keyboard_types(lang, word, plain):
    assert fold(lang, word) == plain


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("banner", "banner", 0),
        ("baner", "banner", 1),
        ("bnaner", "banner", 1),
        ("benxer", "banner", 2),
        ("a", "abcd", 3),
    ],
)
def test_distance_counts_edits(one, other, edits):
    assert distance(one, other) == edits


@pytest.mark.parametrize(
    ("lang", "typed", "meant"),
    [
        ("ru", "ghjvj", ("ru", "промо")),
        ("uk", "dbgkfnf", ("uk", "виплата")),
        ("en", "зфнщге", ("en", "payout")),
        ("ru", "<FYYTHS", ("ru", "баннеры")),
        ("uk", '"dhjgf', ("uk", "європа")),
        ("en", 'ФТТФ"ашкьюсщь', ("en", "anna@firm.com")),
    ],
)
def test_the_other_keyboard_is_read(lang, typed, meant):
    assert meant in swapped(lang, typed)


@pytest.mark.parametrize(
    ("lang", "known_and_not"),
    [("ru", "люди баннерами стали гуглениями ёж"), ("uk", "людьми банерів стали ґуґлити п'ятьма")],
)
def test_a_dictionary_on_the_disk_says_what_one_in_memory_says(lang, known_and_not):
    in_memory = pymorphy3.MorphAnalyzer(lang=lang, probability_estimator_cls=None)
    for word in known_and_not.split():
        on_disk, loaded = (
            [(reading.word, str(reading.tag), reading.normal_form) for reading in analyser.parse(word)]
            for analyser in (_pymorphy(lang), in_memory)
        )
        assert on_disk == loaded
