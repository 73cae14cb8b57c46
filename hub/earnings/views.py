"""Pages of earnings: a partner's own, the team's view of anyone's, statements, imports of sales."""

from collections.abc import Iterator
from typing import Any

from babel.dates import format_date
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Select, func, select

from ..core import i18n, months
from ..core.access import Permission, can, requires, visible, visible_or_404
from ..core.database import db
from ..core.errors import NotFound
from ..core.frame import link
from ..core.i18n import _, _l, exponent, format_month
from ..core.import_doors import ImportPages, csv_answer
from ..core.paging import page
from ..partners.models import Partner, PartnerStatus
from ..partners.service import named, partner_of
from . import explaining, export, payouts, service
from .importing import SALES
from .models import EntryKind, LedgerEntry, Statement
from .service import Balance, EntryState

bp = Blueprint("earnings", __name__, url_prefix="/earnings", template_folder="templates")
ImportPages(SALES, (_l("Earnings"), "earnings.partners")).add_to(bp, Permission.EARNINGS_IMPORT)

MONTHS = 12
STATES = {
    EntryState.PENDING: (_l("Pending"), "warn"),
    EntryState.APPROVED: (_l("Approved"), "ok"),
    EntryState.PAYABLE: (_l("Payable"), "accent"),
    EntryState.PAID: (_l("Paid"), ""),
}
CHIPS = {
    "": _l("All"),
    EntryKind.COMMISSION: _l("Commissions"),
    EntryKind.REVERSAL: _l("Refunds"),
    EntryKind.BONUS: _l("Bonuses"),
    EntryKind.ADJUSTMENT: _l("Corrections"),
    EntryKind.PAYOUT: _l("Payouts"),
}


@bp.get("/")
@requires(Permission.EARNINGS_OWN, Permission.EARNINGS_VIEW)
def index() -> ResponseReturnValue:
    """Show a partner their account; the team, which follows a link meant for partners, everyone's."""
    if can(current_user, Permission.EARNINGS_VIEW):
        return redirect(url_for(".partners"), 303)
    partner = partner_of(current_user)
    if partner is None:
        raise NotFound
    return _account(partner)


@bp.get("/of/<code>")
@requires(Permission.EARNINGS_OWN, Permission.EARNINGS_VIEW)
def show(code: str) -> ResponseReturnValue:
    """Show the account of a partner one may see."""
    return _account(_partner(code))


@bp.get("/of/<code>/ledger.csv")
@requires(Permission.EARNINGS_OWN, Permission.EARNINGS_VIEW)
def ledger(code: str) -> ResponseReturnValue:
    """Download the entries that the page shows, all pages of them."""
    partner = _partner(code)
    balances = service.balances(partner)
    balance = balances[_currency(partner, balances)]
    statement = _filtered(_entries(partner, balance.currency), _chosen())
    rows = db.session.scalars(statement.order_by(LedgerEntry.occurred_at, LedgerEntry.id))
    return csv_answer(export.entries(rows, balance), f"{partner.code}-{balance.currency}.csv")


@bp.get("/of/<code>/brief")
@requires(Permission.EARNINGS_VIEW)
def brief(code: str) -> ResponseReturnValue:
    """A partner's sums as a part of another page: the partner's card, the ticket's context."""
    partner = _partner(code)
    return render_template(
        "earnings/_brief.html",
        partner=partner,
        balances=service.balances(partner),
        sales=service.sales_count(partner, months.this_year()),
        year=months.this_year(),
    )


@bp.get("/entries/<int:id>")
@requires(Permission.EARNINGS_OWN, Permission.EARNINGS_VIEW)
def entry(id: int) -> ResponseReturnValue:
    """Explain an amount: in a dialog, or on a page of its own."""
    found = visible_or_404(select(LedgerEntry).where(LedgerEntry.id == id), current_user)
    values = {
        "entry": found,
        "title": explaining.title(found),
        "steps": explaining.steps(found),
        "original": url_for(".entry", id=found.reverses_id) if found.reverses_id else None,
        "question": _question(found),
    }
    if "HX-Request" in request.headers:
        return render_template("earnings/_why.html", **values)
    partner = db.session.get_one(Partner, found.partner_id)
    balance = service.balances(partner)[found.currency]
    return render_template(
        "earnings/entry.html", partner=partner, state=STATES[service.state_of(found, balance)], **values
    )


@bp.get("/statements/<int:id>.csv")
@requires(Permission.EARNINGS_OWN, Permission.EARNINGS_VIEW)
def statement(id: int) -> ResponseReturnValue:
    """Download a closed month."""
    found = visible_or_404(select(Statement).where(Statement.id == id), current_user)
    partner = db.session.get_one(Partner, found.partner_id)
    rows = db.session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.statement_id == id)
        .order_by(LedgerEntry.occurred_at, LedgerEntry.id)
    )
    name = f"{partner.code}-{found.month:%Y-%m}-{found.currency}.csv"
    return csv_answer(export.entries(rows, service.balances(partner)[found.currency]), name)


@bp.get("/partners")
@requires(Permission.EARNINGS_VIEW)
def partners() -> ResponseReturnValue:
    """List partners with what is on its way to them."""
    statement = visible(select(Partner), current_user).where(Partner.status != PartnerStatus.APPLIED)
    wanted = request.args.get("q", "").strip()
    if wanted:
        statement = statement.where(named(wanted))
    found = page(statement, request.args.get("cursor"), Partner.folded, Partner.id, descending=False)
    return render_template(
        "earnings/partners.html",
        page=found,
        q=wanted,
        balances=service.balances_of(found),
        sales=service.sales_counts(found, months.this_year()),
        year=months.this_year(),
        totals=service.totals(*months.bounds(months.this_month())),
        next_payout=payouts.next_payout_day(),
        may_import=can(current_user, Permission.EARNINGS_IMPORT),
        pages=lambda cursor: url_for(".partners", q=wanted or None, cursor=cursor),
    )


