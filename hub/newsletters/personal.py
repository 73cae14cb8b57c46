"""What differs from reader to reader: their words, and the blocks that are not for them. Found for many at once."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from sqlalchemy import select

from ..core import i18n
from ..core.database import db
from ..core.i18n import LOCALES
from ..partners.models import Tier, TierAssignment, TierCause
from . import figures, seen, variables
from .audience import Recipient
from .blocks import PERSONAL, Kind
from .letters import HIDDEN, Prepared
from .models import Newsletter


class Occasion:
    """One newsletter, its texts laid out by language: `values(recipients)` fills them for anyone."""

    def __init__(self, newsletter: Newsletter, texts: dict[str, Prepared]) -> None:
        self.newsletter = newsletter
        self.texts = texts
        self.names = {locale: text.names for locale, text in texts.items()}
        self._locales: dict[str, str] = {}
        self.keys = frozenset[str]().union(*(text.keys for text in texts.values()))
        self.month = figures.Month(newsletter.figures_month)

    @cached_property
    def cards(self) -> seen.Cards:
        return seen.Cards(self.newsletter, self.keys)

    def locale_of(self, recipient: Recipient) -> str:
        """The language of the text a reader gets."""
        read = recipient.user.locale
        if read not in self._locales:
            content = self.newsletter.content_for(read)
            self._locales[read] = content.locale if content else next(iter(LOCALES))
        return self._locales[read]

    @property
    def for_partners(self) -> frozenset[str]:
        """The blocks that are about a reader, or lead to what partners alone may see: no stranger gets them."""
        return self.keys & {*PERSONAL, *self.cards.not_public}

    @property
    def tells_figures(self) -> bool:
        return Kind.EARNINGS in self.keys or self._uses("earnings.")

    @property
    def tells_levels(self) -> bool:
        return Kind.LEVEL in self.keys or self._uses("level.")

    def _uses(self, room: str) -> bool:
        return any(name.startswith(room) for names in self.names.values() for name in names)

    def values(self, recipients: Sequence[Recipient], locales: Sequence[str]) -> list[dict[str, str]]:
        """For each reader, in the language of the text they get: variables, and the blocks hidden from them."""
        ids = {each.partner.id for each in recipients}
        earned = self.month.of(ids) if self.tells_figures else {}
        levels = _risen(ids, self.newsletter) if self.tells_levels else {}
        hidden = self.cards.hidden(recipients)
        return [
            self._value(reader, locale, earned.get(reader.partner.id), levels.get(reader.partner.id), keys)
            for reader, locale, keys in zip(recipients, locales, hidden, strict=True)
        ]

    def _value(
        self,
        reader: Recipient,
        locale: str,
        earned: figures.Figures | None,
        level: TierAssignment | None,
        hidden: Iterable[str],
    ) -> dict[str, str]:
        names, keys = self.names[locale], set(hidden)
        found = variables.values(reader.user, reader.partner, locale, names)
        if earned or level:
            with i18n.speaking(locale, reader.user.time_zone):
                own = figures.words(self.month.month, earned) if earned else {}
                own |= _level_words(level) if level else {}
            found |= {name: variables.tidy(own[name]) for name in names if name in own}
        if not earned:
            keys.add(Kind.EARNINGS)
        if not level:
            keys.add(Kind.LEVEL)
        left_out = sorted(keys & self.texts[locale].keys)
        return found | ({HIDDEN: " ".join(left_out)} if left_out else {})


def _risen(ids: Iterable[int], newsletter: Newsletter) -> dict[int, TierAssignment]:
    """The present level of the partners that stand higher than when the last update was sent."""
    since = newsletter.news_since
    rows = select(TierAssignment).where(
        TierAssignment.partner_id.in_(list(ids)),
        (TierAssignment.ends_at.is_(None)) | (TierAssignment.ends_at > since),
    )
    spans: dict[int, list[TierAssignment]] = {}
    for each in db.session.scalars(rows.order_by(TierAssignment.starts_at)):
        spans.setdefault(each.partner_id, []).append(each)
    orders = {tier.id: tier.order for tier in db.session.scalars(select(Tier))}
    return {
        partner_id: each[-1]
        for partner_id, each in spans.items()
        if each[-1].starts_at > since
        and each[-1].cause is not TierCause.START
        and orders[each[-1].tier_id] > orders[each[0].tier_id]
    }


def _level_words(level: TierAssignment) -> dict[str, str]:
    names = level.tier.names
    return {
        "level.new": names.get(i18n.locale()) or names.get("en", ""),
        "level.since": i18n.format_date(level.starts_at, "long"),
        "level.rate": i18n.percent(level.tier.rate_bp),
    }
