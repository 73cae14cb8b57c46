"""Search inside the hub's process: `python -m bench.search_inside CASES [EVERY]`, in the environment of a filled hub.

Prints JSON: the ids found for each case (or every so-manieth), and the milliseconds each took.
"""

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from hub.app import create_app
from hub.core import fulltext
from hub.core.fulltext import Engine, search, words
from hub.core.fulltext.documents import PUBLIC
from hub.core.settings import Settings

_WARM_UP = 40

Case = dict[str, Any]


def main(cases_file: str, every: str = "1") -> None:
    """Ask the cases, as a visitor who may read public articles."""
    analysers = analysers_mb()
    asked = cases(cases_file, int(every))
    with create_app(Settings()).app_context():
        answers = ask_all(fulltext.engine(), asked)
    json.dump(
        {
            "found": {case["id"]: found for case, (found, _) in zip(asked, answers, strict=True)},
            "p95_ms": p95s(asked, answers),
            "analysers_mb": analysers,
        },
        sys.stdout,
    )


def cases(file: str, every: int) -> list[Case]:
    """Every so-manieth case of a file."""
    return [json.loads(line) for line in Path(file).read_text().splitlines()[::every]]


def analysers_mb() -> float:
    """What the dictionaries of all languages take."""
    before = resident_mb()
    words.warm_up()
    for lang, text in {"en": "banners", "ru": "баннеры", "uk": "банери", "pl": "banery"}.items():
        list(words.analyse(lang, text))
        words.beginnings(lang, text)
    return resident_mb() - before


def ask_all(engine: Engine, asked: list[Case]) -> list[tuple[list[str], float]]:
    """For each case the external ids found, best first, and the milliseconds it took; a few go before to warm up."""
    for case in asked[:: max(1, len(asked) // _WARM_UP)]:
        ask(engine, case)
    gc.collect()
    return [ask(engine, case) for case in asked]


def ask(engine: Engine, case: Case) -> tuple[list[str], float]:
    """One case: a beginning is asked as while typing, all others as on the page."""
    typing = case["kind"] == "prefix"
    start = time.perf_counter()
    answer = search.search(
        engine,
        case["lang"],
        case["query"],
        frozenset({PUBLIC}),
        kinds=["article"],
        typing=typing,
        fragments=not typing,
    )
    took = (time.perf_counter() - start) * 1000
    return [str(hit.document.external_id) for hit in answer.hits], took


def p95s(asked: list[Case], answers: list[tuple[list[str], float]]) -> dict[str, float]:
    """The time that 95 of 100 searches stay under, for whole ones and for those while typing."""
    times: dict[str, list[float]] = {"full": [], "instant": []}
    for case, (_, took) in zip(asked, answers, strict=True):
        times["instant" if case["kind"] == "prefix" else "full"].append(took)
    return {name: round(sorted(its)[int(len(its) * 0.95)], 1) for name, its in times.items()}


def resident_mb() -> float:
    """What this process holds in memory, in MB of 1,048,576 bytes."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
