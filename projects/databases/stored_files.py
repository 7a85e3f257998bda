"""The table of stored files: which objects in the file storage belong to which record, and which to none.

A row's life: ``reserve`` before the object is written, ``attach`` in the transaction that writes the record,
``release`` in the one that takes the file from it, ``forget`` when the object is gone. Whatever is neither a
record's nor forgotten is claimed and removed by a worker, so a crash at any point leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from projects.context import ProjectHandle

if TYPE_CHECKING:
    from projects.databases import Session

State = Literal["pending", "stored", "released"]

_COLUMNS: Final = (
    "key, storage, state, collection, record, field, name, variant_of, original, size, type, checksum,"
    " created"
)
# The bytes of all files (thumbs are not counted), from their reservation until their objects are gone.
_COUNTER: Final = "files_bytes"
# Said as the index says it, or SQLite does not use it.
_LEFT_OVER: Final = "NOT (state = 'stored')"
# Variants of files that are no record's any more.
_ORPHANED: Final = (
    "variant_of <> '' AND NOT EXISTS"
    " (SELECT 1 FROM _files AS own WHERE own.key = _files.variant_of AND own.state = 'stored')"
)
# Statements name at most so many rows by parameters (SQLite takes 32,766 of them).
_PARAMETERS: Final = 500


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of the table; ``storage`` names where the object is, ``checksum`` is SHA-256 in hex.

    ``collection`` and ``field`` are ids; empty, like ``record`` and ``name``, while the file is no record's.
    """

    key: str
    storage: str
    state: State
    collection: str
    record: str
    field: str
    name: str
    variant_of: str
    original: str
    size: int
    type: str
    checksum: str
    created: str


