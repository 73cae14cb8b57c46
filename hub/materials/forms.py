"""Forms of those who publish materials."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
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

from ..core.database import db
from ..core.forms import HubForm, options
from ..core.i18n import LOCALES, _, _l
from ..core.settings import settings
from ..core.timezones import ZoneField
from ..partners import groups, levels
from ..partners.links import page_of
from .models import GENRES, Asset, Campaign, Genre, Kind, Status, Visibility
from .service import Details, clean_tags

DAY = timedelta(days=1)
_VISIBILITY = [
    (Visibility.ALL, _l("All partners")),
    (Visibility.CHOSEN, _l("Chosen partners")),
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
    reader_tiers = SelectMultipleField(
        _l("Levels"), widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    reader_tags = StringField(
        _l("Partners’ tags"),
        [Optional()],
        description=_l("Separated by commas. A partner with one of the levels or tags sees it."),
    )
    needs_approval = BooleanField(
        _l("Partners ask before they use it"),
        description=_l("They say what for and where; codes and files are theirs once you have agreed."),
    )
    valid_from = DateField(_l("Use from"), [Optional()])
    valid_until = DateField(
        _l("Use until"),
        [Optional()],
        description=_l("The last day. Afterwards codes show an empty picture, and links still work."),
    )
    zone = ZoneField(_l("Days begin and end in"))
    is_published = BooleanField(_l("Show it to partners at once"), default=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaigns = sorted(db.session.scalars(select(Campaign)), key=lambda campaign: campaign.name)
        self.campaign_id.choices = options([("", _("None")), *((each.id, each.name) for each in campaigns)])
        self.locale.choices = options([("", _("Fits every language")), *LOCALES.items()])
        self.reader_tiers.choices = options((tier.key, tier.name) for tier in levels.ladder())
        self.zone.data = self.zone.data or settings.programme_timezone

    def validate_landing(self, field: StringField) -> None:
        """Only the programme's own site: links must not lead customers elsewhere."""
        if field.data and page_of(field.data) is None:
            raise ValidationError(_("This must be a page of %(site)s.", site=settings.programme_site))

    def validate_visibility(self, field: SelectField) -> None:
        if field.data == Visibility.CHOSEN and not self.readers:
            raise ValidationError(_("Choose at least one level or tag."))

    @property
    def readers(self) -> list[str]:
        """The groups of partners that were chosen."""
        return groups.tokens(self.reader_tiers.data or [], (self.reader_tags.data or "").split(","))

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
            "readers": self.readers,
            "needs_approval": bool(self.needs_approval.data),
            "valid_from": _begin(self.valid_from.data, self.zone.data),
            "valid_until": _begin(self.valid_until.data and self.valid_until.data + DAY, self.zone.data),
            "zone": None if self.zone.data == settings.programme_timezone else self.zone.data,
        }

    def show(self, asset: Asset) -> None:
        """Fill the form with what an asset says now."""
        self.campaign_id.data = str(asset.campaign_id or "")
        self.locale.data = asset.locale or ""
        self.tags.data = ", ".join(asset.tags)
        self.landing.data, self.rights.data = asset.landing, asset.rights
        self.visibility.data = str(asset.visibility)
        self.reader_tiers.data, tags = groups.split(asset.readers)
        self.reader_tags.data = ", ".join(tags)
        self.needs_approval.data = asset.needs_approval
        self.zone.data = asset.time_zone
        self.valid_from.data, self.valid_until.data = asset.first_day, asset.last_day
        self.is_published.data = asset.status is Status.PUBLISHED


class UploadForm(DetailsForm):
    """Several files at once, described alike."""

    files = MultipleFileField(_l("Files"))
    upload = SelectMultipleField(validate_choice=False)  # files that have come piece by piece

    def validate_files(self, field: MultipleFileField) -> None:
        if not self.upload.data and not any(file.filename for file in field.data or []):
            raise ValidationError(_("Choose at least one file."))


class EditForm(DetailsForm):
    """One asset's details."""

    title = StringField(_l("Title"), [InputRequired(), Length(max=200)])
    replacement = StringField(
        _l("What takes its place"),
        [Optional()],
        description=_l("Number or address of another picture: codes show it once this one is over."),
    )
    #: What may take its place, and what is said of anything else.
    takes: ClassVar[tuple[Kind, ...]] = (Kind.IMAGE, Kind.ANIMATED)
    refusal: ClassVar = _l("This is no picture that every partner may use.")

    def show(self, asset: Asset) -> None:
        super().show(asset)
        self.title.data = asset.title
        self.replacement.data = str(asset.replacement_id or "")

    def details(self) -> Details:
        replacement = _number(self.replacement.data)
        return {"title": self.title.data or "", "replacement_id": replacement, **super().details()}

    def validate_replacement(self, field: StringField) -> None:
        """Another one of the kind that everyone may see: it is shown on partners' sites."""
        if not field.data:
            return
        id = _number(field.data)
        other = db.session.get(Asset, id) if id else None
        if other is None or other.kind not in self.takes or not other.is_open:
            raise ValidationError(str(self.refusal))


class BannerForm(EditForm):
    """An HTML5 banner's details."""

    replacement = StringField(
        _l("What takes its place"),
        [Optional()],
        description=_l("Number or address of another HTML5 banner: codes show it once this one is over."),
    )
    takes: ClassVar[tuple[Kind, ...]] = (Kind.HTML,)
    refusal: ClassVar = _l("This is no HTML5 banner that every partner may use.")


class TextForm(EditForm):
    """A ready text."""

    genre = SelectField(_l("Written for"), choices=options([("", _l("Anything")), *GENRES.items()]))
    body = TextAreaField(
        _l("Text"),
        [InputRequired(), Length(max=20_000)],
        description=_l("{link}, {coupon} and {name} become each partner's own."),
    )

    def show(self, asset: Asset) -> None:
        super().show(asset)
        self.body.data, self.genre.data = asset.current.text, asset.genre or ""

    def details(self) -> Details:
        return {**super().details(), "genre": Genre(self.genre.data) if self.genre.data else None}


class VersionForm(HubForm):
    file = FileField(_l("File"))


class AskForm(HubForm):
    """A partner asks to use a material."""

    purpose = TextAreaField(_l("What for"), [InputRequired(), Length(max=1000)])
    place = StringField(
        _l("Where it will be seen"),
        [InputRequired(), Length(max=300)],
        description=_l("The page, the mailing or the event."),
    )


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


def _begin(day: date | None, zone: str) -> datetime | None:
    """The first moment of a day in a zone."""
    return datetime.combine(day, time(), ZoneInfo(zone)) if day else None
