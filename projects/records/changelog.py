"""The change log: every write appends one row in its own transaction, and is announced after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from projects.databases import Session
from projects.records.call import Call
from projects.records.events import Action, ChangeEvent, announce
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text

_COLUMNS = "xid, collection, record, action, before, created"
_SQLITE = f"INSERT INTO _changes ({_COLUMNS}) VALUES (0, ?, ?, ?, ?, ?) RETURNING seq"
# xid8 fits a bigint for the next few hundred thousand years.
_XID = "pg_current_xact_id()::text::bigint"
_POSTGRESQL = f"INSERT INTO _changes ({_COLUMNS}) VALUES ({_XID}, %s, %s, %s, %s, %s) RETURNING seq"
# As the end of a statement that inserts a record and calls it ``made``.
CREATED_AFTER_MADE = (
    f"INSERT INTO _changes ({_COLUMNS}) SELECT {_XID}, %s, id, 'create', NULL, %s FROM made RETURNING seq"
)

# Many at once. SQLite's write lock makes the next numbers ours before they are written.
_LAST_SQLITE = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = '_changes'), 0)"
_MANY_SQLITE = f"INSERT INTO _changes (seq, {_COLUMNS}) VALUES (?, 0, ?, ?, ?, ?, ?)"
_MANY_POSTGRESQL = (
    f"INSERT INTO _changes ({_COLUMNS}) SELECT {_XID}, %s, change->>0, %s, change->>1, %s"
    " FROM json_array_elements(%s::json) WITH ORDINALITY AS item(change, place) ORDER BY place"
    " RETURNING seq, record"
)


class Change(NamedTuple):
    """What became of one record: whole records as ``rows.find`` gives them, None where there was or is none."""

    record_id: str
    before: Values | None
    after: Values | None


def log_change(
    call: Call,
    collection: CollectionSchema,
    action: Action,
    record_id: str,
    before: Values | None,
    after: Values | None,
) -> None:
    """Append the change and have it announced when it is durable.

    ``before`` and ``after`` are whole records as ``rows.find`` gives them.
    """
    session = call.session
    row: tuple[Any, ...] | None = session.row(
        _SQLITE if session.engine == "sqlite" else _POSTGRESQL,
        (collection.id, record_id, action, _json(before), now_text()),
    )
    assert row is not None
    announce_later(call, collection, action, row[0], Change(record_id, before, after))


def announce_later(
    call: Call, collection: CollectionSchema, action: Action, seq: int, change: Change
) -> None:
    """Have a change that stands in the log as ``seq`` announced when it is durable."""
    _forget_users(call.session, collection)
    event = _event(call, collection, action, seq, change)
    call.session.after_commit(lambda: announce(event))


def log_changes(call: Call, collection: CollectionSchema, action: Action, changes: Sequence[Change]) -> None:
    """``log_change`` for many records of a collection, each of them named once."""
    session = call.session
    append = _append_sqlite if session.engine == "sqlite" else _append_postgresql
    numbers = append(session, collection.id, action, changes)
    _forget_users(session, collection)

    def announce_all() -> None:
        # One after another: a hundred thousand of them need not be there at once.
        for seq, change in zip(numbers, changes, strict=True):
            announce(_event(call, collection, action, seq, change))

    session.after_commit(announce_all)


def _forget_users(session: Session, collection: CollectionSchema) -> None:
    # Who signed in is remembered with the session.
    if collection.is_auth:
        session.forget()


def _append_sqlite(
    session: Session, collection_id: str, action: Action, changes: Sequence[Change]
) -> Sequence[int]:
    row = session.row(_LAST_SQLITE)
    assert row is not None
    numbers = range(row[0] + 1, row[0] + 1 + len(changes))
    now = now_text()
    session.execute_many(
        _MANY_SQLITE,
        [
            (seq, collection_id, change.record_id, action, _json(change.before), now)
            for seq, change in zip(numbers, changes, strict=True)
        ],
    )
    return numbers


def _append_postgresql(
    session: Session, collection_id: str, action: Action, changes: Sequence[Change]
) -> Sequence[int]:
    given = orjson.dumps([(change.record_id, change.before) for change in changes], default=str).decode()
    rows = session.rows(_MANY_POSTGRESQL, (collection_id, action, now_text(), given))
    numbers = {record_id: seq for seq, record_id in rows}
    return [numbers[change.record_id] for change in changes]


def _json(values: Values | None) -> str | None:
    return None if values is None else orjson.dumps(values, default=str).decode()


def _event(call: Call, collection: CollectionSchema, action: Action, seq: int, change: Change) -> ChangeEvent:
    return ChangeEvent(
        call.session.project,
        seq,
        call.schema.version,
        collection.id,
        change.record_id,
        action,
        change.before,
        change.after,
    )
