"""Public news for visitors: only who confirms gets it, once, and one click ends it."""

import io
import re
import threading
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP

import pytest
from sqlalchemy import event

from hub.core import clock, jobs
from hub.core.database import db, transaction
from hub.core.mail import Later
from hub.core.mail.outgoing import MailMessage
from hub.core.settings import settings
from hub.kb.models import Audience
from hub.newsletters import claims, consent, starting, subscribers
from hub.newsletters.checks import review
from hub.newsletters.models import Delivery, Newsletter, Shown, SuppressionReason, Topic
from hub.newsletters.models_subscribers import Subscription
from tests.kb.factories import make_article, make_category
from tests.training.factories import make_webinar

from .factories import ENGLISH, make_newsletter

WISH = {"address": "Visitor@Example.com", "language": "en", "topics": ["product_news", "training"]}


def text(answer):
    return answer.get_data(as_text=True)


@pytest.fixture
def asked(client):
    """`asked(**what)` → the ways to confirm that were mailed since."""

    def asked(**what):
        db.session.rollback()
        last = db.session.scalar(db.select(db.func.max(MailMessage.id))) or 0
        answer = client.post("/news/subscribe", data=WISH | what)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/news/subscribe?asked=1")
        db.session.rollback()
        mails = db.session.scalars(db.select(MailMessage).where(MailMessage.id > last)).all()
        return [re.search(r"/news/confirm/\S+", each.text)[0] for each in mails if each.text]

    return asked


def subscriptions():
    db.session.rollback()
    rows = db.session.execute(db.select(Subscription.address, Subscription.topic).order_by(Subscription.id))
    return [tuple(row) for row in rows]


def test_only_the_mailbox_itself_subscribes_and_nobody_learns_who_did(cast, client, asked):
    [link] = asked()
    for address in ("visitor@example.com", "visitor@ｅxample.com"):
        assert asked(address=address) == [], "not a second mail at once, in whichever spelling"
    with transaction():
        consent.suppress("gone@example.com", SuppressionReason.BOUNCE)
    assert asked(address="gone@example.com") == []
    assert len(asked(address="partner@example.org")) == 1
    assert client.post("/news/subscribe", data=WISH | {"topics": ["service"]}).status_code == 422
    for method in ("GET", "HEAD"):
        assert client.open(link, method=method).status_code == 200
    assert subscriptions() == []
    assert client.post(link[:-3] + "xyz").status_code == 404
    assert subscriptions() == []
    for _again in range(2):
        assert "You are subscribed" in text(client.post(link))
    visitor = "visitor@example.com"
    assert subscriptions() == [(visitor, Topic.PRODUCT), (visitor, Topic.TRAINING)]
    with clock.frozen(clock.now() + timedelta(hours=1)):
        client.post(asked(language="pl", topics=["training"])[0])
    db.session.rollback()
    assert set(db.session.execute(db.select(Subscription.topic, Subscription.locale))) == {
        (Topic.PRODUCT, "en"),
        (Topic.TRAINING, "pl"),
    }
    with transaction():
        consent.opt_out(visitor, Topic.PRODUCT)
        subscribers.leave(visitor)
    client.post(link)
    assert subscriptions() == [(visitor, Topic.TRAINING)], "what was declined since is asked for anew"
    for reason in (SuppressionReason.UNSUBSCRIBE, SuppressionReason.BOUNCE):
        with transaction():
            subscribers.leave(visitor)
            consent.suppress(visitor, reason)
        assert client.post(link).status_code == 404
        assert subscriptions() == []
        with transaction():
            consent.release(visitor)
    with clock.frozen(clock.now() + timedelta(days=8)):
        jobs.run("newsletters.forget")
        db.session.rollback()
        assert db.session.scalar(db.select(db.func.count(MailMessage.id))) == 0


