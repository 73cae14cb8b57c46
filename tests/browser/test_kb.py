"""The knowledge base in real browsers: found by keyboard, read in another language, written by two, published by the clock."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.running import ROOT

#: What the console says of an answer that the page deals with.
OVERTAKEN = "status of 409"
BODY = "textarea[name=body]"
SAVE = "form[data-editor] button[type=submit].btn-primary"
RUN_AT = """
import sys
from datetime import datetime
from hub.app import create_app
from hub.core import clock, jobs
with create_app().app_context(), clock.frozen(datetime.fromisoformat(sys.argv[1])):
    jobs.run(sys.argv[2])
"""


@pytest.fixture
def people(hub):
    """The demo's people by role."""
    return hub.sign_ins()


def until_found(page, text, sign):
    """Wait until the worker has indexed what `text` finds."""
    script = "async ([url, sign]) => (await (await fetch(url)).text()).includes(sign)"
    page.wait_for_function(script, arg=[f"/search/suggest?q={text}", sign], polling=500)


def open_editor(page, title):
    page.goto(f"/kb/manage?q={title}&lang=en")
    page.locator("tbody th a").first.click()
    expect(page.locator(BODY)).to_be_visible()


def save(page):
    """Save what is in the editor, and wait for the page that has it as the newest version."""
    seen = page.locator("form[data-editor] input[name=seen]")
    before = int(seen.input_value())
    page.locator(SAVE).click()
    expect(seen).to_have_value(str(before + 1))


