"""Addresses that no page of ours has written: they find nothing, and break nothing."""

import base64
import json

import pytest

LONG = 10**30
CURSORS = [
    ["2026-01-01T00:00:00", 1],  # no time zone
    ["2026-01-01T00:00:00+00:00", LONG],
    ["0001-01-01T00:00:00+14:00", 1],
    ["9999-12-31T23:59:00-14:00", 1],
    ["2026-01-01T00:00:00+00:00", True],
    ["\ud800", 1],
    ["\x00", 1],
    ["a", LONG],
    [LONG, 1],
    [True],
    {"a": 1},
]


def cursor_of(values):
    return base64.urlsafe_b64encode(("+" + json.dumps(values)).encode()).decode().rstrip("=")


@pytest.mark.parametrize("values", CURSORS, ids=json.dumps)
def test_a_forged_cursor_means_the_first_page(browse, admin, values):
    browser = browse(admin)
    for path in ("/settings/users", "/settings/audit", "/inbox", "/kb/feedback"):
        assert browser.get(path, query_string={"cursor": cursor_of(values)}).status_code == 200


@pytest.mark.parametrize("number", [2**31, 2**63, LONG])
@pytest.mark.parametrize("path", ["/inbox/{}", "/settings/users/{}", "/earnings/statements/{}.csv"])
def test_a_number_no_row_can_have_is_not_found(browse, admin, path, number):
    assert browse(admin).get(path.format(number)).status_code == 404


@pytest.mark.parametrize("month", ["0001-01", "9999-12", "2026-13", "\x00"])
def test_a_month_of_no_programme_is_left_out(browse, admin, month):
    for path in ("/reports", "/reports/sales.csv"):
        assert browse(admin).get(path, query_string={"month": month}).status_code == 200


@pytest.mark.parametrize("number", [str(LONG), "²", "x"])
def test_a_filter_by_a_number_that_is_none_breaks_nothing(browse, admin, number):
    for path, name in (("/kb/manage", "category"), ("/partners/", "manager")):
        assert browse(admin).get(path, query_string={name: number}).status_code in (200, 400)
