"""What was written now, and what was quoted: told apart, nothing thrown away.

Line by line, in linear time. Knows how Gmail, Outlook, Apple Mail,
Thunderbird and Yandex introduce a quotation in English, Russian, Ukrainian
and Polish (and how a few neighbours do). Where an answer stands between or
below quoted lines, the quotation stays: without it the answer means nothing.
"""

import re
from dataclasses import dataclass

#: An introduction of a quotation may be wrapped over so many lines, and be so long.
_LINES, _LONGEST = 4, 500


@dataclass(frozen=True)
class Split:
    """`reply` + `rest` is the whole text, unchanged."""

    reply: str
    rest: str


_WROTE = re.compile(
    r"\b(?:wrote|writes|(?:на)?писал[аи]?|(?:на)?писав|написала|пиш[еі]т?|napisał[ao]?|pisze|nadesłał[ao]?|"
    r"napsal[ao]?|schrieb|a écrit|escribió|ha scritto)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"<[^<>\s@]{1,80}@[^<>\s]{1,200}>")
_ENDS_IN_ADDRESS = re.compile(r"[^<>()\s@]{1,80}@[^<>()\s]{1,200}[>)]{0,2}\s*(?:\[[^\]]*\]\s*)?:?$")
#: A moment: a time, or a date with a year.
_MOMENT = re.compile(r"\d{1,2}[:.]\d{2}|\b\d{4}\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")
_TIME = re.compile(r"\b\d{1,2}:\d{2}\b")
_BEGINS = re.compile(
    r"^(?:-{3,} |On\b|Le\b|Am\b|El\b|W dniu|Dnia|Wiadomość|В письме|\d|[„\"«]|"
    r"(?:в )?(?:mon|tue|wed|thu|fri|sat|sun|пн|вт|ср|чт|пт|сб|вс|нд|пон|pon|wt|śr|czw|pt|sob|niedz|ndz)\w*\b|"
    r"(?:понед|вторн|сред|четв|пятн|субб|воскр|понеді|вівт|серед|четвер|п.ятн|субот|неділ)\w*|"
    r"(?:wtorek|środa|czwartek|piątek|po|út|st|čt|pá|so|ne)\b)",
    re.IGNORECASE,
)
_DASHES = "-\u2010\u2013\u2014"
_ORIGINAL = re.compile(
    rf"^\s*[{_DASHES}]{{2,}}\s*(?:Original (?:Message|Appointment|E-?mail)|Исходное сообщение|Оригинальное сообщение|"
    r"Оригінальне повідомлення|Початкове повідомлення|Вихідне повідомлення|Wiadomość oryginalna|"
    r"Oryginalna wiadomość|Ursprüngliche Nachricht|Message d'origine|Mensaje original)"
    rf"\s*[{_DASHES}]{{2,}}\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^\s*(?:> ?)?(?:-{2,}\s*)?(?:Forwarded message|Begin forwarded message|Пересылаемое сообщение|"
    r"Пересланное сообщение|Перенаправленное сообщение|Переслане повідомлення|Переадресоване повідомлення|"
    r"Перенаправлене повідомлення|Початок (?:пересланого|переадресованого) (?:повідомлення|листа)|"
    r"Початок листа, що пересилається|Начало (?:переадресованного|пересылаемого) сообщения|"
    r"Przekazana wiadomość|Wiadomość przekazana|Treść przekazanej wiadomości|"
    r"Początek (?:przekazywanej|przekazanej) wiadomości|(?:Anfang der )?weitergeleiteten? Nachricht|"
    r"(?:Début du )?message (?:transféré|réexpédié))\s*:?\s*(?:-{2,})?\s*$",
    re.IGNORECASE,
)
_NAMES = {
    "from": "from|от|от кого|отправитель|від|від кого|відправник|od|nadawca|von|de",
    "sent": "sent|date|отправлено|дата|надіслано|відправлено|wysłano|wysłane|data|gesendet|datum|envoyé|enviado el",
    "to": "to|кому|получатель|одержувач|отримувач|до|do|adresat|an|para|à",
    "subject": "subject|тема|temat|betreff|asunto|objet",
    "cc": "cc|копия|копія|dw|reply-to|importance|attachments|вложения",
}
_FROM = re.compile(rf"^[\s*>|]*(?:{_NAMES['from']})\s*:\**\s*\S", re.IGNORECASE)
_HEADER = re.compile(rf"^[\s*>|]*({'|'.join(_NAMES.values())})\s*:\**(?:\s|$)", re.IGNORECASE)
_RULE = re.compile(r"^\s*(?:_{5,}|-{10,}|\*{5,}|={5,})\s*$")
_SIGNATURE = re.compile(r"^\s*(?:--|—)\s*$")
#: A signature below dashes that are not quite those of RFC 3676 is no longer than this; dashes may divide a text, too.
_SIGNATURE_LINES, _SIGNATURE_LETTERS = 12, 600
#: What telephones and programs sign with: said of something else, the same words are the writer's own.
_SENT_FROM = re.compile(
    r"^\s*(?:(?:Get|Скачать|Получить|Загрузить|Отримати|Завантажити|Pobierz|Uzyskaj|Holen Sie sich) (?:\w+ )?Outlook|"
    r"(?:Sent (?:from|via|with|using)|Отправлено (?:со?|из|через|с помощью)|(?:Надіслано|Відправлено) (?:з[іи]?|із|через)|"
    r"Wysłan[eoay] (?:ze?|za pomocą)|Von mein\w+|Gesendet (?:von|mit)|Envoyé (?:de|depuis|avec)|Inviato da|"
    r"Enviado desde)\s[^?!]{0,50}"
    r"(?:iPhone|iPad|Android|Outlook|Galaxy|Samsung|Xiaomi|Redmi|Huawei|Honor|BlackBerry|Windows|Yahoo|Proton|Gmail|"
    r"Spark|Mail|Yandex|Яндекс|Почт|Пошт|Poczt|Ukr\.?net|смартфон|телефон|smartfon|telefon|phone|пристро|устройств|"
    r"мобільн|мобильн))[^,;?!\d]{0,30}$",
    re.IGNORECASE,
)
_LINK = re.compile(r"[<(]?https?://[^\s<>()]{1,500}[>)]?")
_SCANNED = re.compile(
    r"^\s*(?:Virus-free\b|Без вирусов\b|Без вірусів\b|Wolny od wirusów\b|Nie zawiera wirusów\b|Virenfrei\b|"
    r"This e-?mail has been (?:checked|scanned)|Это (?:сообщение|письмо) (?:было )?проверено|"
    r"Ten e-mail został sprawdzony|Ta wiadomość e-mail została sprawdzona|Diese E-Mail wurde)",
    re.IGNORECASE,
)
_LOOK_BELOW = re.compile(
    r"\b(?:see (?:my )?(?:answers?|comments?|replies) (?:below|inline)|inline|in-line|(?:answers?|comments?) below|"
    r"(?:смотри(?:те)?|см\.?) ниже|ответы? (?:ниже|в тексте)|отвечаю (?:ниже|в тексте)|"
    r"(?:дивіться|див\.?) нижче|відповід[іь] (?:нижче|в тексті)|відповідаю (?:нижче|в тексті)|"
    r"odpowied(?:zi|ź) (?:poniżej|w tekście)|odpowiadam (?:poniżej|w tekście)|patrz poniżej)",
    re.IGNORECASE,
)


def split(text: str) -> Split:
    """Tell the new words of a mail from what they answer."""
    lines = text.split("\n")
    start = _where_the_rest_begins(lines)
    if not "".join(lines[:start]).strip():
        start = len(lines)  # nothing above: a forwarded mail, or an answer below the quotation
        last = _last_own_line(lines)
        if last >= 0:
            start = min(start, _without_signature(lines, last + 1))
    head = "\n".join(lines[:start])
    return Split(head + "\n" if start < len(lines) else head, "\n".join(lines[start:]))


def _where_the_rest_begins(lines: list[str]) -> int:
    """The first line of what need not be shown at once: quotation, signature, both."""
    for i, line in enumerate(lines):
        if _FORWARDED.match(line) and not _is_within_quotation(lines, i):
            return len(lines)  # what was forwarded is what the mail is about
        if (body := _introduced(lines, i)) is not None:
            if _LOOK_BELOW.search("\n".join(lines[:i])) or _is_answered_inside(lines, body):
                return _without_signature(lines, _last_own_line(lines) + 1)
            return _without_signature(lines, i)
    return _without_signature(lines, _before_bare_quotation(lines))


def _is_within_quotation(lines: list[str], i: int) -> bool:
    """Apple Mail quotes what it forwards: the first quoted line says so; further down others forwarded it."""
    before = next((line for line in reversed(lines[max(0, i - 4) : i]) if line.strip()), "")
    return _is_quoted(lines[i]) and _is_quoted(before)


def _introduced(lines: list[str], i: int) -> int | None:
    """Where the quotation itself begins, if line `i` introduces one."""
    line = lines[i]
    if not line.strip() or _is_quoted(line):
        return None
    if _ORIGINAL.match(line):
        return _after_headers(lines, i + 1)
    if _FROM.match(line) and _is_header_block(lines, i):
        return _after_headers(lines, i)
    if _RULE.match(line):
        return _after_rule(lines, i)
    return _after_introduction(lines, i)


def _after_rule(lines: list[str], i: int) -> int | None:
    """Outlook draws a line above its headers; Yandex above whom it was to, about what, and its introduction."""
    following = _next_with_text(lines, i + 1)
    if following is None:
        return None
    if _FROM.match(lines[following]):
        return _after_headers(lines, following) if _is_header_block(lines, following) else None
    end = _after_headers(lines, following)
    return _after_introduction(lines, end) if following < end < len(lines) else None


def _after_headers(lines: list[str], i: int) -> int:
    while i < len(lines) and (_HEADER.match(lines[i]) or not lines[i].strip()):
        i += 1
    return i


def _after_introduction(lines: list[str], i: int) -> int | None:
    """The line after “On …, Name wrote:” if that begins in line `i`; it may have been wrapped."""
    end = _end_of_introduction(lines, i)
    for n in range(i + 1, end or 0):
        above = " ".join(line.strip() for line in lines[i:n])
        if not _goes_on(above) and _end_of_introduction(lines, n) is not None:
            return None  # it begins further down; what stands above is the writer's own
    return end


def _end_of_introduction(lines: list[str], i: int) -> int | None:
    begins = bool(_BEGINS.match(lines[i].strip()))
    together = ""
    for n in range(i, min(i + _LINES, len(lines)) if begins else i + 1):
        part = lines[n].strip()
        if not part or _is_quoted(part):
            return None
        # Programs break the line behind the “<” of an address.
        together = f"{together} {part}".strip().replace("< ", "<").replace(" >", ">")
        if len(together) > _LONGEST:
            return None
        following = _next_with_text(lines, n + 1)
        is_marked = following is not None and _is_quoted(lines[following])
        if _introduces(together, begins=begins, is_marked=is_marked):
            return n + 1
    return None


def _goes_on(text: str) -> bool:
    """May these words be the beginning of an introduction that was wrapped?"""
    return bool(_MOMENT.search(text)) and not re.search(r"[^.\s\d]{3}[.!?]$", text)


def _introduces(text: str, *, begins: bool, is_marked: bool) -> bool:
    """Does it say who wrote when? Where neither an address nor marks tell, it may be the writer's own account."""
    bare = text.strip(_DASHES + " ")
    ends = bare.endswith(":") or text.endswith("---")
    if not (ends or is_marked):
        return False
    wrote = _WROTE.search(bare)
    if not _MOMENT.search(bare):
        return bool(is_marked and wrote and ends and len(bare) <= 80 and wrote.end() >= len(bare) - 6)
    if wrote and ends:
        return is_marked or bool(_ADDRESS.search(bare))
    if not begins:
        return False
    if _ADDRESS.search(bare):
        return bool(_ENDS_IN_ADDRESS.search(bare)) or bare.startswith("Wiadomość")
    return bool(_ENDS_IN_ADDRESS.search(bare) and _TIME.search(bare))


def _is_header_block(lines: list[str], i: int) -> bool:
    """“From:” with at least two more header lines close below, as Outlook and webmails write."""
    head = [(match[1].lower(), line) for line in lines[i : i + 8] if (match := _HEADER.match(line))]
    kinds = {kind for kind, names in _NAMES.items() for name, _line in head if name in names.split("|")}
    sent = _NAMES["sent"].split("|")
    is_mail = "@" in lines[i] or any(name in sent and _MOMENT.search(line) for name, line in head)
    return len(kinds) >= 3 and is_mail


def _next_with_text(lines: list[str], i: int) -> int | None:
    return next((n for n in range(i, min(i + 4, len(lines))) if lines[n].strip()), None)


def _is_quoted(line: str) -> bool:
    return line.lstrip(" \t\xa0\u200b").startswith(">")


def _is_answered_inside(lines: list[str], start: int) -> bool:
    """Are there words of the writer between or below the quoted lines from `start` on?"""
    quoted = False
    for i in range(start, len(lines)):
        line = lines[i]
        if _is_quoted(line):
            quoted = True
        elif line.strip():
            if not quoted:  # a quotation that is not marked: nobody can tell
                return False
            return not _ends_here(lines, i)
    return False


def _last_own_line(lines: list[str]) -> int:
    """The last line that is not quoted, and belongs to no footer below the quotation."""
    end = len(lines)
    for i, line in enumerate(lines):
        if line.strip() and not _is_quoted(line) and _ends_here(lines, i):
            end = i
            break
    return next((i for i in range(end - 1, -1, -1) if lines[i].strip() and not _is_quoted(lines[i])), -1)


def _ends_here(lines: list[str], i: int) -> bool:
    """Does line `i` begin a signature, or the footer of a mailing list or of a virus scanner?"""
    return bool(
        _SIGNATURE.match(lines[i])
        or _RULE.match(lines[i])
        or _is_sent_from(lines[i])
        or _SCANNED.match(lines[i])
    )


def _is_sent_from(line: str) -> bool:
    return len(line) < 600 and bool(_SENT_FROM.match(_LINK.sub("", line)))


def _before_bare_quotation(lines: list[str]) -> int:
    """Where quoted lines begin that nobody introduced and nothing but a footer follows."""
    end = _last_own_line(lines) + 1
    tail = [line for line in lines[end:] if line.strip()]
    return end if any(_is_quoted(line) for line in tail) else len(lines)


def _without_signature(lines: list[str], end: int) -> int:
    """`end`, or the beginning of the signature above it."""
    for i in range(max(0, end - 25), end):
        if _SIGNATURE.match(lines[i]) and any(line.strip() for line in lines[:i]):
            below = [line for line in lines[i + 1 : end] if line.strip()]
            if lines[i] == "-- " or (
                len(below) <= _SIGNATURE_LINES and sum(map(len, below)) <= _SIGNATURE_LETTERS
            ):
                return i
    last = next((i for i in range(end - 1, -1, -1) if lines[i].strip()), -1)
    if last > 0 and _is_sent_from(lines[last]) and any(line.strip() for line in lines[:last]):
        return last
    return end
