"""How good and how fast search is on documentation in four languages, on both engines.

The cases are known-item queries: `id, lang, kind, query, relevant`; the score is the mean reciprocal rank
of the first relevant answer among ten (MRR@10). Searches run inside the hub's process; the tests hold the
page and the API to the same ranking.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from tests import servers

from .rows import Row, against
from .server import ROOT, environment, hub, spare_port

DATA = Path(os.environ.get("HUB_SEARCH_EVAL_DIR", ROOT.parent / "shared" / "data" / "search"))

#: Times are taken on every fourth case where quality is not the question.
SAMPLE = "4"
LARGE = 50_000
#: Rows are copied beside those there are; the words of each are counted as often.
COPYING = """
DROP INDEX ix_search_document_words;
DROP INDEX ix_search_document_codes;
INSERT INTO search_document (lang, key, kind, shelf, audience, codes, words, title_length, headings_length,
    body_length, surface_length)
  SELECT lang, key || '-' || copy, kind, shelf, audience, codes, words, title_length, headings_length,
    body_length, surface_length FROM search_document, generate_series(2, :copies) copy;
INSERT INTO search_shown SELECT lang, key || '-' || copy, document FROM search_shown, generate_series(2, :copies) copy;
UPDATE search_word SET documents = documents * :copies;
CREATE INDEX ix_search_document_words ON search_document USING gin (words);
CREATE INDEX ix_search_document_codes ON search_document USING gin (codes);
VACUUM ANALYZE
"""


def measure(home: Path) -> Iterator[Row]:
    """Yield import, quality per language and kind of query, times and memory; nothing without the data."""
    if not (DATA / "cases.jsonl").exists():
        return
    embedded = environment(home / "sqlite", spare_port())
    yield from on("sqlite", embedded)
    yield from growth(embedded)
    cluster = servers.Servers()
    try:
        address = cluster.start_postgresql()
    except servers.MissingServer:
        return
    try:
        with psycopg.connect(address + "postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        url = address.replace("postgresql:", "postgresql+psycopg:") + "bench"
        env = environment(home / "postgresql", spare_port()) | {"HUB_DATABASE_URL": url}
        yield from on("postgresql", env)
        yield from large(address + "bench", env)
    finally:
        cluster.stop()


def on(backend: str, env: dict[str, str]) -> Iterator[Row]:
    """Yield everything about one engine."""
    cases = [json.loads(line) for line in (DATA / "cases.jsonl").read_text().splitlines()]
    documents = sum(1 for _ in (DATA / "corpus.jsonl").open())
    hub(env, "migrate")
    started, cpu = time.perf_counter(), processor_seconds()
    hub(env, "kb", "import", str(DATA / "corpus.jsonl"))
    yield Row("search.import_s", documents, backend, round(time.perf_counter() - started, 1), "s")
    yield Row("search.import_cpu_s", documents, backend, round(processor_seconds() - cpu, 1), "s")
    result = inside(env, "bench.search_inside")
    yield from quality(cases, result["found"], documents, backend)
    yield from times(result, documents, backend)
    yield Row("search.analysers_mb", 4, backend, round(result["analysers_mb"], 1), "MB")


def growth(env: dict[str, str]) -> Iterator[Row]:
    """Yield how the embedded engine's times grow with its documents."""
    few, many = "2000", "5000"
    result = inside(env, "bench.search_growth", SAMPLE, few, many)
    for name, value in result[many].items():
        yield against(
            f"search.{name}_growth", value, result[few][name], scale=int(many), backend="sqlite", unit="ms"
        )


def large(address: str, env: dict[str, str]) -> Iterator[Row]:
    """Yield the times of PostgreSQL when there are 50,000 documents: copies of what it has."""
    with psycopg.connect(address, autocommit=True) as connection:
        have = connection.execute("SELECT count(*) FROM search_document").fetchone()
        copies = -(-LARGE // (have[0] if have else 1))
        for statement in COPYING.split(";"):
            connection.execute(statement.replace(":copies", str(copies)).encode())
    yield from times(inside(env, "bench.search_inside", SAMPLE), LARGE, "postgresql")


def times(result: dict[str, Any], documents: int, backend: str) -> Iterator[Row]:
    """Yield what 95 of 100 searches stay under."""
    for name, value in result["p95_ms"].items():
        yield Row(f"search.{name}_p95_ms", documents, backend, value, "ms")


def inside(env: dict[str, str], module: str, *arguments: str) -> dict[str, Any]:
    """Run a module of this package in the environment of a hub; what it prints."""
    command = [sys.executable, "-m", module, str(DATA / "cases.jsonl"), *arguments]
    ran = subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def processor_seconds() -> float:
    """What the commands so far took of the processor: on a busy machine the fairer figure."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def quality(
    cases: list[dict[str, Any]], found: dict[str, list[str]], documents: int, backend: str
) -> Iterator[Row]:
    """Yield the mean reciprocal rank of every language and kind."""
    ranks: dict[tuple[str, str], list[float]] = defaultdict(list)
    for case in cases:
        relevant, ids = set(case["relevant"]), found[case["id"]][:10]
        place = next((place for place, each in enumerate(ids, 1) if each in relevant), None)
        ranks[case["lang"], case["kind"]].append(1 / place if place else 0.0)
    for (language, kind), values in sorted(ranks.items()):
        value = round(statistics.fmean(values), 3)
        yield Row(f"search.mrr.{language}.{kind}", documents, backend, value, "MRR@10")
