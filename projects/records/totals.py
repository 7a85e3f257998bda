"""How many records a query finds: exact, and counted again only when something it reads has changed.

A count reads the whole table (5 ms for 20,000 records under a rule with ``||``), and lists are asked for far more often
than records change. So a total is kept by plan and parameters, together with where the change log of the collections it
reads stood in the snapshot it was counted in. A list looks at the log in its own snapshot (one index look-up; none at
all on SQLite while nobody has written) and counts again if there is anything newer. Under constant writes that is one
count after each write for every different question, made by one of those who wait for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from projects.context import Engine
from projects.databases import Session
from projects.records.call import Call
from projects.rules import Statement
from projects.rules.lru import LruCache

# Totals of all projects; the least recently used go first.
_LIMIT: Final = 20_000
# A total is not believed for ever: the log below a project's retention is cut off.
_SECONDS: Final = 3600.0

# Where the change log stood: its last numbers on SQLite, a snapshot on PostgreSQL.
Mark = tuple[Any, ...]
_totals: LruCache[tuple[Mark, int, float]] = LruCache(_LIMIT)
# Those who want the same total wait for the one who counts; another total seldom shares the lock.
_locks: Final = tuple(threading.Lock() for _ in range(64))


def total(
    call: Call, counting: Statement, tables: Sequence[str], params: Sequence[Any], *, keep: bool = True
) -> int:
    """What ``counting`` counts with ``params``; ``tables`` are the ids of the collections that it reads.

    Without ``keep`` (a rule that reads the clock) it is counted each time.
    """
    session = call.session
    if not keep or session.is_writing:
        # A session that writes also sees what may yet be rolled back.
        return _read(session, counting, params)[0]
    key = (session.project.uid, call.schema.version, counting.sql, tuple(params))
    kept = _fresh(session, key, tables)
    if kept is not None:
        return kept
    if session.is_quick:
        # It may not wait; and what takes long is stopped and comes again elsewhere.
        return _count(session, key, counting, tables, params)
    with _locks[hash(key) % len(_locks)]:
        kept = _fresh(session, key, tables)
        return _count(session, key, counting, tables, params) if kept is None else kept


def _fresh(session: Session, key: tuple[Any, ...], tables: Sequence[str]) -> int | None:
    kept = _totals.get(key)
    if kept is None:
        return None
    mark, found, until = kept
    if until < time.monotonic():
        return None
    if session.engine == "sqlite":
        return found if mark == _last_changes(session, tables) else None
    row = session.row(_NEWER, (list(tables), *mark))
    return None if row is None or row[0] else found


def _count(
    session: Session,
    key: tuple[Any, ...],
    counting: Statement,
    tables: Sequence[str],
    params: Sequence[Any],
) -> int:
    found, snapshot = _read(session, counting, params)
    mark = _last_changes(session, tables) if session.engine == "sqlite" else snapshot
    _totals.put(key, (mark, found, time.monotonic() + _SECONDS))
    return found


def _read(session: Session, counting: Statement, params: Sequence[Any]) -> tuple[int, Mark]:
    row = session.row(counting.sql, params, counting.anew)
    assert row is not None
    return int(row[0]), row[1:]


def snapshot_columns(engine: Engine) -> tuple[sa.ColumnElement[Any], ...]:
    """What a counting statement selects after the count, for its mark."""
    if engine == "sqlite":
        return ()
    return (
        sa.literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"),
        sa.literal_column("pg_current_snapshot()::text"),
    )


def _last_changes(session: Session, tables: Sequence[str]) -> Mark:
    return tuple(
        session.remember(("last change", table), lambda table=table: session.row(_LAST, (table,)))  # type: ignore[misc]
        for table in tables
    )


_LAST = "SELECT max(seq) FROM _changes WHERE collection = ? AND xid = 0"
# Sequences commit out of order on PostgreSQL, so it is asked for changes of transactions that the count did not see.
# Those below the snapshot's xmin had all ended by then: the index leaves them out. The upper bound, which bounds
# nothing, tells the planner that it is a narrow range; without it a plan for any values reads the whole log.
_NEWER: Final = (
    "SELECT EXISTS (SELECT 1 FROM _changes WHERE collection = ANY(%s) AND xid BETWEEN %s AND 9223372036854775807"
    " AND NOT pg_visible_in_snapshot(xid::text::xid8, %s::pg_snapshot))"
)
