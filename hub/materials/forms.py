"""Forms of those who publish materials."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    MultipleFileField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from ..core import i18n
from ..core.database import db
from ..core.forms import HubForm, options
from ..core.i18n import LOCALES, _, _l
from ..core.settings import settings
from ..partners.links import page_of
from ..partners.models import Tier
from .models import Asset, Campaign, Status, Visibility
from .service import Details, clean_tags

_VISIBILITY = [
    (Visibility.ALL, _l("All partners")),
    (Visibility.TIERS, _l("Partners of chosen levels")),
    (Visibility.STAFF, _l("Only the team")),
]


class DetailsForm(HubForm):
    """What is said about an asset, besides its content."""

    campaign_id = SelectField(_l("Promo campaign"), validators=[Optional()])
    locale = SelectField(_l("Language"), validators=[Optional()])
    tags = StringField(
        _l("Tags"), [Optional()], description=_l("Separated by commas: sale, autumn, for blogs.")
    )
    landing = StringField(
        _l("Page the link leads to"),
        [Optional()],
        description=_l("On the programme's site, such as /pricing. Empty: its first page."),
    )
    rights = StringField(_l("Rights"), [Optional()], description=_l("What partners may do with it."))
    visibility = SelectField(_l("Who sees it"), choices=options(_VISIBILITY))
    tier_ids = SelectMultipleField(
        _l("Levels"), coerce=int, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    valid_from = DateField(_l("Use from"), [Optional()])
    valid_until = DateField(
        _l("Use until"),
        [Optional()],
        description=_l("The last day. Afterwards codes show an empty picture, and links still work."),
    )
    is_published = BooleanField(_l("Show it to partners at once"), default=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaigns = sorted(db.session.scalars(select(Campaign)), key=lambda campaign: campaign.name)
        self.campaign_id.choices = options([("", _("None")), *((each.id, each.name) for each in campaigns)])
        self.locale.choices = options([("", _("Fits every language")), *LOCALES.items()])
        tiers = db.session.scalars(select(Tier).order_by(Tier.order))
        self.tier_ids.choices = options(
            (tier.id, tier.names.get(i18n.locale()) or tier.names["en"]) for tier in tiers
        )

    def validate_landing(self, field: StringField) -> None:
        """Only the programme's own site: links must not lead customers elsewhere."""
        if field.data and page_of(field.data) is None:
            raise ValidationError(_("This must be a page of %(site)s.", site=settings.programme_site))

    def validate_tier_ids(self, field: SelectMultipleField) -> None:
        if self.visibility.data == Visibility.TIERS and not field.data:
            raise ValidationError(_("Choose at least one level."))

    def validate_valid_until(self, field: DateField) -> None:
        if field.data and self.valid_from.data and field.data < self.valid_from.data:
            raise ValidationError(_("The last day is before the first."))

    def details(self) -> Details:
        """What was entered, as the rules want it."""
        return {
            "status": Status.PUBLISHED if self.is_published.data else Status.DRAFT,
            "campaign_id": int(self.campaign_id.data) if self.campaign_id.data else None,
            "locale": self.locale.data or None,
            "tags": clean_tags(self.tags.data or ""),
            "rights": self.rights.data or None,
            "landing": page_of(self.landing.data) if self.landing.data else None,
            "visibility": Visibility(self.visibility.data),
            "tier_ids": self.tier_ids.data or [],
            "valid_from": _begin(self.valid_from.data),
            "valid_until": _begin(self.valid_until.data + timedelta(days=1))
            if self.valid_until.data
            else None,
        }

    def show(self, asset: Asset) -> None:
        """Fill the form with what an asset says now."""
        self.campaign_id.data = str(asset.campaign_id or "")
        self.locale.data = asset.locale or ""
        self.tags.data = ", ".join(asset.tags)
        self.landing.data, self.rights.data = asset.landing, asset.rights
        self.visibility.data, self.tier_ids.data = str(asset.visibility), asset.tier_ids
        self.valid_from.data = _day(asset.valid_from)
        self.valid_until.data = _day(asset.valid_until - timedelta(seconds=1)) if asset.valid_until else None
        self.is_published.data = asset.status is Status.PUBLISHED


class UploadForm(DetailsForm):
    """Several files at once, described alike."""

    files = MultipleFileField(_l("Files"))

    def validate_files(self, field: MultipleFileField) -> None:
        if not any(file.filename for file in field.data or []):
            raise ValidationError(_("Choose at least one file."))


class EditForm(DetailsForm):
    """One asset's details."""

    title = StringField(_l("Title"), [InputRequired(), Length(max=200)])
    replacement = StringField(
        _l("What takes its place"),
        [Optional()],
        description=_l("Number or address of another picture: codes show it once this one is over."),
    )

    def show(self, asset: Asset) -> None:
        super().show(asset)
        self.title.data = asset.title
        self.replacement.data = str(asset.replacement_id or "")

    def details(self) -> Details:
        replacement = _number(self.replacement.data)
        return {"title": self.title.data or "", "replacement_id": replacement, **super().details()}

    def validate_replacement(self, field: StringField) -> None:
        """Another picture that everyone may see: it is shown on partners' sites."""
        if not field.data:
            return
        id = _number(field.data)
        other = db.session.get(Asset, id) if id else None
        if other is None or not other.is_picture or other.visibility is not Visibility.ALL:
            raise ValidationError(_("This is no picture that every partner may use."))


class TextForm(EditForm):
    """A ready text."""

    body = TextAreaField(
        _l("Text"),
        [InputRequired(), Length(max=20_000)],
        description=_l("{link}, {coupon} and {name} become each partner's own."),
    )

    def show(self, asset: Asset) -> None:
        super().show(asset)
        self.body.data = asset.current.text


class VersionForm(HubForm):
    file = FileField(_l("File"))


class CampaignForm(HubForm):
    """A campaign's name in the hub's languages; without one, English is shown."""

    en = StringField("English", [InputRequired(), Length(max=80)])
    ru = StringField("Русский", [Optional(), Length(max=80)])
    uk = StringField("Українська", [Optional(), Length(max=80)])
    pl = StringField("Polski", [Optional(), Length(max=80)])

    def names(self) -> dict[str, str]:
        return {locale: self[locale].data or "" for locale in LOCALES}


def _number(text: str | None) -> int | None:
    """12 of “12” and of “https://hub.example/materials/12”."""
    digits = re.search(r"(?:^|/materials/)(\d{1,9})/?$", (text or "").strip())
    return int(digits[1]) if digits else None


def _begin(day: date | None) -> datetime | None:
    """The first moment of a day in the programme's zone."""
    return datetime.combine(day, time(), ZoneInfo(settings.programme_timezone)) if day else None


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(ZoneInfo(settings.programme_timezone)).date() if moment else None
