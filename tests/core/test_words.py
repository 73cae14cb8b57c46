"""Words of four languages become the same term in every form."""

import pytest

from hub.core.fulltext.keyboard import swapped
from hub.core.fulltext.vocabulary import distance
from hub.core.fulltext.words import analyse, fold, terms


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
    ],
)
def test_the_other_keyboard_is_read(lang, typed, meant):
    assert meant in swapped(lang, typed)
