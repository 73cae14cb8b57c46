"""Which passwords are refused, and how they are kept."""

import pytest

from hub.accounts import passwords

ABOUT = ("kamil@wojcik-media.example", "Kamil Wójcik", "Nordbill Partner Programme")


@pytest.mark.parametrize(
    "weak",
    [
        "short7!", "password", "Password1!", "PASSWORD2026", "qwertyuiop", "йцукенгшщз", "йцукен123", "haslo1234", "12345678",
        "aaaaaaaa", "abababab", "nordbill-demo", "Nordbill1", "wojcik-media", "kamil@wojcik-media.example", "Programme2026",
        "1qaz2wsx", "пароль123", "zaq12wsx",
    ],
)  # fmt: skip
def test_easy_passwords_are_refused(app, weak):
    assert passwords.weakness(weak, *ABOUT)


@pytest.mark.parametrize(
    "fine",
    [
        "heather on the hill",
        "трава у дома под снегом",
        "83729104a75",
        "K9#vt;Lw",
        "        зимой",
        "lion83729104",
    ],
)
def test_others_are_accepted(app, fine):
    assert passwords.weakness(fine, *ABOUT) is None


def test_what_is_stored_is_argon2id_with_the_promised_cost():
    strong = passwords._hasher(is_test=False)
    assert (strong.memory_cost, strong.time_cost, strong.parallelism) == (19_456, 2, 1)
    assert strong.hash("x").startswith("$argon2id$")


def test_a_broken_hash_opens_nothing(app):
    assert not passwords.is_right("not a hash", "not a hash")
