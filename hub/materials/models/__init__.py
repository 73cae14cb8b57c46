"""What the room keeps: assets, what people took, and the clicks that came of it."""

from .assets import (
    KINDS,
    Asset,
    AssetTag,
    AssetTier,
    AssetVersion,
    Campaign,
    Kind,
    Status,
    ThumbnailState,
    Visibility,
    for_partners,
    usable_now,
)
from .clicks import Click, ClickKind
from .taking import Download, Favourite, Kit, KitItem

__all__ = [
    "KINDS",
    "Asset",
    "AssetTag",
    "AssetTier",
    "AssetVersion",
    "Campaign",
    "Click",
    "ClickKind",
    "Download",
    "Favourite",
    "Kind",
    "Kit",
    "KitItem",
    "Status",
    "ThumbnailState",
    "Visibility",
    "for_partners",
    "usable_now",
]
