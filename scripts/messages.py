"""Bring the catalogues in line with the source: new messages in, forgotten ones out.

    .venv/bin/python scripts/messages.py

Messages without a translation stay empty, and a test says so.
"""

from datetime import UTC, datetime
from pathlib import Path

from babel import Locale
from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

HUB = Path(__file__).parent.parent / "hub"
LANGUAGES = ("ru", "uk", "pl")
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None}
TEMPLATES = [(f"**/templates/**.{kind}", "jinja2") for kind in ("html", "txt", "mjml", "md")]
OPTIONS = {pattern: {"trimmed": "true", "silent": "false"} for pattern, _method in TEMPLATES}
#: Catalogues change when messages do, not with the time of day.
DATE = datetime(2026, 1, 1, tzinfo=UTC)


def extract() -> Catalog:
    """Everything marked in the source, with plural forms and comments for translators."""
    found = Catalog()
    methods = [*TEMPLATES, ("**.py", "python")]
    for file, line, message, comments, context in extract_from_dir(
        HUB, methods, OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",)
    ):
        found.add(message, locations=[(str(file), line)], auto_comments=comments, context=context)
    return found


def update(language: str, template: Catalog) -> int:
    """Write the catalogue of a language anew; how many messages lack a translation."""
    path = HUB / "translations" / language / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = read_po(path.open("rb"), locale=language) if path.exists() else Catalog(locale=language)
    fresh = Catalog(
        locale=language,
        project="Partner Hub",
        version="1",
        fuzzy=False,
        header_comment=f"# Partner Hub in {Locale.parse(language).english_name}. Written by scripts/messages.py: edit translations only.",
        msgid_bugs_address="-",
        last_translator="-",
        language_team="-",
    )
    fresh.creation_date = fresh.revision_date = DATE
    missing = 0
    for message in template:
        if not message.id:
            continue
        former = known.get(message.id, message.context)
        string = (
            former.string
            if former and not former.fuzzy and former.pluralizable == message.pluralizable
            else None
        )
        fresh.add(message.id, string, auto_comments=message.auto_comments, context=message.context)
        forms = string if isinstance(string, tuple) else (string,)
        missing += not all(forms)
    with path.open("wb") as out:
        write_po(out, fresh, width=0, no_location=True, sort_output=True, omit_header=False)
    return missing


def main() -> None:
    template = extract()
    print(f"{len(template)} messages")
    for language in LANGUAGES:
        print(f"{language}: {update(language, template)} without a translation")


if __name__ == "__main__":
    main()
