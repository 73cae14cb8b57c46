"""Text typed with the keyboard set to another language: «ghjvj» is «промо»."""

_LATIN = "`qwertyuiop[]\\asdfghjkl;'zxcvbnm,."
_SHIFTED = str.maketrans('~{}|:"<>', "`[]\\;',.")
_LAYOUTS = {
    "ru": "ёйцукенгшщзхъ\\фывапролджэячсмитьбю",
    "uk": "'йцукенгшщзхїґфівапролджєячсмитьбю",
}


def swapped(lang: str, text: str) -> list[tuple[str, str]]:
    """Other readings of `text`: (language, what the same keys give there), the reader's own language first."""
    text = text.lower()
    readings = []
    for other in sorted(_LAYOUTS, key=lambda code: code != lang):
        typed = text.translate(_SHIFTED).translate(str.maketrans(_LATIN, _LAYOUTS[other]))
        if typed != text:
            readings.append((other, typed))
    for layout in _LAYOUTS.values():
        # The sign of an address is on the key of the quotation mark.
        typed = text.translate(str.maketrans(layout + '"', _LATIN + "@"))
        if typed != text and typed.isascii():
            readings += [(target, typed) for target in ((lang, "en", "pl") if lang == "pl" else ("en", "pl"))]
            break
    return list(dict.fromkeys(readings))
