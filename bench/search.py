"""How good and how fast search is on documentation in four languages, through the API.

The cases are known-item queries: `id, lang, kind, query, relevant`; the score is the mean reciprocal rank
of the first relevant answer among ten (MRR@10).
"""

import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from .client import Client, interleaved
from .rows import Row, against
from .server import ROOT, environment, hub, spare_port, web

DATA = Path(os.environ.get("HUB_SEARCH_EVAL_DIR", ROOT.parent / "shared" / "data" / "search"))


def measure(home: Path) -> Iterator[Row]:
    """Yield quality per language and kind of query, then the times; nothing without the data."""
    if not (DATA / "cases.jsonl").exists():
        return
    cases = [json.loads(line) for line in (DATA / "cases.jsonl").read_text().splitlines()]
    port, bare_port = spare_port(), spare_port()
    env = environment(home, port)
    hub(env, "migrate")
    started = time.perf_counter()
    hub(env, "kb", "import", str(DATA / "corpus.jsonl"))
    hub(env, "search", "rebuild")
    documents = sum(1 for _ in (DATA / "corpus.jsonl").open())
    yield Row("search.import", documents, "sqlite", round(time.perf_counter() - started, 1), "s")
    hub(env, "user", "create", "bench@nordbill.example", "--role", "agent")
    token = hub(env, "token", "create", "bench@nordbill.example").split()[-1]
    with ExitStack() as stack:
        stack.enter_context(web("bench.baseline:create_app()", bare_port))
        stack.enter_context(web("hub.wsgi:app", port, env))
        bare = interleaved({"empty": (Client(f"http://127.0.0.1:{bare_port}"), "/")}, 100, 20)["empty"]
        client = Client(f"http://127.0.0.1:{port}")
        answers = [ask(client, token, case) for case in [*cases[:20], *cases]][20:]
    yield from quality(cases, answers, documents)
    times = sorted(elapsed for _, elapsed in answers)
    for name, value in (("p50", statistics.median(times)), ("p95", times[int(len(times) * 0.95)])):
        yield against(f"search.{name}", value, bare, scale=documents, backend="sqlite", unit="ms")


def ask(client: Client, token: str, case: dict[str, Any]) -> tuple[list[str], float]:
    """Return the external ids found for a case, best first, and the milliseconds it took."""
    query = {"q": case["query"], "lang": case["lang"], "kind": "article", "limit": 10}
    if case["kind"] == "prefix":
        query["instant"] = 1
    start = time.perf_counter()
    text = client.get("/api/v1/search?" + urlencode(query), Authorization=f"Bearer {token}")
    elapsed = (time.perf_counter() - start) * 1000
    return [str(hit["external_id"]) for hit in json.loads(text)["hits"]], elapsed


def quality(
    cases: list[dict[str, Any]], answers: list[tuple[list[str], float]], documents: int
) -> Iterator[Row]:
    """Yield the mean reciprocal rank of every language and kind."""
    ranks: dict[tuple[str, str], list[float]] = defaultdict(list)
    for case, (found, _) in zip(cases, answers, strict=True):
        relevant = set(case["relevant"])
        place = next((place for place, each in enumerate(found[:10], 1) if each in relevant), None)
        ranks[case["lang"], case["kind"]].append(1 / place if place else 0.0)
    for (language, kind), values in sorted(ranks.items()):
        value = round(statistics.fmean(values), 3)
        yield Row(f"search.mrr.{language}.{kind}", documents, "sqlite", value, "MRR@10")
