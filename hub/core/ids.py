"""Numbers in addresses."""

from typing import Any

from werkzeug.routing import IntegerConverter, Map

#: The largest number an INTEGER column of PostgreSQL holds.
LARGEST = 2**31 - 1


class Id(IntegerConverter):
    """`<int:id>` in a rule: an address with a number that no row can have is no address."""

    def __init__(self, map: Map, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max", LARGEST)
        super().__init__(map, *args, **kwargs)
