"""The change log: every write appends one row in its own transaction, and is announced after it."""

from __future__ import annotations

from typing import Any

import orjson

from projects.records.call import Call
from projects.records.events import Action, ChangeEvent, announce
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text

_SQLITE = (
    "INSERT INTO _changes (xid, collection, record, action, before, created)"
    " VALUES (0, ?, ?, ?, ?, ?) RETURNING seq"
)
# xid8 fits a bigint for the next few hundred thousand years.
_POSTGRESQL = (
    "INSERT INTO _changes (xid, collection, record, action, before, created)"
    " VALUES (pg_current_xact_id()::text::bigint, %s, %s, %s, %s, %s) RETURNING seq"
)


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
        (
            collection.id,
            record_id,
            action,
            None if before is None else orjson.dumps(before, default=str).decode(),
            now_text(),
        ),
    )
    assert row is not None
    event = ChangeEvent(
        session.project, row[0], call.schema.version, collection.id, record_id, action, before, after
    )
    session.after_commit(lambda: announce(event))
