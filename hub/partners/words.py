"""States, kinds and causes of this room as people read them."""

from ..core.i18n import Text, _l
from .models import MemberRole, PartnerKind, PartnerStatus, TierCause

#: Each with the tone of its dot.
STATUS: dict[PartnerStatus, tuple[Text, str]] = {
    PartnerStatus.APPLIED: (_l("Applied"), "accent"),
    PartnerStatus.ACTIVE: (_l("Active"), "ok"),
    PartnerStatus.SUSPENDED: (_l("Suspended"), "warn"),
    PartnerStatus.CLOSED: (_l("Closed"), ""),
}
#: What leads to a status.
VERBS: dict[PartnerStatus, Text] = {
    PartnerStatus.ACTIVE: _l("Activate"),
    PartnerStatus.SUSPENDED: _l("Suspend"),
    PartnerStatus.CLOSED: _l("Close"),
}
KIND: dict[PartnerKind, Text] = {
    PartnerKind.COMPANY: _l("Company"),
    PartnerKind.INDIVIDUAL: _l("Individual"),
}
ROLE: dict[MemberRole, Text] = {MemberRole.OWNER: _l("Owner"), MemberRole.MEMBER: _l("Member")}
CAUSE: dict[TierCause, Text] = {
    TierCause.START: _l("joined the programme"),
    TierCause.SALES: _l("sales of the year"),
    TierCause.NEW_YEAR: _l("a new calendar year"),
    TierCause.MANUAL: _l("decided by a manager"),
}
CHANNELS: dict[str, Text] = {
    "website": _l("Website or blog"),
    "newsletter": _l("Newsletter"),
    "video": _l("Video"),
    "podcast": _l("Podcast"),
    "social": _l("Social networks"),
    "events": _l("Events and courses"),
    "advice": _l("Advising clients"),
}
#: What the audit trail says of a partner.
EVENT: dict[str, Text] = {
    "partner.created": _l("Added to the programme"),
    "partner.edited": _l("Facts changed"),
    "partner.status": _l("Status changed"),
    "partner.tier": _l("Level changed by a manager"),
    "partner.member_added": _l("A member was added"),
    "partner.member_removed": _l("A member was removed"),
    "partner.member_role": _l("A member's role was changed"),
    "coupon.assigned": _l("A coupon was assigned"),
    "coupon.ended": _l("A coupon was ended"),
}
