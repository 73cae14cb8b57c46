"""The small chart of this month against the last, drawn on the server: nothing to load, nothing that jumps."""

from dataclasses import dataclass

from ..core import i18n
from ..earnings.service import Comparison

WIDTH, TOP, BOTTOM = 360.0, 6.5, 138.5
STEPS = 3


@dataclass(frozen=True)
class Curve:
    """Paths and labels of an SVG of 404 × 166."""

    this: str
    last: str
    now: tuple[float, float]  # where the present day's dot stands
    levels: list[tuple[float, str]]  # y, amount in whole units
    days: list[tuple[float, int]]  # x, day of the month


def draw(sums: Comparison) -> Curve:
    """Running totals by day; both months share one scale, which begins at zero or below."""
    unit = 10 ** i18n.exponent(sums.currency)
    values = [value / unit for value in (*sums.this, *sums.last, 0)]
    step = _round_step((max(values) - min(values)) / STEPS)
    floor = step * (min(values) // step)
    days = max(2, sums.days)

    def x(day: int) -> float:
        return round(WIDTH * day / (days - 1), 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - floor) / (step * STEPS), 1)

    def path(totals: list[int]) -> str:
        points = [f"{x(day)} {y(total / unit)}" for day, total in enumerate(totals)]
        return f"M{' '.join(points)}" if points else ""

    today = len(sums.this) - 1
    return Curve(
        this=path(sums.this),
        last=path(sums.last),
        now=(x(today), y(sums.total / unit)),
        levels=[(y(floor + step * n), i18n.number(floor + step * n)) for n in range(STEPS + 1)],
        days=[(x(day), day + 1) for day in sorted({0, days // 2, days - 1})],
    )


def _round_step(least: float) -> float:
    """The smallest 1, 2 or 5 with zeros that is not under `least`."""
    size = 1
    while size * 10 <= least:
        size *= 10
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= least)
