"""A file of sales: what was previewed is imported, all of it or nothing, and only once."""

import io

import pytest
from sqlalchemy import func, select

from hub.core import imports, sheets
from hub.core.database import db, transaction
from hub.core.errors import Invalid, TooLarge
from hub.earnings.commands import sales
from hub.earnings.importing import SALES
from hub.earnings.models import Attribution, Conversion, LedgerEntry
from hub.partners import coupons

from .factories import HEADER, csv

SALE = "A1,2026-06-15T14:00:00+02:00,ACME,,215.10,GBP,Business,sale,"


def plan(*lines):
    return imports.plan(SALES, csv(*lines))


def put(*lines):
    """Preview and confirm."""
    with transaction():
        upload, _plan = imports.preview(SALES, "sales.csv", csv(*lines), None)
    with transaction():
        return imports.confirm(SALES, upload, None)


def problems(*lines):
    return [(each.line, each.column) for each in plan(*lines).problems]


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def total():
    return db.session.scalar(select(func.sum(LedgerEntry.amount_minor))) or 0


def test_a_preview_changes_nothing(cast):
    with transaction():
        _upload, found = imports.preview(SALES, "sales.csv", csv(SALE), None)
    assert (found.counts, count(Conversion)) == ({"new": 1, "known": 0, "problems": 0}, 0)


def test_a_confirmed_file_is_booked_and_the_same_again_adds_nothing(cast):
    refund = "A1,2026-06-18T10:00,,,215.10,GBP,Business,refund,107.55"
    put(SALE, refund)
    assert (count(Conversion), total()) == (1, 3_227 - 1_614)
    again = put(SALE, refund)
    assert (again.counts, total()) == ({"new": 0, "known": 2, "problems": 0}, 3_227 - 1_614)


def test_refunds_of_several_files_are_totals_so_far(cast):
    put(SALE)
    put("A1,2026-06-18T10:00,,,215.10,GBP,Business,refund,107.55")
    put("A1,2026-07-18T10:00,,,215.10,GBP,Business,refund,215.10")
    assert total() == 0


def test_refunds_may_stand_in_any_order(cast):
    put(
        "A1,2026-07-18T10:00,,,215.10,GBP,Business,refund,215.10",
        "A1,2026-06-18T10:00,,,215.10,GBP,Business,refund,107.55",
        SALE,
    )
    assert (count(LedgerEntry), total()) == (3, 0)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (SALE.replace("215.10", "215.11"), "amount"),
        (SALE.replace("GBP", "EUR"), "currency"),
        (SALE.replace("14:00", "14:01"), "occurred_at"),
        (SALE.replace("ACME", "OTHER"), "partner_code"),
    ],
)
def test_the_same_number_with_something_else_is_a_conflict(cast, line, column):
    put(SALE)
    assert problems(line) == [(2, column)]


def test_a_conflict_within_one_file_is_reported(cast):
    assert problems(SALE, SALE, SALE.replace("215.10", "15.10")) == [(4, "amount")]


def test_amounts_that_are_no_totals_are_reported(cast):
    put(SALE, "A1,2026-06-18T10:00,,,215.10,GBP,Business,refund,50")
    assert problems("A1,2026-06-19T10:00,,,215.10,GBP,Business,refund,50") == [(2, "refunded_amount")]


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (",2026-06-15,ACME,,1,EUR,Start,sale,", "external_id"),
        ("B1,soon,ACME,,1,EUR,Start,sale,", "occurred_at"),
        ("B1,2999-01-01,ACME,,1,EUR,Start,sale,", "occurred_at"),
        ("B1,0001-01-01,ACME,,1,EUR,Start,sale,", "occurred_at"),
        ("B1,2026-06-15,NOBODY,,1,EUR,Start,sale,", "partner_code"),
        ("B1,2026-06-15,,,1,EUR,Start,sale,", "partner_code"),
        ("B1,2026-06-15,ACME,NOTHING,1,EUR,Start,sale,", "coupon"),
        ("B1,2026-06-15,ACME,,1.001,EUR,Start,sale,", "amount"),
        ("B1,2026-06-15,ACME,,-1,EUR,Start,sale,", "amount"),
        ("B1,2026-06-15,ACME,,0,EUR,Start,sale,", "amount"),
        ("B1,2026-06-15,ACME,,1.5,JPY,Start,sale,", "amount"),
        ("B1,2026-06-15,ACME,,1,EURO,Start,sale,", "currency"),
        ("B1,2026-06-15,ACME,,1,EUR,,sale,", "product"),
        ("B1,2026-06-15,ACME,,1,EUR,Start,bought,", "status"),
        ("B1,2026-06-15,ACME,,1,EUR,Start,sale,1", "refunded_amount"),
        ("B1,2026-06-15,ACME,,1,EUR,Start,refund,1", "external_id"),
        ("B1,2026-06-15,ACME,,1,EUR,Start,sale,,more", ""),
    ],
)
def test_a_wrong_row_names_its_line_and_column(cast, line, column):
    assert problems(SALE, line) == [(3, column)]


