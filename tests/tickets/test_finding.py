"""Tickets by their words, for the team with filters and for partners in their own."""

from hub.accounts.models import User
from hub.core import fulltext
from hub.core.database import db, transaction
from hub.tickets import fields, finding, service
from hub.tickets.models import Category, SavedView, Ticket
from hub.tickets.models_fields import Kind

from .factories import an_id, make_field, make_ticket


def test_the_team_finds_all_words_in_any_language_and_narrows_them_down(cast, browse):
    payout = make_ticket(cast.partner, "Payout is late", "The bank says nothing.", category=Category.PAYOUT)
    link = make_ticket(cast.partner, "Link is late", "The bank again.")
    cast.other_partner.locale = "ru"
    russian = make_ticket(cast.other_partner, "Выплата", "Ещё не пришла на счёт.")
    order, day = make_field("Order number"), make_field("Paid on", Kind.DATE)
    with transaction():
        fields.fill_in(russian, cast.agent, {order.id: "INV-7731 заказ", day.id: "2026-10-31"})
    agent, agent_id = browse(cast.agent), cast.agent.id
    english, other = [payout.id, link.id], [russian.id]
    fulltext.write_changes()
    reader = db.session.get(User, agent_id)  # a new index begins with a session of its own
    assert finding.ids(reader, "late bank") == english
    assert finding.ids(reader, "выплата счёт") == other
    assert finding.ids(reader, "payouts") == [payout.id], "another form of the word"
    assert finding.ids(reader, "банк late") == []
    assert (
        finding.ids(reader, f"{russian.number} выплаты") == finding.ids(reader, str(russian.number)) == other
    )
    assert finding.ids(reader, "INV-7731") == finding.ids(reader, "заказы выплата") == other, "in a field"
    assert finding.own(cast.other_partner, "7731") == []  # a field that they do not see
    with transaction() as session:
        answered = session.get_one(Ticket, english[1])
        service.reply(answered, session.get_one(User, agent_id), "Use the zebra.", seen=1, client_id=an_id())
    fulltext.write_changes()
    assert finding.ids(db.session.get(User, agent_id), "late zebra") == [english[1]], "answered meanwhile"
    page = agent.get("/inbox?view=all&q=bank+late&category=payout").text
    assert "Payout is late" in page
    assert "Link is late" not in page
    assert "No ticket fits" in agent.get("/inbox?view=all&q=bank+unheard").text
    agent.post("/inbox/views?view=all&q=bank&category=payout", data={"name": "Late"})
    with transaction() as session:
        assert session.query(SavedView).one().asked == {"view": "all", "category": "payout", "q": "bank"}
    assert "q=bank" in agent.get("/inbox").text  # the view leads there, and counts nothing


def test_partners_find_their_own_and_nothing_that_is_not_for_them(cast, browse):
    mine = make_ticket(cast.partner, "Où est ma commission", "Счёт ЕЩЁ не оплачен.")
    theirs = make_ticket(cast.other_partner, "Their commission", "MARKER-OTHER")
    with transaction():
        service.note(mine, cast.agent, "MARKER-NOTE", client_id=an_id())
    partner = browse(cast.partner)
    for words in ("еще счет", "COMMISSION оплачен", str(mine.number)):
        assert mine.subject in partner.get("/tickets", query_string={"q": words}).text
    for words in ("MARKER-NOTE", "MARKER-OTHER", theirs.subject, "оплачен нет"):
        assert (
            "No conversation has all of these words"
            in partner.get("/tickets", query_string={"q": words}).text
        )
    assert finding.own(cast.other_partner, "commission") == [theirs.id]
    assert finding.own(cast.partner, "  ") == []