def test_a_public_newsletter_reaches_subscribers_and_partners_once_and_one_click_ends_it(
    cast, manager, client, browse, worker
):
    for path in (settings.home / "outbox").glob("*"):
        path.unlink()
    with transaction():
        shelf = make_category()
        cards = ""
        for title, audience in (("Secret tricks", Audience.PARTNERS), ("Open house", Audience.PUBLIC)):
            cards += f"\n\n::: article {make_article(shelf, title, audience=audience).article.key}"
        cards += f"\n\n::: webinar {make_webinar(title='Hidden hour').id}"
        own = {"body": f"Hello {{user.first_name|there}} <3\n\n::: level{cards}"}
        for address in ("visitor@example.com", "partner@example.org", "declined@example.com"):
            subscribers.confirm((address, [Topic.PRODUCT], "ru"))
        subscribers.confirm(("other@example.com", [Topic.TRAINING], "en"))
        consent.opt_out("declined@example.com", Topic.PRODUCT)
        newsletter = make_newsletter(manager, ENGLISH | own, to_subscribers=True, shown=Shown.PUBLIC)
        assert [each.text for each in review(newsletter) if each.blocks] == [
            "“{partner.name}” is empty for subscribers"
        ]
        newsletter.contents[0].subject = "News for {partner.name|all}"
        assert starting.start(newsletter) == 3
    worker()
    sent = {}
    for path in (settings.home / "outbox").glob("*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=SMTP)
        sent[mail["To"].addresses[0].addr_spec] = mail
    assert sorted(sent) == ["other@example.org", "partner@example.org", "visitor@example.com"]
    mail = sent["visitor@example.com"]
    plain, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert mail["Subject"] == "News for all"
    assert "Hello there" in plain
    for part in (plain, html):
        assert "because you subscribed to news of" in part
        assert "as a partner" not in part
        assert [each in part for each in ("Secret tricks", "Hidden hour", "Open house")] == [
            False,
            False,
            True,
        ]
    own = sent["partner@example.org"].get_body(("plain",)).get_content()
    for part in ("as a partner", "Secret tricks", "Hidden hour", "Open house"):
        assert part in own
    number = db.session.scalar(db.select(Newsletter.id))
    page = text(client.get(f"/news/{number}"))
    assert [each in page for each in ("Secret tricks", "Hidden hour", "Open house")] == [False, False, True]
    way = mail["List-Unsubscribe"].strip("<>").removeprefix(settings.base_url)
    page = text(client.get(way.replace("unsubscribe", "preferences")))
    assert page.count('name="topics"') == 3
    assert page.count("checked") == 2, "one topic, and being counted"
    assert client.post(way, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert ("visitor@example.com", Topic.PRODUCT) not in subscriptions()
    client.post(way.replace("unsubscribe", "preferences"), data={"topics": ["materials", "service"]})
    assert ("visitor@example.com", Topic.MATERIALS) in subscriptions()
    assert ("visitor@example.com", Topic.SERVICE) not in subscriptions()
    client.post(way, data={"all": "1"})
    desk = browse(manager)
    assert 'name="address" value="visitor@example.com"' in text(
        desk.get("/newsletters/subscribers?q=Visitor@example.com")
    ), "who has unsubscribed can be erased, too"
    for address, told in (
        ("visitor@example.com", "The address is erased"),
        ("partner@example.org", "signs in"),
    ):
        page = desk.post("/newsletters/subscribers/erase", data={"address": address}, follow_redirects=True)
        assert told in text(page)
    assert ("partner@example.org", Topic.PRODUCT) not in subscriptions()
    assert not [each for each, _topic in subscriptions() if each == "visitor@example.com"]
    kept = db.session.scalars(db.select(Delivery.address).order_by(Delivery.address)).all()
    assert [each.partition("@")[2] for each in kept].count("erased.invalid") == 1
    assert db.session.scalar(db.select(Newsletter.to_subscribers)) is True


def test_who_of_the_subscribers_is_meant_is_asked_once_however_many_there_are(cast, manager, monkeypatch):
    monkeypatch.setattr(subscribers, "PAGE", 1)
    with transaction():
        for address in ("a@example.com", "partner@example.org", "b@example.com"):
            subscribers.confirm((address, [Topic.PRODUCT], "ru"))
        newsletter = make_newsletter(manager, to_subscribers=True, shown=Shown.PUBLIC)
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append("NOT IN" in statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        found = list(subscribers.batches(newsletter))
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert found == [[("a@example.com", "ru")], [("b@example.com", "ru")]]
    assert seen.count(True) == 1


def test_a_list_comes_in_with_the_day_of_consent_and_goes_out_as_it_came(manager, browse):
    desk = browse(manager)
    rows = "new@bücher.example,training,uk,2026-01-05\nno day@x.example,training,uk,2026-01-05\nx@x.example,training,uk,\n"
    rows += "day@x.example,training,uk,0001-01-01T00:00:00+14:00\n"
    rows += "y@x.example,service,uk,2026-01-05\nz@x.example,training,uk,2199-01-05\n"
    for added in ("1 subscription added", "0 subscriptions added"):
        content = f"address,topic,language,agreed_at\n{rows}"
        file = {"file": (io.BytesIO(content.encode()), "list.csv")}
        answer = desk.post("/newsletters/subscribers/import", data=file, follow_redirects=True)
        assert added in text(answer)
    assert "No subscription in these lines: 3, 4, 5, 6, 7." in text(answer)
    assert subscriptions() == [("new@xn--bcher-kva.example", Topic.TRAINING)]
    assert "new@xn--bcher-kva.example,training,uk,2026-01-05" in text(
        desk.get("/newsletters/subscribers.csv")
    )


def test_of_many_who_ask_or_leave_at_once_one_is_heard_and_none_fails(app, cast):
    def leave():
        subscribers.ask("visitor@example.com", [Topic.PRODUCT], "en")
        consent.opt_out("visitor@example.com", Topic.PRODUCT)
        consent.suppress("visitor@example.com", SuppressionReason.UNSUBSCRIBE)

    together, failed = threading.Barrier(6), []

    def run():
        with app.test_request_context():
            together.wait()
            try:
                with transaction():
                    leave()
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=run) for _n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert db.session.scalar(db.select(db.func.count(MailMessage.id))) == 1


def test_who_is_erased_while_a_mail_is_handed_over_gets_no_second_attempt(cast, manager):
    with transaction():
        subscribers.confirm(("visitor@example.com", [Topic.PRODUCT], "en"))
        plain = ENGLISH | {"subject": "News", "preheader": "", "body": "Hello"}
        newsletter = make_newsletter(manager, plain, to_subscribers=True, shown=Shown.PUBLIC)
        starting.start(newsletter)
    number = newsletter.id
    taken = [row.id for row in claims.claim(number, Topic.PRODUCT, "w", 50)]
    with transaction():
        subscribers.forget("visitor@example.com", manager)
        claims.settle(dict.fromkeys(taken, Later("450 later")), "w", attempts=dict.fromkeys(taken, 1))
    with clock.frozen(clock.now() + timedelta(hours=1)):
        again = [row.address for row in claims.claim(number, Topic.PRODUCT, "w", 50)]
    assert sorted(again) == ["other@example.org", "partner@example.org"]
