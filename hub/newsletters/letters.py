"""A newsletter as a mail: laid out once per language, then only the reader's own words are put in."""

import html
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

from markdown_it.token import Token

from ..core import i18n
from ..core.i18n import _
from ..core.mail import Letter
from ..core.mail import body as mail_body
from ..core.mail.compose import lay_out, message_id, one_click, sender_domain
from ..core.mail.form import Form, Piece
from ..core.settings import settings
from ..kb.service import link_of
from . import blocks, cards, consent, variables
from .blocks import Block, Kind, Shelf
from .events import signed_key
from .models import TOPICS, Content, Topic
from .models_tracking import UNTRACKED
from .tracking import Tracks, signed_number
from .variables import VARIABLE

#: An address as it stands in HTML and in text.
_ADDRESS = re.compile(r"""(?:href="|https?://)[^\s"<>)]*""")
PREFERENCES, UNSUBSCRIBE = "link.preferences", "link.unsubscribe"
#: The ledger's key of the mail, in links that are counted.
KEY = "link.key"
LINKS = (PREFERENCES, UNSUBSCRIBE, KEY)
#: Among a reader's values: why they get it, where that is not that they are a partner.
REASON = "reader.reason"
OURS = (*LINKS, REASON)

#: Among a reader's values: the keys of the blocks that they do not get, separated by spaces.
HIDDEN = "hidden"
#: Forms kept of one text: each set of hidden blocks has its own.
FORMS = 100


@dataclass(frozen=True)
class Counted:
    """Pieces in a mail that is counted, and what stands there in any other."""

    pieces: list[Piece]
    otherwise: str


@dataclass(frozen=True)
class Section:
    """Pieces that a reader gets unless all of `keys` are hidden from them."""

    keys: frozenset[str]
    pieces: list[Piece | Counted]


Pieces = list[Piece | Counted | Section]


@dataclass(frozen=True)
class Prepared:
    """A newsletter in one language, cut where the reader's own words belong."""

    topic: Topic
    locale: str
    slots: list[tuple[str, str | None]]  # (variable, default)
    subject: Pieces
    subject_b: Pieces  # the second one, or the same
    html: Pieces
    text: Pieces
    keys: frozenset[str]  # of its blocks
    ways: consent.Ways
    is_counted: bool = False
    forms: dict[tuple[frozenset[str], bool, bool], Form] = field(default_factory=dict)
    needed: WeakKeyDictionary[Form, list[str]] = field(default_factory=WeakKeyDictionary)

    @cached_property
    def list_id(self) -> str:
        """By which a mail program knows the topic (RFC 2919)."""
        return f"<{self.topic.value.replace('_', '-')}.{sender_domain()}>"

    @property
    def own_slots(self) -> list[tuple[str, str | None]]:
        """The slots that hold the reader's words, not our links."""
        return [slot for slot in self.slots if slot[0] not in OURS]

    @cached_property
    def names(self) -> list[str]:
        return [name for name, _default in self.own_slots]

    def form(self, hidden: frozenset[str], *, is_counted: bool = False, is_b: bool = False) -> Form:
        """The text of those who do not get the blocks of these keys, with links that are counted or not."""
        form = self.forms.get((hidden, is_counted, is_b))
        if form is None:
            chosen = (self.subject_b if is_b else self.subject, self.html, self.text)
            subject, page, text = (list(_shown(pieces, hidden, is_counted)) for pieces in chosen)
            form = Form(subject, page, text)
            if len(self.forms) >= FORMS:
                self.forms.clear()
            self.forms[hidden, is_counted, is_b] = form
        return form

    def required(self, hidden: frozenset[str]) -> list[str]:
        """Variables without a default in the text of those who do not get these blocks."""
        form = self.form(hidden)
        if form not in self.needed:
            second = self.form(hidden, is_b=True).subject_pieces
            pieces = [*form.subject_pieces, *second, *form.html_pieces, *form.text_pieces]
            slots = {self.slots[piece[0]] for piece in pieces if not isinstance(piece, str)}
            own = slots.intersection(self.own_slots)
            self.needed[form] = sorted({name for name, default in own if default is None})
        return self.needed[form]

    @property
    def size(self) -> int:
        """Octets of the HTML, without what is filled in."""
        pieces = _shown(self.html, frozenset(), self.is_counted)
        return sum(len(piece.encode()) for piece in pieces if isinstance(piece, str))

    @property
    def addresses(self) -> list[str]:
        """Where its links lead, each once, without those that hold the reader's own words."""
        pieces = _shown(self.html, frozenset(), is_counted=False)
        parts = ["\0" if not isinstance(piece, str) else piece for piece in pieces]
        found = re.findall(r'<a [^>]*?href="([^"]*)"', "".join(parts))
        return list(dict.fromkeys(html.unescape(each) for each in found if "\0" not in each))

    def letter(
        self,
        *,
        key: str,
        address: str,
        name: str,
        values: dict[str, str],
        variant: str | None = None,
        sample: bool = False,
    ) -> Letter:
        """The mail for one reader, with one of two subjects. `key` is the ledger's; a sample has none there."""
        token = consent.sign(consent.Reader(address, self.topic, self.locale, "" if sample else key))
        unsubscribe = self.ways.unsubscribe(token)
        links = {PREFERENCES: self.ways.preferences(token), UNSUBSCRIBE: unsubscribe, KEY: key}
        words = [links.get(slot) or values.get(slot) or default or "" for slot, default in self.slots]
        hidden = _hidden(values)
        is_counted = self.is_counted and not sample and UNTRACKED not in values
        form = self.form(hidden, is_counted=is_counted, is_b=variant == "b")
        subject, page, text = form.fill(words)
        return Letter(
            key=key,
            address=address,
            name=name,
            locale=self.locale,
            subject=subject,
            html=page,
            text=_BLANKS.sub("\n\n", text) if hidden else text,
            headers=one_click(unsubscribe)
            | {
                "List-Id": self.list_id,
                "Message-ID": message_id(signed_key(key)),
            },
            form=form,
            words=words,
        )


