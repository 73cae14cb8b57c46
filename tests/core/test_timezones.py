"""Time zones are shown by their cities, in the reader's language; the values stay IANA's names."""

from datetime import UTC, datetime

import pytest

from hub.core import clock, i18n, timezones
from hub.core.forms import HubForm
from hub.core.timezones import ZoneField

pytestmark = pytest.mark.once


class Form(HubForm):
    zone = ZoneField("Zone")


@pytest.mark.parametrize(
    ("lang", "name", "winter", "summer"),
    [
        ("en", "Europe/London", "London (UTC)", "London (UTC+1)"),
        ("uk", "Europe/Kyiv", "Київ (UTC+2)", "Київ (UTC+3)"),
        ("ru", "Europe/Kiev", "Киев (UTC+2)", "Киев (UTC+3)"),
        ("pl", "Europe/Warsaw", "Warszawa (UTC+1)", "Warszawa (UTC+2)"),
        ("en", "Asia/Kathmandu", "Kathmandu (UTC+5:45)", "Kathmandu (UTC+5:45)"),
        ("en", "America/St_Johns", "St John’s (UTC−3:30)", "St John’s (UTC−2:30)"),
        ("en", "America/Argentina/Buenos_Aires", "Buenos Aires (UTC−3)", "Buenos Aires (UTC−3)"),
    ],
)
def test_a_zone_is_its_city_and_how_far_its_clocks_are(lang, name, winter, summer):
    with i18n.speaking(lang):
        for month, expected in ((1, winter), (7, summer)):
            with clock.frozen(datetime(2026, month, 15, tzinfo=UTC)):
                assert timezones.label(name) == expected


@pytest.mark.parametrize(
    ("lang", "before", "after"),
    [("uk", "Єреван", "Іркутськ"), ("pl", "Los Angeles", "Warszawa"), ("ru", "Аден", "Якутск")],
)
def test_every_city_is_there_once_in_the_order_of_the_alphabet(lang, before, after):
    with i18n.speaking(lang):
        labels = [each.label.rpartition(" (")[0] for each in timezones.choices()]
    assert len(labels) == len(set(labels)) > 400
    assert labels.index(before) < labels.index(after)


@pytest.mark.parametrize(
    ("value", "is_taken", "is_listed"),
    [("Europe/Kyiv", True, True), ("Europe/Kiev", True, False), ("Europe/Atlantis", False, False)],
)
def test_an_older_name_stays_valid_where_it_was_chosen(app, value, is_taken, is_listed):
    with app.test_request_context(method="POST", data={"zone": value}):
        assert Form().validate() is is_taken
        assert (value in {each.value for each in Form(formdata=None).zone.choices}) is is_listed
        assert (
            f'<option selected value="{value}">' in str(Form(formdata=None, data={"zone": value}).zone())
        ) is is_taken
