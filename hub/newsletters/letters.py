"""A newsletter as a mail: laid out once per language, then only the reader's own words are put in."""

import html
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from ..core import i18n
from ..core.i18n import _
from ..core.mail import Letter
from ..core.mail.compose import lay_out, one_click, sender_domain
from ..core.settings import settings
from ..kb.service import link_of
from . import consent, variables
from .models import TOPICS, Content, Topic
from .variables import VARIABLE

#: An address as it stands in HTML and in text.
_ADDRESS = re.compile(r"""(?:href="|https?://)[^\s"<>)]*""")
PREFERENCES, UNSUBSCRIBE = "link.preferences", "link.unsubscribe"

#: A piece of text: as it is, or the slot to fill.
Piece = str | tuple[int, str]


@dataclass(frozen=True)
class Prepared:
    """A newsletter in one language, cut where the reader's own words belong."""

    topic: Topic
    locale: str
    slots: list[tuple[str, str | None]]  # (variable, default)
    subject: list[Piece]
    html: list[Piece]
    text: list[Piece]

    @property
    def own_slots(self) -> list[tuple[str, str | None]]:
        """The slots that hold the reader's words, not our links."""
        return [slot for slot in self.slots if slot[0] not in (PREFERENCES, UNSUBSCRIBE)]

    @property
    def names(self) -> list[str]:
        return [name for name, _default in self.own_slots]

    @property
    def size(self) -> int:
        """Octets of the HTML, without what is filled in."""
        return sum(len(piece.encode()) for piece in self.html if isinstance(piece, str))

    def letter(
        self, *, key: str, address: str, name: str, values: dict[str, str], sample: bool = False
    ) -> Letter:
        """The mail for one reader. `key` is the ledger's; a sample has none there."""
        token = consent.sign(consent.Reader(address, self.topic, self.locale, "" if sample else key))
        unsubscribe = consent.unsubscribe_url(token)
        links = {PREFERENCES: consent.preferences_url(token), UNSUBSCRIBE: unsubscribe}
        words = [links.get(slot) or values.get(slot) or default or "" for slot, default in self.slots]
        return Letter(
            key=key,
            address=address,
            name=name,
            locale=self.locale,
            subject=_fill(self.subject, words),
            html=_fill(self.html, words),
            text=_fill(self.text, words),
            headers=one_click(unsubscribe)
            | {"List-Id": f"<{self.topic.value.replace('_', '-')}.{sender_domain()}>"},
        )


def missing(prepared: Prepared, values: dict[str, str]) -> list[str]:
    """Variables that would leave a hole in this reader's mail."""
    return sorted({name for name, default in prepared.own_slots if not values.get(name) and not default})


def prepare(topic: Topic, content: Content) -> Prepared:
    """Lay a text out in its own language. Unknown variables stay as they are written."""
    marks = _Marks()
    with i18n.speaking(content.locale, settings.programme_timezone):
        texts = lay_out(
            subject=marks.put(content.subject),
            markdown=marks.put(content.body),
            preheader=marks.put(content.preheader),
            reason=_(
                "You get this as a partner of %(programme)s. Topic: %(topic)s.",
                programme=settings.programme_name,
                topic=TOPICS[topic][0],
            ),
            links=[
                (_("Choose topics"), marks.mark(PREFERENCES, None)),
                (_("Unsubscribe"), marks.mark(UNSUBSCRIBE, None)),
            ],
            to=absolute_address,
        )
    subject, page, text = (marks.cut(each) for each in (texts.subject, texts.html, texts.text))
    plain = [piece if isinstance(piece, str) else (piece[0], "text") for piece in subject]
    return Prepared(topic, content.locale, marks.slots, plain, page, [_as_text(piece) for piece in text])


def absolute_address(address: str) -> str:
    """Addresses within the hub written out; `kb:payouts` is an article, in the language of who opens it."""
    address = link_of(address) or address
    is_path = address.startswith("/") and not address.startswith("//")
    return settings.base_url + address if is_path else address


class _Marks:
    """Stand-ins made of letters and digits only: Markdown, MJML and addresses let them pass untouched."""

    def __init__(self) -> None:
        self.sign = "v" + secrets.token_hex(6)
        self.slots: list[tuple[str, str | None]] = []

    def mark(self, name: str, default: str | None) -> str:
        if (name, default) not in self.slots:
            self.slots.append((name, default))
        return f"{self.sign}n{self.slots.index((name, default))}x"

    def put(self, text: str) -> str:
        """`text` with marks for the reader's variables and the constants written out."""

        def replace(match: re.Match[str]) -> str:
            return self.mark(match[1], match[2]) if match[1] in variables.OF_READER else match[0]

        return VARIABLE.sub(replace, variables.fill_constants(text))

    def cut(self, text: str) -> list[Piece]:
        """`text` in pieces; each slot knows whether it stands in HTML or within an address."""
        mark = re.compile(self.sign + r"n(\d+)x")
        in_address = _ADDRESS.sub(lambda match: mark.sub(self.sign + r"n\1u", match[0]), text)
        parts = re.split(self.sign + r"n(\d+)([xu])", in_address)
        pieces: list[Piece] = [parts[0]]
        for number, kind, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            is_link = self.slots[int(number)][0] in (PREFERENCES, UNSUBSCRIBE)
            pieces += [(int(number), "text" if is_link else "address" if kind == "u" else "html"), rest]
        return pieces


def _as_text(piece: Piece) -> Piece:
    return piece if isinstance(piece, str) or piece[1] == "address" else (piece[0], "text")


_ESCAPES: dict[str, Callable[[str], str]] = {
    "text": str,
    "html": html.escape,
    "address": lambda word: quote(word, safe=""),
}


def _fill(pieces: list[Piece], words: list[str]) -> str:
    return "".join(
        piece if isinstance(piece, str) else _ESCAPES[piece[1]](words[piece[0]]) for piece in pieces
    )
