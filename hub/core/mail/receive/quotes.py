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


_WROTE = (
    r"wrote|writes|написала?|написал\(а\)|написал\(-а\)|пиш[еі]т?|написав(?:\(-?ла\))?|написала|"
    r"napisał(?:\(a\)|a)?|napisał/a|pisze|nadesłał(?:\(a\)|a)?|schrieb|a écrit|escribió|ha scritto"
)
_ADDRESS = r"<[^<>\s@]{1,80}@[^<>\s]{1,200}>"
#: A moment: a time, or a date with a year.
_MOMENT = re.compile(r"\d{1,2}[:.]\d{2}|\b\d{4}\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b")
_INTRODUCTIONS = (
    re.compile(rf"(?:{_WROTE})\s*:?\s*$", re.IGNORECASE),  # On …, Name wrote: · 2 ноября, Имя пишет:
    re.compile(rf"{_ADDRESS}\s*(?:\[[^\]]*\]\s*)?:\s*$"),  # пн, 2 нояб. 2026 г. в 10:11, Имя <a@b>:
    re.compile(r"^Wiadomość napisana przez .+:\s*$", re.IGNORECASE),
    re.compile(r"^(?:Dnia|W dniu) .+(?:pisze|napisał(?:\(a\)|a)?)\s*:", re.IGNORECASE),
)
_BEGINS = re.compile(
    r"^(?:On|Le|Am|El|W dniu|Dnia|Wiadomość|\d|[„\"«]|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|пн|вт|ср|чт|пт|сб|вс|нд|пон|pon|wt|śr|czw|pt|sob|niedz|ndz)\w*\b|"
    r"(?:понед|вторн|сред|четв|пятн|субб|воскр|понеді|вівт|серед|четвер|п.ятн|субот|неділ)\w*)",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"^\s*-{2,}\s*(?:Original (?:Message|Appointment|E-?mail)|Исходное сообщение|Оригинальное сообщение|"
    r"Оригінальне повідомлення|Початкове повідомлення|Вихідне повідомлення|Wiadomość oryginalna|"
    r"Oryginalna wiadomość|Ursprüngliche Nachricht|Message d'origine|Mensaje original)\s*-{2,}\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^\s*(?:-{2,}\s*)?(?:Forwarded message|Begin forwarded message|Forwarded Message|Пересылаемое сообщение|"
    r"Пересланное сообщение|Перенаправленное сообщение|Переслане повідомлення|Переадресоване повідомлення|"
    r"Перенаправлене повідомлення|Початок пересланого повідомлення|Начало переадресованного сообщения|"
    r"Przekazana wiadomość|Wiadomość przekazana|Treść przekazanej wiadomości|"
    r"Początek przekazywanej wiadomości)\s*:?\s*(?:-{2,})?\s*$",
    re.IGNORECASE,
)
_NAMES = {
    "from": "from|от|от кого|від|від кого|od|von|de",
    "sent": "sent|date|отправлено|дата|надіслано|відправлено|wysłano|data|gesendet",
    "to": "to|кому|до|do|an|para",
    "subject": "subject|тема|temat|betreff|asunto",
    "cc": "cc|копия|копія|dw|reply-to|importance|attachments|вложения",
}
_FROM = re.compile(rf"^[\s*>|]*(?:{_NAMES['from']})\s*:\**\s*\S", re.IGNORECASE)
_HEADER = re.compile(rf"^[\s*>|]*({'|'.join(_NAMES.values())})\s*:\**(?:\s|$)", re.IGNORECASE)
_RULE = re.compile(r"^\s*(?:_{5,}|-{10,}|\*{5,}|={5,})\s*$")
_SIGNATURE = re.compile(r"^\s*(?:--|—)\s*$")
_SENT_FROM = re.compile(
    r"^\s*(?:Sent from (?:my|Mail|Outlook|Yahoo|Proton)|Get Outlook for|Отправлено (?:с|из) |Надіслано (?:з|із) |"
    r"Відправлено (?:з|із) |Wysłane? (?:z|ze) |Wysłano (?:z|ze) )",
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
        if _FORWARDED.match(line):
            return len(lines)  # what was forwarded is what the mail is about
        if (body := _introduced(lines, i)) is not None:
            if _LOOK_BELOW.search("\n".join(lines[:i])) or _is_answered_inside(lines, body):
                return _without_signature(lines, _last_own_line(lines) + 1)
            return _without_signature(lines, i)
    return _without_signature(lines, _before_bare_quotation(lines))


def _introduced(lines: list[str], i: int) -> int | None:
    """Where the quotation itself begins, if line `i` introduces one."""
    line = lines[i]
    if not line.strip() or line.lstrip().startswith(">"):
        return None
    if _ORIGINAL.match(line):
        return i + 1
    if _FROM.match(line) and _is_header_block(lines, i):
        return i + 1
    if _RULE.match(line):
        following = _next_with_text(lines, i + 1)
        is_outlook = following is not None and _FROM.match(lines[following])
        return following if is_outlook and _is_header_block(lines, following or 0) else None
    return _after_introduction(lines, i)


def _after_introduction(lines: list[str], i: int) -> int | None:
    """The line after “On …, Name wrote:” if that begins in line `i`; it may have been wrapped."""
    if not _BEGINS.match(lines[i].strip()):
        return None
    together = ""
    for n in range(i, min(i + _LINES, len(lines))):
        part = lines[n].strip()
        if not part or part.startswith(">"):
            return None
        together = f"{together} {part}".strip()
        if len(together) > _LONGEST:
            return None
        if _MOMENT.search(together) and any(each.search(together) for each in _INTRODUCTIONS):
            return n + 1
    return None


def _is_header_block(lines: list[str], i: int) -> bool:
    """“From:” with at least two more header lines close below, as Outlook and webmails write."""
    found = {match[1].lower() for line in lines[i : i + 8] if (match := _HEADER.match(line))}
    kinds = [kind for kind, names in _NAMES.items() if found & set(names.split("|"))]
    return len(kinds) >= 3


def _next_with_text(lines: list[str], i: int) -> int | None:
    return next((n for n in range(i, min(i + 4, len(lines))) if lines[n].strip()), None)


def _is_quoted(line: str) -> bool:
    return line.lstrip(" \u200b").startswith((">", "|"))


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
    """Does line `i` begin a signature, or the footer of a mailing list?"""
    return bool(_SIGNATURE.match(lines[i]) or _RULE.match(lines[i]) or _SENT_FROM.match(lines[i]))


def _before_bare_quotation(lines: list[str]) -> int:
    """Where quoted lines begin that nobody introduced and nothing but a footer follows."""
    end = _last_own_line(lines) + 1
    tail = [line for line in lines[end:] if line.strip()]
    return end if any(_is_quoted(line) for line in tail) else len(lines)


def _without_signature(lines: list[str], end: int) -> int:
    """`end`, or the beginning of the signature above it."""
    for i in range(max(0, end - 25), end):
        if _SIGNATURE.match(lines[i]) and any(line.strip() for line in lines[:i]):
            return i
    last = next((i for i in range(end - 1, -1, -1) if lines[i].strip()), -1)
    if last > 0 and _SENT_FROM.match(lines[last]) and any(line.strip() for line in lines[:last]):
        return last
    return end
