"""The hub's main job, from end to end, by the people who do it, in several browsers at once."""

import itertools

import pytest
from playwright.sync_api import expect

KRASNOVA = "KRASNOVA"


@pytest.fixture
def people(hub):
    """The demo's people by role, each role's first."""
    return {role: found[0] for role, found in hub.sign_ins().items()}


# --- A partner asks, an agent answers ------------------------------------------


def shown(page):
    """Return the texts of the thread in the order in which the page shows them; every message once."""
    messages = page.locator("[data-talk] li.msg[data-seq]")
    seqs = messages.evaluate_all("items => items.map(item => Number(item.dataset.seq))")
    assert seqs == sorted(set(seqs))
    return messages.locator(".bubble").all_inner_texts()


def write(page, text):
    """Write a message and send it."""
    page.locator("#text-public").fill(text)
    page.locator("#reply-form button[type=submit]").click()


def expect_message(page, text):
    """Wait until the server's copy of the message is shown, exactly once."""
    message = page.locator("[data-talk] li.msg[data-seq]", has_text=text)
    expect(message).to_have_count(1, timeout=30_000)
    expect(page.locator("[data-waiting]", has_text=text)).to_have_count(0, timeout=30_000)


def test_a_conversation_survives_a_restart(hub, people, visit):
    agent = visit(people["agent"])
    agent.goto("/inbox?view=unassigned")
    partner = visit(people["partner"])

    partner.goto("/tickets/new")
    partner.locator("[name=subject]").fill("Где мой сентябрьский отчёт?")
    partner.locator("[name=body]").fill("В доходах его нет, хотя месяц закрыт.")
    partner.locator("form:has([name=subject]) button[type=submit]").click()
    partner.wait_for_url("**/tickets/*")

    # The agent sees it arrive without reloading, and opens it.
    arrived = agent.locator("[data-queue] li a", has_text="Где мой сентябрьский отчёт?")
    expect(arrived).to_have_count(1)
    arrived.click()
    expect(agent.locator("#subject")).to_have_text("Где мой сентябрьский отчёт?")

    # The partner, still on the page, sees typing and then the answer.
    agent.locator("#text-public").press_sequentially("Сейчас посмотрю", delay=20)
    expect(partner.locator("[data-typing]")).to_be_visible()
    agent.locator("#reply-form button[type=submit]").click()
    expect_message(partner, "Сейчас посмотрю")
    write(partner, "Спасибо, жду")
    expect_message(agent, "Спасибо, жду")

    # Both go on writing while the hub is away.
    hub.stop()
    write(partner, "Написано без связи, раз")
    write(partner, "Написано без связи, два")
    write(agent, "Ответ без связи")
    expect(partner.locator("[data-offline]")).to_be_visible()
    hub.start()
    everything = ["Написано без связи, раз", "Написано без связи, два", "Ответ без связи"]
    for page, text in itertools.product((partner, agent), everything):
        expect_message(page, text)
    expect(partner.locator("[data-offline]")).to_be_hidden()

    write(agent, "Отчёт готов")
    expect_message(partner, "Отчёт готов")
    for page in (partner, agent):
        texts = shown(page)
        assert len(texts) == 7
        assert texts[:3] == ["В доходах его нет, хотя месяц закрыт.", "Сейчас посмотрю", "Спасибо, жду"]
        assert texts.index(everything[0]) < texts.index(everything[1])
        assert texts[-1] == "Отчёт готов"
    assert shown(partner) == shown(agent)
    partner.reload()
    assert shown(partner) == shown(agent)


def test_an_internal_note_never_reaches_the_partner(people, visit):
    partner, agent = visit(people["partner"]), visit(people["agent"])
    partner.goto("/tickets/new")
    partner.locator("[name=subject]").fill("Вопрос о промокоде")
    partner.locator("[name=body]").fill("Какая скидка?")
    partner.locator("form:has([name=subject]) button[type=submit]").click()
    partner.wait_for_url("**/tickets/*")
    agent.goto(partner.url.replace("/tickets/", "/inbox/"))
    agent.locator("#text-internal").fill("Только для своих")
    agent.locator("#note-form button[type=submit]").click()
    expect(agent.locator("li.msg.note[data-seq]", has_text="Только для своих")).to_have_count(1)
    write(agent, "Скидка десять процентов")
    expect_message(partner, "Скидка десять процентов")
    partner.reload()
    assert "Только для своих" not in partner.content()
