"""What the room keeps: assets, what people took, and the clicks that came of it."""

from .assets import (
    GENRES,
    KINDS,
    Asset,
    AssetReader,
    AssetTag,
    AssetVersion,
    Campaign,
    Genre,
    Kind,
    Status,
    ThumbnailState,
    Visibility,
    for_partners,
    usable_now,
)
from .branding import Template
from .clicks import Click, ClickKind
from .requests import RequestState, UseRequest, with_consent
from .taking import Download, Favourite, Kit, KitItem
from .uploads import Upload, UploadState
from .using import AssetUse, Basis, CountedFile, Placement, SaleCredit

__all__ = [
    "GENRES",
    "KINDS",
    "Asset",
    "AssetReader",
    "AssetTag",
    "AssetUse",
    "AssetVersion",
    "Basis",
    "Campaign",
    "Click",
    "ClickKind",
    "CountedFile",
    "Download",
    "Favourite",
    "Genre",
    "Kind",
    "Kit",
    "KitItem",
    "Placement",
    "RequestState",
    "SaleCredit",
    "Status",
    "Template",
    "ThumbnailState",
    "Upload",
    "UploadState",
    "UseRequest",
    "Visibility",
    "for_partners",
    "usable_now",
    "with_consent",
]
