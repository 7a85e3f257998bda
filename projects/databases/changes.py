"""The change log's table: a row for each change of a record, appended in the change's own transaction.

Two kinds of row are about a collection as a whole; their ``record`` is empty. ``fields``: until here the names in
images meant the fields with these ids (``before`` holds them). ``dropped``: what comes before was of a collection that
was deleted, and is nobody's even when another one takes its id.
"""

from __future__ import annotations

from typing import Final

import orjson

from projects.databases.session import Session

_COLUMNS: Final = "xid, collection, record, action, before, actor, created"
# xid8 fits a bigint for the next few hundred thousand years.
XID: Final = "pg_current_xact_id()::text::bigint"
_SQLITE: Final = f"INSERT INTO _changes ({_COLUMNS}) VALUES (0, ?, ?, ?, ?, ?, ?) RETURNING seq"
_POSTGRESQL: Final = f"INSERT INTO _changes ({_COLUMNS}) VALUES ({XID}, %s, %s, %s, %s, %s, %s) RETURNING seq"


def append_change(
    session: Session,
    collection_id: str,
    record_id: str,
    action: str,
    before: str | None,
    actor: str | None,
    created: str,
) -> int:
    """Write one row; returns its number. ``before`` is JSON, ``created`` a date in canonical text."""
    row = session.row(
        _SQLITE if session.engine == "sqlite" else _POSTGRESQL,
        (collection_id, record_id, action, before, actor, created),
    )
    assert row is not None
    return int(row[0])


def log_former_fields(session: Session, collection_id: str, ids: dict[str, str], created: str) -> None:
    """Keep what the names in the images so far mean: ``ids`` of fields by the names that they had until now."""
    append_change(session, collection_id, "", "fields", orjson.dumps(ids).decode(), None, created)


def log_dropped(session: Session, collection_id: str, created: str) -> None:
    """The collection is gone, and with it the history of its records."""
    append_change(session, collection_id, "", "dropped", None, None, created)
