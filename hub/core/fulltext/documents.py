"""What goes into the index and what comes out: plain values that know neither rooms nor engines."""

from dataclasses import asdict, dataclass, field
from typing import Any

PUBLIC = "public"
PARTNERS = "partners"
STAFF = "staff"


@dataclass(frozen=True)
class Section:
    """A part of a body that has its own address: `body[start:]` up to the next section."""

    anchor: str
    title: str
    start: int


@dataclass(frozen=True)
class Document:
    """One thing that can be found.

    `audience` names who may see it: a viewer finds the document when one of the viewer's tokens is in it
    (`public`, `partners`, `staff`, or something of a room's own such as `partner:17`).
    `url` is a path; `crumbs` are shown above the title; `codes` are found only when typed exactly.
    """

    kind: str
    id: int
    lang: str
    audience: frozenset[str]
    title: str
    url: str
    headings: tuple[str, ...] = ()
    body: str = ""
    sections: tuple[Section, ...] = ()
    crumbs: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    external_id: str | None = None
    badge: str = ""
    updated_at: str = ""

    @property
    def key(self) -> str:
        """Unique inside the index of its language."""
        return f"{self.kind}:{self.id}"

    @property
    def shelf(self) -> str:
        """What readers narrow results down to within a kind: the first crumb."""
        return self.crumbs[0][:200] if self.crumbs else ""

    def as_json(self) -> dict[str, Any]:
        """A form JSON can hold; `from_json` reads it back."""
        return asdict(self) | {"audience": sorted(self.audience)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Document":
        """Read what `as_json` wrote."""
        typed = {name: tuple(data[name]) for name in ("headings", "crumbs", "codes")}
        sections = tuple(Section(**section) for section in data["sections"])
        return cls(**data | typed | {"audience": frozenset(data["audience"]), "sections": sections})


@dataclass(frozen=True)
class Narrowing:
    """Which part of the answers is wanted: of some kinds, on one shelf; all of them by default."""

    kinds: frozenset[str] = frozenset()
    shelf: str = ""


@dataclass(frozen=True)
class Found:
    """What an engine answers: the best documents, how many there are of each kind, and on each shelf of the kinds asked for."""

    documents: list[Document] = field(default_factory=list)
    by_kind: dict[str, int] = field(default_factory=dict)
    by_shelf: dict[str, int] = field(default_factory=dict)
