"""The limit on SQLite: a quick read lane, a slow pool, and one writer with a savepoint for each create."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.limit.lane import Lane
from benchmarks.limit.records import SELECTED, Create, Get, Page, as_page, as_record, new_row
from benchmarks.limit.tokens import RefusedError, claimed, verify

# As ours: a job of the quick lane is stopped after about a millisecond.
QUICK_INSTRUCTIONS = 20_000
SLOW_THREADS = 4

_RULE = "(author = ? OR public = 1)"

SCHEMA = """
CREATE TABLE users (id TEXT PRIMARY KEY, "tokenKey" TEXT NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE _changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, record TEXT NOT NULL,
  action TEXT NOT NULL, before TEXT, created TEXT NOT NULL);
"""
COLLECTION_SCHEMA = """
CREATE TABLE {0} (id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL, author TEXT NOT NULL,
  public BOOLEAN NOT NULL, rank NUMERIC NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL);
CREATE INDEX {0}_created ON {0} (created);
CREATE INDEX {0}_author ON {0} (author);
"""


def connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;"
    )
    return connection


class Budget:
    """Stops a job that takes too long. SQLite counts a prepared statement's instructions over all its runs, so that
    each of a job's two statements may call once however short it is."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls > 2


class SqliteStore:
    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._quick = Lane(self._reader)
        self._slow = Lane(self._slow_reader, threads=SLOW_THREADS, batch=1)
        self._writer = Lane(self._write_lane)

    def read(self, job: Get | Page) -> asyncio.Future[Any]:
        # A count reads the whole table: a plan that is known to be slow.
        slow = isinstance(job, Page) and job.total
        return (self._slow if slow else self._quick).submit(job)

    def write(self, job: Create) -> asyncio.Future[Any]:
        return self._writer.submit(job)

    def _reader(self) -> Callable[[list[Any]], list[Any]]:
        connection = connect(self._path)
        budget = Budget()
        connection.set_progress_handler(budget, QUICK_INSTRUCTIONS)
        return lambda jobs: _read_all(connection, jobs, budget)

    def _slow_reader(self) -> Callable[[list[Any]], list[Any]]:
        connection = connect(self._path)
        return lambda jobs: _read_all(connection, jobs)

    def _write_lane(self) -> Callable[[list[Any]], list[Any]]:
        connection = connect(self._path)
        return lambda jobs: _write_all(connection, jobs)


def _user(connection: sqlite3.Connection, token: str) -> str:
    claims = claimed(token)
    row = connection.execute(
        'SELECT id, "tokenKey", email, name FROM users WHERE id = ?', (claims["id"],)
    ).fetchone()
    if row is None:
        raise RefusedError(401)
    verify(token, claims, row[1])
    return str(row[0])


def _read_all(
    connection: sqlite3.Connection, jobs: list[Get | Page], budget: Budget | None = None
) -> list[Any]:
    connection.execute("BEGIN")
    answers: list[Any] = []
    for job in jobs:
        if budget is not None:
            budget.calls = 0
        try:
            answers.append(_read(connection, job))
        except (RefusedError, sqlite3.Error) as error:
            answers.append(error)
    connection.execute("ROLLBACK")
    return answers


def _read(connection: sqlite3.Connection, job: Get | Page) -> dict[str, Any]:
    user, table = _user(connection, job.token), job.collection
    if isinstance(job, Get):
        sql = f"SELECT {SELECTED} FROM {table} WHERE id = ? AND {_RULE} LIMIT 1"
        row = connection.execute(sql, (job.id, user)).fetchone()
        if row is None:
            raise RefusedError(404)
        return as_record(row, table)
    where = _RULE
    params: list[str | float] = [user]
    if job.rank_above is not None:
        where, params = f"{_RULE} AND rank > ?", [user, job.rank_above]
    sql = f"SELECT {SELECTED} FROM {table} WHERE {where} ORDER BY created DESC LIMIT ?"
    rows = connection.execute(sql, [*params, job.size]).fetchall()
    total = -1
    if job.total:
        total = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", params).fetchone()[0]
    return as_page(rows, table, job.size, total)


def _write_all(connection: sqlite3.Connection, jobs: list[Create]) -> list[Any]:
    connection.execute("BEGIN IMMEDIATE")
    answers: list[Any] = []
    for job in jobs:
        connection.execute("SAVEPOINT one")
        try:
            answers.append(_create(connection, job))
            connection.execute("RELEASE one")
        except (RefusedError, sqlite3.Error) as error:
            connection.execute("ROLLBACK TO one")
            connection.execute("RELEASE one")
            answers.append(error)
    connection.execute("COMMIT")
    return answers


def _create(connection: sqlite3.Connection, job: Create) -> dict[str, Any]:
    user, table = _user(connection, job.token), job.collection
    row = new_row(job, user)
    connection.execute(f"INSERT INTO {table} ({SELECTED}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.execute(
        "INSERT INTO _changes (collection, record, action, created) VALUES (?, ?, 'create', ?)",
        (table, row[0], row[6]),
    )
    return as_record(row, table)