def _hidden(values: dict[str, str]) -> frozenset[str]:
    return frozenset(values.get(HIDDEN, "").split())


def missing(prepared: Prepared, values: dict[str, str]) -> list[str]:
    """Variables that would leave a hole in this reader's mail."""
    return [name for name in prepared.required(_hidden(values)) if not values.get(name)]


def prepare(topic: Topic, content: Content, tracks: Tracks | None = None) -> Prepared:
    """Lay a text out in its own language, with links that count. Unknown variables stay as they are written."""
    marks = _Marks()
    with i18n.speaking(content.locale, settings.programme_timezone):
        texts = lay_out(
            subject=marks.put(content.subject),
            markdown=_tokens(content.body, marks),
            preheader=marks.put(content.preheader),
            reason=marks.mark(REASON, _reason(topic)),
            links=[
                (_("Choose topics"), marks.mark(PREFERENCES, None)),
                (_("Unsubscribe"), marks.mark(UNSUBSCRIBE, None)),
            ],
            to=absolute_address,
        )
    written = texts.text
    if content.plain:
        _generated, signature, foot = written.rpartition("\n-- \n")
        written = marks.put(content.plain.strip()) + "\n" + signature + foot
    counted = marks.count(texts.html, tracks) if tracks else texts.html
    subject, page, text = (marks.cut(each) for each in (texts.subject, counted, written))
    return Prepared(
        topic=topic,
        locale=content.locale,
        slots=marks.slots,
        subject=_plain(subject, "text"),
        subject_b=_plain(marks.cut(marks.put(content.subject_for("b"))), "text"),
        html=page,
        text=_plain(text),
        keys=marks.keys,
        ways=consent.Ways(),
        is_counted=tracks is not None,
    )


def _reason(topic: Topic) -> str:
    words = {"programme": settings.programme_name, "topic": TOPICS[topic][0]}
    return _("You get this as a partner of %(programme)s. Topic: %(topic)s.", **words)


def subscribers_reason(topic: Topic, locale: str) -> str:
    """The same line for who is no partner."""
    with i18n.speaking(locale):
        words = {"programme": settings.programme_name, "topic": TOPICS[topic][0]}
        return _("You get this because you subscribed to news of %(programme)s. Topic: %(topic)s.", **words)


def _tokens(body: str, marks: "_Marks") -> list[Token]:
    """The Markdown of a text, with its blocks in between."""
    tokens: list[Token] = []
    for part in blocks.arrange(body):
        if isinstance(part, str):
            tokens += mail_body.parse(marks.put(part))
        else:
            keys = part.keys if isinstance(part, Shelf) else (part.key,)
            ready = _heading(part, marks) if isinstance(part, Shelf) else _block(part, marks)
            tokens.append(mail_body.ready_made(*(marks.section(keys, each) for each in ready)))
    return tokens


def _heading(shelf: Shelf, marks: "_Marks") -> tuple[str, str]:
    tokens = mail_body.parse(marks.put(shelf.heading))
    text = mail_body.text(tokens).strip()
    return mail_body.html(tokens), text


