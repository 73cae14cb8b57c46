"""What the front-end build leaves of Tabler's stylesheet."""

import pytest

from scripts.build_vendor import rules, slim


@pytest.mark.parametrize(
    ("css", "left"),
    [
        (".btn{color:red}", ".btn{color:red}"),
        (".card{color:red}", ""),
        (".card,.btn{color:red}", ".btn{color:red}"),
        (".card-body .btn{color:red}", ""),
        (".cards{color:red}", ".cards{color:red}"),
        (".btn:not(.card){color:red}", ".btn:not(.card){color:red}"),
        (":is(.a,.b) .btn{color:red}", ":is(.a,.b) .btn{color:red}"),
        ("@media print{.card{color:red}.btn{color:red}}", "@media print{.btn{color:red}}"),
        ("@media print{.card{color:red}}", ""),
        ('@charset "UTF-8";.btn{color:red}', '@charset "UTF-8";.btn{color:red}'),
        ('.btn{background:url("data:{.card}")}.card{a:b}', '.btn{background:url("data:{.card}")}'),
        ("/* tabler.io, (c) .card */:root{--a:b}", "/* tabler.io, (c) .card */:root{--a:b}"),
        ("@keyframes card{0%{top:0}}.btn{a:b}", "@keyframes card{0%{top:0}}.btn{a:b}"),
    ],
)
def test_components_we_do_not_use_are_left_out(css, left):
    assert slim(css) == left


def test_splitting_loses_nothing():
    css = '/* a */@charset "U";a{b:c}@media x{d{e:"}"}f{g:h}}i{}'
    assert "".join(head if body is None else f"{head}{{{body}}}" for head, body in rules(css)) == css
