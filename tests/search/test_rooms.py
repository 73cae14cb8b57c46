"""What each room puts into the one search, and who finds it."""

import pytest

from hub.core import fulltext, jobs
from hub.core.database import transaction
from hub.newsletters.models import DeliveryState, Shown, Status
from hub.tickets import service as tickets
from tests.newsletters.factories import make_delivery, make_newsletter
from tests.tickets.factories import an_id, make_ticket


def titles(user, text, lang="en", **options):
    return [hit.document.title for hit in fulltext.find(user, lang, text, **options).hits]


def test_the_team_finds_tickets_by_words_number_and_address(cast, worker, partner, other_partner, agent):
    ticket = make_ticket(partner, "Walrus coupon", "The walrus coupon does not work.")
    make_ticket(other_partner, "Walrus banner", "The banner is grey.")
    worker()
    mine = f"№ {ticket.number} · Walrus coupon"
    assert titles(agent, "walruses coupons") == [mine]
    assert titles(agent, "walrus coupon grey") == []
    assert titles(agent, str(ticket.number))[0] == mine
    assert mine in titles(agent, partner.email)
    for text in ("walrus", "walrux", "walr"):
        answer = fulltext.find(partner, "en", text, typing=True)
        assert (answer.hits, answer.by_kind, answer.instead) == ([], {}, {})


def test_a_ticket_is_found_in_whatever_language_somebody_wrote_in_it(cast, worker, partner, agent):
    ticket = make_ticket(partner, "Payout", "Питання про нарвалів: виплату затримано.")
    worker()
    mine = [f"№ {ticket.number} · Payout"]
    for lang in ("en", "ru", "uk", "pl"):
        assert titles(agent, "виплати нарвал", lang) == mine, lang
        assert titles(agent, "payouts", lang) == mine, lang
        assert titles(agent, str(ticket.number), lang, insist=True) == mine, lang


def test_a_ticket_is_found_by_what_is_said_later_and_shows_its_state(cast, worker, partner, agent):
    ticket = make_ticket(partner, "Question", "Where is it?")
    worker()
    with transaction():
        again = tickets.db.session.merge(ticket)
        tickets.reply(again, agent, "Look at the narwhal page.", seen=again.last_seq, client_id=an_id())
    worker()
    hit = fulltext.find(agent, "en", "narwhal").hits[0]
    assert hit.url == f"/inbox/{ticket.number}"
    assert hit.document.badge == "Waiting"


def test_partners_are_found_by_the_team_only(cast, partner, agent):
    jobs.run(fulltext.WRITE)
    name = cast.acme.name
    for text in (name, name.lower(), cast.acme.code, partner.email):
        for lang in ("en", "ru"):
            assert titles(agent, text, lang)[0] == name
        assert titles(partner, text) == []


@pytest.mark.parametrize(
    ("shown", "finders"),
    [
        (Shown.PUBLIC, {"visitor", "partner", "other", "manager"}),
        (Shown.PARTNERS, {"partner", "other", "manager"}),
        (Shown.RECIPIENTS, {"partner", "manager"}),
    ],
)
def test_newsletters_in_the_archive_are_found_by_who_may_read_them(cast, worker, manager, shown, finders):
    text = {
        "locale": "en",
        "subject": "Walrus news",
        "preheader": "",
        "body": "Hello {user.first_name|you}, a walrus.",
    }
    with transaction():
        newsletter = make_newsletter(manager, text, shown=shown)
    worker()
    assert titles(manager, "walrus") == []
    with transaction():
        sent = tickets.db.session.merge(newsletter)
        sent.status = Status.SENT
        make_delivery(sent, cast.partner, state=DeliveryState.SENT)
    worker()
    people = {"visitor": None, "partner": cast.partner, "other": cast.other_partner, "manager": manager}
    assert {who for who, user in people.items() if titles(user, "walrus")} == finders
    hit = fulltext.find(manager, "en", "walrus").hits[0]
    assert "you" in hit.fragment
    assert hit.document.crumbs == ("Product news",)
