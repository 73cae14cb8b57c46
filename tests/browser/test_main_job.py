"""The hub's main job, from end to end, by the people who do it, in several browsers at once."""

import csv
import email
import email.policy
import itertools
import re
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE

#: What the console says while the hub restarts, and of an answer that found another one before it.
WHILE_AWAY = ("net::ERR", "WebSocket", "status of 409")


@pytest.fixture
def people(hub):
    """The demo's people by role, each role's first."""
    return {role: found[0] for role, found in hub.sign_ins().items()}


# --- A partner searches, reads, takes a banner ---------------------------------


def test_a_partner_finds_an_article_and_a_banner(people, visit, tmp_path):
    page = visit(people["partner"], permissions=["clipboard-read", "clipboard-write"])
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "ru")

    suggestion = page.locator("#suggest [role=option][href*='/kb/ru/']", has_text="баннер")
    type_until_shown(page.locator("#search"), "баннеров на сайтах", suggestion)
    suggestion.first.click()
    page.wait_for_url("**/kb/ru/**")
    expect(page.locator("article h1")).to_have_text("Как разместить баннер на сайте")

    page.goto("/materials/")
    page.locator("#facets input[value='300x250'], #facets input[value='300×250']").check()
    page.wait_for_url(re.compile(r"/materials\b.*\?"))
    page.locator("a[data-asset]", has_text=re.compile(r"300\s*×\s*250")).first.click()
    drawer = page.locator("#asset")
    drawer.locator(".btn-primary[data-copy]:visible").click()
    expect_copied(page, "<img", "/go/KRASNOVA/")
    with page.expect_download() as download:
        drawer.locator("footer > a").click()
    download.value.save_as(tmp_path / "banner")
    with Image.open(tmp_path / "banner") as image:
        assert image.size == (300, 250)


def expect_copied(page, *parts):
    """Wait until the clipboard, which a browser fills after the click, holds all of it."""
    page.wait_for_function(
        "parts => navigator.clipboard.readText().then((text) => parts.every((part) => text.includes(part)))",
        arg=list(parts),
    )


def type_until_shown(field, text, result):
    """Type as a person does, again and again until the worker has built the index."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        field.fill("")
        field.press_sequentially(text, delay=30)
        try:
            expect(result.first).to_be_visible(timeout=3000)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        else:
            return


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


def write_until_it_shows(page, text, sign):
    """Write, and go on until the other side sees it: its page may still be joining the conversation."""
    field = page.locator("#text-public")
    field.press_sequentially(text, delay=20)
    for _ in range(10):
        try:
            return expect(sign).to_be_visible(timeout=4000)
        except AssertionError:
            field.press_sequentially(" ")
    return expect(sign).to_be_visible()


def expect_message(page, text):
    """Wait until the server's copy of the message is shown, exactly once."""
    message = page.locator("[data-talk] li.msg[data-seq]", has_text=text)
    expect(message).to_have_count(1)
    expect(page.locator("[data-waiting]", has_text=text)).to_have_count(0)


def send_again_while_held_back(page, text):
    """Answer again when the other side was faster: then the team is shown what is new before its answer goes out."""
    mine = page.locator("[data-waiting]", has_text=text)
    held_back = mine.locator(".is-failed")
    sent = page.locator("[data-talk] li.msg[data-seq]", has_text=text)
    for _ in range(4):  # each of the other side's messages may come in between
        expect(sent.or_(held_back).first).to_be_visible()
        if not held_back.count():
            return
        mine.get_by_role("button").first.click()


def test_a_conversation_survives_a_restart(hub, people, visit):
    agent, partner = (visit(people[role], expects=WHILE_AWAY) for role in ("agent", "partner"))
    agent.goto("/inbox?view=unassigned")

    partner.goto("/tickets/new")
    partner.locator("[name=subject]").fill("Где мой сентябрьский отчёт?")
    partner.locator("[name=body]").fill("В доходах его нет, хотя месяц закрыт.")
    partner.locator("form:has([name=subject]) button[type=submit]").click()
    partner.wait_for_url(re.compile(r"/tickets/\d+$"))

    # The agent sees it arrive without reloading, and opens it.
    arrived = agent.locator("[data-queue] li a", has_text="Где мой сентябрьский отчёт?")
    expect(arrived).to_have_count(1)
    arrived.click()
    expect(agent.locator("#subject")).to_have_text("Где мой сентябрьский отчёт?")
    expect(agent.locator("[data-presence]")).to_contain_text("Мария Краснова")

    # The partner, still on the page, sees typing and then the answer.
    write_until_it_shows(agent, "Сейчас посмотрю", partner.locator("[data-typing]"))
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
    send_again_while_held_back(agent, "Ответ без связи")
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
    # Solved, it asks for a rating on the page that is open.
    agent.locator("[data-key=e]").click()
    expect(partner.locator("#rating")).to_be_visible()
    partner.reload()
    assert shown(partner) == shown(agent)


