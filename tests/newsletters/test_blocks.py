"""Cards in a newsletter: what they show, in whose language, and who does not get them."""

import pytest
from flask_login import AnonymousUserMixin
from sqlalchemy import event

from hub.core import clock
from hub.core.database import db, transaction
from hub.core.settings import settings
from hub.kb.models import Audience
from hub.newsletters import blocks, letters, reading, sequences, starting
from hub.newsletters.blocks import Block, Shelf
from hub.newsletters.checks import review
from hub.newsletters.models import Delivery, Newsletter, Shown, Topic
from hub.newsletters.models_sequences import Trigger
from hub.training.models import RegistrationStatus
from tests.factories import make_member, make_partner
from tests.kb.factories import make_article, make_category
from tests.materials.factories import gold_asset, make_asset
from tests.training.factories import make_registration, make_webinar

from .factories import ENGLISH, RUSSIAN, make_newsletter
from .test_sending import mails, parts


def written(manager, body, **values) -> Newsletter:
    with transaction():
        return make_newsletter(manager, ENGLISH | {"body": body}, **values)


def send(newsletter, worker):
    for path in (settings.home / "outbox").glob("*"):
        path.unlink()
    with transaction():
        starting.start(db.session.get(Newsletter, newsletter.id))
    worker()
    return {who.split("@")[0]: parts(mail) for who, mail in mails().items()}


def wrong(newsletter):
    return [each.text for each in review(db.session.get(Newsletter, newsletter.id)) if each.blocks]


@pytest.mark.once
def test_a_block_is_a_line_with_words_of_its_own_below():
    body = (
        "Hello\n\n## New\n::: article payouts\nRead it first.\n:::\n::: earnings\n\nBye\n```\n::: code\n```"
    )
    assert blocks.parse(body) == [
        "Hello\n\n## New",
        Block("article", "payouts", "Read it first."),
        Block("earnings"),
        "Bye\n```\n::: code\n```",
    ]


@pytest.mark.once
def test_a_heading_over_nothing_but_blocks_goes_with_them():
    parts = blocks.arrange(
        "Hi\n\n## New\n\n::: banner a\n::: banner b\n\n## Bye\n\nX\n\n## Kept\n\n::: level\n\nwords"
    )
    assert parts[1] == Shelf("## New", ("banner:a", "banner:b"))
    assert [each for each in parts if isinstance(each, Shelf)] == [parts[1]]


def test_an_article_is_shown_in_the_language_of_the_text_with_its_own_or_other_words(manager, cast):
    with transaction():
        article = make_article(make_category(), "Payouts & dates", summary="When money moves").article
        newsletter = make_newsletter(
            manager,
            ENGLISH | {"body": f"::: article {article.key}\n\n::: article {article.key}\nMy <words>\n:::"},
            RUSSIAN | {"body": f"::: article {article.key}"},
        )
    english, russian = (letters.prepare(newsletter.topic, each) for each in newsletter.written)
    mail = english.letter(key="k", address="a@b.example", name="", values={})
    for words in ("Payouts &amp; dates", "When money moves", "My &lt;words&gt;", "Article"):
        assert words in mail.html
    assert "Article: Payouts & dates\nWhen money moves\nRead: http" in mail.text
    # There is no Russian translation: the English one is shown, and said to be English.
    assert "Статья · English" in russian.letter(key="k", address="a@b.example", name="", values={}).html
    assert wrong(newsletter) == []


@pytest.mark.parametrize(
    "block",
    [
        "article nothing",
        "banner",
        "webinar 7",
        "webinar x",
        "nonsense 1",
        "story payout-calendar",
        "earnings now",
    ],
)
def test_a_block_with_nothing_to_show_is_not_sent(manager, cast, block):
    with transaction():
        make_article(make_category(), "Payout calendar")  # not a success story: it lacks the tag
    assert wrong(written(manager, f"Hello\n\n::: {block}")) == [f"There is nothing to show for “::: {block}”"]


def test_a_success_story_is_an_article_with_the_tag(manager, cast):
    with transaction():
        story = make_article(make_category(), "From 3 to 30", tags=["success-story"]).article
    newsletter = written(manager, f"::: story {story.key}")
    assert wrong(newsletter) == []
    [text] = [letters.prepare(newsletter.topic, each) for each in newsletter.written]
    assert "Read the story" in text.letter(key="k", address="a@b.example", name="", values={}).html


def test_a_banner_of_a_level_reaches_that_level_only_and_takes_its_heading_along(manager, cast, worker):
    with transaction():
        gold = gold_asset(cast)
    newsletter = written(manager, f"Hello\n\n## Banners\n\n::: banner {gold.public_id}\n\n## End\n\nBye")
    sent = send(newsletter, worker)
    for part in sent["partner"]:
        assert "Gold only" in part
        assert "Banners" in part
    for part in sent["other"]:
        assert "Gold only" not in part
        assert "Banners" not in part
        assert "Bye" in part
    assert "\n\n\n" not in sent["other"][0]


