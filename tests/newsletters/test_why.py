"""Why did I get this, why not: the ledger answers the reader, the manager and the agent alike."""

from datetime import timedelta

from hub.core import clock
from hub.core.database import db, transaction
from hub.newsletters import consent, moving, sequences, starting, why
from hub.newsletters.models import Delivery, DeliveryState, Newsletter, Shown, SuppressionReason, Topic
from hub.newsletters.models_sequences import SequenceEntry, Trigger
from tests.factories import make_member, make_partner

from .factories import ENGLISH, make_newsletter


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


def test_a_step_is_as_old_as_its_mail_and_says_nothing_of_who_never_came_to_it(cast, manager, browse):
    long_ago = clock.now() - timedelta(days=400)
    with transaction():
        cast.acme.joined_at = cast.other_org.joined_at = long_ago - timedelta(days=1)
        sequence = sequences.create(manager, "Welcome", Trigger.APPROVED, Topic.PRODUCT)
        for number in (1, 2):
            text_of = ENGLISH | {"subject": f"Step {number}"}
            sequences.add_step(sequence, manager, days=number - 1, hour=None, contents=[text_of])
        with clock.frozen(long_ago):
            sequences.switch_on(sequence, manager, everyone=True)
            while sequence.brings_everyone:
                moving.enter(sequence)
            db.session.execute(
                db.delete(SequenceEntry).where(SequenceEntry.user_id != cast.partner.id)
            )  # as nobody else had come
        later = sequence.steps[1].id
        for subject in range(why.LATEST):
            starting.start(make_newsletter(manager, ENGLISH | {"subject": f"News {subject}"}))
        moving.move(moving.locked(sequence.id))
    people = [cast.partner, cast.other_partner]
    own, others = (why.latest(people, manager)[each.id] for each in people)
    assert own[0].subject == "Step 1"
    assert [each.subject for each in others if "Step" in each.subject] == []
    desk = browse(manager)
    page = text(desk.get(f"/newsletters/{later}?who=partner@example.org"))
    assert "Came into the sequence “Welcome”" in page
    assert "The next mail is due on" in page
    page += text(desk.get(f"/newsletters/{later}?who=other@example.org"))
    assert "Has not come in" in page
    assert "was sent on" not in page