@pytest.mark.once
def test_from_the_first_letter_to_the_section_without_a_mouse(visit, people):
    page = visit(people["manager"][0])
    page.goto("/")
    until_found(page, "minimum", "#s-minimums-and-carry-over")
    page.keyboard.press("/")
    field, box = page.locator("#search"), page.locator("#suggest")
    field.press_sequentially("carry over minimum")
    wanted = box.locator("[role=option][href$='#s-minimums-and-carry-over']")
    # What it finds may be found for the first words already; this is the answer to all of them.
    expect(box.locator(".suggest-foot a[href$='q=carry+over+minimum']")).to_be_visible()
    expect(wanted).to_have_count(1)
    expect(field).to_have_attribute("aria-expanded", "true")
    # Escape closes the list and keeps the words; an arrow opens it again.
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(field).to_have_value("carry over minimum")
    for _ in range(box.locator("[role=option]").count()):
        page.keyboard.press("ArrowDown")
        if wanted.get_attribute("aria-selected") == "true":
            break
    expect(box).to_be_visible()
    expect(field).to_have_attribute("aria-activedescendant", wanted.get_attribute("id"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/kb/en/when-and-how-you-are-paid#s-minimums-and-carry-over")
    expect(page.locator("#s-minimums-and-carry-over")).to_be_in_viewport()

    # On the page of results the words are marked in whatever form they stand there.
    page.goto("/search/?q=coupon&lang=en")
    expect(page.locator("ol.hits h2 mark", has_text=re.compile("^Coupons$")).first).to_be_visible()


@pytest.mark.once
def test_two_people_edit_one_article_and_both_edits_stay(visit, people):
    first, second = (visit(people[role][0], expects=[OVERTAKEN]) for role in ("agent", "manager"))
    open_editor(first, "Coupons")
    # The first one has said that they are here before the second one comes.
    with first.expect_response(re.compile("/kb/drafts/")):
        first.locator(BODY).press_sequentially("x")
    expect(first.locator("#editing p.sub")).to_be_visible()
    open_editor(second, "Coupons")
    expect(second.locator("#editing .notice")).to_contain_text(
        people["agent"][0]["email"].split("@")[0].title()
    )
    whole = second.locator(BODY).input_value()
    second.locator(BODY).fill(whole + "\nThe end of the second.")
    save(second)
    expect(second.locator(BODY)).to_have_value(whole.rstrip() + "\nThe end of the second.")
    first.locator("[data-look]").click()
    first.locator(BODY).fill("## The beginning of the first\n\n" + whole)
    expect(first.locator(".md-look h2", has_text="The beginning of the first")).to_be_visible()
    # Saving finds the other edit.
    first.locator(SAVE).click()
    expect(first.locator("ins", has_text="The end of the second.")).to_be_visible()
    first.locator("form .form-foot button[type=submit]").click()
    merged = first.locator(BODY)
    expect(merged).to_have_value(
        re.compile(r"^## The beginning of the first.*The end of the second\.\s*$", re.DOTALL)
    )
    save(first)


@pytest.mark.once
def test_what_is_scheduled_appears_when_the_clock_says_so_and_names_its_language(hub, visit, people):
    writer, reader = visit(people["manager"][0]), visit(people["partner"][0])
    writer.goto("/kb/new")
    writer.locator("input[name=title]").fill("Opening hours of tomorrow")
    writer.locator(BODY).fill("From nine to six.")
    writer.locator(SAVE).click()
    writer.wait_for_url(re.compile(r"/kb/\d+/edit$"))
    at = datetime.now(UTC) + timedelta(days=2)
    writer.locator("#at").fill(at.strftime("%Y-%m-%dT%H:%M"))
    writer.locator("form[action$='/publish']:has(#at) button[type=submit]").click()
    expect(writer.locator("main .notice", has_text="It will be published on")).to_be_visible()

    address = "/kb/en/opening-hours-of-tomorrow"
    assert reader.request.get(address).status == 404
    run_at(hub, at - timedelta(hours=3))
    assert reader.request.get(address).status == 404
    run_at(hub, at + timedelta(hours=3))
    reader.goto(address)
    expect(reader.locator("article h1")).to_have_text("Opening hours of tomorrow")
    # It is there in one language only, and the page around it is in the reader's.
    expect(reader.locator("html")).to_have_attribute("lang", "ru")
    expect(reader.locator("main article").first).to_have_attribute("lang", "en")
    expect(reader.locator("main article .notice").first).to_contain_text("English")


def run_at(hub, moment):
    """Let the worker's job run on this hub's data with a set clock."""
    command = [sys.executable, "-c", RUN_AT, moment.isoformat(), "kb.publish"]
    subprocess.run(command, cwd=ROOT, env=hub.environment, check=True)


@pytest.mark.once
def test_an_article_answers_before_the_question_is_sent(visit, people):
    page = visit(people["partner"][0])
    page.goto("/tickets/new")
    until_found(page, "выплаты", "/kb/ru/")
    page.locator("input[name=subject]").press_sequentially("Когда будет выплата")
    fitting = page.locator(".fitting a[href*='/kb/ru/']").first
    expect(fitting).to_be_visible()
    expect(page.locator("[data-fitting] [role=status]")).to_have_text(re.compile(r"^\d "))
    # The first thing after the subject is the first article, and beside it the button.
    page.keyboard.press("Tab")
    expect(fitting).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".fitting button").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets")
    expect(page.locator(".toast")).to_be_visible()


@pytest.mark.once
def test_a_question_under_an_article_is_kept_until_it_is_posted(visit, people):
    page = visit(people["partner"][0])
    page.goto("/kb/open/levels")
    ask = page.locator(".asked-new")
    ask.locator("summary").press("Enter")
    ask.locator("textarea").press_sequentially("Когда пересчитывают уровень?")
    page.reload()
    expect(ask.locator("textarea")).to_have_value("Когда пересчитывают уровень?")
    expect(ask.locator("textarea")).to_be_visible()
    ask.locator("button[type=submit]").click()
    page.wait_for_url(re.compile(r"#post-\d+$"))
    expect(page.locator(".post:target .post-body")).to_have_text("Когда пересчитывают уровень?")
    expect(ask.locator("textarea")).to_have_value("")
