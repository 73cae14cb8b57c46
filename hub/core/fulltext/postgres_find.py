"""The SQL that finds: which documents answer, the best of them, and how many there are of each kind and shelf."""

from collections.abc import Set
from typing import Any

from .documents import Narrowing
from .postgres_score import Score, Values, quoted
from .question import Question
from .scoring import BEST, CODE, FLOOR
from .vocabulary import TERM

#: So many of the likely documents are weighed exactly; no reader turns more pages than that. Which are the
#: likely ones is only asked when there are more.
MOST_WEIGHED = 200

# With `lang || ''` the planner does not go through the whole index of a language beside that of the words.
_FIND = """
WITH answering AS MATERIALIZED (
  SELECT ctid AS place, key, kind, shelf FROM search_document
  WHERE lang || '' = {lang} AND audience && {audience} AND key <> ALL({hidden}) AND words @@ {telling}
    AND (kind <> ALL({strict}) OR words @@ {every}) AND NOT (codes && {codes}) AND key <> ALL({firsts})
), found AS MATERIALIZED (
  SELECT key, kind, shelf, CASE WHEN (SELECT count(*) FROM answering) > {most}
    THEN (SELECT {rough} FROM search_document, {unpacked} WHERE ctid = place) ELSE 0 END AS rough FROM answering
  UNION ALL
  SELECT key, kind, shelf, {code} FROM search_document
  WHERE lang = {lang} AND audience && {audience} AND key <> ALL({hidden}) AND (codes && {codes} OR key = ANY({firsts}))
), likely AS MATERIALIZED (
  (SELECT key FROM found ORDER BY rough DESC, key LIMIT {most}){likely_here}
), weighed AS MATERIALIZED (
  SELECT key, kind, shelf, {score} + CASE WHEN codes && {codes} THEN {code} ELSE 0 END
    + CASE WHEN key = ANY({firsts}) THEN {best} ELSE 0 END AS score
  FROM likely JOIN search_document USING (key), {unpacked}, LATERAL (SELECT {places} OFFSET 0) AS places
  WHERE lang = {lang}
), strong AS (
  SELECT * FROM weighed WHERE score > 0 AND score >= {floor} * (SELECT max(score) FROM weighed)
), counted AS (
  SELECT kind, shelf FROM strong
  UNION ALL SELECT kind, shelf FROM found WHERE NOT EXISTS (SELECT FROM likely WHERE likely.key = found.key)
), best AS (
  SELECT key, score FROM strong WHERE {here} ORDER BY score DESC, key LIMIT {limit} OFFSET {offset}
), hits AS (
  SELECT document, score FROM best JOIN search_shown USING (key) WHERE lang = {lang} ORDER BY score DESC, key
)
SELECT 'hit' AS what, document AS value, score FROM hits
UNION ALL SELECT 'kind', kind, count(*) FROM counted GROUP BY kind
UNION ALL SELECT 'shelf', shelf, count(*) FROM counted WHERE {asked} GROUP BY shelf
"""
# Long documents are packed: every look at `words` itself would unpack them again.
_UNPACKED = """LATERAL (
    SELECT CASE WHEN body_length > 300 THEN words || '' ELSE words END AS here OFFSET 0) AS unpacked"""
_LIKELY_HERE = " UNION (SELECT key FROM found WHERE {here} ORDER BY rough DESC, key LIMIT {most})"


_HOLD = """
SELECT array_agg(split_part(key, ':', 2)::bigint) AS ids FROM search_document
WHERE lang || '' = {lang} AND kind = {kind} AND audience && {audience} AND key <> ALL({hidden})
  AND ({every} OR codes && {codes})
"""


def holding(question: Question, audience: Set[str], kind: str) -> tuple[str, list[Any]]:
    """The statement that gives the ids of every document of a kind that holds all the words, or has a code."""
    values = Values()
    statement = _HOLD.format(
        lang=values.add(question.lang),
        kind=values.add(kind),
        audience=values.texts(audience),
        hidden=values.texts(question.hidden),
        every=" AND ".join(f"words @@ {values.query(word.terms)}" for word in question.words) or "false",
        codes=values.texts(question.codes),
    )
    return statement, values.all


def finding(
    question: Question, average: dict[str, float], audience: Set[str], only: Narrowing, part: tuple[int, int]
) -> tuple[str, list[Any]]:
    """The statement that answers a question, with its values; `part` is how many hits to give after how many others."""
    values = Values()
    score = Score(question, average, values)
    asked = f"kind = ANY({values.texts(only.kinds)})" if only.kinds else "true"
    here = f"{asked} AND shelf = {values.add(only.shelf)}" if only.shelf else asked
    words = [" | ".join(map(quoted, word.terms)) for word in question.words if word.terms]
    statement = _FIND.format(
        rough=score.rough,
        unpacked=_UNPACKED,
        places=score.places,
        score=score.sql,
        floor=FLOOR,
        code=CODE,
        best=BEST,
        most=MOST_WEIGHED,
        asked=asked,
        here=here,
        likely_here=_LIKELY_HERE.format(here=here, most=MOST_WEIGHED) if here != "true" else "",
        lang=values.add(question.lang),
        audience=values.texts(audience),
        codes=values.texts(question.codes),
        firsts=values.texts(question.best),
        strict=values.texts(question.strict),
        hidden=values.texts(question.hidden),
        telling=values.query(term for word in question.telling for term in word.terms),
        every=values.written(" & ".join(f"({terms})" for terms in words) or quoted(TERM)),
        limit=part[0],
        offset=part[1],
    )
    return statement, values.all
