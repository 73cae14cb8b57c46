"""What managers and readers see and do."""

import re
from xml.etree import ElementTree

import pytest

from hub.core import clock
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.newsletters import consent, ledger, starting
from hub.newsletters.consent import Reader
from hub.newsletters.models import DeliveryState, Newsletter, Shown, Status, Suppression, Topic

from .factories import ENGLISH, RUSSIAN, make_delivery, make_newsletter


@pytest.fixture
def newsletter(manager):
    with transaction():
        return make_newsletter(manager)


@pytest.fixture
def token(cast):
    return consent.sign(Reader("partner@example.org", Topic.MATERIALS, "ru"))


def fresh(newsletter):
    db.session.rollback()
    return db.session.get(Newsletter, newsletter.id, populate_existing=True)


def text(answer):
    return answer.get_data(as_text=True)


def test_a_manager_writes_previews_tests_and_sends(manager, cast, browse, worker):
    browser = browse(manager)
    address = browser.post("/newsletters/", data={"topic": "product_news"}).headers["Location"]
    for language, subject, body in (
        ("en", "December news", "Hello {user.first_name|you}"),
        ("pl", "Grudzień", "Dzień dobry"),
    ):
        answer = browser.post(
            address, data={"language": language, "subject": subject, "preheader": "", "body": body}
        )
        assert answer.status_code == 303
    number = int(re.search(r"/newsletters/(\d+)/", address)[1])
    assert "Hello Pat" in text(browser.get(f"/newsletters/{number}/preview/en?reader={cast.partner.id}"))
    assert "Dzień dobry" in text(browser.get(f"/newsletters/{number}/preview/pl"))
    assert browser.post(f"/newsletters/{number}/test", data={"language": "pl"}).status_code == 303
    assert "Everything is fine" in text(browser.get(f"/newsletters/{number}/review"))
    assert browser.post(f"/newsletters/{number}/start").headers["Location"] == f"/newsletters/{number}"
    worker()
    db.session.rollback()  # the worker wrote on a connection of its own
    page = text(browser.get(f"/newsletters/{number}"))
    assert "Sent" in page
    assert "partner@example.org" in page
    assert ledger.counts(number)["sent"] == 2


def test_saving_while_typing_answers_with_the_time(newsletter, manager, browse):
    answer = browse(manager).post(
        f"/newsletters/{newsletter.id}/edit",
        data={"language": "en", "subject": "S", "preheader": "", "body": "B"},
        headers={"X-Requested-With": "fetch"},
    )
    assert answer.json["saved"].startswith("Saved at ")
    assert fresh(newsletter).content("en").body == "B"


def test_the_preview_may_be_framed_by_us_and_runs_nothing(newsletter, manager, browse):
    answer = browse(manager).get(f"/newsletters/{newsletter.id}/preview/en")
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    editor = browse(manager).get(f"/newsletters/{newsletter.id}/edit").headers["Content-Security-Policy"]
    assert "frame-src 'self'" in editor
    assert "frame-ancestors 'none'" in editor


def test_a_running_newsletter_cannot_be_edited(newsletter, manager, cast, browse):
    with transaction():
        starting.start(db.session.get(Newsletter, newsletter.id))
    browser = browse(manager)
    assert browser.get(f"/newsletters/{newsletter.id}/edit").status_code == 303
    answer = browser.post(
        f"/newsletters/{newsletter.id}/edit", data={"language": "en", "subject": "X", "body": "Y"}
    )
    assert answer.status_code == 409
    assert fresh(newsletter).content("en").subject == ENGLISH["subject"]


def test_what_is_not_ready_is_not_sent(manager, cast, browse):
    with transaction():
        draft = make_newsletter(manager, ENGLISH | {"body": "[Link](nowhere)"})
    browser = browse(manager)
    assert "A link leads nowhere: nowhere" in text(browser.get(f"/newsletters/{draft.id}/review"))
    assert browser.post(f"/newsletters/{draft.id}/start").status_code == 409
    assert fresh(draft).status is Status.DRAFT


