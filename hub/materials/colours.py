"""The colours a picture is made of, and the family that people look for: “the blue ones”."""

import colorsys
import io
from typing import Any

from PIL import Image

from ..core.i18n import Text, _l

#: In the order of the rainbow, then what has no hue.
FAMILIES: dict[str, Text] = {
    "red": _l("Red"),
    "orange": _l("Orange"),
    "yellow": _l("Yellow"),
    "green": _l("Green"),
    "teal": _l("Teal"),
    "blue": _l("Blue"),
    "purple": _l("Purple"),
    "pink": _l("Pink"),
    "white": _l("White"),
    "grey": _l("Grey"),
    "black": _l("Black"),
}
#: Where a family begins, in degrees of the colour wheel; red goes round.
_HUES = [(15, "red"), (45, "orange"), (70, "yellow"), (160, "green"), (195, "teal"), (255, "blue"), (290, "purple"),
         (345, "pink"), (361, "red")]  # fmt: skip
MOST = 6
#: Colours nearer to each other than this are shown as one: the edges of letters are no colours of their own.
ALIKE = 72
#: What covers less is nobody's idea of the picture.
LEAST = 0.02
#: A hue that covers so much of a picture is what people remember of it, however much white is around it.
ENOUGH = 0.08


def palette(picture: io.BytesIO) -> list[tuple[str, float]]:
    """Colours such as “#0b5a66”, each with the share of the picture that it covers; the largest first."""
    with Image.open(picture) as image:
        small = image.convert("RGBA")
        small.thumbnail((96, 96))
    # What can be seen through is no colour of the picture.
    data = small.tobytes()
    seen = [data[at : at + 3] for at in range(0, len(data), 4) if data[at + 3] > 127]
    picture.seek(0)
    if not seen:
        return []
    strip = Image.frombytes("RGB", (len(seen), 1), b"".join(seen))
    few = strip.quantize(2 * MOST, method=Image.Quantize.MEDIANCUT, kmeans=4)
    colours = few.getpalette() or []
    counts: list[Any] = sorted(few.getcolors() or [], reverse=True)
    found: dict[tuple[int, ...], int] = {}
    for count, index in counts:
        colour = tuple(colours[3 * index : 3 * index + 3])
        near = next((each for each in found if _distance(each, colour) < ALIKE), colour)
        found[near] = found.get(near, 0) + count
    most = sorted(found.items(), key=lambda pair: -pair[1])[:MOST]
    return [
        ("#{:02x}{:02x}{:02x}".format(*colour), count / len(seen))
        for colour, count in most
        if count >= LEAST * len(seen)
    ]


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


def family(shares: list[tuple[str, float]]) -> str | None:
    """What one would call the picture: its largest hue, unless there is hardly any."""
    by_family: dict[str, float] = {}
    for colour, share in shares:
        name = family_of(colour)
        by_family[name] = by_family.get(name, 0) + share
    with_hue = {
        name: share
        for name, share in by_family.items()
        if name not in ("white", "grey", "black") and share >= ENOUGH
    }
    candidates = with_hue or by_family
    return max(candidates, key=lambda name: candidates[name]) if candidates else None


def family_of(colour: str) -> str:
    """“#0b5a66” → teal."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    # Near black and white every hue looks alike, whatever its saturation is said to be.
    if lightness < 0.1:
        return "black"
    if lightness > 0.93:
        return "white"
    if saturation * (1 - abs(2 * lightness - 1)) < 0.12:
        return "black" if lightness < 0.2 else "white" if lightness > 0.85 else "grey"
    return next(name for end, name in _HUES if hue * 360 < end)
