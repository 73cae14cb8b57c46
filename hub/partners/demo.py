"""The demo's partners: forty organisations in six countries, their people, managers and coupons."""

import csv
import random
from datetime import timedelta
from pathlib import Path

from ..accounts.demo import Cast
from ..core.database import db
from . import coupons, levels, members, service
from .models import MemberRole, Partner, PartnerKind, PartnerStatus

PEOPLE = Path(__file__).with_name("demo.csv")
#: Colleagues of the larger ones: code, name, address.
COLLEAGUES = (
    ("KRASNOVA", "Алексей Нестеров", "aleksei@krasnova.example"),
    ("WOJCIK", "Zuzanna Krawczyk", "zuzanna@wojcik.example"),
    ("BRIGHT", "Amelia Hart", "amelia@bright.example"),
    ("SHEVCHUK", "Богдан Кравець", "bohdan@shevchuk.example"),
    ("PENNY", "George Nwosu", "george@penny.example"),
    ("FAKTUROWNIK", "Dorota Pawlak", "dorota@fakturownik.example"),
)
#: Code of the coupon, where it is used.
COUPONS = {
    "BRIGHT": ("BRIGHT10", "The podcast"),
    "WOJCIK": ("WOJCIK10", "Filmy na YouTube"),
    "KRASNOVA": ("KRASNOVA10", "Видеокурс"),
    "SHEVCHUK": ("SHEVCHUK10", "Відео та вебінари"),
    "PODATKOWO": ("PODATEK10", "Kanał wideo"),
    "GRUENDER": ("GRUENDER10", "Podcast"),
}
SUSPENDED, CLOSED, APPLIED = "STEPPE", "ZIELONKA", "TYNE"


def fill(cast: Cast, rng: random.Random) -> None:
    """Let them join one after the other."""
    with cast.at(days=425):
        levels.ensure_ladder()
    with PEOPLE.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            with cast.at(days=int(row["joined"]), hours=rng.randrange(9)):
                _join(cast, row, rng)
    for code, name, email in COLLEAGUES:
        partner: Partner = cast.partners[code]
        with cast.at(days=300):
            user = cast.person(email, name, locale=partner.locale, time_zone=partner.time_zone)
            members.add(partner, user, cast.owners[code], role=MemberRole.MEMBER)
    for code, (word, note) in COUPONS.items():
        with cast.at(days=290):
            coupons.assign(cast.partners[code], cast.anna, word, note=note)
    with cast.at(days=40):
        service.change_status(
            cast.partners[SUSPENDED], PartnerStatus.SUSPENDED, cast.anna, reason="brand bidding"
        )
    with cast.at(days=25):
        service.change_status(cast.partners[CLOSED], PartnerStatus.CLOSED, cast.anna, reason="asked to leave")
    db.session.flush()


def _join(cast: Cast, row: dict[str, str], rng: random.Random) -> None:
    code = row["code"]
    managers = [cast.anna, cast.anna, cast.tomasz if row["locale"] == "pl" else cast.olena]
    partner = service.create(
        cast.anna,
        code,
        name=row["name"],
        kind=PartnerKind(row["kind"]),
        status=PartnerStatus.APPLIED if code == APPLIED else PartnerStatus.ACTIVE,
        country=row["country"],
        locale=row["locale"],
        time_zone=row["time_zone"],
        currency=row["currency"],
        website=row["website"],
        reach=int(row["reach"]),
        tags=row["tags"].split(),
        channels=row["channels"].split(),
        manager_id=rng.choice(managers).id,
    )
    owner = cast.person(row["email"], row["owner"], locale=row["locale"], time_zone=row["time_zone"])
    members.add(partner, owner, cast.anna, role=MemberRole.OWNER)
    # Most look in every few days, some have not been seen for long.
    owner.last_seen_at = cast.now - timedelta(days=min(rng.expovariate(1 / 12), int(row["joined"])))
    cast.partners[code], cast.owners[code] = partner, owner
