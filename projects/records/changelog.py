"""The change log: every write appends one row in its own transaction, and is announced after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from projects.databases import Session
from projects.databases.changes import XID, append_change
from projects.principal import Principal
from projects.records.call import Call
from projects.records.events import Action, ChangeEvent, announce
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text

_COLUMNS = "xid, collection, record, action, before, actor, created"
# As the end of a statement that inserts a record and calls it ``made``.
CREATED_AFTER_MADE = (
    f"INSERT INTO _changes ({_COLUMNS}) SELECT {XID}, %s, id, 'create', NULL, %s, %s FROM made RETURNING seq"
)

# Many at once. SQLite's write lock makes the next numbers ours before they are written.
_LAST_SQLITE = "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = '_changes'), 0)"
_MANY_SQLITE = f"INSERT INTO _changes (seq, {_COLUMNS}) VALUES (?, 0, ?, ?, ?, ?, ?, ?)"
_MANY_POSTGRESQL = (
    f"INSERT INTO _changes ({_COLUMNS}) SELECT {XID}, %s, change->>0, %s, change->>1, %s, %s"
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
    seq = append_change(
        session, collection.id, record_id, action, _json(before), actor_of(call.principal), now_text()
    )
    announce_later(call, collection, action, seq, Change(record_id, before, after))


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
    numbers = append(session, collection.id, action, changes, actor_of(call.principal))
    _forget_users(session, collection)

    def announce_all() -> None:
        # One after another: a hundred thousand of them need not be there at once.
        for seq, change in zip(numbers, changes, strict=True):
            announce(_event(call, collection, action, seq, change))

    session.after_commit(announce_all)


def actor_of(principal: Principal) -> str | None:
    """Who made a change, as the log keeps it: ``<collection id>/<record id>``, ``superuser`` for a service key."""
    if principal.kind == "guest":
        return None
    return f"{principal.collection_id}/{principal.id}" if principal.record else "superuser"


def _forget_users(session: Session, collection: CollectionSchema) -> None:
    # Who signed in is remembered with the session.
    if collection.is_auth:
        session.forget()


def _append_sqlite(
    session: Session, collection_id: str, action: Action, changes: Sequence[Change], actor: str | None
) -> Sequence[int]:
    row = session.row(_LAST_SQLITE)
    assert row is not None
    numbers = range(row[0] + 1, row[0] + 1 + len(changes))
    now = now_text()
    session.execute_many(
        _MANY_SQLITE,
        [
            (seq, collection_id, change.record_id, action, _json(change.before), actor, now)
            for seq, change in zip(numbers, changes, strict=True)
        ],
    )
    return numbers


def _append_postgresql(
    session: Session, collection_id: str, action: Action, changes: Sequence[Change], actor: str | None
) -> Sequence[int]:
    given = orjson.dumps([(change.record_id, change.before) for change in changes], default=str).decode()
    rows = session.rows(_MANY_POSTGRESQL, (collection_id, action, actor, now_text(), given))
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
