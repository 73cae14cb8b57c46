"""Sales from the shop's CSV: what each row says, and how it fits what the hub knows."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ..core import clock, months
from ..core.crash import crash_point
from ..core.database import db
from ..core.i18n import _, _l, format_datetime, ngettext
from ..core.i18n import money as in_words
from ..core.imports import Change, Column, FileImport, Kind, Plan
from ..core.jobs import ring
from ..core.sheets import Row, Sheet
from ..partners.models import Coupon, Partner, PartnerStatus
from . import booking, money
from .booking import PaidBack, Sale
from .models import Attribution, Conversion, Refund, SaleKind

SOURCE = "shop"
COLUMNS = (
    Column(
        "external_id",
        _l("Number of the order, unique in your shop. A refund repeats the number of its sale."),
        "48244",
    ),
    Column(
        "occurred_at",
        _l("Moment of the payment or the refund, ISO 8601. Without an offset it is the programme's time."),
        "2026-11-20T14:05:00+01:00",
    ),
    Column(
        "partner_code",
        _l("Whose link brought the customer. Needed when there is no coupon."),
        "WOJCIK",
        False,
    ),
    Column("coupon", _l("The coupon that was used. It beats the link."), "BRIGHT10", False),
    Column(
        "amount",
        _l("What the customer paid for the order, without VAT. A refund repeats the amount of its sale."),
        "959.00",
    ),
    Column("currency", _l("Three letters of ISO 4217."), "PLN"),
    Column("product", _l("What was bought."), "Business"),
    Column(
        "status",
        _l("“sale” for a customer's first payment, “renewal” for a later one within 12 months, “refund”."),
        "sale",
    ),
    Column(
        "refunded_amount",
        _l("Only with “refund”: how much the customer has got back so far, altogether."),
        "",
        False,
    ),
    Column(
        "click_id",
        _l(
            "The “click” that our link gave your site. By it the sale counts for the material that brought it."
        ),
        "",
        False,
    ),
)
_NUMBER = re.compile(r"\S(.{0,98}\S)?")
_CLICK = re.compile(r"[\w-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Refunded:
    """A refund as the preview shows it: the new part of it, and the total it leads to."""

    refund: PaidBack
    part_minor: int
    currency: str
    partner_id: int
    product: str


class _Unfit(ValueError):
    """A cell that cannot be used: its column and the reason."""

    def __init__(self, column: str, reason: str) -> None:
        self.column, self.reason = column, reason


class _Reader:
    """Reads the rows of one file against what the hub knows."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet, self.plan = sheet, Plan()
        self.now = clock.now()
        self.partners = _by_code(Partner, {row["partner_code"].upper() for row in sheet.rows})
        self.coupons = _by_code(Coupon, {row["coupon"].upper() for row in sheet.rows})
        owners = _by_id(
            {coupon.partner_id for coupon in self.coupons.values()}
            - {each.id for each in self.partners.values()}
        )
        self.owners = owners | {each.id: each for each in self.partners.values()}
        self.booked = booking.find(SOURCE, {row["external_id"] for row in sheet.rows})
        self.refunds = _refunds_of([each.id for each in self.booked.values()])
        self.staged: dict[str, Sale] = {}
        self.paid_back: list[tuple[Row, PaidBack]] = []

    def read(self) -> Plan:
        refunds = []
        for row in self.sheet.rows:
            if row["status"].lower() == "refund":
                refunds.append(row)
            else:
                self._each(row, self._sale)
        # A refund may stand above its sale in the file, and a later one above an earlier one.
        for row in refunds:
            self._each(row, self._refund)
        for row, refund in sorted(
            self.paid_back, key=lambda each: (each[1].occurred_at, each[1].total_minor)
        ):
            self._each(row, lambda row, refund=refund: self._stage(row, refund))
        return self.plan

    def _each(self, row: Row, step: Any) -> None:
        try:
            step(row)
        except _Unfit as unfit:
            wrong = {unfit.column: unfit.reason}
            for check in (self._number, self._moment, self._whole_amount):
                self._also(wrong, check, row)
            for column, reason in wrong.items():
                self.plan.blame(row.line, column, reason)

    def _also(self, wrong: dict[str, str], check: Any, row: Row) -> None:
        """One wrong cell does not hide the next: whoever mends the row sees all of them at once."""
        try:
            check(row)
        except _Unfit as unfit:
            wrong.setdefault(unfit.column, unfit.reason)

    # --- Cells ---

    def _whole_amount(self, row: Row) -> int:
        return self._amount(row, "amount", self._currency(row))

    def _number(self, row: Row) -> str:
        number = row["external_id"]
        if not _NUMBER.fullmatch(number):
            raise _Unfit(
                "external_id",
                _("The number of the order is missing.") if not number else _("This number is too long."),
            )
        return number

    def _moment(self, row: Row) -> datetime:
        try:
            moment = datetime.fromisoformat(row["occurred_at"])
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=months.zone())
            moment = moment.astimezone(self.now.tzinfo)
        except (ValueError, OverflowError) as error:
            raise _Unfit(
                "occurred_at",
                _("“%(text)s” is not a date and time such as 2026-11-20T14:05.", text=row["occurred_at"]),
            ) from error
        if moment > self.now:
            raise _Unfit("occurred_at", _("This moment is in the future."))
        if moment.year < 2000:
            raise _Unfit("occurred_at", _("This moment is too long ago."))
        return moment

    def _currency(self, row: Row) -> str:
        code = row["currency"].upper()
        if not money.is_currency(code):
            raise _Unfit("currency", _("“%(code)s” is not a currency of ISO 4217.", code=row["currency"]))
        return code

    def _amount(self, row: Row, column: str, currency: str) -> int:
        try:
            amount = money.parse(row[column], currency)
        except money.NotAnAmount as error:
            raise _Unfit(column, _not_an_amount(row[column], currency, error.digits)) from error
        if amount == 0:
            raise _Unfit(column, _("The amount must be more than zero."))
        return amount

    def _click(self, row: Row) -> str | None:
        """The click as it was given; whether there was such a click is not known here."""
        if row["click_id"] and not _CLICK.fullmatch(row["click_id"]):
            raise _Unfit(
                "click_id", _("This is not the id of a click. Leave the cell empty if there is none.")
            )
        return row["click_id"] or None

    def _owner(self, row: Row, moment: datetime) -> tuple[Partner, Coupon | None]:
        """Whose sale it is: the coupon's, when it was valid then, otherwise the link's."""
        coupon = self.coupons.get(row["coupon"].upper())
        if row["coupon"] and coupon is None:
            raise _Unfit("coupon", _("There is no coupon “%(code)s”.", code=row["coupon"]))
        if coupon is not None and coupon.is_valid_at(moment):
            return self._in_programme(self.owners[coupon.partner_id], "coupon"), coupon
        if not row["partner_code"]:
            if coupon is not None:
                raise _Unfit("coupon", _("The coupon “%(code)s” was not valid then.", code=row["coupon"]))
            raise _Unfit("partner_code", _("Neither a partner's code nor a coupon is given."))
        partner = self.partners.get(row["partner_code"].upper())
        if partner is None:
            raise _Unfit(
                "partner_code", _("There is no partner with the code “%(code)s”.", code=row["partner_code"])
            )
        return self._in_programme(partner, "partner_code"), None

    def _in_programme(self, partner: Partner, column: str) -> Partner:
        if partner.status in (PartnerStatus.APPLIED, PartnerStatus.CLOSED):
            raise _Unfit(column, _("The partner %(code)s is not in the programme.", code=partner.code))
        return partner

    # --- Rows ---

    def _sale(self, row: Row) -> None:
        status = row["status"].lower()
        if status not in ("sale", "renewal"):
            raise _Unfit("status", _("“%(text)s” is none of sale, renewal, refund.", text=row["status"]))
        if row["refunded_amount"].strip("0.,"):
            raise _Unfit("refunded_amount", _("A refund is a row of its own, with the status “refund”."))
        if not row["product"] or len(row["product"]) > 200:
            raise _Unfit("product", _("The product is missing or too long."))
        number, moment, currency = self._number(row), self._moment(row), self._currency(row)
        amount = self._amount(row, "amount", currency)
        known = self.booked.get(number) or self.staged.get(number)
        if known is not None:
            self._compare(known, row, amount, currency, moment)
            self.plan.known += 1
            return
        partner, coupon = self._owner(row, moment)
        click = self._click(row)
        self.staged[number] = Sale(
            external_id=number, occurred_at=moment, partner_id=partner.id, amount_minor=amount, currency=currency,
            product=row["product"], kind=SaleKind(status), source=SOURCE,
            attribution=Attribution.COUPON if coupon else Attribution.LINK,
            coupon_id=coupon.id if coupon else None, coupon=coupon.code if coupon else None, click_id=click,
        )  # fmt: skip
        self.plan.changes.append(Change(row.line, "sale", self.staged[number]))

    def _compare(
        self, known: Conversion | Sale, row: Row, amount: int, currency: str, moment: datetime
    ) -> None:
        """A number that is known must say the same again."""
        same_money = _(
            "Order %(number)s is known with %(amount)s.",
            number=known.external_id,
            amount=in_words(known.amount_minor, known.currency),
        )
        if known.currency != currency:
            raise _Unfit("currency", same_money)
        if known.amount_minor != amount:
            raise _Unfit("amount", same_money)
        if known.occurred_at != moment:
            raise _Unfit(
                "occurred_at", _("Order %(number)s is known with another time.", number=known.external_id)
            )
        # A coupon may have been given or ended meanwhile: the booked sale stays whose it was.
        code = row["partner_code"].upper()
        owner = self.partners.get(code)
        if code and known.coupon_id is None and (owner is None or owner.id != known.partner_id):
            raise _Unfit(
                "partner_code", _("Order %(number)s is known as another partner's.", number=known.external_id)
            )

    def _refund(self, row: Row) -> None:
        number, moment, currency = self._number(row), self._moment(row), self._currency(row)
        sale = self.booked.get(number) or self.staged.get(number)
        if sale is None:
            raise _Unfit("external_id", _("There is no sale with the number %(number)s.", number=number))
        amount = self._amount(row, "amount", currency)
        if (amount, currency) != (sale.amount_minor, sale.currency):
            raise _Unfit(
                "amount",
                _(
                    "Order %(number)s is known with %(amount)s.",
                    number=number,
                    amount=in_words(sale.amount_minor, sale.currency),
                ),
            )
        total = self._amount(row, "refunded_amount", currency)
        if total > amount:
            raise _Unfit("refunded_amount", _("More than the customer paid."))
        if moment < sale.occurred_at:
            raise _Unfit("occurred_at", _("The refund is before its sale."))
        self.paid_back.append((row, PaidBack(number, moment, total, SOURCE)))

    def _stage(self, row: Row, refund: PaidBack) -> None:
        sale = self.booked.get(refund.external_id) or self.staged[refund.external_id]
        past = self.refunds.setdefault(sale.external_id, {})
        if past.get(refund.total_minor) == refund.occurred_at:
            self.plan.known += 1
            return
        before = max(past, default=0)
        if refund.total_minor <= before:
            reason = _(
                "%(amount)s have been refunded already. Give the sum of all refunds so far.",
                amount=in_words(before, sale.currency),
            )
            raise _Unfit("refunded_amount", reason)
        past[refund.total_minor] = refund.occurred_at
        part = Refunded(refund, refund.total_minor - before, sale.currency, sale.partner_id, sale.product)
        self.plan.changes.append(Change(row.line, "refund", part))


