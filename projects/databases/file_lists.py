"""Looking over a project's stored files: pages of them, what takes how much, what waits to be removed or moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from projects.databases.stored_files import FileRow

if TYPE_CHECKING:
    from projects.databases import Session

_COLUMNS: Final = ", ".join(field.name for field in fields(FileRow))
# Thumbs are moved with the rest, but nobody looks for them in a list.
_OWN: Final = "state = 'stored' AND variant_of = ''"


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which files: of a collection (by id; empty for all), with ``text`` in a name or as the record's id."""

    collection: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Files and their bytes: of one collection (by id) in one storage, thumbs apart."""

    collection: str
    storage: str
    files: int
    size: int
    thumbs: int
    thumbs_size: int


@dataclass(frozen=True, slots=True)
class LeftOver:
    """An object that is no record's: ``due`` is the moment from which it may be removed ("" for at once)."""

    row: FileRow
    due: str


def count_files(session: Session, wanted: FileFilter) -> int:
    where, parameters = _where(session, wanted)
    row = session.row(session.sql(f"SELECT COUNT(*) FROM _files WHERE {where}"), parameters)
    assert row is not None
    return int(row[0])


def list_files(session: Session, wanted: FileFilter, *, offset: int, limit: int) -> list[FileRow]:
    """Files of records, the newest first."""
    where, parameters = _where(session, wanted)
    statement = f"SELECT {_COLUMNS} FROM _files WHERE {where} ORDER BY created DESC, key LIMIT ? OFFSET ?"
    return [FileRow(*row) for row in session.rows(session.sql(statement), (*parameters, limit, offset))]


def get_file(session: Session, key: str) -> FileRow | None:
    """The record's file with that key; no thumb."""
    statement = session.sql(f"SELECT {_COLUMNS} FROM _files WHERE key = ? AND {_OWN}")
    row = session.row(statement, (key,))
    return FileRow(*row) if row else None


def usage(session: Session) -> list[Usage]:
    """What the records' files take, by collection and storage; the largest first."""
    rows = session.rows(
        "SELECT collection, storage, SUM(CASE WHEN variant_of = '' THEN 1 ELSE 0 END),"
        " SUM(CASE WHEN variant_of = '' THEN size ELSE 0 END), SUM(CASE WHEN variant_of = '' THEN 0 ELSE 1 END),"
        " SUM(CASE WHEN variant_of = '' THEN 0 ELSE size END) FROM _files WHERE state = 'stored'"
        " GROUP BY collection, storage ORDER BY SUM(size) DESC, collection"
    )
    return [Usage(name, storage, *(int(number) for number in numbers)) for name, storage, *numbers in rows]


def count_left_over(session: Session) -> tuple[int, int]:
    """How many objects are no record's, and their bytes."""
    row = session.row("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM _files WHERE NOT (state = 'stored')")
    assert row is not None
    return int(row[0]), int(row[1])


def list_left_over(session: Session, *, limit: int) -> list[LeftOver]:
    """Objects that are no record's, the oldest first."""
    statement = (
        f"SELECT due, {_COLUMNS} FROM _files WHERE NOT (state = 'stored') ORDER BY created, key LIMIT ?"
    )
    return [LeftOver(FileRow(*row), due) for due, *row in session.rows(session.sql(statement), (limit,))]


def count_outside(session: Session, storage: str, *, state: str = "stored") -> tuple[int, int]:
    """How many files and thumbs in that state are in another storage than this, and their bytes."""
    statement = "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM _files WHERE state = ? AND storage <> ?"
    row = session.row(session.sql(statement), (state, storage))
    assert row is not None
    return int(row[0]), int(row[1])


def list_outside(session: Session, storage: str, *, after: str, limit: int) -> list[FileRow]:
    """Records' files and thumbs in another storage than this, by key from ``after`` on."""
    statement = (
        f"SELECT {_COLUMNS} FROM _files WHERE state = 'stored' AND storage <> ? AND key > ?"
        " ORDER BY key LIMIT ?"
    )
    return [FileRow(*row) for row in session.rows(session.sql(statement), (storage, after, limit))]


def _where(session: Session, wanted: FileFilter) -> tuple[str, Sequence[str]]:
    parts, parameters = [_OWN], []
    if wanted.collection:
        parts.append("collection = ?")
        parameters.append(wanted.collection)
    if wanted.text:
        # Both without regard to case; SQLite's for ASCII alone.
        operator = "LIKE" if session.engine == "sqlite" else "ILIKE"
        pattern = "%" + wanted.text.translate({ord(sign): f"!{sign}" for sign in "!%_"}) + "%"
        parts.append(f"(original {operator} ? ESCAPE '!' OR name {operator} ? ESCAPE '!' OR record = ?)")
        parameters += [pattern, pattern, wanted.text]
    return " AND ".join(parts), parameters