def test_an_internal_note_never_reaches_the_partner(people, visit):
    partner, agent = visit(people["partner"]), visit(people["agent"], expects=("status of 422",))
    partner.goto("/tickets/new")
    partner.locator("[name=subject]").fill("Вопрос о промокоде")
    partner.locator("[name=body]").fill("Какая скидка?")
    partner.locator("form:has([name=subject]) button[type=submit]").click()
    partner.wait_for_url(re.compile(r"/tickets/\d+$"))
    agent.goto(partner.url.replace("/tickets/", "/inbox/"))
    agent.locator("#text-internal").fill("Только для своих")
    agent.locator("#note-form button[type=submit]").click()
    expect(agent.locator("li.msg.note[data-seq]", has_text="Только для своих")).to_have_count(1)
    write(agent, "Скидка десять процентов")
    expect_message(partner, "Скидка десять процентов")
    partner.reload()
    assert "Только для своих" not in partner.content()
    # What the hub refuses comes back to be put right.
    write(agent, "Готово, {{nobody}}")
    agent.locator("[data-waiting]:has(.is-failed) .when button").nth(1).click()
    expect(agent.locator("#text-public")).to_have_value("Готово, {{nobody}}")
    expect(agent.locator("[data-waiting]")).to_have_count(0)
    # Beside the thread a choice applies itself: with the keys, once it is left.
    agent.locator("#priority").press("End")
    with agent.expect_navigation():
        agent.locator("#priority").press("Enter")
    expect(agent.locator("#priority")).to_have_value("urgent")
    expect(agent.locator("#priority")).to_be_focused()
    with agent.expect_navigation():
        agent.locator("#category").select_option("links")
    expect(agent.locator("#category")).to_have_value("links")


# --- A manager writes to all partners ------------------------------------------


def letters(hub, subject):
    """Return the mails in the outbox with this subject."""
    read = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in (hub.home / "outbox").glob("**/*.eml")
    ]
    return [letter for letter in read if letter["Subject"] == subject]


def write_newsletter(page, language, subject, body):
    """Fill in one language of the newsletter and save it."""
    page.locator(f"nav .tabs a[lang={language}]").click()
    expect(page.locator("form[data-draft] [name=language]")).to_have_value(language)
    page.locator("[name=subject]").fill(subject)
    page.locator("[name=preheader]").fill(subject)
    page.locator("[name=body]").fill(body)
    with page.expect_navigation():
        page.locator("form[data-draft] button[type=submit]").click()
    expect(page.locator("[name=subject]")).to_have_value(subject)


