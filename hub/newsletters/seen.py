"""Cards that are not for a reader: not meant for their level, or seen already."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from sqlalchemy import select

from ..core import clock
from ..core.database import db
from ..kb.models import Article, ArticleReader, Audience, Feedback, Translation
from ..materials.models import Asset, AssetReader, AssetVersion, Download, Placement, Visibility
from ..materials.telling import IN_USE
from ..partners import groups
from ..partners.models import Partner
from ..training.models import Registration, RegistrationStatus
from . import blocks
from .audience import Recipient
from .blocks import Kind
from .letters import HIDDEN
from .models import Content, Delivery, DeliveryState, Newsletter

#: (“user” or “partner”, its id, the key of a card)
Known = tuple[str, int | None, str]


class Cards:
    """The cards of one newsletter; which of them is hidden from whom is asked for many readers at once."""

    def __init__(self, newsletter: Newsletter, keys: Iterable[str]) -> None:
        self.newsletter = newsletter
        self.of: dict[str, list[str]] = {}
        for key in keys:
            kind, _colon, name = key.partition(":")
            if name:
                self.of.setdefault(kind, []).append(name)
        self._chosen = self._for_chosen()
        #: That a banner ends concerns those who use it.
        self._ending = {f"{Kind.ENDING}:{public_id}" for public_id in self.of.get(Kind.ENDING, [])}
        self._earlier = self._sent_before() if newsletter.skips_seen else {}

    def hidden(self, recipients: Sequence[Recipient]) -> list[set[str]]:
        """For each reader, the keys of the cards they do not get."""
        if not self.of:
            return [set() for _reader in recipients]
        known = self._known(recipients) if self.newsletter.skips_seen else {}
        used = self._used([each.partner.id for each in recipients])
        open_to = self._open_to([each.partner.id for each in recipients])
        return [
            (self._chosen - open_to.get(each.partner.id, set()))
            | (self._ending - used.get(each.partner.id, set()))
            | known.get(("user", each.user.id), set())
            | known.get(("partner", each.partner.id), set())
            for each in recipients
        ]

    @property
    def restricted(self) -> set[str]:
        """Keys of the cards that are not for every partner."""
        return self._chosen | self._ending

    @cached_property
    def not_public(self) -> set[str]:
        """Keys of the cards that no stranger gets, by mail or in the archive: all but articles that everyone may read."""
        keys = {f"{kind}:{name}" for kind, names in self.of.items() for name in names}
        articles = [*self.of.get(Kind.ARTICLE, []), *self.of.get(Kind.STORY, [])]
        public = select(Article.key).where(Article.key.in_(articles), Article.audience == Audience.PUBLIC)
        found = db.session.scalars(public) if articles else ()
        return keys - {f"{kind}:{key}" for key in found for kind in (Kind.ARTICLE, Kind.STORY)}

    def _for_chosen(self) -> set[str]:
        """Articles and banners that are for some partners only."""
        keys = [*self.of.get(Kind.ARTICLE, []), *self.of.get(Kind.STORY, [])]
        chosen = select(Article.key).where(Article.key.in_(keys), Article.audience == Audience.CHOSEN)
        found = {f"{kind}:{key}" for key in db.session.scalars(chosen) for kind in (Kind.ARTICLE, Kind.STORY)}
        banners = select(Asset.public_id).where(
            Asset.public_id.in_([*self.of.get(Kind.BANNER, []), *self.of.get(Kind.ENDING, [])]),
            Asset.visibility == Visibility.CHOSEN,
        )
        return found | {
            f"{kind}:{public_id}"
            for public_id in db.session.scalars(banners)
            for kind in (Kind.BANNER, Kind.ENDING)
        }

    def _open_to(self, partners: list[int]) -> dict[int, set[str]]:
        """Of the articles and banners for chosen partners, those that are for each of these."""
        found: dict[int, set[str]] = {}
        if not self._chosen:
            return found
        keys = {each.partition(":")[2] for each in self._chosen}
        rows = (
            select(Partner.id, Article.key)
            .select_from(ArticleReader)
            .join(Article, Article.id == ArticleReader.article_id)
            .join(Partner, groups.has_group(ArticleReader.token, ArticleReader.needle))
            .where(Article.key.in_(keys), Partner.id.in_(partners))
        )
        for partner_id, key in db.session.execute(rows):
            found.setdefault(partner_id, set()).update({f"{Kind.ARTICLE}:{key}", f"{Kind.STORY}:{key}"})
        banners = (
            select(Partner.id, Asset.public_id)
            .select_from(AssetReader)
            .join(Asset, Asset.id == AssetReader.asset_id)
            .join(Partner, groups.has_group(AssetReader.token, AssetReader.needle))
            .where(Asset.public_id.in_(keys), Partner.id.in_(partners))
        )
        for partner_id, public_id in db.session.execute(banners):
            found.setdefault(partner_id, set()).update(
                {f"{Kind.BANNER}:{public_id}", f"{Kind.ENDING}:{public_id}"}
            )
        return found

    def _used(self, partners: list[int]) -> dict[int, set[str]]:
        """Of the banners that end, those that somebody of each of these has downloaded, or has on a site."""
        ids = self.of.get(Kind.ENDING, [])
        placed = (
            select(Placement.partner_id, Asset.public_id)
            .join(Asset, Asset.id == Placement.asset_id)
            .where(Asset.public_id.in_(ids), Placement.partner_id.in_(partners))
            .where(Placement.last_at > clock.now() - IN_USE)
            .distinct()
        )
        rows = [(partner, id) for _who, partner, id in self._downloads(partners, ids)]
        rows += [(partner, id) for partner, id in db.session.execute(placed)] if ids else []
        found: dict[int, set[str]] = {}
        for partner_id, public_id in rows:
            found.setdefault(partner_id or 0, set()).add(f"{Kind.ENDING}:{public_id}")
        return found

    def _known(self, recipients: Sequence[Recipient]) -> dict[tuple[str, int | None], set[str]]:
        users = [each.user.id for each in recipients]
        partners = [each.partner.id for each in recipients]
        found: dict[tuple[str, int | None], set[str]] = {}
        for who, number, key in [
            *self._rated(users),
            *self._taken(partners),
            *self._visited(users),
            *self._had(users),
        ]:
            found.setdefault((who, number), set()).add(key)
        return found

    def _rated(self, users: list[int]) -> Iterable[Known]:
        """Articles that the reader has given an opinion on."""
        keys = [*self.of.get(Kind.ARTICLE, []), *self.of.get(Kind.STORY, [])]
        rows = (
            select(Feedback.user_id, Article.key)
            .join(Translation, Translation.id == Feedback.translation_id)
            .join(Article, Article.id == Translation.article_id)
            .where(Article.key.in_(keys), Feedback.user_id.in_(users))
        )
        for user_id, key in db.session.execute(rows) if keys else ():
            yield "user", user_id, f"{Kind.ARTICLE}:{key}"
            yield "user", user_id, f"{Kind.STORY}:{key}"

    def _taken(self, partners: list[int]) -> Iterable[Known]:
        """Banners that somebody of the organisation has downloaded."""
        for who, partner_id, public_id in self._downloads(partners, self.of.get(Kind.BANNER, [])):
            yield who, partner_id, f"{Kind.BANNER}:{public_id}"

    def _downloads(self, partners: list[int], ids: list[str]) -> Iterable[Known]:
        rows = (
            select(Download.partner_id, Asset.public_id)
            .join(AssetVersion, AssetVersion.id == Download.version_id)
            .join(Asset, Asset.id == AssetVersion.asset_id)
            .where(Asset.public_id.in_(ids), Download.partner_id.in_(partners))
            .distinct()
        )
        for partner_id, public_id in db.session.execute(rows) if ids else ():
            yield "partner", partner_id, public_id

    def _visited(self, users: list[int]) -> Iterable[Known]:
        """Webinars with a place for the reader, and recordings of those they attended."""
        numbers = {
            kind: [int(number) for number in self.of.get(kind, []) if number.isdecimal()]
            for kind in (Kind.WEBINAR, Kind.RECORDING)
        }
        wanted = [*numbers[Kind.WEBINAR], *numbers[Kind.RECORDING]]
        rows = select(Registration.user_id, Registration.webinar_id, Registration.status).where(
            Registration.webinar_id.in_(wanted), Registration.user_id.in_(users)
        )
        for user_id, webinar_id, status in db.session.execute(rows) if wanted else ():
            if status is not RegistrationStatus.CANCELLED:
                yield "user", user_id, f"{Kind.WEBINAR}:{webinar_id}"
            if status is RegistrationStatus.ATTENDED:
                yield "user", user_id, f"{Kind.RECORDING}:{webinar_id}"

    def _sent_before(self) -> dict[int, set[str]]:
        """Cards of the newsletters sent since the last update, by newsletter."""
        rows = (
            select(Content.newsletter_id, Content.body)
            .join(Newsletter, Newsletter.id == Content.newsletter_id)
            .where(Newsletter.started_at > self.newsletter.news_since, Newsletter.id != self.newsletter.id)
        )
        mine = {f"{kind}:{name}" for kind, names in self.of.items() for name in names}
        found: dict[int, set[str]] = {}
        for number, body in db.session.execute(rows):
            found.setdefault(number, set()).update({each.key for each in blocks.of(body)} & mine)
        return {number: keys for number, keys in found.items() if keys}

    def _had(self, users: list[int]) -> Iterable[Known]:
        """What an earlier mail of these weeks has shown the reader."""
        rows = select(Delivery.user_id, Delivery.newsletter_id, Delivery.values).where(
            Delivery.newsletter_id.in_(list(self._earlier)),
            Delivery.user_id.in_(users),
            Delivery.state == DeliveryState.SENT,
        )
        for user_id, number, values in db.session.execute(rows) if self._earlier else ():
            for key in self._earlier[number] - set(values.get(HIDDEN, "").split()):
                yield "user", user_id, key
