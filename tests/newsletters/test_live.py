"""Open pages of a running newsletter hear how far it is; nobody else does."""

import pytest

from hub.core import jobs
from hub.core.database import db, transaction
from hub.core.extensions import socketio
from hub.newsletters import starting
from hub.newsletters.models import Newsletter

from .factories import make_newsletter


@pytest.fixture
def running(manager, cast):
    with transaction():
        newsletter = make_newsletter(manager)
    with transaction():
        starting.start(db.session.get(Newsletter, newsletter.id))
    return newsletter.id


@pytest.fixture
def listen(app, browse):
    """`listen(user)` is an open page of the user's."""

    def listen(user):
        return socketio.test_client(app, flask_test_client=browse(user))

    return listen


def test_a_manager_hears_progress_to_the_end(running, manager, listen):
    page = listen(manager)
    answer = page.emit("newsletter.watch", {"id": running}, callback=True)
    assert answer["ok"]
    assert (answer["progress"]["done"], answer["progress"]["total"]) == (0, 2)
    jobs.run("newsletters.send")
    news = [each["args"][0] for each in page.get_received() if each["name"] == "progress"]
    assert (news[-1]["status"], news[-1]["done"], news[-1]["counts"]["sent"]) == ("sent", 2, 2)


@pytest.mark.parametrize("who", ["partner", "agent"])
def test_others_may_not_listen(running, cast, listen, who):
    page = listen(getattr(cast, who))
    assert not page.emit("newsletter.watch", {"id": running}, callback=True)["ok"]
    jobs.run("newsletters.send")
    assert [each for each in page.get_received() if each["name"] == "progress"] == []


@pytest.mark.parametrize("number", [0, "1", None, 999_999])
def test_what_does_not_exist_cannot_be_watched(manager, listen, number):
    assert not listen(manager).emit("newsletter.watch", {"id": number}, callback=True)["ok"]
