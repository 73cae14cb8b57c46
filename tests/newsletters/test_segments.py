"""Segments: every kind of condition, their combinations, their counts, and why someone is in or out."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.core import clock
from hub.core.database import db, transaction
from hub.core.errors import Invalid
from hub.materials.models import Download
from hub.newsletters import audience, drafts, rules, segments, starting, wording
from hub.newsletters.models import Delivery, Segment, Shown, Status, Topic
from hub.partners.models import PartnerStatus
from hub.surveys.models import Answer, Invitation, Question, QuestionKind, Response, Survey
from hub.training.models import RegistrationStatus
from tests.earnings.factories import sell
from tests.factories import make_member, make_partner
from tests.materials.factories import make_asset, make_campaign, make_tiers
from tests.training.factories import make_registration, make_webinar

from .factories import make_newsletter

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _november(app):
    with clock.frozen(NOW):
        yield


def who(*conditions, topic=Topic.SERVICE):
    rule = rules.clean(list(conditions))
    people = [each.user.email.split("@")[0] for each in audience.recipients(rule, topic)]
    assert audience.count(rule, topic).people == len(people), "the count is that of the people"
    return sorted(people)


def condition(kind, *values, **fields):
    return {"kind": kind, **({"values": list(values)} if values else {}), **fields}


@pytest.fixture
def crowd(cast, manager):
    """Acme: gold, Polish, tagged, seen lately, sold, downloaded, attended, answered. Other: none of it."""
    with transaction():
        tiers = make_tiers()
        sell(cast.acme, 100_000, datetime(2026, 10, 15, tzinfo=UTC))
        acme, other = cast.acme, cast.other_org
        acme.tier_id, acme.country, acme.tags = tiers["gold"].id, "PL", ["vip", "50% off"]
        acme.manager_id, acme.joined_at = manager.id, NOW - timedelta(days=10)
        other.joined_at = NOW - timedelta(days=400)
        cast.partner.last_seen_at, cast.partner.locale = NOW - timedelta(days=3), "pl"
        asset = make_asset(manager, campaign_id=make_campaign(manager).id)
        db.session.add(
            Download(
                version_id=asset.current.id,
                partner_id=acme.id,
                user_id=cast.partner.id,
                at=NOW - timedelta(days=9),
            )
        )
        webinar = make_webinar(in_hours=-48)
        make_registration(webinar, cast.partner, RegistrationStatus.ATTENDED)
        make_registration(webinar, cast.other_partner)
        cast.asset, cast.webinar = asset, webinar
    return cast


@pytest.mark.parametrize(
    "asked",
    [
        condition("tier", "gold", "silver"),
        condition("country", "PL"),
        condition("language", "pl"),
        condition("tag", "vip"),
        condition("tag", "50% off"),
        condition("joined", op="within", days="30"),
        condition("joined", op="from", day="2026-11-01"),
        condition("seen", op="within", days="7"),
        condition("earned", amount="150.00", currency="EUR"),
        condition("earned", amount="150", currency="EUR", **{"from": "2026-10", "to": "2026-10"}),
        condition("downloaded", "any"),
        condition("attended", "any"),
        condition("chosen", "ACME"),
    ],
    ids=lambda each: "-".join(str(value) for value in each.values()),
)
def test_every_condition_finds_those_it_means_and_not_finds_the_others(crowd, asked):
    assert who(asked) == ["partner"]
    assert who(asked | {"not": True}) == ["other"]


@pytest.mark.parametrize(
    "asked",
    [
        condition("tag", "vi"),
        condition("tag", '50_ off", "'),
        condition("joined", op="before", day="2020-01-01"),
        condition("seen", op="longer", days="30"),
        condition("earned", amount="150.01", currency="EUR"),
        condition("earned", amount="1", currency="GBP"),
        condition("earned", amount="1", currency="EUR", **{"from": "2026-11"}),
        condition("earned", amount="x", currency="EUR"),
        condition("downloaded", "any", days="5"),
        condition("downloaded", "campaign:999999"),
        condition("attended", "999999"),
        condition("status", "suspended"),
        condition("segment", "999999"),
        condition("joined", op="within", days="9" * 40),
    ],
    ids=lambda each: "-".join(str(value)[:20] for value in each.values()),
)
def test_conditions_that_nobody_meets(crowd, asked):
    assert who(asked) == []


def test_conditions_by_number(crowd, manager):
    assert who(condition("manager", str(manager.id))) == ["partner"]
    assert who(condition("manager", str(manager.id), **{"not": True})) == ["other"], (
        "without a manager is not theirs"
    )
    assert who(condition("downloaded", crowd.asset.public_id)) == ["partner"]
    assert who(condition("downloaded", f"campaign:{crowd.asset.campaign_id}")) == ["partner"]
    assert who(condition("attended", str(crowd.webinar.id))) == ["partner"]
    assert who(condition("seen", op="never")) == ["other"]


def test_states_other_than_active_are_reached_only_when_they_are_asked_for(crowd):
    with transaction():
        crowd.other_org.status = PartnerStatus.SUSPENDED
    assert who() == ["partner"]
    assert who(condition("status", "suspended")) == ["other"]
    assert who(
        {"kind": "any", "rules": [condition("status", "suspended"), condition("status", "active")]}
    ) == ["other", "partner"]


def test_conditions_combine(crowd):
    gold, english = condition("tier", "gold"), condition("language", "en")
    assert who(gold, english) == []
    assert who({"kind": "any", "rules": [gold, english]}) == ["other", "partner"]
    assert who({"kind": "any", "rules": [gold, english], "not": True}) == []
    assert who(
        {"kind": "any", "rules": [english, {"kind": "all", "rules": [gold, condition("country", "PL")]}]}
    ) == ["other", "partner"]
    assert who({"kind": "any", "rules": []}, gold) == ["partner"], "what says nothing does not narrow"


@pytest.mark.parametrize("anonymous", [False, True])
def test_answers_of_a_survey_find_their_people_unless_it_is_anonymous(crowd, anonymous):
    with transaction():
        survey = Survey(
            titles={"en": "S"}, opens_at=NOW, closes_at=NOW + timedelta(days=1), is_anonymous=anonymous
        )
        options = [{"en": "Yes"}, {"en": "No"}]
        choice = Question(order=1, kind=QuestionKind.SINGLE, texts={"en": "Well?"}, options=options)
        scale = Question(order=2, kind=QuestionKind.SCALE, texts={"en": "Recommend?"})
        survey.questions = [choice, scale]
        db.session.add(survey)
        db.session.flush()
        asked = Invitation(survey_id=survey.id, user_id=crowd.partner.id, responded_at=NOW)
        db.session.add_all([asked, Invitation(survey_id=survey.id, user_id=crowd.other_partner.id)])
        db.session.flush()
        given = Response(survey_id=survey.id, invitation_id=None if anonymous else asked.id, locale="en")
        db.session.add(given)
        db.session.flush()
        db.session.add_all(
            Answer(response_id=given.id, question_id=each.id, number=number)
            for each, number in ((choice, 1), (scale, 9))
        )
    known = [] if anonymous else ["partner"]
    assert who(condition("answered", f"{choice.id}:1")) == known
    assert who(condition("answered", f"{scale.id}:9-10")) == known
    assert who(condition("answered", f"{choice.id}:0", f"{scale.id}:0-6", "x:1", f"{scale.id}:x")) == []
    assert who(condition("answered", f"survey:{survey.id}")) == ["partner"], "that one took part is no secret"
    offered = [value for value, _label in wording.choices("answered")]
    assert (f"{choice.id}:1" in offered) is not anonymous


def test_a_segment_is_used_as_it_is_when_it_is_needed(crowd, manager, browse):
    with transaction():
        segment = segments.save(manager, "Gold  people", [condition("tier", "gold")])
        newsletter = make_newsletter(manager)
        drafts.aim(newsletter, segments.rule_of(segment), Topic.PRODUCT, Shown.PARTNERS)
    assert segments.named("gold PEOPLE").id == segment.id
    with transaction():
        segments.save(
            manager, "Gold people", [condition("language", "en")], db.session.get(Segment, segment.id)
        )
    with pytest.raises(segments.InUse), transaction():
        segments.delete(db.session.get(Segment, segment.id), manager)
    with transaction():
        starting.start(db.session.get(type(newsletter), newsletter.id))
    assert list(db.session.scalars(db.select(Delivery.address))) == ["other@example.org"]
    with transaction():
        segments.delete(db.session.get(Segment, segment.id), manager)
    assert db.session.get(type(newsletter), newsletter.id).status is Status.SENDING


def test_a_segment_is_never_a_part_of_itself(crowd, manager):
    with transaction():
        inner = segments.save(manager, "Inner", [condition("tier", "gold")])
        outer = segments.save(manager, "Outer", [{"kind": "any", "rules": segments.rule_of(inner)}])
    with pytest.raises(Invalid, match="part of itself"), transaction():
        segments.save(manager, "Inner", segments.rule_of(outer), db.session.get(Segment, inner.id))
    db.session.execute(db.update(Segment).where(Segment.id == inner.id).values(rule=segments.rule_of(outer)))
    db.session.commit()
    assert who(condition("segment", str(inner.id))) == [], "a circle from elsewhere ends"


def test_the_page_saves_counts_and_explains(crowd, manager, browse):
    browser = browse(manager)
    form = {
        "name": "Gold or English", "match": "any", "at": ["0", "7"],
        "0-kind": "tier", "0-values": "gold", "7-kind": "language", "7-values": ["en", "ru"], "7-not": "1",
    }  # fmt: skip
    assert "1 partner, 1 address." in browser.post("/newsletters/segments/count", data=form).get_data(
        as_text=True
    )
    where = browser.post("/newsletters/segments/", data=form).headers["Location"]
    segment = db.session.scalar(db.select(Segment))
    assert segment.rule == [
        {
            "kind": "any",
            "rules": [condition("tier", "gold"), condition("language", "en", "ru") | {"not": True}],
        }
    ]
    page = browser.get(where).get_data(as_text=True)
    assert 'value="gold" selected' in page
    assert "There is a segment of this name already." in browser.post(
        "/newsletters/segments/", data=form
    ).get_data(as_text=True)
    inside = browser.get(f"{where}?who=ACME").get_data(as_text=True)
    assert "(Level: Gold or not Language: English, Русский)" in inside
    [verdict] = segments.explain(segment.rule, "other media")
    assert not verdict.is_in
    [active, group] = verdict.reasons
    assert active.holds
    assert [(each.text, each.holds) for each in group.inner] == [
        ("Level: Gold", False),
        ("not Language: English, Русский", False),
    ]
    with transaction():
        crowd.acme.status = PartnerStatus.CLOSED
    assert [each.is_in for each in segments.explain(segment.rule, "partner@example.org")] == [False]


@pytest.mark.parametrize("kind", rules.KINDS)
def test_every_kind_has_a_row(crowd, manager, browse, kind):
    answer = browse(manager).get(f"/newsletters/segments/condition/{kind}?at=4")
    assert f'name="4-kind" value="{kind}"' in answer.get_data(as_text=True)


def test_a_partner_counts_once_however_many_people_it_has(cast):
    with transaction():
        partner = make_partner(country="PL")
        for _n in range(3):
            make_member(partner)
    found = audience.count([condition("country", "PL")], Topic.SERVICE)
    assert (found.partners, found.people) == (1, 3)
