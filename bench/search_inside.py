"""Search inside the hub's process: `python -m bench.search_inside CASES`, in the environment of a filled hub.

Prints JSON: the ids found for each case, and the milliseconds of a full search and of one while typing.
"""

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from hub.app import create_app
from hub.core import fulltext
from hub.core.fulltext import search, words
from hub.core.fulltext.documents import PUBLIC
from hub.core.settings import Settings

_WARM_UP = 40


def main(cases_file: str) -> None:
    """Ask every case once, as a visitor who may read public articles."""
    before = resident_mb()
    words.warm_up()
    for lang, text in {"en": "banners", "ru": "баннеры", "uk": "банери", "pl": "banery"}.items():
        list(words.analyse(lang, text))
    analysers = resident_mb() - before
    cases = [json.loads(line) for line in Path(cases_file).read_text().splitlines()]
    with create_app(Settings()).app_context():
        for case in cases[:: max(1, len(cases) // _WARM_UP)]:
            ask(case)
        gc.collect()
        answers = [ask(case) for case in cases]
    json.dump(
        {
            "found": {case["id"]: found for case, (found, _) in zip(cases, answers, strict=True)},
            "milliseconds": [
                (case["kind"] == "prefix", took) for case, (_, took) in zip(cases, answers, strict=True)
            ],
            "analysers_mb": analysers,
        },
        sys.stdout,
    )


def ask(case: dict[str, Any]) -> tuple[list[str], float]:
    """The external ids found, best first, and the milliseconds it took."""
    typing = case["kind"] == "prefix"
    start = time.perf_counter()
    answer = search.search(
        fulltext.engine(),
        case["lang"],
        case["query"],
        frozenset({PUBLIC}),
        kinds=["article"],
        typing=typing,
        fragments=not typing,
    )
    took = (time.perf_counter() - start) * 1000
    return [str(hit.document.external_id) for hit in answer.hits], took


def resident_mb() -> float:
    """What this process holds in memory, in MB of 1,048,576 bytes."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    main(sys.argv[1])
