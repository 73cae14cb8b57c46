"""Courses from a folder: `<lang>/<course>/course.md`, numbered lessons, `quiz.yaml`; and back into it.

All of a folder or nothing: one wrong file changes no course. Doing it again with the same files changes
nothing, and what was changed in the hub since is never overwritten silently. Progress stays with a lesson's
name, whatever its number and its language.
"""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import frontmatter
import yaml

from ..core.errors import HubError
from ..core.i18n import LOCALES
from ..kb.content import also
from ..kb.exchange import heads
from ..kb.exchange.sides import Known
from ..kb.exchange.storing import Report
from . import shelf
from .models import CourseStatus
from .shelf import COURSE, LESSON, QUIZ, Name

_LESSON = re.compile(r"(\d+)-([a-z0-9][a-z0-9-]*)\.md")
#: The status of a course whose file names none.
_SILENT = CourseStatus.PUBLISHED.value


class BrokenContent(HubError):
    """A file of the content that cannot be read as what it should be; the message names it."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True)
class Piece:
    """A file of a course, and what it says."""

    name: Name
    path: Path
    text: str


def sync(folder: Path, *, force: bool = False) -> Report:
    """Bring courses and lessons to what `folder` (…/content/training) holds; `force` over newer edits in the hub.

    Raises BrokenContent before anything is written. Needs an open transaction.
    """
    found = [piece for path in sorted(folder.glob("*/*/course.md")) for piece in read(path.parent)]
    known, report, hub = _known(), Report(), shelf.held()
    files = {piece.name: piece for piece in found}
    for name, piece in files.items():
        path = str(piece.path.relative_to(folder))
        where, value = str(piece.path), hub.get(name)
        if known.settle(str(name), path, piece.text, value, force=force, report=report, where=where):
            shelf.put(name, _says(str(name), path, piece.text))
    for name in _gone(files, hub):
        where = str(folder / name.locale / name.course / (name.lesson or name.kind))
        if known.settle(str(name), "", None, hub[name], force=force, report=report, where=where):
            shelf.drop(name)
    return report


def _gone(files: dict[Name, Piece], hub: dict[Name, Any]) -> list[Name]:
    """Lessons and quizzes of these courses that the folder has not got; who finished them keeps that."""
    courses = {(name.locale, name.course) for name in files}
    return [name for name in hub if name not in files and (name.locale, name.course) in courses]


def export(folder: Path) -> list[Path]:
    """Write every course to its files; those that have not changed get the same bytes. Returns what was written.

    The file of a lesson that was removed or has another number goes, unless it was edited since it was read.
    """
    known, written, held = _known(), [], shelf.held()
    paths = {str(name): _path(name, value) for name, value in held.items()}
    for said, row in known.rows.items():
        old = folder / row.path
        moved = said not in paths or (known.last(said) != held[Name.of(said)] and row.path != paths[said])
        if moved and old.is_file() and old.read_bytes() == row.text.encode():
            old.unlink()
    for name, value in held.items():
        write = partial(_write, name, value)
        path, text = known.file(str(name), value, _path(name, value), write)
        written += known.save(folder, str(name), path, text)
    return written


def _known() -> Known:
    return Known(shelf.PREFIX, _says)


# --- Reading ---------------------------------------------------------------


def read(folder: Path) -> list[Piece]:
    """The files of one course in one language, all of them right."""
    locale, course = folder.parts[-2:]
    if locale not in LOCALES:
        raise BrokenContent(folder, f"“{locale}” is not a language of the hub ({', '.join(LOCALES)})")
    lessons = [path for path in sorted(folder.glob("*.md")) if path.name != "course.md"]
    quiz = folder / "quiz.yaml"
    pieces = [_piece(Name(locale, course, COURSE), folder / "course.md")]
    if not lessons and _says(str(pieces[0].name), "course.md", pieces[0].text)["status"] == _SILENT:
        raise BrokenContent(folder, "a published course needs lessons: 01-name.md")
    names: dict[str, Path] = {}
    for path in lessons:
        name = _LESSON.fullmatch(path.name)
        if not name:
            raise BrokenContent(path, "a lesson is called 01-name.md")
        if name[2] in names:
            raise BrokenContent(path, f"there is a lesson of this name already: {names[name[2]].name}")
        names[name[2]] = path
        pieces.append(_piece(Name(locale, course, LESSON, name[2]), path))
    return pieces + ([_piece(Name(locale, course, QUIZ), quiz)] if quiz.exists() else [])


def _piece(name: Name, path: Path) -> Piece:
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenContent(path, str(error)) from error
    _says(str(name), str(path), text)
    return Piece(name, path, text)


def _says(name: str, path: str, text: str) -> Any:
    """What the text of a file says: values of a course, of a lesson, or questions."""
    kind, file = Name.of(name).kind, Path(path)
    if kind == QUIZ:
        return _quiz(text, file)
    if kind == COURSE:
        said = _matter(
            text, file, {"title": str, "summary": str, "minutes": int, "status": str}, {"status": _SILENT}
        )
        if said["status"] not in list(CourseStatus):
            raise BrokenContent(path=file, problem=f"“status” should be one of {', '.join(CourseStatus)}")
        return said
    return {"order": int(file.name.partition("-")[0])} | _matter(text, file, {"title": str, "minutes": int})


def _matter(
    text: str, path: Path, wanted: dict[str, type], silent: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The wanted keys and the body; `silent` is what a file means that does not say."""
    try:
        post = frontmatter.loads(text.replace("\r\n", "\n"), handler=heads.FrontMatter())
    except yaml.YAMLError as error:
        raise BrokenContent(path, str(error)) from error
    said = (silent or {}) | post.metadata
    for name, kind in wanted.items():
        if name not in said:
            raise BrokenContent(path, f"the front matter lacks “{name}”")
        if not isinstance(said[name], kind):
            raise BrokenContent(path, f"“{name}” should be {'a number' if kind is int else 'text'}")
    return {name: said[name] for name in wanted} | {"body": post.content}


