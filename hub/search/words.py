"""Equal words and best answers, which the team edits and every search heeds at once."""

import re

from sqlalchemy import bindparam, select

from ..core.database import db
from ..core.errors import Invalid
from ..core.fulltext import Advice, advise
from ..core.i18n import LOCALES, _
from ..kb.indexing import KIND
from ..kb.models import Translation
from .models import BestAnswer, EqualWords, plain

_WORD = re.compile(r"[\w'’-]+")
_ADDRESS = re.compile(r"/kb/(\w+)/([\w-]+)")
_MOST_WORDS = 12

#: Asked by every search: built once.
_EQUAL = select(EqualWords.words).where(EqualWords.lang == bindparam("lang"))
_BEST = select(BestAnswer.text, BestAnswer.translation_id).where(BestAnswer.lang == bindparam("lang"))


@advise
def advice(lang: str) -> Advice:
    """The team's advice as it stands now."""
    equal = db.session.scalars(_EQUAL, {"lang": lang}).all()
    best = db.session.execute(_BEST, {"lang": lang}).all()
    return Advice(lang, equal, [(text, f"{KIND}:{number}") for text, number in best])


def equate(lang: str, words: str) -> EqualWords:
    """Let words find each other. Raises Invalid when they are not at least two single words."""
    found = list(dict.fromkeys(plain(word) for word in words.split(",") if word.strip()))
    if lang not in LOCALES or not 2 <= len(found) <= _MOST_WORDS:
        raise Invalid(words=[_("Write two to twelve words, separated by commas.")])
    if not all(_WORD.fullmatch(word) for word in found):
        raise Invalid(words=[_("Each of them has to be a single word.")])
    group = EqualWords(lang=lang, words=found)
    db.session.add(group)
    return group


def put_first(lang: str, text: str, address: str) -> BestAnswer:
    """Make an article the first answer to a question, replacing an earlier choice. Raises Invalid."""
    text, match = plain(text), _ADDRESS.search(address)
    if not text:
        raise Invalid(text=[_("Write the question.")])
    here = Translation.locale == lang, Translation.slug == (match[2] if match else address.strip())
    article = db.session.scalar(select(Translation).where(*here)) if not match or match[1] == lang else None
    if article is None:
        raise Invalid(address=[_("There is no article in this language at this address.")])
    same = select(BestAnswer).where(BestAnswer.lang == lang, BestAnswer.text == text)
    chosen = db.session.scalar(same) or BestAnswer(lang=lang, text=text)
    chosen.translation_id = article.id
    db.session.add(chosen)
    return chosen