def test_what_a_partner_has_seen_is_left_out_if_wanted(manager, cast, worker):
    with transaction():
        banner = make_asset(manager, title="Spring banner")
        webinar, recorded = (
            make_webinar(title="Ask us"),
            make_webinar(title="Past talk", recording_url="https://v.example/1"),
        )
        make_registration(webinar, cast.partner)
        make_registration(recorded, cast.partner, RegistrationStatus.ATTENDED)
        story = make_article(make_category(), "Old story").article
        cards = f"::: banner {banner.public_id}\n::: webinar {webinar.id}\n::: recording {recorded.id}\n::: article {story.key}"
        make_newsletter(manager, ENGLISH | {"body": f"First\n\n::: article {story.key}"})
    everything = ["Spring banner", "Ask us", "Past talk", "Old story"]
    first = db.session.scalar(db.select(Newsletter).order_by(Newsletter.id))
    send(first, worker)
    skipping = written(manager, f"Hello\n\n{cards}", skips_seen=True, since=clock.now().replace(year=2020))
    sent = send(skipping, worker)
    assert [each for each in everything if each in sent["partner"][1]] == ["Spring banner"]
    assert [each for each in everything if each in sent["other"][1]] == [
        "Spring banner",
        "Ask us",
        "Past talk",
    ]
    plain = written(manager, f"Hello\n\n{cards}")
    sent = send(plain, worker)
    assert [each for each in everything if each in sent["partner"][1]] == everything


def test_the_archive_shows_cards_and_hides_what_was_hidden(manager, cast, worker):
    with transaction():
        gold = gold_asset(cast)
    newsletter = written(manager, f"Hello\n\n## Banners\n\n::: banner {gold.public_id}\n\n::: earnings")
    send(newsletter, worker)
    db.session.rollback()
    newsletter = db.session.get(Newsletter, newsletter.id)
    assert "Gold only" in reading.for_page(newsletter, "en", cast.partner)[2]
    assert "Gold only" not in reading.for_page(newsletter, "en", cast.other_partner)[2]
    assert "Earned" not in reading.for_page(newsletter, "en", cast.agent)[2]
    assert db.session.scalars(db.select(Delivery)).all()


def test_an_article_for_chosen_partners_reaches_nobody_else_by_mail_or_archive(manager, cast, worker):
    with transaction():
        cast.acme.tags = ["video"]
        article = make_article(make_category(), "For film makers", audience=Audience.CHOSEN).article
        article.readers = ["tag:video"]
        newsletter = make_newsletter(
            manager, ENGLISH | {"body": f"Hello\n\n## New\n\n::: article {article.key}"}, shown=Shown.PUBLIC
        )
    sent = send(newsletter, worker)
    assert ["For film makers" in part for part in (*sent["partner"], *sent["other"])] == [
        True,
        True,
        False,
        False,
    ]
    with transaction():
        late = make_member(make_partner())
    db.session.rollback()
    newsletter = db.session.get(Newsletter, newsletter.id)
    seen = {
        who: reading.for_page(newsletter, "en", who)[2] for who in (cast.partner, cast.other_partner, late)
    }
    assert ["For film makers" in page for page in seen.values()] == [True, False, False]
    assert "For film makers" not in reading.for_page(newsletter, "en", AnonymousUserMixin())[2]


def test_the_cards_of_all_steps_are_asked_for_together(manager):
    with transaction():
        article = make_article(make_category(), audience=Audience.PARTNERS).article
        webinar, banner = make_webinar(), make_asset(manager)
        real = f"::: article {article.key}\n\n::: webinar {webinar.id}\n\n::: banner {banner.public_id}"
        sequence = sequences.create(manager, "S", Trigger.APPROVED, Topic.PRODUCT)
        asked = []
        for number in range(4):
            link = f"\n\n[Link](https://example.com/{number})" + "\n\n::: webinar 99" * (number == 3)
            texts = [ENGLISH | {"locale": locale, "body": real + link} for locale in ("en", "pl")]
            sequences.add_step(sequence, manager, days=1, hour=None, contents=texts)
            seen = []
            event.listen(db.engine, "before_cursor_execute", note := lambda *_all, seen=seen: seen.append(1))
            found = [each.text for each in sequences.review(sequence) if each.blocks]
            event.remove(db.engine, "before_cursor_execute", note)
            assert found == ["Step 4: There is nothing to show for “::: webinar 99”"] * (number == 3)
            asked.append(len(seen))
        sequence.steps[0].ab_share = 10
        assert "The second subject is missing in English" in sequences.review(sequence)[0].text
    assert asked[0] == asked[3]
