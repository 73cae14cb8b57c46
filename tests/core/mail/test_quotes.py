"""What was written and what was quoted, as the mail programs of four languages write it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.mail.receive import split
from tests.ending import ending

pytestmark = pytest.mark.once

INTRODUCTIONS = {
    "gmail en": "On Mon, 2 Nov 2026 at 10:11, Agnes Agent <partners@nordbill.example> wrote:",
    "gmail en, wrapped": "On Mon, Nov 2, 2026 at 10:11 AM Agnes Agent of the Nordbill Programme\n<partners@nordbill.example> wrote:",
    "gmail ru": "пн, 2 нояб. 2026 г. в 10:11, Agnes Agent <partners@nordbill.example>:",
    "gmail uk": "пн, 2 лист. 2026 р. о 10:11 Agnes Agent <partners@nordbill.example> пише:",
    "gmail pl": "pon., 2 lis 2026 o 10:11 Agnes Agent <partners@nordbill.example> napisał(a):",
    "apple en": "On 2 Nov 2026, at 10:11, Agnes Agent <partners@nordbill.example> wrote:",
    "apple ru": "2 нояб. 2026 г., в 10:11, Agnes Agent <partners@nordbill.example> написал(а):",
    "apple uk": "2 лист. 2026 р. о 10:11 Agnes Agent <partners@nordbill.example> написав(-ла):",
    "apple pl": "Wiadomość napisana przez Agnes Agent <partners@nordbill.example> w dniu 2 lis 2026, o godz. 10:11:",
    "thunderbird en": "On 02/11/2026 10:11, Agnes Agent wrote:",
    "thunderbird ru": "02.11.2026 10:11, Agnes Agent пишет:",
    "thunderbird uk": "02.11.26 10:11, Agnes Agent пише:",
    "thunderbird pl": "W dniu 2.11.2026 o 10:11, Agnes Agent pisze:",
    "yandex ru": '02.11.2026, 10:11, "Agnes Agent" <partners@nordbill.example>:',
    "yandex en": '02.11.2026, 10:11, "Agnes Agent" <partners@nordbill.example> wrote:',
    "mail.ru": "Понедельник, 2 ноября 2026, 10:11 +03:00 от Agnes Agent <partners@nordbill.example>:",
    "ukr.net": '2 листопада 2026, 10:11:05, від "Agnes Agent" <partners@nordbill.example>:',
    "o2 pl": "Dnia 2 listopada 2026 10:11 Agnes Agent <partners@nordbill.example> napisał(a):",
    "outlook en": "From: Agnes Agent <partners@nordbill.example>\nSent: Monday, November 2, 2026 10:11 AM\nTo: Pat\nSubject: Re: Commission",
    "outlook ru": "От: Agnes Agent <partners@nordbill.example>\nОтправлено: 2 ноября 2026 г. 10:11\nКому: Pat\nТема: Re: Комиссия",
    "outlook uk": "Від: Agnes Agent <partners@nordbill.example>\nНадіслано: 2 листопада 2026 р. 10:11\nКому: Pat\nТема: Re: Комісія",
    "outlook pl": "Od: Agnes Agent <partners@nordbill.example>\nWysłano: poniedziałek, 2 listopada 2026 10:11\nDo: Pat\nTemat: Re: Prowizja",
    "outlook ru, as a webmail": "От кого: Agnes Agent <partners@nordbill.example>\nКому: Pat\nДата: 2 ноября 2026, 10:11\nТема: Комиссия",
    "outlook with a rule": "________________________________\nFrom: Agnes Agent <partners@nordbill.example>\nSent: Monday\nTo: Pat\nSubject: x",
    "outlook, old": "-----Original Message-----\nFrom: Agnes Agent",
    "thunderbird ru, old": "-------- Исходное сообщение --------",
    "pl, old": "-----Wiadomość oryginalna-----",
    "gmail ru, wrapped in the address": "пн, 2 нояб. 2026 г. в 10:11, Agnes Agent <\npartners@nordbill.example>:",
    "gmail de": "Am Mo., 2. Nov. 2026 um 10:11 Uhr schrieb Agnes Agent <\npartners@nordbill.example>:",
    "gmail cs": "po 2. 11. 2026 v 10:11 odesílatel Agnes Agent <partners@nordbill.example>\nnapsal:",
    "apple pl, name first": "Agnes Agent <partners@nordbill.example> w dniu 2 lis 2026, o godz. 10:11, napisał(a):",
    "roundcube ru": "Agnes Agent писал(а) 2026-11-02 10:11:",
    "roundcube uk": "Agnes Agent писав(ла) 2026-11-02 10:11:",
    "the bat": "Вы писали 2 ноября 2026 г., 10:11:12:",
    "thunderbird, old": "Agnes Agent wrote:",
    "evolution ru": "В Пн, 02/11/2026 в 10:11 +0300, Agnes Agent пишет:",
    "kmail ru": "В письме от понедельник, 2 ноября 2026 г. 10:11:12 MSK пользователь Agnes Agent написал:",
    "rambler": "02.11.2026, 10:11, от Agnes Agent <partners@nordbill.example>",
    "yandex mobile": "02.11.2026, 10:11, Agnes Agent (partners@nordbill.example):",
    "yandex, its headers": '----------------\nКому: Pat (pat@example.org);\nТема: Re: x;\n02.11.2026, 10:11, "Agnes" <partners@nordbill.example>:',
    "mail.ru mobile": "понедельник, 02 ноября 2026г., 10:11 +03:00 от Agnes Agent partners@nordbill.example:",
    "ukr.net, spaced": '2 листопада 2026, 10:11:05, від "Agnes Agent" < partners@nordbill.example >:',
    "zoho": "---- On Mon, 02 Nov 2026 10:11:12 +0100 Agnes Agent <partners@nordbill.example> wrote ----",
    "zoho pl": "---- Włącz pon., 02 lis 2026 10:11:12 +0100 Agnes Agent <partners@nordbill.example> napisał(a) ----",
    "yahoo pl": "poniedziałek, 2 listopada 2026 10:11:12 CET, Agnes Agent <partners@nordbill.example> napisał(-a):",
    "proton": "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Monday, November 2nd, 2026 at 10:11 AM, Agnes Agent <partners@nordbill.example> wrote:",
    "outlook uk, its sender": "Відправник: Agnes Agent <partners@nordbill.example>\nНадіслано: 2 листопада 2026 р. 10:11\nКому: Pat\nТема: Re: x",
    "outlook fr": "De : Agnes Agent <partners@nordbill.example>\nEnvoyé : lundi 2 novembre 2026 10:11\nÀ : Pat\nObjet : RE: x",
}
#: With neither an address nor marks below, it may as well be the writer's own account of what was said.
INTRODUCED = [
    pytest.param(text, mark, id=f"{name}{' marked' if mark else ''}")
    for name, text in INTRODUCTIONS.items()
    for mark in ("> ", "")
    if mark or (name != "rambler" and ("@" in text or text.startswith("---")))
]


@pytest.mark.parametrize(("introduction", "mark"), INTRODUCED)
def test_a_quotation_is_folded(introduction, mark):
    rest = f"{introduction}\n\n{mark}Try again, please.\n{mark}\n{mark}Agnes\n"
    parts = split(f"It works now, thank you.\n\n{rest}")
    assert parts.reply.strip() == "It works now, thank you."
    assert parts.rest == rest


@pytest.mark.parametrize(
    "introduction",
    [
        INTRODUCTIONS[each]
        for each in ("gmail en", "gmail ru", "apple uk", "o2 pl", "outlook pl", "roundcube uk")
    ],
)
def test_answers_between_quoted_lines_survive(introduction):
    text = f"Hello,\n\n{introduction}\n> Which order?\nNumber 4711.\n> And when?\nYesterday.\n> Regards\n> Agnes\n"
    parts = split(text)
    assert parts.reply.endswith("> And when?\nYesterday.\n")
    assert parts.rest == "> Regards\n> Agnes\n"


def test_an_answer_below_the_quotation_survives():
    text = "On Mon, 2 Nov 2026 at 10:11, Agnes <a@b.example> wrote:\n> Which order?\n\nNumber 4711.\n\n-- \nPat\n"
    assert split(text).reply.endswith("> Which order?\n\nNumber 4711.\n")
    assert split(text).rest.strip() == "-- \nPat"


@pytest.mark.parametrize(
    "hint", ["See my answers below.", "Отвечаю в тексте.", "Див. нижче", "Odpowiadam poniżej."]
)
def test_who_says_that_the_answers_are_below_is_believed(hint):
    text = f"{hint}\n\nFrom: Agnes <a@b.example>\nSent: Monday\nTo: Pat\nSubject: x\n\nWhich order?\nNumber 4711.\n"
    assert "Number 4711." in split(text).reply


@pytest.mark.parametrize(
    "forward",
    [
        "---------- Forwarded message ---------",
        "-------- Пересылаемое сообщение --------",
        "Begin forwarded message:",
        "-------- Weitergeleitete Nachricht --------",
        "> Початок листа, що пересилається:\n>",
        "> Begin forwarded message:\n>",
    ],
)
def test_what_is_forwarded_stays_to_be_seen(forward):
    mark = "> " if forward.startswith(">") else ""
    matter = ["From: x <x@y.example>", "Date: Monday", "Subject: s", "To: me", "", "The matter itself."]
    text = f"Please look.\n\n{forward}\n" + "".join(f"{mark}{line}\n" for line in matter)
    assert split(text).reply == text


@pytest.mark.parametrize(
    "end",
    [
        "-- \nPat Partner\nAcme",
        "Sent from my iPhone",
        "Отправлено с iPhone",
        "Отправлено со смартфона Samsung Galaxy.",
        "Надіслано зі смартфону Samsung Galaxy.",
        "Wysłane z iPhone'a",
        "Скачать Outlook для iOS<https://aka.ms/o0ukef>",
        "Отримати Outlook для Android<https://aka.ms/o0ukef>",
        "Pobierz program Outlook dla systemu iOS (https://aka.ms/o0ukef)",
        "Sent with Proton Mail secure email.",
        "Von meinem iPhone gesendet",
    ],
)
def test_a_signature_is_folded(end):
    assert split(f"Thank you.\n\n{end}").rest == end


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote:\nyou did not answer.",
        "The order from: Acme\nis missing.",
        "Prices:\n> 100 pieces: 5 EUR\nand below",
        "Times: 10:11 wrote nothing",
        "Only words.",
        "2 ноября 2026 в 10:11 менеджер написал:\n\n«Всё хорошо», но это не так.",
        "2 ноября 2026 зарегистрирован клиент anna@x.example:\nего нет в отчёте",
        "On file:\nFrom: London\nTo: Paris\nDate: tomorrow\nRight?",
        "Sales:\n\n| order | sum |\n| 4711 | 5 |",
        "Why?\nWysłano z konta 500 zł dnia 3 listopada, a prowizji nie ma.",
        "Why?\nSent from my account to the supplier: 500 EUR.",
        "Get me Outlook,\nPobierz dane z telefonu 24 i sprawdź",
        "",
    ],
)
def test_ordinary_words_are_not_taken_for_a_quotation(text):
    assert split(text).reply == text


@pytest.mark.parametrize("own", ["Only one question.", "5 sales are missing", "On 2026 I agree."])
def test_words_just_above_an_introduction_are_not_part_of_it(own):
    assert split(f"{own}\n{INTRODUCTIONS['gmail en']}\n> Which order?\n").reply == f"{own}\n"


def test_what_a_virus_scanner_adds_is_no_answer():
    text = f"Thanks.\n{INTRODUCTIONS['gmail ru']}\n> Which order?\n\nБез вирусов. www.avast.com\n"
    assert split(text).reply == "Thanks.\n"


@given(
    st.lists(
        st.sampled_from(
            [*INTRODUCTIONS.values(), "> quoted", "words", "", "-- ", "_____", "From: x", "\u00a0> y"]
        ),
        max_size=14,
    )
)
@settings(max_examples=200, deadline=None)
def test_nothing_is_ever_lost(lines):
    text = "\n".join(lines)
    parts = split(text)
    assert parts.reply + parts.rest == text
    if text.strip():
        assert parts.reply.strip()


@pytest.mark.parametrize(
    "line", [" \n", "On a\n", "On 2 Nov 2026 10:11 a\n", "> \n", "_______\nFrom: x\n", "-- \n", "a\n> b\n"]
)
def test_long_mails_are_split_in_no_time(line):
    with ending():
        split(line * (300_000 // len(line)))
