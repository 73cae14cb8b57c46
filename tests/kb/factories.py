"""A shelf, and articles that everyone, partners or only the team may read."""

import io

from hub.core.database import db
from hub.core.uploads import Examined, Kind
from hub.kb import community, feedback, pictures, service
from hub.kb.models import Audience, Category
from hub.kb.models.exchange import Arrival, ArrivalState

#: What a check has found.
COUNTS = {"articles": 1, "broken": 1, "categories": 0, "pictures": 0, "problems": 1}


def make_category(key="money", **values):
    category = Category(**({"key": key, "names": {"en": "Money", "ru": "Деньги"}} | values))
    db.session.add(category)
    db.session.flush()
    return category


def make_article(
    category, title="Payout calendar", lang="en", audience=Audience.PUBLIC, published=True, **values
):
    """A translation, published unless told otherwise."""
    body = values.pop("body", "Payouts go out on the 5th.\n\n## Minimum\n\nNot under 50 euros.")
    text = service.Text(title, body, **values)
    translation = service.create(None, category, audience, lang, text)
    if published:
        service.publish(translation)
    return translation


def sample(cast):
    category = make_category()
    public = make_article(category, "Payout calendar")
    partners = make_article(category, "Partner tricks", audience=Audience.PARTNERS)
    staff = make_article(category, "Escalation list", audience=Audience.STAFF)
    draft = make_article(category, "Unfinished", published=False)
    chosen = make_article(category, "For video makers", published=False)
    service.file_under(chosen.article, category, Audience.CHOSEN, ["tag:video"])
    service.publish(chosen)
    cast.acme.tags = ["video"]
    translated = service.translate(
        public.article, None, "ru", service.Text("Календарь выплат", "Выплаты 5-го.")
    )
    picture = pictures.keep(None, Examined("a.png", "image/png", Kind.IMAGE, 3, io.BytesIO(b"png"), 1, 1))
    text = service.Text("For video makers", f"![a](image:{picture.name})", slug=chosen.slug)
    service.revise(chosen, None, text, seen=1)
    answer = feedback.rate(public, cast.partner, False, None, "")
    arrivals = [
        Arrival(filename="a.zip", state=ArrivalState.CHECKED, counts=COUNTS, problems=[]) for _ in "ab"
    ]
    db.session.add_all(arrivals)
    question = community.ask(public, cast.partner, "Also in December?", client_id="asked")
    reply = community.answer(question, cast.other_partner, "Yes, on the 5th.", client_id="answered")
    community.accept(reply, cast.agent, True)
    db.session.flush()
    return {
        "question": question.id, "answer": reply.id,
        "id": public.id, "article": public.article_id, "public": public.slug, "partners": partners.slug,
        "staff": staff.slug, "staff_id": staff.id, "draft": draft.slug, "key": public.article.key, "feedback": answer.id, "chosen": chosen.slug, "draft_id": draft.id, "translated": translated.id,
        "category": category.id, "shelf": category.key, "empty": make_category("empty").id,
        "picture": picture.name, "arrival": arrivals[0].id, "other_arrival": arrivals[1].id,
    }  # fmt: skip
