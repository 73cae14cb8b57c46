"""Far too much text is refused before anything reads it, in the reader's words."""

import pytest

from hub.core.security import MOST_TEXT


@pytest.mark.once
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_endless_text_is_refused_in_the_readers_language(app, partner, browse, kind):
    partner.locale = "ru"
    app.extensions["sqlalchemy"].session.commit()
    text = "ж" * (MOST_TEXT // 2 + 1)
    answer = browse(partner).post("/tickets", data={"subject": "s", "body": text}, content_type=kind)
    assert answer.status_code == 413
    assert '<html lang="ru"' in answer.text
    assert "Вернитесь назад" in answer.text
    assert len(answer.text) < 100_000, "what was sent is not sent back"