class QuotaExceededError(Exception):
    """The project's files would take more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the project's files may take {limit} bytes")
        self.limit = limit


Listener = Callable[[ProjectHandle], None]
_listeners: list[Listener] = []


def on_release(listener: Listener) -> None:
    """Call ``listener(project)`` after every commit that left objects to be removed.

    It runs on the committing thread and must neither block nor raise.
    """
    _listeners.append(listener)


def reserve(session: Session, rows: Iterable[FileRow], *, seconds: int, quota: int = 0) -> None:
    """Note objects that are about to be written. They are removed unless attached within ``seconds``.

    Raises QuotaExceededError when the project's files would take more than ``quota`` bytes (0: no limit).
    """
    rows = list(rows)
    added = sum(row.size for row in rows if not row.variant_of)
    if added:
        _count(session, added)
    if quota and added and used_bytes(session) > quota:
        # What is about to be removed does not stand in anybody's way.
        released = session.row("SELECT COALESCE(SUM(size), 0) FROM _files WHERE state = 'released'")
        assert released is not None
        if used_bytes(session) - int(released[0]) > quota:
            raise QuotaExceededError(quota)
    statement = session.sql(f"INSERT INTO _files ({_COLUMNS}, due) VALUES ({', '.join('?' * 14)})")
    due = _text(datetime.now(UTC) + timedelta(seconds=seconds))
    for row in rows:
        session.execute(
            statement,
            (
                row.key, row.storage, "pending", row.collection, row.record, row.field, row.name,
                row.variant_of, row.original, row.size, row.type, row.checksum, row.created, due,
            ),
        )  # fmt: skip


def attach(session: Session, key: str, *, collection: str, record: str, field: str, name: str) -> bool:
    """Give a pending file to a record. False when it is not pending (any more)."""
    statement = session.sql(
        "UPDATE _files SET state = 'stored', due = '', collection = ?, record = ?, field = ?, name = ?"
        " WHERE key = ? AND state = 'pending'"
    )
    return session.execute(statement, (collection, record, field, name, key)) == 1


def attach_variant(session: Session, made: FileRow) -> str:
    """Make a pending variant servable beside its file. The key of the variant that is there now.

    That is another one's when somebody was quicker, and ``""`` when the file is no record's any more.
    """
    # The lock lets one at a time do this, and keeps a release that has begun from missing the variant.
    lock = "" if session.engine == "sqlite" else " FOR UPDATE"
    original = session.row(
        session.sql(f"SELECT 1 FROM _files WHERE key = ? AND state = 'stored'{lock}"), (made.variant_of,)
    )
    if original is None:
        return ""
    for other in find_files(session, made.collection, made.record, [made.name]):
        return other.key
    statement = "UPDATE _files SET state = 'stored', due = '' WHERE key = ? AND state = 'pending'"
    return made.key if session.execute(session.sql(statement), (made.key,)) == 1 else ""


def release_names(session: Session, collection: str, record: str, names: Sequence[str]) -> None:
    """The record has these files no longer."""
    for part in _parts(names):
        marks = ", ".join("?" * len(part))
        _release(session, f"collection = ? AND record = ? AND name IN ({marks})", (collection, record, *part))
    # A second statement: on PostgreSQL it sees the variants that were attached while the first one waited.
    _release(session, f"collection = ? AND record = ? AND {_ORPHANED}", (collection, record))


def release_records(session: Session, collection: str, records: Sequence[str]) -> None:
    """The records are gone, and so are their files."""
    for part in _parts(records):
        marks = ", ".join("?" * len(part))
        _release(session, f"collection = ? AND record IN ({marks})", (collection, *part))


def release_collection(session: Session, collection: str) -> None:
    """The collection is gone, with all its records."""
    _release(session, "collection = ?", (collection,))


def release_field(session: Session, collection: str, field: str, *, except_where: str = "") -> None:
    """The field is gone. ``except_where``: SQL over ``_files`` for the files that stay."""
    kept = f" AND NOT ({except_where})" if except_where else ""
    _release(session, f"collection = ? AND field = ? AND variant_of = ''{kept}", (collection, field))
    _release(session, f"collection = ? AND {_ORPHANED}", (collection,))


def release_pending(session: Session, keys: Sequence[str]) -> None:
    """These files come to no record after all."""
    for part in _parts(keys):
        marks = ", ".join("?" * len(part))
        changed = session.execute(
            session.sql(
                f"UPDATE _files SET state = 'released', due = '' WHERE state = 'pending' AND key IN ({marks})"
            ),
            part,
        )
        if changed:
            _announce(session)


def replace_file(session: Session, old: FileRow, new: FileRow, *, seconds: int) -> bool:
    """Let the pending ``new`` stand for ``old``, whose content it has; False when either is no more.

    The old object stays for ``seconds`` for who is about to read it, then it is removed like any other.
    """
    due = _text(datetime.now(UTC) + timedelta(seconds=seconds))
    statement = "UPDATE _files SET state = 'released', due = ? WHERE key = ? AND state = 'stored'"
    if session.execute(session.sql(statement), (due, old.key)) != 1:
        return False
    place = {"collection": old.collection, "record": old.record, "field": old.field, "name": old.name}
    if not attach(session, new.key, **place):
        statement = "UPDATE _files SET state = 'stored', due = '' WHERE key = ?"
        session.execute(session.sql(statement), (old.key,))
        return False
    statement = "UPDATE _files SET variant_of = ? WHERE variant_of = ? AND state = 'stored'"
    session.execute(session.sql(statement), (new.key, old.key))
    if old.variant_of:
        # As it is now: what it is a variant of may itself have been replaced since ``old`` was read.
        statement = (
            "UPDATE _files SET variant_of = (SELECT was.variant_of FROM _files AS was WHERE was.key = ?)"
            " WHERE key = ?"
        )
        session.execute(session.sql(statement), (old.key, new.key))
    return True


def find_files(session: Session, collection: str, record: str, names: Sequence[str]) -> list[FileRow]:
    """The record's stored files with these names (variants included); one read of an index."""
    marks = ", ".join("?" * len(names))
    statement = session.sql(
        f"SELECT {_COLUMNS} FROM _files"
        f" WHERE collection = ? AND record = ? AND state = 'stored' AND name IN ({marks})"
    )
    return [FileRow(*row) for row in session.rows(statement, (collection, record, *names))]


