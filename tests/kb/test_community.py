"""What readers ask and answer under an article, and how it becomes part of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.core import clock
from hub.core.audit import AuditEvent
from hub.core.database import db, transaction
from hub.kb import community, service
from hub.kb.models import Audience, Revision, Translation
from hub.kb.models.community import Post
from hub.notifications.kinds import lines
from hub.notifications.models import Notification

from .factories import make_article, make_category


@pytest.fixture
def article(cast):
    """An article for everyone that the agent looks after."""
    with transaction():
        found = make_article(make_category(), "Coupons")
        found.article.owner_id = cast.agent.id
        return found


@pytest.fixture
def question(article, partner):
    with transaction():
        return community.ask(
            db.session.get(Translation, article.id), partner, "For renewals too?", client_id="q"
        )


@pytest.fixture
def reply(question, other_partner):
    with transaction():
        asked = db.session.get(Post, question.id)
        return community.answer(asked, other_partner, "Yes, in the **first year**.", client_id="a")


def told(user):
    db.session.rollback()
    rows = db.session.scalars(
        select(Notification).where(Notification.user_id == user.id).order_by(Notification.id)
    )
    return [line.text for line in lines(rows)]


def get(post):
    db.session.rollback()
    return db.session.get(Post, post.id, populate_existing=True)


def posts():
    db.session.rollback()
    return db.session.scalars(select(Post).order_by(Post.id)).all()


def test_partners_ask_and_answer_and_those_concerned_hear_of_it(
    article, browse, partner, other_partner, agent, manager
):
    asked = browse(partner).post(
        f"/kb/{article.id}/questions", data={"body": "For renewals <b>too</b>?", "client_id": "one"}
    )
    (question,) = posts()
    place = f"{article.path}?question={question.id}&posted=ask#post-{question.id}"
    assert (asked.status_code, asked.location) == (303, place)
    browse(partner).post(
        f"/kb/{article.id}/questions", data={"body": "For renewals <b>too</b>?", "client_id": "one"}
    )
    assert told(agent) == ["Pat Partner asks under “Coupons”"]
    browse(other_partner).post(f"/kb/posts/{question.id}/answers", data={"body": "Yes, **always**."})
    page = browse(partner).get(article.path).text
    assert "For renewals &lt;b&gt;too" in page
    assert "<strong>always</strong>" in page
    assert len(posts()) == 2
    assert told(partner) == ["Otto O. answers your question under “Coupons”"]
    assert told(agent)[1:] == ["Otto Other answers a question under “Coupons”"]
    assert told(manager) == told(other_partner) == []


def test_names_of_partners_are_short_to_partners_and_nobody_elses(
    question, article, browse, client, agent, other_partner
):
    assert "Pat Partner" in browse(agent).get(article.path).text
    page = browse(other_partner).get(article.path).text
    assert "Pat P." in page
    assert "Pat Partner" not in page
    page = client.get(article.path).text
    assert "For renewals too?" in page
    assert "Pat" not in page


def test_what_is_said_follows_the_article(question, reply, article, browse, partner, other_partner, client):
    with transaction():
        found = db.session.get(Translation, article.id).article
        service.file_under(found, found.category, Audience.CHOSEN, ["tag:video"])
    for reader in (browse(partner), browse(other_partner), client):
        assert reader.get(f"/kb/posts/{reply.id}").status_code == 404
    assert browse(partner).post(f"/kb/posts/{reply.id}/accept").status_code == 404
    assert (
        browse(other_partner).post(f"/kb/posts/{question.id}/answers", data={"body": "x"}).status_code == 404
    )
    assert browse(partner).post(f"/kb/{article.id}/questions", data={"body": "x"}).status_code == 404
    # Who may no longer read it hears no more of it either.
    with transaction():
        community.accept(db.session.get(Post, reply.id), db.session.get(type(partner), partner.id), True)
    assert told(other_partner) == []


def test_one_answer_is_accepted_by_who_asked_or_by_the_team(
    question, reply, browse, partner, other_partner, agent
):
    browse(agent).post(f"/kb/posts/{question.id}/answers", data={"body": "Until cancelled."})
    second = posts()[-1]
    assert browse(other_partner).post(f"/kb/posts/{reply.id}/accept").status_code == 403
    browse(partner).post(f"/kb/posts/{reply.id}/accept")
    assert told(other_partner) == ["Your answer under “Coupons” is the accepted one"]
    browse(agent).post(f"/kb/posts/{second.id}/accept")
    assert [get(each).accepted_at is not None for each in (reply, second)] == [False, True]
    page = browse(partner).get(f"/kb/posts/{question.id}", follow_redirects=True).text
    assert page.index("Until cancelled.") < page.index("first year")
    browse(partner).post(f"/kb/posts/{second.id}/accept", data={"accepted": "no"})
    assert get(second).accepted_at is None


def test_an_answer_is_taken_into_the_article_with_its_authors_name(
    question, reply, article, browse, agent, other_partner, partner
):
    editor = browse(agent).get(f"/kb/{article.id}/edit?answer={reply.id}").text
    assert "## For renewals too?\n\nYes, in the **first year**." in editor
    assert "From an answer by Otto Other" in editor
    body = "Old.\n\n## For renewals too?\n\nYes, in the **first year**."
    fields = {
        "title": "Coupons",
        "slug": "coupons",
        "locale": "en",
        "audience": "public",
        "owner": str(agent.id),
    }
    more = {
        "category": article.article.category_id,
        "seen": "1",
        "body": body,
        "why": "From an answer by Otto Other",
    }
    browse(agent).post(f"/kb/{article.id}/edit", data=fields | more | {"answer": str(reply.id)})
    assert get(reply).folded_at is not None
    assert told(other_partner) == ["Your answer is part of the article “Coupons” now"]
    last = db.session.scalars(select(Revision).order_by(Revision.id.desc())).first()
    assert (last.number, last.why) == (2, "From an answer by Otto Other")
    assert "For renewals too?</h2>" in browse(partner).get(article.path).text.replace("<a", "</h2><a")


def test_the_team_hides_shows_and_removes(question, reply, article, browse, partner, other_partner, agent):
    browse(agent).post(f"/kb/posts/{question.id}/hide", data={"hidden": "yes"})
    assert "For renewals" not in browse(other_partner).get(article.path).text
    assert "Hidden from readers" in browse(partner).get(article.path).text
    assert browse(agent).get("/kb/questions?show=hidden").text.count("For renewals too?") == 1
    browse(agent).post(f"/kb/posts/{question.id}/hide", data={"hidden": "no"})
    assert "For renewals" in browse(other_partner).get(article.path).text
    browse(agent).post(f"/kb/posts/{question.id}/remove")
    assert posts() == []
    done = [row.action for row in db.session.scalars(select(AuditEvent).order_by(AuditEvent.id))]
    assert done == ["article.post_hidden", "article.post_shown", "article.post_removed"]


def test_ones_own_words_can_be_changed_for_a_while(question, article, browse, partner, other_partner):
    address = f"/kb/posts/{question.id}"
    assert browse(other_partner).post(f"{address}/edit", data={"body": "Mine now"}).status_code == 403
    browse(partner).post(f"{address}/edit", data={"body": "For the second year too?"})
    assert get(question).body == "For the second year too?"
    with clock.frozen(clock.now() + community.EDITABLE):
        late = browse(partner).post(f"{address}/edit", data={"body": "And for the third?"})
        assert late.status_code == 409
        assert "And for the third?" in late.text
        assert browse(partner).post(f"{address}/remove").status_code == 409
    browse(partner).post(f"{address}/remove")
    assert posts() == []


def test_an_answered_question_stays(question, reply, browse, partner, other_partner):
    assert browse(partner).post(f"/kb/posts/{question.id}/remove").status_code == 409
    assert browse(other_partner).post(f"/kb/posts/{reply.id}/remove").status_code == 303
    assert browse(partner).post(f"/kb/posts/{question.id}/remove").status_code == 303


def test_what_is_refused_stays_in_its_field(question, article, browse, partner, monkeypatch):
    monkeypatch.setattr(community, "LONGEST", 20)
    for address, place in (
        (f"/kb/{article.id}/questions", "ask"),
        (f"/kb/posts/{question.id}/answers", f"answer-{question.id}"),
    ):
        refused = browse(partner).post(address, data={"body": "Much longer than that is & allowed"})
        assert refused.status_code == 422
        field = refused.text.partition(f'id="body-{place}"')[2]
        assert "is &amp; allowed</textarea>" in field[:400]
        assert "At most 20 characters" in field[:900]
    monkeypatch.setattr(community, "MOST_AN_HOUR", 1)
    again = browse(partner).post(f"/kb/{article.id}/questions", data={"body": "Short one"})
    assert (again.status_code, "Short one</textarea>" in again.text) == (429, True)
    with clock.frozen(clock.now() + timedelta(hours=1, seconds=1)):
        assert (
            browse(partner).post(f"/kb/{article.id}/questions", data={"body": "Short one"}).status_code == 303
        )


def test_questions_without_an_answer_are_a_queue(question, browse, agent):
    assert "For renewals too?" in browse(agent).get("/kb/questions").text
    browse(agent).post(f"/kb/posts/{question.id}/answers", data={"body": "Yes."})
    assert "For renewals too?" not in browse(agent).get("/kb/questions").text
    assert "For renewals too?" in browse(agent).get("/kb/questions?show=all").text
