"""Partners from CSV: new ones are added, known ones get the facts that differ."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from ..accounts.models import User
from ..accounts.service import is_address
from ..core.access import Permission, Role, can
from ..core.crash import crash_point
from ..core.database import db
from ..core.i18n import LOCALES, _, _l, zones
from ..core.imports import Change, Column, FileImport, Kind, Plan
from ..core.sheets import Row, Sheet
from . import levels, members, service
from .models import MemberRole, Membership, Partner, PartnerKind, PartnerStatus
from .places import is_country

CHUNK = 500
COLUMNS = (
    Column(
        "code",
        _l("Public code, 2 to 20 Latin letters, digits and hyphens. It tells which partner a row is about."),
        "WOJCIK",
    ),
    Column("name", _l("Name of the company or the person."), "Wójcik Media"),
    Column("country", _l("Two letters of ISO 3166."), "PL"),
    Column("kind", _l("“company” or “individual”."), "company", False),
    Column(
        "status", _l("“applied” or “active”; later changes are made on the partner's page."), "active", False
    ),
    Column("locale", _l("Language: en, ru, uk or pl."), "pl", False),
    Column("time_zone", _l("Name of the IANA time zone."), "Europe/Warsaw", False),
    Column("currency", _l("Main currency: EUR, GBP, PLN or UAH."), "PLN", False),
    Column("website", _l("Address with https:// at the beginning."), "https://wojcik.example", False),
    Column("manager", _l("E-mail of the personal manager."), "anna@nordbill.example", False),
    Column("tags", _l("Tags separated by semicolons or commas."), "video, accountants", False),
    Column("owner_name", _l("Name of the first owner."), "Kamil Wójcik", False),
    Column(
        "owner_email",
        _l("E-mail of the first owner, who is invited from the partner's page."),
        "kamil@wojcik.example",
        False,
    ),
)
CURRENCIES = ("EUR", "GBP", "PLN", "UAH")
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": tuple(PartnerKind),
    "status": (PartnerStatus.APPLIED, PartnerStatus.ACTIVE),
    "locale": tuple(LOCALES),
    "currency": CURRENCIES,
}


@dataclass(frozen=True)
class Given:
    """What a row says of a partner: facts that differ from what the hub knows, and a new owner."""

    code: str
    facts: tuple[tuple[str, Any], ...]
    owner: tuple[str, str] | None  # e-mail, name
    was: tuple[str, ...] = ()  # changes in words, for the preview


class _Reader:
    """Reads the rows of one file against what the hub knows."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.plan = sheet, Plan()
        self.partners = {
            each.code: each
            for each in _in(Partner, Partner.code, {row["code"].upper() for row in sheet.rows})
        }
        emails = {row[name].lower() for row in sheet.rows for name in ("manager", "owner_email")}
        self.users = {each.email: each for each in _in(User, User.email, emails)}
        ids = {user.id for user in self.users.values()}
        self.places = {each.user_id: each.partner_id for each in _in(Membership, Membership.user_id, ids)}
        self.zones = set(zones())
        self.codes: dict[str, int] = {}
        self.owners: dict[str, int] = {}

    def read(self) -> Plan:
        for row in self.sheet.rows:
            self._row(row)
        return self.plan

    def _row(self, row: Row) -> None:
        before = len(self.plan.problems)
        code, facts = self._code(row), self._facts(row)
        partner = self.partners.get(code)
        owner = self._owner(row, partner)
        if len(self.plan.problems) > before:
            return
        if partner is None:
            self.plan.changes.append(Change(row.line, "add", Given(code, tuple(facts.items()), owner)))
            return
        facts.pop("status", None)
        facts = {name: value for name, value in facts.items() if getattr(partner, name) != value}
        if not facts and owner is None:
            self.plan.known += 1
            return
        was = tuple(
            f"{name}: {_shown(getattr(partner, name))} → {_shown(value)}" for name, value in facts.items()
        )
        self.plan.changes.append(Change(row.line, "change", Given(code, tuple(facts.items()), owner, was)))

    def _code(self, row: Row) -> str:
        code = row["code"].upper()
        if not service.CODE.fullmatch(code):
            self.plan.blame(row.line, "code", str(service.WrongCode.message))
        elif code in self.codes:
            self.plan.blame(
                row.line, "code", _("This code stands in line %(line)s already.", line=self.codes[code])
            )
        self.codes.setdefault(code, row.line)
        return code

    def _facts(self, row: Row) -> dict[str, Any]:
        """The cells that are filled in, checked; what is wrong is blamed."""
        facts: dict[str, Any] = {}
        for name, check in (
            ("name", self._name),
            ("country", self._country),
            ("website", self._website),
            ("time_zone", self._zone),
        ):
            if row[name] or name in ("name", "country"):
                facts[name] = check(row)
        for name, allowed in CHOICES.items():
            value = row[name].upper() if name == "currency" else row[name].lower()
            if value and value not in allowed:
                self.plan.blame(
                    row.line,
                    name,
                    _("“%(text)s” is none of %(allowed)s.", text=row[name], allowed=", ".join(allowed)),
                )
            elif value:
                facts[name] = {"kind": PartnerKind, "status": PartnerStatus}.get(name, str)(value)
        if row["manager"]:
            facts["manager_id"] = self._manager(row)
        if row["tags"]:
            tags = [tag.strip().lower() for tag in row["tags"].replace(";", ",").split(",")]
            facts["tags"] = list(dict.fromkeys(tag for tag in tags if tag))
        return facts

    def _name(self, row: Row) -> str:
        if not 0 < len(row["name"]) <= 120:
            self.plan.blame(row.line, "name", _("The name is missing or longer than 120 characters."))
        return row["name"]

    def _country(self, row: Row) -> str:
        code = row["country"].upper()
        if not is_country(code):
            self.plan.blame(
                row.line, "country", _("“%(text)s” is not a country of ISO 3166.", text=row["country"])
            )
        return code

    def _website(self, row: Row) -> str:
        parts = urlsplit(row["website"])
        if parts.scheme not in ("http", "https") or not parts.hostname or len(row["website"]) > 200:
            self.plan.blame(
                row.line,
                "website",
                _("“%(text)s” is not an address with https:// at the beginning.", text=row["website"]),
            )
        return row["website"]

    def _zone(self, row: Row) -> str:
        if row["time_zone"] not in self.zones:
            self.plan.blame(
                row.line,
                "time_zone",
                _("“%(text)s” is not a time zone such as Europe/Oslo.", text=row["time_zone"]),
            )
        return row["time_zone"]

    def _manager(self, row: Row) -> int | None:
        user = self.users.get(row["manager"].lower())
        if user is None or not can(user, Permission.PARTNERS_VIEW):
            self.plan.blame(
                row.line, "manager", _("Nobody of the team has the address %(email)s.", email=row["manager"])
            )
            return None
        return user.id

    def _owner(self, row: Row, partner: Partner | None) -> tuple[str, str] | None:
        email = row["owner_email"].lower()
        if not email:
            return None
        if partner is not None and partner.memberships:
            return None  # people of a known partner change on its page
        if not is_address(email):
            self.plan.blame(
                row.line, "owner_email", _("“%(text)s” is not an e-mail address.", text=row["owner_email"])
            )
            return None
        if email in self.users or email in self.owners:
            self.plan.blame(row.line, "owner_email", _("%(email)s belongs to somebody already.", email=email))
        self.owners[email] = row.line
        return email, row["owner_name"] or row["name"]


