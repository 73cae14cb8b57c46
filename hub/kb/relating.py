"""“See also”: texts that share their telling words, and articles that are read in one sitting."""

import functools
import math
from collections import Counter, defaultdict
from heapq import nlargest
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, or_, select, update
from sqlalchemy.orm import undefer

from ..core.access import Role, Somebody, visible
from ..core.database import db, transaction
from ..core.fulltext.words import analyse
from .models import Article, Status, Translation
from .models.related import Gist, ReadTogether, Related

BATCH = 100
#: Words of a text that are kept, and how many of them tell it from others.
KEPT, TELLING = 150, 25
SHORTEST = 3
TITLE, HEADING = 4.0, 2.0
#: Related texts that are kept: more than are shown, for not everybody may read all of them.
MOST, SHOWN = 12, 4
LEAST_ALIKE = 0.04
#: What being read together counts beside being alike, and the pairs of readings that prove little.
TOGETHER, DOUBT = 0.8, 5.0

Weights = dict[str, float]


def learn() -> set[str]:
    """Take the words of texts that are new or have changed; the languages of these."""
    found: set[str] = set()
    while rows := _unknown():
        gists = [
            Gist(translation_id=row.id, locale=row.locale, revision=row.revision, words=_words(row))
            for row in rows
        ]
        with transaction() as session:
            for gist in gists:
                session.merge(gist)
        found |= {gist.locale for gist in gists}
    return found


def relate(lang: str) -> int:
    """Work out anew what goes with what in a language; how many pairs there are."""
    db.session.rollback()
    wanted = _wanted(lang)
    mine = select(Gist.translation_id).where(Gist.locale == lang)
    known = select(Related.translation_id, Related.other_id, Related.score).where(
        Related.translation_id.in_(mine)
    )
    had = {(one, other): score for one, other, score in db.session.execute(known)}
    gone = [pair for pair in had if pair not in wanted]
    new = [_row(pair, score) for pair, score in wanted.items() if pair not in had]
    moved = [_row(pair, score) for pair, score in wanted.items() if pair in had and had[pair] != score]
    if gone or new or moved:
        with transaction() as session:
            for one, other in gone:
                session.execute(
                    delete(Related).where(Related.translation_id == one, Related.other_id == other)
                )
            for statement, rows in ((insert(Related), new), (update(Related), moved)):
                if rows:
                    session.execute(statement, rows)
    return len(wanted)


def related(translation: Translation, user: Any) -> list[Translation]:
    """What else may help the reader of a text, of what `user` may read; empty before it has been worked out."""
    values = {"reader": getattr(user, "id", None), "text": translation.id}
    return list(db.session.scalars(_to_show(getattr(user, "role", None)), values))


@functools.cache
def _to_show(role: Role | None) -> Select[Any]:
    """Built once per role, and once for visitors: every article asks it."""
    statement = (
        select(Translation)
        .join(Related, Related.other_id == Translation.id)
        .where(Related.translation_id == bindparam("text"), Translation.status == Status.PUBLISHED)
        .order_by(Related.score.desc(), Related.other_id)
        .limit(SHOWN)
    )
    return visible(statement, Somebody(role) if role else None)


def _unknown() -> list[Translation]:
    db.session.rollback()
    old = or_(Gist.translation_id.is_(None), Gist.revision != Translation.revision)
    statement = (
        select(Translation)
        .outerjoin(Gist, Gist.translation_id == Translation.id)
        .where(Translation.status == Status.PUBLISHED, old)
        .order_by(Translation.id)
        .limit(BATCH)
        .options(undefer(Translation.plain), undefer(Translation.toc))
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(statement))


def _words(translation: Translation) -> Weights:
    weights: Weights = defaultdict(float)
    headings = "\n".join(heading["title"] for heading in translation.toc)
    texts = (translation.title, TITLE), (headings, HEADING), (translation.plain, 1.0)
    for text, weight in texts:
        for token in analyse(translation.locale, text):
            for term in token.terms:
                if len(term) >= SHORTEST:
                    weights[term] += weight / len(token.terms)
    best = nlargest(KEPT, weights.items(), key=lambda each: (each[1], each[0]))
    return {term: round(weight, 2) for term, weight in best}


def _wanted(lang: str) -> dict[tuple[int, int], float]:
    """The best pairs of a language with their scores."""
    gists = select(Gist.translation_id, Article.id, Gist.words)
    gists = gists.join(Translation, Translation.id == Gist.translation_id).join(Translation.article)
    rows = db.session.execute(
        gists.where(Gist.locale == lang, Translation.status == Status.PUBLISHED).order_by(Gist.translation_id)
    ).all()
    vectors = _vectors({text: words for text, _article, words in rows})
    holding: dict[str, list[int]] = defaultdict(list)
    for text, vector in vectors.items():
        for term in vector:
            holding[term].append(text)
    text_of = {article: text for text, article, _words in rows}
    together = _together(text_of)
    found: dict[tuple[int, int], float] = {}
    for text, vector in vectors.items():
        scores: dict[int, float] = defaultdict(float)
        for term, weight in vector.items():
            for other in holding[term]:
                scores[other] += weight * vectors[other][term]
        alike = {other: score for other, score in scores.items() if score >= LEAST_ALIKE}
        for other, score in together[text].items():
            alike[other] = alike.get(other, 0.0) + TOGETHER * score
        alike.pop(text, None)
        best = nlargest(MOST, alike.items(), key=lambda each: (each[1], -each[0]))
        found |= {(text, other): round(score, 4) for other, score in best}
    return found


def _vectors(texts: dict[int, Weights]) -> dict[int, Weights]:
    """Each text's telling words: those it uses often and others do not; of length one together."""
    having = Counter(term for words in texts.values() for term in words)
    # What stands in most texts tells nothing; and nobody looks through more than some hundred texts for a word.
    common = max(8, min(len(texts) // 4, 200))
    vectors = {}
    for text, words in texts.items():
        rare = {
            term: (1 + math.log(max(1.0, times))) * math.log(1 + len(texts) / having[term])
            for term, times in words.items()
            if 1 < having[term] <= common
        }
        best = dict(nlargest(TELLING, rare.items(), key=lambda each: (each[1], each[0])))
        length = math.sqrt(sum(weight * weight for weight in best.values())) or 1.0
        vectors[text] = {term: weight / length for term, weight in best.items()}
    return vectors


def _together(text_of: dict[int, int]) -> dict[int, dict[int, float]]:
    """How much texts are read in one sitting, beside how much each is read with anything: 0 to 1."""
    rows = db.session.execute(select(ReadTogether.article_id, ReadTogether.other_id, ReadTogether.weight))
    pairs = [(one, other, weight) for one, other, weight in rows if one in text_of and other in text_of]
    sums: dict[int, float] = defaultdict(float)
    for one, other, weight in pairs:
        sums[one] += weight
        sums[other] += weight
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for one, other, weight in pairs:
        share = weight / (math.sqrt(sums[one] * sums[other]) + DOUBT)
        found[text_of[one]][text_of[other]] = found[text_of[other]][text_of[one]] = share
    return found


def _row(pair: tuple[int, int], score: float) -> dict[str, Any]:
    return {"translation_id": pair[0], "other_id": pair[1], "score": score}
