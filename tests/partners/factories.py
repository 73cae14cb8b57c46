"""Rows that the addresses of partners lead to."""

import io

from PIL import Image
from werkzeug.datastructures import FileStorage

from hub.core import imports
from hub.core.database import db
from hub.partners import coupons, levels, logos
from hub.partners.importing import PARTNERS
from hub.partners.models import MemberRole

from ..factories import make_member

FILE = "code,name,country\nNORDLYS,Nordlys AS,NO\n"


def picture(size: tuple[int, int] = (60, 40), colour: str = "red", fmt: str = "PNG") -> FileStorage:
    """An upload of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, fmt)
    out.seek(0)
    return FileStorage(out, filename=f"logo.{fmt.lower()}")


def make_colleague(partner):
    """A member who owns nothing; their place in the organisation."""
    make_member(partner, MemberRole.MEMBER, name="Mia Member")
    db.session.refresh(partner)
    return partner.memberships[-1]


def sample(cast):
    """A colleague, a coupon, levels and an uploaded file."""
    levels.standing(cast.acme)
    colleague = make_colleague(cast.acme)
    upload, _plan = imports.preview(PARTNERS, "partners.csv", FILE.encode(), cast.manager)
    coupon = coupons.assign(cast.acme, cast.manager, "ACME10")
    cast.acme.logo_key = logos.prepare(picture())
    db.session.flush()
    return {"member": colleague.id, "coupon": coupon.id, "import": upload.id}
