"""Fields of the programme's own: who may fill in what, what stands in them, and what happens to it later."""

import re

import pytest
from sqlalchemy import select

from hub.accounts import tokens
from hub.core.database import db, transaction
from hub.core.i18n import speaking
from hub.tickets import fields, macros, service, telling
from hub.tickets.errors import AlreadyMerged
from hub.tickets.field_values import BadValue, facts, offers, parse, shown
from hub.tickets.history import events
from hub.tickets.inbox import Asked, tickets
from hub.tickets.models import Category, Macro, Status, Ticket, TicketEvent
from hub.tickets.models_fields import Kind, TicketField

from ..guards.test_statements import statements
from .factories import an_id, make_field, make_ticket


def fill(ticket, actor, field, text):
    with transaction():
        fields.fill_in(ticket, actor, {field.id: text})


def held(ticket, reader) -> dict[str, str]:
    return {each.field.name: each.text for each in fields.of(ticket, reader) if each.value}


def told(ticket) -> list[str]:
    data = [each.data for each in events(ticket) if each.kind == "field"]
    return [f"{each['said']['names']['en']}: {each['after']}" for each in data]


@pytest.mark.once
def test_a_field_takes_what_it_is_for_and_nothing_else():
    names = enumerate(["Bug", "Refund", "Old"], 1)
    choices = [{"key": str(n), "names": {"en": text}, "gone": n == 3} for n, text in names]

    def said(kind, typed):
        field = TicketField(id=1, names={"en": "It"}, kind=kind, choices=choices)
        kept = parse(field, typed)
        return kept, shown(facts(field), kept)

    assert said(Kind.TEXT, " 48 \n 213 ") == ("48 213", "48 213")
    assert said(Kind.NUMBER, "1 234,50") == ("1234.5", "1,234.5")
    assert [said(Kind.NUMBER, text)[0] for text in ("-0", "100", "−0.5")] == ["0", "100", "-0.5"]
    grouped = {"1,234.50": "1234.5", "-1,234,567": "-1234567", "1 234,567": "1234.567", "0,125": "0.125"}
    assert {text: said(Kind.NUMBER, text)[0] for text in grouped} == grouped
    with pytest.raises(BadValue, match="may be two numbers"):
        said(Kind.NUMBER, "1,234")
    assert said(Kind.DATE, "2026-10-31") == ("2026-10-31", "31 Oct 2026")
    assert said(Kind.CHOICE, "2") == ("2", "Refund")
    assert said(Kind.YES_NO, "no") == ("no", "No")
    nonsense = [(Kind.TEXT, "x" * 201), (Kind.YES_NO, "maybe"), (Kind.CHOICE, "3"), (Kind.CHOICE, "9")]
    nonsense += [(Kind.NUMBER, text) for text in ("1e5", "9" * 16, "٣", "nan", "1,23,456", "1.234,50")]
    nonsense += [(Kind.DATE, text) for text in ("0001-01-01", "31.10.2026")]
    for kind, typed in nonsense:
        with pytest.raises(BadValue):
            said(kind, typed)


def test_a_manager_defines_a_field_and_an_agent_fills_it_in_beside_the_thread(cast, browse):
    ticket = make_ticket(cast.partner, category=Category.PAYOUT)
    sent = {"en": "Cause", "ru": "Причина", "kind": "choice", "categories": ["payout"], "position": "1"}
    sent |= {"choices-0-en": "Our mistake", "choices-0-ru": "Наша ошибка", "choices-1-en": "Bank"}
    manager, agent = browse(cast.manager), browse(cast.agent)
    assert (
        manager.post("/inbox/fields", data=sent | {"choices-1-en": "", "choices-1-pl": "Bank"}).status_code
        == 422
    )
    assert manager.post("/inbox/fields", data=sent).status_code == 303
    field = db.session.scalars(select(TicketField)).one()
    beside = agent.get(f"/inbox/{ticket.number}/context").text
    assert f'name="field-{field.id}"' in beside
    assert "Our mistake" in beside
    agent.post(f"/inbox/{ticket.number}/fields", data={"of": field.id, f"field-{field.id}": "1"})
    assert held(ticket, cast.agent) == {"Cause": "Our mistake"}
    # A choice that is withdrawn stays where it was made, and the timeline says what it was called then.
    sent |= {"choices-0-key": "1", "choices-0-en": "Mistake", "choices-0-gone": "y", "choices-1-key": "2"}
    manager.post(f"/inbox/fields/{field.id}", data=sent | {"kind": "text"})
    db.session.refresh(field)
    assert (field.kind, [each["key"] for each in field.choices]) == (Kind.CHOICE, ["1", "2"])
    assert [label for _key, label in offers(field)] == ["Bank"]
    assert "Mistake" in agent.get(f"/inbox/{ticket.number}/context").text
    event = db.session.scalars(select(TicketEvent).where(TicketEvent.kind == "field")).one()
    with speaking("ru"):
        assert {"Причина", "Наша ошибка"} <= set(re.split("[«»“”]", telling.recount(event)))
    agent.post(f"/inbox/{ticket.number}/fields", data={"of": field.id, f"field-{field.id}": ""})
    assert held(ticket, cast.agent) == {}
    # A form that does not know of a colleague's choice yet leaves it alone; a macro leaves out what is withdrawn.
    manager.post(f"/inbox/fields/{field.id}", data=sent | {"choices-2-en": "New"})
    manager.post(f"/inbox/fields/{field.id}", data=sent)
    db.session.refresh(field)
    assert [label for _key, label in offers(field)] == ["Bank", "New"]
    with transaction():
        macros.act(Macro(actions={"field": f"{field.id}:1", "priority": "high"}), ticket, cast.agent)
    assert (held(ticket, cast.agent), ticket.priority) == ({}, "high")