def test_a_manager_writes_to_all_partners(hub, people, visit):
    page = visit(people["manager"])
    page.goto("/newsletters/new")
    page.locator("form:has(select[name=topic]) button[type=submit]").click()
    page.wait_for_url("**/newsletters/*/edit*")
    write_newsletter(
        page, "en", "A new payout calendar", "Hello {user.first_name|partner}, **payouts** move."
    )
    write_newsletter(page, "ru", "Новый календарь выплат", "Здравствуйте! **Выплаты** переносятся.")
    expect(page.frame_locator("iframe[data-preview]").locator("strong")).to_have_text("Выплаты")

    page.locator("form[action*='/test'] button").click()
    wait_until(lambda: letters(hub, "Test: Новый календарь выплат"))

    page.locator("a[href$='/review']").click()
    send = page.locator("form[action$='/start'] button")
    people_reached = int(re.search(r"\d+", send.inner_text()).group())
    assert people_reached >= 30
    send.click()
    page.locator("dialog button[value=yes]").click()
    page.wait_for_url(re.compile(r"/newsletters/\d+$"))
    expect(page.locator("[data-state=sent]")).to_have_text(str(people_reached))
    expect(page.locator("[data-progress]")).to_have_attribute("data-status", "sent")

    english, russian = letters(hub, "A new payout calendar"), letters(hub, "Новый календарь выплат")
    assert len(english) + len(russian) == people_reached
    receivers = [letter["To"] for letter in english + russian]
    assert len(set(receivers)) == people_reached
    mine = next(letter for letter in russian if people["partner"]["email"] in letter["To"])
    assert "Выплаты" in mine.get_body(("plain",)).get_content()
    assert "<strong" in mine.get_body(("html",)).get_content()

    # One click, by the mail program, without a browser or a sign-in.
    assert mine["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = urlsplit(re.search(r"<(https?://[^>]+)>", mine["List-Unsubscribe"]).group(1)).path
    stranger = visit(None)
    answer = stranger.request.post(address, form={"List-Unsubscribe": "One-Click"})
    assert answer.status == 200
    assert stranger.request.post(address, form={"List-Unsubscribe": "One-Click"}).status == 200


def wait_until(condition):
    """Wait for what the worker does."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < deadline, "the worker did not get there"
        time.sleep(0.1)


# --- Webinar, survey, earnings --------------------------------------------------


def test_a_webinar_is_scheduled_and_put_into_a_calendar(people, visit):
    manager, partner = visit(people["manager"]), visit(people["partner"])
    starts = (datetime.now(UTC) + timedelta(days=9)).replace(hour=15, minute=0, second=0, microsecond=0)
    manager.goto("/training/webinars/new")
    manager.locator("[name=title]").fill("Осенние баннеры")
    manager.locator("textarea[name=description]").fill("Что изменилось и **почему**.")
    manager.locator("[name=language]").select_option("ru")
    manager.locator("[name=starts_at]").fill(starts.strftime("%Y-%m-%dT%H:%M"))
    manager.locator("[name=zone]").select_option("Europe/Oslo")
    manager.locator("[name=minutes]").fill("45")
    manager.locator("[name=host]").fill("Anna Lindqvist")
    manager.locator("[name=capacity]").fill("20")
    manager.locator("form:has([name=title]) button[type=submit]").click()
    manager.wait_for_url(re.compile(r"/training/webinars/\d+$"))

    partner.goto("/training/")
    partner.get_by_role("link", name="Осенние баннеры").click()
    partner.locator("form[action$='/register'] button").click()
    expect(partner.locator("form[action$='/unregister']")).to_have_count(1)
    answer = partner.request.get(partner.locator("a[href$='calendar.ics']").first.get_attribute("href"))
    assert answer.headers["content-type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(answer.text()).walk("VEVENT")
    assert event["SUMMARY"] == "Осенние баннеры"
    assert event.decoded("DTSTART").astimezone(UTC).strftime("%d %M") == starts.strftime("%d %M")
    assert event.decoded("DTEND") - event.decoded("DTSTART") == timedelta(minutes=45)


def until_shown(page, path, what):
    """Load `path` again until the worker has made what it is to show."""

    def is_shown():
        page.goto(path)
        return what.count()

    wait_until(is_shown)


def test_a_survey_of_three_questions_is_answered(people, visit):
    manager, partner = visit(people["manager"]), visit(people["partner"])
    manager.goto("/surveys/new")
    manager.locator("[name=title_en]").fill("How was October?")
    manager.locator("[name=title_ru]").fill("Как прошёл октябрь?")
    manager.locator("form:has([name=title_en]) button[type=submit]").click()
    manager.wait_for_url(re.compile(r"/surveys/\d+/results$"))
    results = manager.url
    questions = [
        ("scale", "Would you recommend us?", "Порекомендуете ли вы нас?", None),
        (
            "single",
            "What helped most?",
            "Что помогло больше всего?",
            ("Banners\nCoupons", "Баннеры\nПромокоды"),
        ),
        ("text", "What is missing?", "Чего не хватает?", None),
    ]
    for kind, english, russian, options in questions:
        manager.locator("a[href$='/questions/new']").first.click()
        manager.locator("[name=kind]").select_option(kind)
        manager.locator("[name=text_en]").fill(english)
        manager.locator("[name=text_ru]").fill(russian)
        if options:
            manager.locator("[name=options_en]").fill(options[0])
            manager.locator("[name=options_ru]").fill(options[1])
        manager.locator("form:has([name=kind]) button[type=submit]").click()
        manager.wait_for_url(results)
    manager.locator("form[action$='/publish'] button").click()
    manager.locator("dialog button[value=yes]").click()
    expect(manager.locator("form[action$='/publish']")).to_have_count(0)

    asked = partner.get_by_role("link", name="Как прошёл октябрь?").first
    until_shown(partner, "/surveys/", asked)
    asked.click()
    partner.locator("input[type=radio][value='9']").check()
    partner.get_by_label("Промокоды").check()
    partner.locator("textarea").fill("Вертикальных баннеров")
    partner.locator("form:has(textarea) button[type=submit]").click()
    partner.wait_for_url("**/thanks")
    manager.goto(results)
    expect(manager.locator("main")).to_contain_text("Вертикальных баннеров")


def test_imported_sales_are_this_months_earnings(people, visit, tmp_path):
    manager, partner = visit(people["manager"]), visit(people["partner"])
    file = tmp_path / "sales.csv"
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(
            [
                "external_id",
                "occurred_at",
                "partner_code",
                "coupon",
                "amount",
                "currency",
                "product",
                "status",
            ]
        )
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        rows.writerow(["browser-1", moment, "KRASNOVA", "", "1234.50", "EUR", "Business", "sale"])
        rows.writerow(["browser-2", "yesterday", "KRASNOVA", "", "10", "EUR", "Business", "sale"])
    manager.goto("/earnings/imports")
    upload(manager, file)
    expect(manager.locator("main")).to_contain_text("yesterday")
    expect(manager.locator("form[action*='/imports/']:not([action$=discard])")).to_have_count(0)

    file.write_text("\n".join(file.read_text().splitlines()[:2]) + "\n")
    manager.goto("/earnings/imports")
    upload(manager, file)
    manager.locator("form[action*='/imports/']:not([action$=discard]) button").click()
    earned = partner.locator("main", has_text=re.compile(r"1[\s\u00a0\u202f]?234,50"))
    until_shown(partner, "/earnings/", earned)


def upload(page, file):
    """Choose a file and look at what it would change."""
    page.locator("input[type=file]").set_input_files(file)
    page.locator("form:has(input[type=file]) button[type=submit]").click()
    page.wait_for_url(re.compile(r"/imports/\d+$"))