def _not_an_amount(text: str, currency: str, digits: int) -> str:
    if not text:
        return _("The amount is missing.")
    rule = ngettext(
        "%(currency)s has %(count)s decimal, and thousands are not grouped.",
        "%(currency)s has %(count)s decimals, and thousands are not grouped.",
        digits, currency=currency,
    )  # fmt: skip
    return _("“%(text)s” is not an amount.", text=text) + " " + rule


def _by_code(model: Any, codes: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in booking.chunks(sorted(codes - {""})):
        found |= {each.code: each for each in db.session.scalars(select(model).where(model.code.in_(part)))}
    return found


def _by_id(ids: set[int]) -> dict[int, Partner]:
    found: dict[int, Partner] = {}
    for part in booking.chunks(sorted(ids)):
        found |= {each.id: each for each in db.session.scalars(select(Partner).where(Partner.id.in_(part)))}
    return found


def _refunds_of(ids: list[int]) -> dict[str, dict[int, datetime]]:
    """What was refunded of booked sales: number → total so far → when."""
    found: dict[str, dict[int, datetime]] = {}
    for part in booking.chunks(ids):
        rows = (
            select(Conversion.external_id, Refund.total_minor, Refund.occurred_at)
            .join(Conversion, Conversion.id == Refund.conversion_id)
            .where(Refund.conversion_id.in_(part))
        )
        for number, total, moment in db.session.execute(rows):
            found.setdefault(number, {})[total] = moment
    return found


def _plan(sheet: Sheet) -> Plan:
    plan = _Reader(sheet).read()
    plan.notes = _notes(plan.changes)
    return plan


def _notes(changes: list[Change]) -> list[str]:
    """What customers paid and got back, by currency."""
    sums: dict[str, list[int]] = {}
    for change in changes:
        value = change.value
        counts = sums.setdefault(value.currency, [0, 0, 0, 0])
        at, amount = (2, value.part_minor) if isinstance(value, Refunded) else (0, value.amount_minor)
        counts[at] += 1
        counts[at + 1] += amount
    return [
        _(
            "%(currency)s: %(sales)s sales of %(sold)s, %(refunds)s refunds of %(refunded)s.",
            currency=currency, sales=sales, sold=in_words(sold, currency), refunds=refunds, refunded=in_words(refunded, currency),
        )
        for currency, (sales, sold, refunds, refunded) in sorted(sums.items())
    ]  # fmt: skip


def _cells(values: list[Sale | Refunded]) -> list[tuple[str, ...]]:
    """When, order, partner, product, amount."""
    partners = _by_id({value.partner_id for value in values})
    return [_cells_of(value, partners[value.partner_id].code) for value in values]


def _cells_of(value: Sale | Refunded, code: str) -> tuple[str, ...]:
    if isinstance(value, Refunded):
        number, moment, amount = value.refund.external_id, value.refund.occurred_at, -value.part_minor
    else:
        number, moment, amount = value.external_id, value.occurred_at, value.amount_minor
    return format_datetime(moment), number, code, value.product, in_words(amount, value.currency)


def _apply(changes: list[Change], _actor: Any, upload: FileImport) -> None:
    sales = [change.value for change in changes if change.action == "sale"]
    refunds = [change.value.refund for change in changes if change.action == "refund"]
    booking.book_sales(sales, import_id=upload.id)
    crash_point("sales_booked")
    booking.book_refunds(refunds, import_id=upload.id)
    crash_point("refunds_booked")
    ring("materials.credit")


SALES = Kind(
    name="sales",
    title=_l("Import sales"),
    lead=_l("Sales and refunds become entries in the partners' ledgers. The same file again adds nothing."),
    columns=COLUMNS,
    actions={"sale": _l("Sale"), "refund": _l("Refund")},
    heads=(_l("When"), _l("Order"), _l("Partner"), _l("Product"), _l("Amount")),
    cells=_cells,
    plan=_plan,
    apply=_apply,
)