def _quiz(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        questions = heads.parse_any(text)
    except yaml.YAMLError as error:
        raise BrokenContent(path, str(error)) from error
    if not isinstance(questions, list):
        raise BrokenContent(path, "a quiz is a list of questions")
    for number, question in enumerate(questions, 1):
        if problem := _wrong(question):
            raise BrokenContent(path, f"question {number}: {problem}")
    return [{name: each[name] for name in ("text", "options", "answer", "why")} for each in questions]


def _wrong(question: Any) -> str | None:
    if not isinstance(question, dict) or not {"text", "options", "answer", "why"} <= question.keys():
        return "it needs text, options, answer and why"
    options, answer = question["options"], question["answer"]
    if (
        not isinstance(options, list)
        or len(options) < 2
        or not all(isinstance(each, str) for each in options)
    ):
        return "“options” should be a list of two texts or more (put those with a colon in quotes)"
    if not isinstance(answer, int) or not 0 <= answer < len(options):
        return "“answer” should be the place of the right option, counted from 0"
    return None


# --- Writing ---------------------------------------------------------------


def _path(name: Name, value: Any) -> str:
    """Where a file of this name belongs."""
    if name.kind == LESSON:
        file = f"{value['order']:02d}-{name.lesson}.md"
    else:
        file = "course.md" if name.kind == COURSE else "quiz.yaml"
    return f"{name.locale}/{name.course}/{file}"


def _write(name: Name, value: Any) -> str:
    if name.kind == QUIZ:
        return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10_000)
    head = {key: each for key, each in value.items() if key != "body"}
    if name.kind == COURSE:
        head = {"id": name.course, "lang": name.locale} | head
        if head["status"] == _SILENT:
            del head["status"]
    return f"{heads.write(head)}\n{value['body']}\n"


also("training", sync, export)