def test_the_team_resolves_no_ticket_that_lacks_a_required_field(cast, browse):
    ticket, other = make_ticket(cast.partner, category=Category.PAYOUT), make_ticket(cast.partner)
    field = make_field("Cause", is_required=True, categories=["payout"])
    agent = browse(cast.agent)
    for number, status in (
        (ticket.number, "resolved"),
        (ticket.number, "closed"),
        (other.number, "resolved"),
    ):
        agent.post(f"/tickets/{number}/status", data={"status": status})
    assert "Fill in first: Cause" in agent.get(f"/inbox/{ticket.number}").text
    assert [db.session.get(Ticket, each.id, populate_existing=True).is_live for each in (ticket, other)] == [
        True,
        False,
    ]
    with transaction():
        macros.act(Macro(actions={"status": "resolved", "field": f"{field.id}:Bank"}), ticket, cast.agent)
    assert ticket.status is Status.RESOLVED
    assert held(ticket, cast.agent) == {"Cause": "Bank"}


def test_partners_fill_in_and_see_their_fields_alone(cast, browse, app):
    order = make_field("Order number", for_partners=True, categories=["payout"])
    cause, paid = make_field("Cause"), make_field("Paid on", Kind.DATE, for_partners=True)
    browser = browse(cast.partner)
    page = browser.get("/tickets/new").text
    assert "Order number" in page
    assert "Cause" not in page
    sent = {"subject": "Where is it?", "body": "The payout.", "category": "payout", "client_id": an_id()}
    sent |= {f"field-{order.id}": "48213", f"field-{cause.id}": "mine", f"field-{paid.id}": "yesterday"}
    refused = browser.post("/tickets", data=sent)
    assert refused.status_code == 422
    assert f'id="field-{paid.id}-error"' in refused.text
    assert 'value="48213"' in refused.text
    browser.post("/tickets", data=sent | {f"field-{paid.id}": ""})
    ticket = db.session.scalars(select(Ticket)).one()
    assert held(ticket, cast.agent) == {"Order number": "48213"}
    fill(ticket, cast.agent, cause, "SECRET-CAUSE")
    page = browser.get(f"/tickets/{ticket.number}").text
    assert "48213" in page
    assert "SECRET-CAUSE" not in page
    # A program: the same fields, the same rules.
    with transaction():
        _row, secret = tokens.create(cast.partner, "test")
    program, headers = app.test_client(), {"Authorization": f"Bearer {secret}"}
    known = program.get("/api/v1/tickets/fields", headers=headers).json["fields"]
    assert [each["name"] for each in known] == ["Order number", "Paid on"]
    asked = {"subject": "Again", "body": "Text", "client_id": "f1", "category": "payout"}
    for bad in ({str(cause.id): "mine"}, {"x": "1"}, {str(order.id): []}, {str(order.id): {}}, [1], [], "x"):
        assert (
            program.post("/api/v1/tickets", json=asked | {"fields": bad}, headers=headers).status_code == 422
        )
    asked |= {"fields": {str(order.id): 48214, str(paid.id): None}}
    number = program.post("/api/v1/tickets", json=asked, headers=headers).json["number"]
    told = program.get(f"/api/v1/tickets/{number}/messages", headers=headers).json["fields"]
    assert [(each["name"], each["value"]) for each in told] == [("Order number", "48214"), ("Paid on", None)]


def test_lists_are_narrowed_to_what_a_field_holds(cast, browse):
    late, other = make_ticket(cast.partner, "Late"), make_ticket(cast.partner, "Other")
    cause = make_field("Cause", Kind.CHOICE, ["Our mistake", "Bank"])
    fill(late, cast.agent, cause, "1")
    fill(other, cast.agent, cause, "2")
    asked = Asked.read({"view": "all", "field": f"{cause.id}:1"})
    assert [each.subject for each in tickets(asked, cast.agent)] == ["Late"]
    agent = browse(cast.agent)
    assert "Cause: Our mistake" in agent.get("/inbox" + asked.query).text
    assert f'value="{cause.id}:1" selected' in agent.get(f"/inbox/filter?field={cause.id}:1").text
    number, day = make_field("Amount", Kind.NUMBER), make_field("Paid on", Kind.DATE)
    for nonsense in (f"{number.id}:abc", f"{number.id}:sNaN", f"{number.id}:1e999999", f"{day.id}:abc"):
        assert fields.say_pair(nonsense, cast.agent).endswith(nonsense.partition(":")[2])
    assert agent.get(f"/inbox?view=all&field={day.id}:abc").status_code == 200
    assert Asked.read({"field": "1"}).field is Asked.read({"field": f"x:{'9' * 300}"}).field is None