def _block(block: Block, marks: "_Marks") -> tuple[str, str]:
    """(HTML, text) of a block."""
    if block.is_known and block.kind == Kind.EARNINGS:
        return marks.put(cards.figures_html()), marks.put(cards.figures_text())
    if block.is_known and block.kind == Kind.LEVEL:
        return marks.put(cards.level_html()), marks.put(cards.level_words())
    card = cards.find(block)
    if card is None:
        return cards.missing(block), cards.nowhere(block)
    return cards.as_html(card, block.kind), cards.as_text(card)


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
        self.sections: list[frozenset[str]] = []
        self.counted: list[Counted] = []

    @property
    def keys(self) -> frozenset[str]:
        return frozenset[str]().union(*self.sections)

    def section(self, keys: Iterable[str], text: str) -> str:
        """`text` between marks, to be left out for whom all of `keys` are hidden."""
        self.sections.append(frozenset(keys))
        number = len(self.sections) - 1
        return f"{self.sign}b{number}x{text}{self.sign}e{number}x"

    def mark(self, name: str, default: str | None) -> str:
        if (name, default) not in self.slots:
            self.slots.append((name, default))
        return f"{self.sign}n{self.slots.index((name, default))}x"

    def count(self, page: str, tracks: Tracks) -> str:
        """`page` with marks for the links that have a number, and for the picture that is fetched on opening."""

        def replace(match: re.Match[str]) -> str:
            number = tracks.links.get(html.unescape(match[2]))
            if number is None:
                return match[0]
            path = [f"{settings.base_url}/news/to/", self._key(), f"/{signed_number(number)}"]
            return match[1] + self._count(Counted(path, match[2])) + '"'

        page = re.sub(r'(<a [^>]*?href=")([^"]*)"', replace, page)
        picture = [
            f'<img src="{settings.base_url}/news/seen/',
            self._key(),
            '.gif" alt="" width="1" height="1">',
        ]
        return (
            page.replace("</body>", f"{self._count(Counted(picture, ''))}</body>") if tracks.opens else page
        )

    def _key(self) -> Piece:
        self.mark(KEY, None)
        return self.slots.index((KEY, None)), "text"

    def _count(self, counted: Counted) -> str:
        self.counted.append(counted)
        return f"{self.sign}c{len(self.counted) - 1}x"

    def put(self, text: str) -> str:
        """`text` with marks for the reader's variables and the constants written out."""

        def replace(match: re.Match[str]) -> str:
            return self.mark(match[1], match[2]) if variables.is_own(match[1]) else match[0]

        return VARIABLE.sub(replace, variables.fill_constants(text))

    def cut(self, text: str) -> Pieces:
        """`text` in pieces; each slot knows whether it stands in HTML or within an address."""
        parts = re.split(rf"{self.sign}b(\d+)x(.*?){self.sign}e\1x", text, flags=re.DOTALL)
        pieces: Pieces = [*self._slotted(parts[0])]
        for number, inside, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            pieces += [Section(self.sections[int(number)], self._slotted(inside)), *self._slotted(rest)]
        return pieces

    def _slotted(self, text: str) -> list[Piece | Counted]:
        parts = re.split(rf"{self.sign}c(\d+)x", text)
        pieces: list[Piece | Counted] = [*self._filled(parts[0])]
        for number, rest in zip(parts[1::2], parts[2::2], strict=True):
            pieces += [self.counted[int(number)], *self._filled(rest)]
        return pieces

    def _filled(self, text: str) -> list[Piece]:
        mark = re.compile(self.sign + r"n(\d+)x")
        in_address = _ADDRESS.sub(lambda match: mark.sub(self.sign + r"n\1u", match[0]), text)
        parts = re.split(self.sign + r"n(\d+)([xu])", in_address)
        pieces: list[Piece] = [parts[0]]
        for number, kind, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            is_link = self.slots[int(number)][0] in LINKS
            pieces += [(int(number), "text" if is_link else "address" if kind == "u" else "html"), rest]
        return pieces


def _plain(pieces: Pieces, everywhere: str = "") -> Pieces:
    """The same for plain text: nothing is escaped but what stands in an address (not even that in a subject)."""

    def plain(piece: Piece | Counted) -> Piece | Counted:
        if isinstance(piece, str | Counted) or (piece[1] == "address" and not everywhere):
            return piece
        return piece[0], "text"

    return [
        Section(piece.keys, [plain(each) for each in piece.pieces])
        if isinstance(piece, Section)
        else plain(piece)
        for piece in pieces
    ]


_BLANKS = re.compile(r"\n{3,}")


def _shown(
    pieces: Iterable[Piece | Counted | Section], hidden: frozenset[str], is_counted: bool
) -> Iterator[Piece]:
    for piece in pieces:
        if isinstance(piece, Counted):
            yield from piece.pieces if is_counted else [piece.otherwise]
        elif not isinstance(piece, Section):
            yield piece
        elif not piece.keys <= hidden:
            yield from _shown(piece.pieces, hidden, is_counted)