def test_one_wrong_row_keeps_the_whole_file_out(cast):
    with transaction():
        upload, _plan = imports.preview(SALES, "sales.csv", csv(SALE, SALE.replace("215.10", "1")), None)
    with pytest.raises(imports.ImportRefused), transaction():
        imports.confirm(SALES, upload, None)
    assert count(Conversion) == 0


def test_what_changed_since_the_preview_is_shown_again(cast):
    with transaction():
        upload, _plan = imports.preview(SALES, "sales.csv", csv(SALE), None)
    put(SALE)
    with pytest.raises(imports.ImportOutdated), transaction():
        imports.confirm(SALES, upload, None)
    assert count(Conversion) == 1


def test_an_upload_is_imported_once(cast):
    with transaction():
        upload, _plan = imports.preview(SALES, "sales.csv", csv(SALE), None)
    with transaction():
        imports.confirm(SALES, upload, None)
    with pytest.raises(imports.ImportOver), transaction():
        imports.confirm(SALES, upload, None)


def test_a_coupon_beats_the_link_whatever_its_case(cast, manager):
    with transaction():
        coupon = coupons.assign(cast.other_org, manager, "OTHER10")
        coupon.starts_at = cast.acme.joined_at.replace(year=2020)
    put("A1,2026-06-15,ACME,oTher10,215.10,GBP,Business,sale,")
    sale = db.session.scalars(select(Conversion)).one()
    assert (sale.partner_id, sale.attribution) == (cast.other_org.id, Attribution.COUPON)


def test_a_coupon_that_was_not_valid_then_leaves_the_sale_to_the_link(cast, manager):
    with transaction():
        coupons.assign(cast.other_org, manager, "OTHER10")  # from now on
    put("A1,2026-06-15,ACME,OTHER10,215.10,GBP,Business,sale,")
    assert db.session.scalars(select(Conversion)).one().partner_id == cast.acme.id
    assert problems("A2,2026-06-15,,OTHER10,215.10,GBP,Business,sale,") == [(2, "coupon")]


def test_other_separators_and_marks_are_understood(cast):
    text = f"{HEADER}\n{SALE}".replace(",", ";").replace("215.10", "215,10").upper().replace("SALE;", "sale;")
    body = b"\xef\xbb\xbf" + text.replace("2026-06-15T14:00:00+02:00", '"2026-06-15 14:00"').encode()
    found = imports.plan(SALES, body)
    assert (found.counts["new"], found.problems) == (1, [])
    assert found.changes[0].value.amount_minor == 21_510


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"external_id\n1\n",
        b"a,a\n",
        "прив".encode("cp1251"),
        b'"\n',
    ],
)
def test_what_is_no_such_file_is_refused(cast, body):
    with pytest.raises(Invalid):
        imports.plan(SALES, body)


def test_a_file_that_is_too_large_is_refused(cast):
    with pytest.raises(TooLarge):
        imports.plan(SALES, b"x" * (imports.LARGEST + 1))


def test_ten_thousand_rows_take_seconds(cast):
    lines = [
        f"N{n},2026-06-{n % 28 + 1:02d}T10:00,ACME,,{n % 900 + 1}.05,EUR,Start,sale," for n in range(10_000)
    ]
    assert put(*lines).counts["new"] == 10_000
    assert count(LedgerEntry) == 10_000
    assert put(*lines).counts == {"new": 0, "known": 10_000, "problems": 0}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_cells_that_a_spreadsheet_would_run_are_defused(cell):
    assert sheets.safe(cell) == "'" + cell


def test_the_pages_preview_then_import(cast, manager, browse):
    browser = browse(manager)
    file = {"file": (io.BytesIO(csv(SALE, SALE.replace("A1", "A2").replace("215.10", "=1"))), "sales.csv")}
    page = browser.post("/earnings/imports", data=file, follow_redirects=True).text
    assert "1 row is wrong" in page
    assert "Import 1 change" not in page
    file = {"file": (io.BytesIO(csv(SALE)), "sales.csv")}
    shown = browser.post("/earnings/imports", data=file)
    assert "Import 1 change" in browser.get(shown.location).text
    assert count(Conversion) == 0
    browser.post(shown.location)
    assert count(Conversion) == 1
    assert "Imported." in browser.get(shown.location).text


def test_the_command_imports_and_tells_what_is_wrong(app, cast, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(csv(SALE))
    bad.write_bytes(csv(SALE.replace("GBP", "QQQ")))
    run = app.test_cli_runner().invoke
    assert "1 would be imported" in run(sales, ["import", str(good), "--dry-run"]).output
    assert count(Conversion) == 0
    assert "1 imported, 0 known already" in run(sales, ["import", str(good)]).output
    assert "0 imported, 1 known already" in run(sales, ["import", str(good)]).output
    wrong = run(sales, ["import", str(bad)])
    assert wrong.exit_code == 1
    assert "line 2, currency" in wrong.output


def test_every_wrong_cell_of_a_row_is_named(cast):
    assert set(problems("A1,yesterday,NOPE,,0,QQQ,Business,what,")) == {
        (2, "occurred_at"),
        (2, "currency"),
        (2, "status"),
    }