def _in(model: Any, column: Any, values: set[Any]) -> list[Any]:
    ordered = sorted(value for value in values if value)
    found: list[Any] = []
    for start in range(0, len(ordered), CHUNK):
        found += db.session.scalars(select(model).where(column.in_(ordered[start : start + CHUNK])))
    return found


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "–" if value in (None, "") else str(value)


def _plan(sheet: Sheet) -> Plan:
    return _Reader(sheet).read()


def _cells(values: list[Given]) -> list[tuple[str, ...]]:
    """Code, name, what changes."""
    codes = {value.code for value in values}
    names = {each.code: each.name for each in _in(Partner, Partner.code, codes)}
    cells: list[tuple[str, ...]] = []
    for value in values:
        facts = dict(value.facts)
        what = "; ".join(value.was) or facts.get("country", "")
        if value.owner:
            what = "; ".join(filter(None, [what, _("owner: %(email)s", email=value.owner[0])]))
        cells.append((value.code, facts.get("name") or names.get(value.code, ""), what))
    return cells


def _apply(changes: list[Change], actor: Any, _upload: FileImport) -> None:
    """Add and change partners. Owners get an account without a password; an invitation is sent from their page."""
    levels.ensure_ladder()
    for change in changes:
        given: Given = change.value
        facts = dict(given.facts)
        if change.action == "add":
            partner = service.create(actor, given.code, **facts)
        else:
            partner = db.session.scalars(
                select(Partner).where(Partner.code == given.code).with_for_update(key_share=True)
            ).one()
            service.edit(partner, actor, **facts)
        crash_point("partner_imported")
        if given.owner:
            _add_owner(partner, *given.owner, actor)


def _add_owner(partner: Partner, email: str, name: str, actor: Any) -> None:
    user = User(email=email, name=name, role=Role.PARTNER, locale=partner.locale, time_zone=partner.time_zone)
    db.session.add(user)
    db.session.flush()
    members.add(partner, user, actor, role=MemberRole.OWNER)


PARTNERS = Kind(
    name="partners",
    title=_l("Import partners"),
    lead=_l("New codes are added, known ones get the facts that differ. An empty cell changes nothing."),
    columns=COLUMNS,
    actions={"add": _l("New partner"), "change": _l("Change")},
    heads=(_l("Code"), _l("Partner"), _l("What changes")),
    cells=_cells,
    plan=_plan,
    apply=_apply,
)
