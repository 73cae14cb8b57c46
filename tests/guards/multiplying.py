"""Grow a small sample of every table into a large one, without knowing any table.

The copy number `n` of a row has a shifted id. Each of its foreign keys points either to the same row as the
original's or to that row's own copy, at random with a fixed seed: so a page finds many children below one
parent, and many different parents in one list.
"""

import random
from typing import Any

from sqlalchemy import Column, Enum, Table, UniqueConstraint, insert, select
from sqlalchemy.orm import Session

from hub.core.database import db

STEP = 1_000_000


def multiply(originals: dict[Table, list[dict[str, Any]]], copies: range, session: Session) -> None:
    """Insert the copies with these numbers of every original row; rows that would collide are left out."""
    rng = random.Random(copies.start)
    made: set[tuple[str, int]] = set()
    for table, rows in originals.items():
        taken = {key: set() for key in uniques(table)}
        for row in session.execute(select(table)).mappings():
            claim(taken, row)
        fresh = []
        for number in copies:
            for row in rows:
                copy = copy_of(table, row, number, made, rng)
                if copy and claim(taken, copy):
                    fresh.append(copy)
                    if isinstance(copy.get("id"), int):
                        made.add((table.name, copy["id"]))
        if fresh:
            session.execute(insert(table), fresh)


def snapshot(session: Session) -> dict[Table, list[dict[str, Any]]]:
    """Return the rows of every table, parents first."""
    tables = db.metadata.sorted_tables
    return {table: [dict(row) for row in session.execute(select(table)).mappings()] for table in tables}


def uniques(table: Table) -> list[tuple[str, ...]]:
    """Return the sets of columns that may not repeat."""
    constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    indexes = [index for index in table.indexes if index.unique]
    found = [
        tuple(column.name for column in each.columns) for each in [table.primary_key, *constraints, *indexes]
    ]
    return [columns for columns in found if columns]


def claim(taken: dict[tuple[str, ...], set[tuple[Any, ...]]], row: Any) -> bool:
    """Note the row's unique values; False when one of them is taken."""
    values = {columns: tuple(row[name] for name in columns) for columns in taken}
    if any(None not in value and value in taken[columns] for columns, value in values.items()):
        return False
    for columns, value in values.items():
        taken[columns].add(value)
    return True


def copy_of(
    table: Table, row: dict[str, Any], number: int, made: set[tuple[str, int]], rng: random.Random
) -> dict[str, Any] | None:
    """Return one copy of the row, or None when nothing can tell it from the original."""
    copy = dict(row)
    moved = set()
    for column in table.columns:
        target = shifted(column, row[column.name], number)
        exists = any((key.column.table.name, target) in made for key in column.foreign_keys)
        if exists and rng.random() < 0.5:
            copy[column.name] = target
            moved.add(column.name)
    for columns in uniques(table):
        if moved.isdisjoint(columns):
            changed = distinguish(table, columns, row, copy, number, made)
            if changed is None:
                return None
            moved.add(changed)
    return copy


def shifted(column: Column[Any], value: Any, number: int) -> int | None:
    """Return the id of a copy of the row that the foreign key points to."""
    return value + number * STEP if column.foreign_keys and isinstance(value, int) else None


def distinguish(
    table: Table,
    columns: tuple[str, ...],
    row: dict[str, Any],
    copy: dict[str, Any],
    number: int,
    made: set[tuple[str, int]],
) -> str | None:
    """Change one of the columns so that the copy is unique; return its name."""
    for name in reversed(columns):
        column, value = table.columns[name], row[name]
        if value is None:
            return name
        if column.foreign_keys:
            target = shifted(column, value, number)
            if any((key.column.table.name, target) in made for key in column.foreign_keys):
                copy[name] = target
                return name
        elif isinstance(value, int) and not isinstance(value, bool):
            copy[name] = value + number * STEP
            return name
        elif isinstance(value, str) and not isinstance(column.type, Enum) and len(value) > 2:
            copy[name] = f"{number}{value}"
            return name
    return None