def test_what_is_archived_stays_visible_and_is_filled_in_by_nobody(cast, browse):
    ticket, field = make_ticket(cast.partner), make_field("Cause", is_required=True)
    fill(ticket, cast.agent, field, "Bank")
    manager = browse(cast.manager)
    manager.post(f"/inbox/fields/{field.id}/archive")
    fill(ticket, cast.agent, field, "Other")
    assert held(ticket, cast.agent) == {"Cause": "Bank"}
    assert f'name="field-{field.id}"' not in manager.get(f"/inbox/{ticket.number}/context").text
    other = make_ticket(cast.partner)
    with transaction():
        service.set_status(other, cast.agent, Status.RESOLVED)
    manager.post(f"/inbox/fields/{field.id}/archive", data={"back": "y"})
    fill(ticket, cast.agent, field, "Other")
    assert held(ticket, cast.agent) == {"Cause": "Other"}


def test_a_merge_brings_what_the_target_lacks_and_takes_it_back(cast):
    source, target = make_ticket(cast.partner, "One", "first"), make_ticket(cast.partner, "Two", "second")
    order, cause, paid, total = (make_field(name) for name in ("Order", "Cause", "Paid", "Sum"))
    for field, text in ((order, "1"), (cause, "mine"), (paid, "yes"), (total, "5")):
        fill(source, cast.agent, field, text)
    fill(target, cast.agent, cause, "theirs")
    with transaction():
        record = service.merge(source, target, cast.agent)
    assert held(target, cast.agent) == {"Order": "1", "Cause": "theirs", "Paid": "yes", "Sum": "5"}
    assert told(target)[-3:] == ["Order: 1", "Paid: yes", "Sum: 5"]
    with pytest.raises(AlreadyMerged):
        fill(source, cast.agent, order, "2")
    fill(target, cast.agent, paid, "changed")
    for text in ("", "5"):
        fill(target, cast.agent, total, text)  # by hand, though the same
    with transaction():
        service.unmerge(record, cast.agent)
    assert held(target, cast.agent) == {"Cause": "theirs", "Paid": "changed", "Sum": "5"}
    assert told(target)[-1] == "Order: "
    assert held(source, cast.agent) == {"Order": "1", "Cause": "mine", "Paid": "yes", "Sum": "5"}
    with transaction():
        service.reply(target, cast.partner, "Another matter.", seen=9, client_id=an_id())
        last = service.thread(target, cast.agent)[-1]
        new = service.split(target, cast.agent, [last.id], "Another matter")
    assert held(new, cast.agent) == held(target, cast.agent)
    assert told(new) == ["Cause: theirs", "Paid: changed", "Sum: 5"]


def test_a_field_of_many_tickets_is_changed_at_once_shown_first_and_taken_back(cast, browse):
    first, second = (make_ticket(cast.partner, category=Category.PAYOUT) for _ in range(2))
    other = make_ticket(cast.partner)
    cause = make_field("Cause", Kind.CHOICE, ["Our mistake", "Bank"], categories=["payout"])
    paid = make_field("Paid on", Kind.DATE)
    fill(second, cast.agent, cause, "2")
    agent, numbers = browse(cast.agent), [each.number for each in (first, second, other)]
    change = {"ticket": numbers, "change": f"field:{cause.id}:1"}
    shown = agent.get("/inbox/bulk", query_string=change).text
    for what in (change["change"], f"assignee:{cast.manager.id}", "tag:&text=vip", "status:open"):
        one, all = (
            f"/inbox/bulk?change={what}&ticket=" + "&ticket=".join(map(str, n))
            for n in (numbers[:1], numbers)
        )
        assert len(statements(agent, one)[1]) == len(statements(agent, all)[1]) <= 10
    assert "This field is not asked for" in shown
    assert held(first, cast.agent) == {}
    page = agent.post("/inbox/bulk", data=change).location
    assert [held(each, cast.agent) for each in (first, second, other)] == [{"Cause": "Our mistake"}] * 2 + [
        {}
    ]
    result = agent.get(page).text
    assert result.count("Our mistake") == 2
    assert "not changed" in result
    fill(first, cast.manager, cause, "2")
    agent.post(f"{page}/undo")
    assert [held(each, cast.agent) for each in (first, second)] == [{"Cause": "Bank"}] * 2
    assert "changed by someone since" in agent.get(page).text
    wrong = {"ticket": numbers, "change": f"field:{paid.id}:", "text": "yesterday"}
    assert "Choose a date" in agent.get("/inbox/bulk", query_string=wrong).text
    assert agent.post("/inbox/bulk", data=wrong).status_code == 422
    agent.post("/inbox/bulk", data=wrong | {"text": "2026-10-31"})
    assert held(other, cast.agent) == {"Paid on": "31 Oct 2026"}
    agent.post("/inbox/bulk", data={"ticket": numbers, "change": f"empty:{paid.id}"})
    assert held(other, cast.agent) == {}