def test_a_schedule_can_be_made_and_taken_back(newsletter, manager, cast, browse):
    browser, where = browse(manager), f"/newsletters/{newsletter.id}"
    past = browser.post(
        f"{where}/schedule", data={"local_time": "2020-01-01T09:00", "time_zone": "Europe/Oslo"}
    )
    assert past.status_code == 422
    assert "This moment has passed" in text(past)
    browser.post(f"{where}/schedule", data={"local_time": "2030-01-01T09:00", "time_zone": "Europe/Oslo"})
    assert fresh(newsletter).status is Status.SCHEDULED
    assert "2030-01-01 09:00" in text(browser.get(f"{where}/review"))
    assert (
        browser.post(f"{where}/edit", data={"locale": "en", "subject": "Other", "body": "Other"}).status_code
        == 409
    )
    browser.post(f"{where}/unschedule")
    assert fresh(newsletter).status is Status.DRAFT
    own = {"local_time": "2030-01-01T09:00", "time_zone": "Europe/Oslo", "own_time": "y"}
    browser.post(f"{where}/schedule", data=own)
    assert fresh(newsletter).own_time
    assert "where each of them lives" in text(browser.get(f"{where}/review"))


def test_the_audience_counts_and_is_kept(newsletter, manager, cast, browse):
    with transaction():
        cast.acme.tags = ["vip"]
    browser, where = browse(manager), f"/newsletters/{newsletter.id}/audience"
    form = {"topic": "materials", "at": "0", "0-kind": "tag", "0-values": "vip", "shown": "recipients"}
    assert "1 partner, 1 address." in text(browser.post("/newsletters/segments/count", data=form))
    browser.post(where, data=form)
    kept = fresh(newsletter)
    assert kept.audience == [{"kind": "tag", "values": ["vip"]}]
    assert (kept.topic, kept.shown) == (Topic.MATERIALS, Shown.RECIPIENTS)
    assert "vip" in text(browser.get(where))
    assert browser.post(where, data=form | {"topic": "unknown"}).status_code == 422


def test_ready_texts_come_in_every_language(manager, browse):
    browser = browse(manager)
    assert "monthly-update" in text(browser.get("/newsletters/new"))
    address = browser.post("/newsletters/", data={"topic": "service", "starter": "monthly-update"}).headers[
        "Location"
    ]
    draft = db.session.scalar(db.select(Newsletter))
    assert address == f"/newsletters/{draft.id}/edit"
    assert draft.topic is Topic.REPORT
    assert {each.locale for each in draft.written} == {"en", "ru", "uk", "pl"}


