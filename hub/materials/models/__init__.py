"""What the room keeps: assets, what people took, and the clicks that came of it."""

from .assets import (
    KINDS,
    Asset,
    AssetReader,
    AssetTag,
    AssetVersion,
    Campaign,
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