def find_named(session: Session, names: Sequence[str]) -> list[FileRow]:
    """Everybody's stored files with these names (variants included); one read of an index."""
    marks = ", ".join("?" * len(names))
    statement = session.sql(f"SELECT {_COLUMNS} FROM _files WHERE state = 'stored' AND name IN ({marks})")
    return [FileRow(*row) for row in session.rows(statement, tuple(names))]


def count_as(session: Session, key: str, other: str) -> None:
    """What the pending file ``key`` counts, ``other`` counts from now on, and ``key`` nothing."""
    swap = session.sql("UPDATE _files SET size = (SELECT size FROM _files WHERE key = ?) WHERE key = ?")
    session.execute(swap, (key, other))
    session.execute(session.sql("UPDATE _files SET size = 0 WHERE key = ?"), (key,))


def claim_removable(session: Session, *, limit: int, lease_seconds: int) -> list[FileRow]:
    """Objects to remove: released ones and what was never attached in time. Nobody else gets them meanwhile.

    When the lease ends before ``forget``, they are claimed again.
    """
    now = datetime.now(UTC)
    skip = "" if session.engine == "sqlite" else " FOR UPDATE SKIP LOCKED"
    rows = session.rows(
        session.sql(f"SELECT {_COLUMNS} FROM _files WHERE {_LEFT_OVER} AND due <= ? LIMIT ?{skip}"),
        (_text(now), limit),
    )
    claimed = [FileRow(*row) for row in rows]
    until = _text(now + timedelta(seconds=lease_seconds))
    for part in _parts([row.key for row in claimed]):
        marks = ", ".join("?" * len(part))
        statement = f"UPDATE _files SET state = 'released', due = ? WHERE key IN ({marks})"
        session.execute(session.sql(statement), (until, *part))
    return claimed


def forget(session: Session, rows: Sequence[FileRow]) -> None:
    """Their objects are gone: the rows go too."""
    for part in _parts([row.key for row in rows]):
        marks = ", ".join("?" * len(part))
        gone = session.rows(
            session.sql(
                f"DELETE FROM _files WHERE state = 'released' AND key IN ({marks}) RETURNING size, variant_of"
            ),
            part,
        )
        session.execute(session.sql(f"DELETE FROM _uploads WHERE key IN ({marks})"), part)
        if freed := sum(int(size) for size, variant_of in gone if not variant_of):
            _count(session, -freed)


def has_removable(session: Session) -> bool:
    """Whether there is anything for ``claim_removable``; one read of a small index."""
    statement = session.sql(f"SELECT 1 FROM _files WHERE {_LEFT_OVER} AND due <= ? LIMIT 1")
    return session.row(statement, (_text(datetime.now(UTC)),)) is not None


def used_bytes(session: Session) -> int:
    """What the project's files take, thumbs aside; exact, whatever their number."""
    row = session.row(session.sql("SELECT value FROM _params WHERE key = ?"), (_COUNTER,))
    return int(row[0]) if row else 0


def _count(session: Session, added: int) -> None:
    session.execute(
        session.sql(
            "INSERT INTO _params (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE"
            " SET value = CAST(CAST(_params.value AS BIGINT) + CAST(excluded.value AS BIGINT) AS TEXT)"
        ),
        (_COUNTER, str(added)),
    )


def _release(session: Session, where: str, parameters: Sequence[object]) -> None:
    changed = session.execute(
        session.sql(f"UPDATE _files SET state = 'released', due = '' WHERE state = 'stored' AND {where}"),
        parameters,
    )
    if changed:
        _announce(session)


def _announce(session: Session) -> None:
    project = session.project

    def tell() -> None:
        for listener in _listeners:
            listener(project)

    session.after_commit(tell)


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + _PARAMETERS] for at in range(0, len(values), _PARAMETERS))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
