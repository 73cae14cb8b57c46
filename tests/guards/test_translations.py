"""Every message of the interface has a finished translation in every language."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages import pofile
from babel.messages.plurals import get_plural

from scripts.messages import extract

HUB = Path(__file__).parents[2] / "hub"
LANGUAGES = ["ru", "uk", "pl"]
PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]")
TAG = re.compile(r"</?\w+")


@cache
def messages():
    """Return {(context, singular): (plural or None, where)} of everything marked in the source."""
    found = {}
    for message in extract():
        if message.id:
            ids = message.id if message.pluralizable else (message.id, None)
            found[message.context, ids[0]] = (ids[1], "{}:{}".format(*message.locations[0]))
    return found


@cache
def catalog(language):
    """Return the language's catalogue."""
    with (HUB / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return pofile.read_po(file, locale=language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language):
    missing, unfinished = [], []
    for (context, singular), (plural, where) in messages().items():
        entry = catalog(language).get(singular, context)
        if entry is None or (plural and isinstance(entry.id, str)):
            missing.append(f"{where}: {singular}")
        elif entry.fuzzy or not all(forms(entry)):
            unfinished.append(f"{where}: {singular}")
    assert (missing, unfinished) == ([], [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_forms_of_the_language(language):
    expected = get_plural(language)
    assert catalog(language).num_plurals == expected.num_plurals == 3
    counted = [entry for entry in catalog(language) if entry.id and entry.pluralizable]
    assert [entry.id for entry in counted if len(entry.string) != expected.num_plurals] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_placeholders_and_tags(language):
    wrong = []
    for entry in catalog(language):
        if not entry.id:
            continue
        ids = entry.id if entry.pluralizable else (entry.id,)
        allowed = set(PLACEHOLDER.findall(" ".join(ids)))
        for form in forms(entry):
            used = set(PLACEHOLDER.findall(form))
            same_tags = sorted(TAG.findall(form)) == sorted(TAG.findall(ids[-1]))
            if form and (not used <= allowed or (allowed - {"count", "num"}) - used or not same_tags):
                wrong.append(f"{ids[0]} → {form}")
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_translated_that_is_no_longer_said(language):
    known = set(messages())
    stale = [
        entry.id for entry in catalog(language) if entry.id and (entry.context, first(entry)) not in known
    ]
    assert stale == []


def test_all_languages_speak_of_the_same_messages():
    assert len(messages()) > 100


def forms(entry):
    return entry.string if isinstance(entry.string, tuple | list) else (entry.string,)


def first(entry):
    return entry.id[0] if isinstance(entry.id, tuple | list) else entry.id