def test_a_clone_is_a_new_draft(newsletter, manager, browse):
    browse(manager).post(f"/newsletters/{newsletter.id}/clone")
    copy = db.session.scalar(db.select(Newsletter).where(Newsletter.id != newsletter.id))
    assert (copy.status, copy.content("ru").body) == (Status.DRAFT, RUSSIAN["body"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_never_unsubscribes(token, client, method):
    assert client.open(f"/news/unsubscribe/{token}", method=method).status_code == 200
    assert client.open(f"/news/preferences/{token}", method=method).status_code == 200
    assert consent.declined("partner@example.org", Topic.MATERIALS) is None


def test_one_click_needs_no_session_and_no_form_token(token, client, app):
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = client.post(f"/news/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
        again = client.post(f"/news/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert (answer.status_code, again.status_code) == (200, 200)
    assert consent.declined("partner@example.org", Topic.MATERIALS) == "topic"
    assert consent.declined("partner@example.org", Topic.PRODUCT) is None


def test_a_forged_link_changes_nothing(token, client):
    assert client.post(f"/news/unsubscribe/{token[:-2]}xx").status_code == 404
    assert client.get("/news/preferences/anything").status_code == 404


def test_preferences_speak_the_readers_language_and_keep_the_choice(token, client):
    page = text(client.get(f"/news/preferences/{token}"))
    assert '<html lang="ru"' in page
    client.post(f"/news/preferences/{token}", data={"topics": ["service", "training", "nonsense"]})
    assert consent.wanted("partner@example.org") == {Topic.SERVICE, Topic.TRAINING}


def test_everything_can_be_declined_and_taken_back(token, client):
    client.post(f"/news/unsubscribe/{token}", data={"all": "1"})
    assert consent.declined("partner@example.org", Topic.SERVICE) == "unsubscribe"
    client.post(f"/news/preferences/{token}", data={"topics": ["service"]})
    assert consent.declined("partner@example.org", Topic.SERVICE) is None
    assert consent.declined("partner@example.org", Topic.MATERIALS) == "topic"


def test_a_bounced_address_cannot_choose_itself_back(token, client):
    with transaction():
        consent.suppress("partner@example.org", "bounce")
    client.post(f"/news/preferences/{token}", data={"topics": ["materials"]})
    assert consent.declined("partner@example.org", Topic.MATERIALS) == "bounce"


def test_why_did_i_get_this(cast, client, newsletter):
    with transaction():
        sent = fresh(newsletter)
        delivery = make_delivery(
            sent,
            cast.partner,
            state=DeliveryState.SENT,
            sent_at=clock.now(),
            values={"partner.name": "Acme Media"},
        )
        link = consent.sign(Reader("partner@example.org", Topic.PRODUCT, "en", delivery.key))
    assert "News for Acme Media" in text(client.get(f"/news/preferences/{link}"))


@pytest.fixture
def sent(manager):
    def sent(shown, *recipients):
        with transaction():
            made = make_newsletter(
                manager, status=Status.SENT, shown=shown, started_at=clock.now(), finished_at=clock.now()
            )
            for user in recipients:
                make_delivery(made, user, state=DeliveryState.SENT, sent_at=clock.now())
            return made.id

    return sent


def test_the_archive_shows_to_whom_it_was_meant(cast, sent, browse, client):
    for_all, for_some, public = sent(Shown.PARTNERS), sent(Shown.RECIPIENTS, cast.partner), sent(Shown.PUBLIC)
    everyone = {"partner": cast.partner, "other": cast.other_partner, "agent": cast.agent}
    seen = {
        name: [browse(user).get(f"/news/{number}").status_code for number in (for_all, for_some, public)]
        for name, user in everyone.items()
    }
    seen["visitor"] = [client.get(f"/news/{number}").status_code for number in (for_all, for_some, public)]
    assert seen == {
        "partner": [200, 200, 200],
        "other": [200, 404, 200],
        "agent": [200, 404, 200],
        "visitor": [404, 404, 200],
    }
    listed = text(browse(cast.other_partner).get("/news"))
    assert [f"/news/{number}" in listed for number in (for_all, for_some, public)] == [True, False, True]


def test_the_archive_speaks_with_the_readers_own_words(cast, sent, browse, client):
    number = sent(Shown.PUBLIC)
    assert "News for Acme Media" in text(browse(cast.partner).get(f"/news/{number}"))
    assert "Acme" not in text(browse(cast.other_partner).get(f"/news/{number}"))
    assert "Hello there." in text(client.get(f"/news/{number}"))
    assert "Здравствуйте" in text(client.get(f"/news/{number}?language=ru"))


def test_a_draft_is_not_in_the_archive(newsletter, manager, browse):
    assert browse(manager).get(f"/news/{newsletter.id}").status_code == 404


def test_suppressions_are_added_and_released(manager, browse):
    browser = browse(manager)
    assert browser.post("/newsletters/suppressions", data={"address": "no address"}).status_code == 422
    browser.post("/newsletters/suppressions", data={"address": "Someone@Example.org"})
    row = db.session.scalar(db.select(Suppression))
    assert row.address == "someone@example.org"
    assert "someone@example.org" in text(browser.get("/newsletters/suppressions?q=some"))
    browser.post(f"/newsletters/suppressions/{row.id}/release")
    assert consent.declined("someone@example.org", Topic.PRODUCT) is None


def test_the_feed_has_what_is_public_and_nothing_else(manager, cast, client):
    with transaction():
        for shown, subject in ((Shown.PUBLIC, "For {partner.name|all} & more"), (Shown.PARTNERS, "Inside")):
            texts = ENGLISH | {"subject": subject}
            sent_at = {"started_at": clock.now(), "finished_at": clock.now()}
            make_newsletter(manager, texts, status=Status.SENT, shown=shown, **sent_at)
    answer = client.get("/news/pl/feed.atom")
    root = ElementTree.fromstring(answer.data)
    atom = "{http://www.w3.org/2005/Atom}"
    assert answer.mimetype == "application/atom+xml"
    assert [each.text for each in root.iterfind(f"{atom}entry/{atom}title")] == ["For all & more"]
    link = root.find(f"{atom}entry/{atom}link").get("href").removeprefix(settings.base_url)
    assert client.get(link).status_code == 200
