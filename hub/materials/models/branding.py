"""Templates: materials with places that are filled in for each partner."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ...core import clock
from ...core.database import db
from .assets import AssetVersion


class Template(db.Model):
    """Where a partner's logo, name, link, coupon, QR code and contact go in a version of a picture or a PDF."""

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("asset_version.id"), unique=True)
    #: As `branding.Place` reads them; pixels of a picture, points of a page.
    places: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    pages: Mapped[int] = mapped_column(default=1)  # of a PDF
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)

    version: Mapped[AssetVersion] = relationship()
