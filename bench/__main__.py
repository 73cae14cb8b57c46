"""`python -m bench [GROUP …]`: measure, print a table, write `$HUB_HOME/bench.json`."""

import os
import sys
import tempfile
from pathlib import Path

from . import conversations, materials, newsletters, pages, search
from .rows import Row, table, write

GROUPS = {
    "pages": pages.measure,
    "search": search.measure,
    "conversations": conversations.measure,
    "materials": materials.measure,
    "newsletters": newsletters.measure,
}


def main(names: list[str]) -> int:
    """Run the named groups, or all of them, and return the exit status."""
    unknown = set(names) - set(GROUPS)
    if unknown:
        print(
            f"No such group: {', '.join(sorted(unknown))}. There are: {', '.join(GROUPS)}.", file=sys.stderr
        )
        return 2
    rows: list[Row] = []
    for name in names or list(GROUPS):
        with tempfile.TemporaryDirectory(prefix=f"hub-bench-{name}-") as home:
            rows += GROUPS[name](Path(home))
    print(table(rows))
    write(rows, Path(os.environ.get("HUB_HOME", "var")) / "bench.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
