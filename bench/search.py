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

from .rows import Row
from .server import ROOT, environment, hub, spare_port

DATA = Path(os.environ.get("HUB_SEARCH_EVAL_DIR", ROOT.parent / "shared" / "data" / "search"))


def measure(home: Path) -> Iterator[Row]:
    """Yield import, quality per language and kind of query, times and memory; nothing without the data."""
    if not (DATA / "cases.jsonl").exists():
        return
    yield from on("sqlite", environment(home / "sqlite", spare_port()))
    cluster = servers.Servers()
    try:
        address = cluster.start_postgresql()
    except servers.MissingServer:
        return
    try:
        with psycopg.connect(address + "postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        env = environment(home / "postgresql", spare_port()) | {"HUB_DATABASE_URL": address + "bench"}
        yield from on("postgresql", env)
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
    command = [sys.executable, "-m", "bench.search_inside", str(DATA / "cases.jsonl")]
    ran = subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True, text=True)
    result = json.loads(ran.stdout.splitlines()[-1])
    yield from quality(cases, result["found"], documents, backend)
    for name, typing in (("full", False), ("instant", True)):
        times = sorted(took for instant, took in result["milliseconds"] if instant is typing)
        value = round(times[int(len(times) * 0.95)], 1)
        yield Row(f"search.{name}_p95_ms", documents, backend, value, "ms")
    yield Row("search.analysers_mb", 4, backend, round(result["analysers_mb"], 1), "MB")


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
