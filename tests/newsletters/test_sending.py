"""A newsletter reaches everyone it is for, once, in their language; what goes wrong is said."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from types import SimpleNamespace

import pytest
from itsdangerous.encoding import base64_encode

from hub.accounts.models import User
from hub.core import clock, jobs, links
from hub.core.database import db, transaction
from hub.core.errors import Invalid
from hub.core.mail.compose import header, one_click
from hub.core.settings import settings
from hub.newsletters import consent, drafts, events, ledger, sending, starting, steering
from hub.newsletters.checks import NotReady, review
from hub.newsletters.models import Delivery, DeliveryState, Hold, Newsletter, Status, SuppressionReason, Topic
from hub.notifications.models import Notification
from hub.partners.models import Membership, PartnerStatus
from tests.sendgrid import FakeSendGrid
from tests.servers import wait_for
from tests.smtp import DROP, Sink

from .factories import ENGLISH, RUSSIAN, make_audience, make_newsletter


@pytest.fixture(autouse=True)
def _empty_outbox(app):
    for path in (settings.home / "outbox").glob("*"):
        path.unlink()


@pytest.fixture
def mail_url(app, monkeypatch):
    def mail_url(url):
        monkeypatch.setattr(app.extensions["hub.settings"], "mail_url", url)

    return mail_url


@pytest.fixture
def newsletter(manager):
    with transaction():
        return make_newsletter(manager)


def begin(newsletter):
    with transaction():
        return starting.start(fresh(newsletter))


def fresh(newsletter) -> Newsletter:
    db.session.rollback()
    return db.session.get(Newsletter, newsletter.id, populate_existing=True)


def states(newsletter):
    db.session.rollback()
    return {state: number for state, number in ledger.counts(newsletter.id).items() if number}


def mails():
    read = [
        message_from_bytes(path.read_bytes(), policy=SMTP)
        for path in (settings.home / "outbox").glob("*.eml")
    ]
    return {mail["To"].addresses[0].addr_spec: mail for mail in read}


def parts(mail):
    return tuple(mail.get_body((kind,)).get_content() for kind in ("plain", "html"))


def test_everyone_gets_one_mail_in_their_language(newsletter, cast, worker):
    with transaction():
        make_audience(2, "ru")
        make_audience(2, "pl")
    assert begin(newsletter) == 6
    worker()
    sent = mails()
    assert states(newsletter) == {"sent": 6}
    assert fresh(newsletter).status is Status.SENT
    assert sent["partner@example.org"]["Subject"] == "News for Acme Media"
    assert sent["reader0-ru@example.org"]["Subject"].startswith("Новости для ")
    assert sent["reader0-ru@example.org"]["Content-Language"] == "ru"
    assert sent["reader0-pl@example.org"]["Subject"].startswith("News for "), "Polish is not written: English"
    text, html = parts(sent["partner@example.org"])
    assert "Hello Pat." in text
    assert "Hello Pat." in html
    assert f"{settings.base_url}/" in text


def test_a_mail_carries_its_ledger_id_and_a_working_way_out(newsletter, cast, worker, client):
    begin(newsletter)
    worker()
    mail = mails()["partner@example.org"]
    delivery = db.session.scalar(db.select(Delivery).filter_by(address="partner@example.org"))
    assert mail["Message-ID"] == f"<{events.signed_key(delivery.key)}@nordbill.example>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail["List-Unsubscribe"].strip("<>").removeprefix(settings.base_url)
    assert settings.base_url + url in parts(mail)[0]
    assert settings.base_url + url in parts(mail)[1]
    assert client.post(url, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert consent.declined("partner@example.org", Topic.PRODUCT) == "topic"


def test_the_longest_address_fits_the_line_of_the_way_out(app):
    local = "😀" * 16
    longest = f"{local}@{'.'.join(['d' * 59] * 3)}.example"
    for address in (longest, "\\" * 64 + longest[16:], "я" * 32 + longest[16:]):
        assert consent.is_address(address)
        reader = consent.Reader(address, Topic.PRODUCT, "ru", "k" * 36)
        token = consent.sign(reader)
        assert consent.read(token) == reader
        line = header("List-Unsubscribe", one_click(consent.unsubscribe_url(token))["List-Unsubscribe"])
        assert max(map(len, line.split("\r\n"))) <= 998
        # As tokens were written until now.
        written = json.dumps([address, Topic.PRODUCT, "ru", reader.key])
        assert consent.read(links.signed(base64_encode(written).decode(), "newsletters.reader")) == reader
    assert not consent.is_address("я" * 33 + "@reader.example")


def test_values_of_a_reader_are_text_everywhere(manager, cast, worker):
    with transaction():
        cast.acme.name = '<b>&"Acme" [x](http://evil.example) {user.name}'
        body = "About **{partner.name}** and [link](https://example.org/?who={partner.name}) ok"
        newsletter = make_newsletter(manager, ENGLISH | {"body": body})
    begin(newsletter)
    worker()
    mail = mails()["partner@example.org"]
    text, html = parts(mail)
    assert cast.acme.name in text
    assert "&lt;b&gt;&amp;&quot;Acme&quot; [x](http://evil.example) {user.name}" in html
    assert "who=%3Cb%3E%26%22Acme%22%20%5Bx%5D" in html
    assert "who=%3Cb%3E%26%22Acme%22%20%5Bx%5D" in text
    assert "<b>&" not in html
    assert mail["Subject"] == f"News for {cast.acme.name}"


def test_a_line_break_in_a_name_forges_no_header(newsletter, cast, worker):
    with transaction():
        cast.acme.name = "Acme\r\nBcc: victim@example.org"
        cast.partner.name = "Pat\nX-Evil: 1"
    begin(newsletter)
    worker()
    mail = mails()["partner@example.org"]
    assert mail["Bcc"] is None
    assert mail["X-Evil"] is None
    assert mail["Subject"] == "News for Acme Bcc: victim@example.org"


def test_audience_and_values_are_frozen_at_the_start(newsletter, cast, worker):
    begin(newsletter)
    with transaction():
        cast.acme.name = "Renamed"
        make_audience(3)
    worker()
    assert states(newsletter) == {"sent": 2}
    assert mails()["partner@example.org"]["Subject"] == "News for Acme Media"
    with pytest.raises(drafts.AlreadyStarted), transaction():
        drafts.write(fresh(newsletter), "en", subject="Other", preheader="", body="Other")


def test_who_left_meanwhile_gets_nothing(newsletter, cast, worker):
    begin(newsletter)
    with transaction():
        consent.opt_out("partner@example.org", Topic.PRODUCT)
        consent.suppress("other@example.org", SuppressionReason.BOUNCE)
    worker()
    assert states(newsletter) == {"suppressed": 2}
    assert mails() == {}
    reasons = {each.address: each.reason for each in db.session.scalars(db.select(Delivery))}
    assert reasons == {"partner@example.org": "topic", "other@example.org": "bounce"}


def test_who_refuses_while_others_are_being_sent_theirs_is_heard(newsletter, cast, mail_url, monkeypatch):
    with transaction():
        make_audience(6)
    begin(newsletter)
    note = sending.Crew._note

    def then_refuse(self, results):
        note(self, results)
        if not self.refused:
            with transaction():
                for address in ("reader4-en@example.org", "reader5-en@example.org"):
                    consent.opt_out(address, Topic.PRODUCT)
            wait_for(lambda: {}[0] if not self.refused else None, KeyError, seconds=30)

    monkeypatch.setattr(sending.Crew, "_note", then_refuse)
    with Sink() as sink:
        mail_url(sink.url)
        jobs.run("newsletters.send")
        assert len(sink.recipients) == 6
    assert states(newsletter) == {"sent": 6, "suppressed": 2}
    assert {each.reason for each in db.session.scalars(db.select(Delivery))} == {None, "topic"}


def test_only_active_partners_and_people_are_reached(newsletter, cast):
    with transaction():
        cast.other_org.status = PartnerStatus.SUSPENDED
        reader = make_audience(1)[0]
        reader.disabled_at = clock.now()
    assert begin(newsletter) == 1


def test_a_member_of_two_partners_gets_one(newsletter, cast):
    with transaction() as session:
        session.add(Membership(partner_id=cast.other_org.id, user_id=cast.partner.id))
    assert begin(newsletter) == 2


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ([{"kind": "country", "values": ["PL"]}], 2),
        ([{"kind": "language", "values": ["uk"]}], 1),
        ([{"kind": "tag", "values": ["блог"]}], 1),
        ([{"kind": "country", "values": ["PL"]}, {"kind": "language", "values": ["uk"]}], 1),
        ([{"kind": "tag", "values": ["%"]}], 0),
    ],
)
def test_rules_narrow_the_audience(manager, cast, rule, expected):
    with transaction():
        make_audience(1, "pl", country="PL", tags=["блог", "x"])
        make_audience(1, "uk", country="PL", tags=["other"])
        newsletter = make_newsletter(manager, audience=rule)
    if expected:
        assert begin(newsletter) == expected
    else:
        with pytest.raises(NotReady):
            begin(newsletter)


def test_an_unknown_variable_stops_it_before_it_starts(manager, cast):
    with transaction():
        newsletter = make_newsletter(manager, ENGLISH | {"body": "Hi {partner.nmae}"})
    with pytest.raises(NotReady, match=r"partner\.nmae"):
        begin(newsletter)
    assert states(newsletter) == {}


def test_an_empty_variable_without_default_names_the_reader(manager, cast):
    with transaction():
        newsletter = make_newsletter(manager, ENGLISH | {"body": "Your manager is {partner.manager}"})
    with pytest.raises(NotReady, match="Pat Partner"):
        begin(newsletter)
    with transaction():
        drafts.write(fresh(newsletter), "en", subject="S", preheader="", body="Ask {partner.manager|us}")
    assert begin(newsletter) == 2


def test_two_starts_make_one(newsletter, cast):
    begin(newsletter)
    with pytest.raises(steering.NotNow):
        begin(newsletter)
    assert states(newsletter) == {"pending": 2}


def test_running_the_job_again_sends_nothing_twice(newsletter, cast, mail_url, worker):
    with Sink() as sink:
        mail_url(sink.url)
        begin(newsletter)
        worker()
        jobs.run("newsletters.send")
        assert sorted(sink.recipients) == ["other@example.org", "partner@example.org"]
        assert sink.connections == 1


def test_pause_resume_cancel_keep_exact_counts(newsletter, cast, manager, mail_url, monkeypatch):
    with transaction():
        make_audience(6)
    begin(newsletter)
    note, number, person = sending.Crew._note, newsletter.id, manager.id

    def after(number_sent, act):
        """Do something once so many mails have arrived, and let the run notice before the next."""

        def watched(self, results):
            note(self, results)
            if len(sink.raw) == number_sent:
                with transaction():
                    act(db.session.get(Newsletter, number), actor=db.session.get(User, person))
                assert self.stopped.wait(30)

        monkeypatch.setattr(sending.Crew, "_note", watched)

    with Sink() as sink:
        mail_url(sink.url)
        after(3, steering.pause)
        jobs.run("newsletters.send")
        assert states(newsletter) == {"sent": 3, "pending": 5}
        jobs.run("newsletters.send")
        assert states(newsletter) == {"sent": 3, "pending": 5}, "paused means paused"
        with transaction():
            steering.resume(fresh(newsletter), manager)
        after(5, steering.cancel)
        jobs.run("newsletters.send")
        jobs.run("newsletters.send")
        assert states(newsletter) == {"sent": 5, "pending": 3}
        assert len(sink.raw) == 5
        assert fresh(newsletter).status is Status.CANCELLED


def test_refused_and_greylisted_readers(newsletter, cast, mail_url, worker):
    tries = []

    def script(stage, who):
        if stage == "rcpt" and who.startswith("partner"):
            return "550 no such mailbox"
        if stage == "rcpt" and who.startswith("other"):
            tries.append(who)
            return "450 try later" if len(tries) == 1 else None
        return None

    with Sink(script) as sink:
        mail_url(sink.url)
        begin(newsletter)
        worker()
        assert states(newsletter) == {"failed": 1, "pending": 1}
        assert fresh(newsletter).status is Status.SENDING
        with clock.frozen(clock.now() + timedelta(minutes=2)):
            jobs.run("newsletters.send")
        assert states(newsletter) == {"failed": 1, "sent": 1}
        assert fresh(newsletter).status is Status.SENT
        assert sink.recipients == ["other@example.org"]


def test_a_line_cut_after_data_is_uncertain_and_not_repeated(newsletter, cast, mail_url, worker):
    with Sink(lambda stage, who: DROP if stage == "body" and who.startswith("other") else None) as sink:
        mail_url(sink.url)
        begin(newsletter)
        worker()
        jobs.run("newsletters.send")
        assert states(newsletter) == {"sent": 1, "uncertain": 1}
        assert sorted(sink.recipients) == ["other@example.org", "partner@example.org"]


def test_an_unreachable_server_loses_nobody(newsletter, cast, mail_url, worker):
    with Sink() as gone:
        url = gone.url
    mail_url(url)
    begin(newsletter)
    worker()
    assert states(newsletter) == {"pending": 2}
    with Sink() as sink:
        mail_url(sink.url)
        with clock.frozen(clock.now() + timedelta(minutes=3)):
            jobs.run("newsletters.send")
        assert states(newsletter) == {"sent": 2}
        assert len(sink.recipients) == 2


def test_a_wrong_key_pauses_and_tells_the_manager(
    newsletter, cast, manager, mail_url, worker, app, monkeypatch
):
    with FakeSendGrid(401) as api:
        monkeypatch.setattr(app.extensions["hub.settings"], "sendgrid_url", api.url)
        mail_url("sendgrid:wrong")
        begin(newsletter)
        worker()
        assert len(api.keys) == 1
    assert (fresh(newsletter).status, fresh(newsletter).hold) == (Status.PAUSED, Hold.CREDENTIALS)
    assert states(newsletter) == {"pending": 2}
    assert [each.user_id for each in db.session.scalars(db.select(Notification))] == [manager.id]
    with FakeSendGrid() as api:
        monkeypatch.setattr(app.extensions["hub.settings"], "sendgrid_url", api.url)
        with transaction():
            steering.resume(fresh(newsletter), manager)
        worker()
        [request] = api.requests
        addresses = [each["to"][0]["email"] for each in request["personalizations"]]
    assert sorted(addresses) == ["other@example.org", "partner@example.org"]
    assert states(newsletter) == {"sent": 2}


def test_a_run_of_errors_pauses(newsletter, cast, mail_url, worker, app, monkeypatch):
    monkeypatch.setattr(app.extensions["hub.settings"], "mail_connections", 1)
    with transaction():
        make_audience(20)
    with Sink(lambda stage, _who: "550 blocked" if stage == "rcpt" else None) as sink:
        mail_url(sink.url)
        begin(newsletter)
        worker()
    assert (fresh(newsletter).status, fresh(newsletter).hold) == (Status.PAUSED, Hold.ERRORS)
    assert states(newsletter) == {"failed": 10, "pending": 12}


def test_no_more_leave_in_a_minute_than_may_in_all_and_to_one_domain(
    newsletter, cast, mail_url, app, monkeypatch
):
    for name, most in (("mail_per_minute", 5), ("mail_per_domain", 2)):
        monkeypatch.setattr(app.extensions["hub.settings"], name, most)
    with transaction():
        for n, reader in enumerate(make_audience(8)):
            reader.email = f"reader{n}@{'large' if n < 5 else 'small'}.example"
    now, left = clock.now().replace(second=40), []
    with Sink() as sink:
        mail_url(sink.url)
        for seconds in (0, 10, 30, 90):
            with clock.frozen(now + timedelta(seconds=seconds)):
                if not seconds:
                    begin(newsletter)
                before = len(sink.recipients)
                jobs.run("newsletters.send")
                left.append(Counter(each.partition("@")[2] for each in sink.recipients[before:]))
    assert left == [
        {"example.org": 2, "large.example": 2, "small.example": 1},
        {},  # still the same minute
        {"large.example": 2, "small.example": 2},
        {"large.example": 1},
    ]
    assert fresh(newsletter).status is Status.SENT


def test_a_schedule_keeps_wall_time(newsletter, cast, manager, worker):
    with transaction():
        starting.schedule(fresh(newsletter), "2027-03-28T02:30", "Europe/Berlin", manager)
    assert fresh(newsletter).due_at.isoformat() == "2027-03-28T01:30:00+00:00", "the gap moves forward"
    due = fresh(newsletter).due_at
    with clock.frozen(due - timedelta(minutes=1)):
        jobs.run("newsletters.send")
    assert fresh(newsletter).status is Status.SCHEDULED
    with clock.frozen(due + timedelta(minutes=1)):
        jobs.run("newsletters.send")
        jobs.run("newsletters.send")
    assert fresh(newsletter).status is Status.SENT
    assert len(mails()) == 2


def test_each_reader_gets_it_at_their_own_time(newsletter, cast, manager, mail_url):
    zones = {"partner": "America/New_York", "other_partner": "Asia/Almaty"}
    with transaction():
        for who, zone in zones.items():
            getattr(cast, who).time_zone = zone
    with pytest.raises(Invalid), clock.frozen(datetime(2026, 12, 1, 5, tzinfo=UTC)):
        starting.schedule(fresh(newsletter), "2026-12-01T09:00", "Europe/Oslo", manager, own_time=True)
    with transaction():
        starting.schedule(fresh(newsletter), "2026-12-01T09:00", "Europe/Oslo", manager, own_time=True)
    with Sink() as sink:
        mail_url(sink.url)
        for hour in (3, 4, 8, 13):
            with clock.frozen(datetime(2026, 12, 1, hour, 59 if hour in (3, 13) else 0, tzinfo=UTC)):
                jobs.run("newsletters.send")
                if hour == 8:  # who is brought back to work does not wake New York
                    for verb in (steering.pause, steering.resume):
                        with transaction():
                            verb(fresh(newsletter), actor=manager)
                    jobs.run("newsletters.send")
                assert len(sink.recipients) == {3: 0, 4: 1, 8: 1, 13: 1}[hour]
        assert sink.recipients == ["other@example.org"], "nine in Almaty is four in UTC"
        with clock.frozen(datetime(2026, 12, 1, 14, tzinfo=UTC)):
            jobs.run("newsletters.send")
        assert sink.recipients[1:] == ["partner@example.org"]
    assert fresh(newsletter).status is Status.SENT


def test_the_fold_of_autumn_fires_once():
    assert starting.moment_of("2026-10-25T02:30", "Europe/Berlin").isoformat() == "2026-10-25T00:30:00+00:00"


def test_a_missed_schedule_asks(newsletter, cast, manager):
    with transaction():
        starting.schedule(fresh(newsletter), "2027-01-10T09:00", "Europe/Oslo", manager)
    with clock.frozen(fresh(newsletter).due_at + timedelta(hours=13)):
        jobs.run("newsletters.send")
    assert (fresh(newsletter).status, fresh(newsletter).hold) == (Status.DRAFT, Hold.MISSED)
    assert mails() == {}
    assert db.session.scalar(db.select(Notification.kind)) == "newsletter_missed"


def test_one_that_cannot_start_goes_back_to_its_author_and_stops_no_other(
    newsletter, cast, manager, monkeypatch
):
    with transaction():
        incomplete, broken = make_newsletter(manager, ENGLISH), make_newsletter(manager, ENGLISH)
    with transaction():
        for each in (incomplete, broken, db.session.get(Newsletter, newsletter.id)):
            starting.schedule(each, "2027-01-10T09:00", "Europe/Oslo", manager)
    hole, freeze = starting.checks.hole, starting.freeze

    def breaks(which):
        if which.id == broken.id:
            raise ZeroDivisionError
        return freeze(which)

    def lacks(occasion, *rest):
        return (
            SimpleNamespace(sentence="x")
            if occasion.newsletter.id == incomplete.id
            else hole(occasion, *rest)
        )

    monkeypatch.setattr(starting, "freeze", breaks)
    monkeypatch.setattr(starting.checks, "hole", lacks)
    with clock.frozen(fresh(newsletter).due_at):
        jobs.run("newsletters.send")
    for each in (incomplete, broken):
        assert (fresh(each).status, fresh(each).hold) == (Status.DRAFT, Hold.INCOMPLETE)
        assert states(each) == {}, "nothing of a start that failed stays"
    assert fresh(newsletter).status is Status.SENT
    told = Counter(db.session.scalars(db.select(Notification.kind)))
    assert told == {"newsletter_incomplete": 2, "newsletter_sent": 1}


def test_languages_without_text_are_announced(manager, cast):
    with transaction():
        make_audience(3, "uk")
        newsletter = make_newsletter(manager, ENGLISH, RUSSIAN)
    lines = [f"{each.text} {each.detail}" for each in review(newsletter) if not each.is_fine]
    assert lines == ["Українська is not written 3 people would read it in English."]


def test_delivery_states_are_complete():
    assert {state.value for state in DeliveryState} == {
        "pending",
        "held",
        "claimed",
        "sent",
        "failed",
        "uncertain",
        "suppressed",
    }