def _partner(code: str) -> Partner:
    return visible_or_404(select(Partner).where(Partner.code == code.upper()), current_user)


def _account(partner: Partner) -> str:
    balances = service.balances(partner)
    currency, chosen = _currency(partner, balances), _chosen()
    balance = balances[currency]
    entries = page(
        _filtered(_entries(partner, currency), chosen),
        request.args.get("cursor"),
        LedgerEntry.occurred_at,
        LedgerEntry.id,
    )
    return render_template(
        "earnings/show.html",
        partner=partner,
        own=partner_of(current_user) is not None,
        balances=balances,
        balance=balance,
        minimum=service.money.minimum(currency),
        next_payout=payouts.next_payout_day(),
        year=_year(partner, currency),
        this_year=months.this_year(),
        rows=[_row(entry, balance) for entry in entries],
        page=entries,
        chips=_chips(partner, currency, chosen),
        months=[(f"{month:%Y-%m}", format_month(month)) for month in reversed(months.last_months(24))],
        chosen=chosen,
        pages=lambda cursor: _here(partner, currency, cursor=cursor, **chosen),
        export=url_for(".ledger", code=partner.code, currency=currency, **_given(chosen)),
        action=_here(partner),
        statements=_statements(partner, currency),
    )


def _currency(partner: Partner, balances: dict[str, Balance]) -> str:
    """The currency asked for, if the partner has an account in it."""
    asked = request.args.get("currency", "")
    return asked if asked in balances else partner.currency


def _chosen() -> dict[str, str]:
    kind, month = request.args.get("kind", ""), request.args.get("month", "")
    return {"kind": kind if kind in set(EntryKind) else "", "month": month if months.parse(month) else ""}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _entries(partner: Partner, currency: str) -> Select[Any]:
    return select(LedgerEntry).where(LedgerEntry.partner_id == partner.id, LedgerEntry.currency == currency)


def _filtered(statement: Select[Any], chosen: dict[str, str]) -> Select[Any]:
    if chosen["kind"]:
        statement = statement.where(LedgerEntry.kind == EntryKind(chosen["kind"]))
    month = months.parse(chosen["month"])
    if month:
        start, end = months.bounds(month)
        statement = statement.where(LedgerEntry.occurred_at >= start, LedgerEntry.occurred_at < end)
    return statement


def _here(partner: Partner, currency: str = "", **values: Any) -> str:
    """The address of this account, as this reader has it."""
    given = _given({"currency": currency if currency != partner.currency else "", **values})
    if request.endpoint == "earnings.index":
        return url_for(".index", **given)
    return url_for(".show", code=partner.code, **given)


def _chips(partner: Partner, currency: str, chosen: dict[str, str]) -> list[dict[str, Any]]:
    """Kinds of entries with their numbers in the chosen month."""
    counting = _filtered(_entries(partner, currency), chosen | {"kind": ""}).subquery()
    counts: dict[str, int] = dict(
        iter(db.session.execute(select(counting.c.kind, func.count()).group_by(counting.c.kind)))
    )
    counts[""] = sum(counts.values())
    return [
        {
            "label": label,
            "url": _here(partner, currency, **(chosen | {"kind": str(kind)})),
            "current": chosen["kind"] == kind,
            "count": counts.get(kind, 0),
        }
        for kind, label in CHIPS.items()
        if kind == "" or counts.get(kind) or chosen["kind"] == kind
    ]


def _row(entry: LedgerEntry, balance: Balance) -> dict[str, Any]:
    """An entry as the table shows it."""
    state = service.state_of(entry, balance)
    return {
        "entry": entry,
        "title": explaining.title(entry),
        "coupon": entry.snapshot.get("coupon"),
        "state": STATES[state],
        "until": entry.available_at if state is EntryState.PENDING else None,
        "sale": explaining.sale_of(entry),
        "rate": entry.snapshot.get("rate_bp"),
    }


def _question(entry: LedgerEntry) -> str | None:
    """Where to ask about an entry, its calculation carried along; None for staff and without the support room."""
    if partner_of(current_user) is None:
        return None
    title = explaining.title(entry)
    lines = [f"> {step.label}: {step.value}" for step in explaining.steps(entry)]
    return link(
        "tickets.new",
        subject=_("Question about: %(what)s", what=title),
        body="\n".join(lines) + "\n\n",
        entry=entry.id,
        category="commission",
    )


def _year(partner: Partner, currency: str) -> dict[str, Any]:
    """Twelve months for the chart and the table beneath it."""
    wanted = months.last_months(MONTHS)
    sums = service.month_summaries(partner, wanted)
    rows = [(month, sums[month].get(currency, service.Summary())) for month in wanted]
    return {
        "rows": rows[::-1],
        "total": sum(summary.total for _month, summary in rows),
        "chart": {
            "type": "bar",
            "money": currency,
            "exponent": exponent(currency),
            "labels": [format_date(month, "LLL", locale=i18n.locale()) for month in wanted],
            "series": [{"label": _("Earned"), "values": [summary.total for _month, summary in rows]}],
        },
    }


def _statements(partner: Partner, currency: str) -> Iterator[Statement]:
    closed = select(Statement).where(Statement.partner_id == partner.id, Statement.currency == currency)
    return iter(db.session.scalars(closed.order_by(Statement.month.desc()).limit(6)))
