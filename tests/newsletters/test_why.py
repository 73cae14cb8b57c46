"""Why did I get this, why not: the ledger answers the reader, the manager and the agent alike."""

from datetime import timedelta

from hub.core import clock
from hub.core.database import db, transaction
from hub.newsletters import consent, starting
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Shown, SuppressionReason, Topic
from tests.factories import make_member, make_partner

from .factories import make_newsletter


def text(answer):
    return answer.get_data(as_text=True)


def test_everyone_who_asks_hears_what_the_ledger_says(cast, manager, agent, browse, worker):
    with transaction():
        consent.opt_out("other@example.org", Topic.PRODUCT)
        gone = make_member(make_partner(code="GONE", name="Gone"), email="gone@example.org")
        consent.suppress("gone@example.org", SuppressionReason.BOUNCE)
        back = make_member(make_partner(code="BACK", name="Back"), email="back@example.org")
        newsletter = make_newsletter(manager, shown=Shown.PUBLIC)
    with transaction():
        starting.start(db.session.get(Newsletter, newsletter.id), manager)
    worker()
    with transaction():
        row = db.session.scalar(db.select(Delivery).filter_by(address="back@example.org"))
        row.bounced_at, row.reason = clock.now(), "550 no such mailbox"
        consent.choose("other@example.org", set(Topic))  # a later change of mind does not rewrite history
        late = make_member(make_partner(code="LATE", name="Late"), email="late@example.org")
        late.created_at = clock.now() + timedelta(hours=1)
    number = newsletter.id
    expected = {
        cast.partner: ("ACME", "Why did I get this?", "Sent to partner@example.org on "),
        cast.other_partner: (
            "OTHER",
            "Why didn’t I get this?",
            "Not sent to other@example.org: this address has declined the topic.",
        ),
        gone: (
            "GONE",
            "Why didn’t I get this?",
            "Not sent to gone@example.org: earlier mails to this address came back.",
        ),
        back: ("BACK", "Why didn’t I get this?", "550 no such mailbox."),
        late: ("LATE", "Why didn’t I get this?", "before this account was made."),
    }
    desk, support = browse(manager), browse(agent)
    for person, (code, question, said) in expected.items():
        reader = browse(person)
        page = text(reader.get(f"/news/{number}"))
        assert question in page
        assert said in page
        assert ("Why didn’t I get this?" in text(reader.get("/news"))) == ("didn’t" in question)
        assert said in text(desk.get(f"/newsletters/{number}?who={code}"))
        assert said in text(support.get(f"/newsletters/of/{code}"))
    own = browse(cast.other_partner)
    link = own.get("/news/preferences").headers["Location"]
    assert "this address has declined the topic" in text(own.get(link))
    assert "this address has declined" not in text(browse(cast.partner).get(link)), (
        "a forwarded link tells nothing"
    )
    with transaction():
        cast.partner.email = "moved@example.org"
        db.session.flush()
        heir = make_member(make_partner(code="HEIR", name="Heir"), email="partner@example.org")
    reader = browse(heir)
    page = text(reader.get(reader.get("/news/preferences").headers["Location"]))
    assert "before this account was made" in page
    assert "Sent to partner@example.org" not in page, "the address was somebody else’s then"
    page = text(support.get("/newsletters/of/HEIR"))
    assert "This one was addressed to Pat Partner." in page
    assert "News for Acme Media" not in page
    states = db.select(Delivery.state).filter_by(newsletter_id=number)
    assert db.session.scalars(states).all().count(DeliveryState.SUPPRESSED) == 2
