"""The limit on PostgreSQL: what waits is sent through libpq's pipeline, one round trip for all of it.

A create is one statement, record and change together, so each commits by itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import psycopg

from benchmarks.limit.lane import Lane
from benchmarks.limit.records import SELECTED, Create, Get, Page, as_page, as_record, new_row
from benchmarks.limit.tokens import RefusedError, claimed, verify

SLOW_THREADS = 4

_USER = 'SELECT id, "tokenKey", email, name FROM users WHERE id = %s'
_RULE = "(author = %s OR public)"

SCHEMA = """
CREATE TABLE users (id TEXT COLLATE "C" PRIMARY KEY, "tokenKey" TEXT NOT NULL, email TEXT NOT NULL,
  name TEXT NOT NULL);
CREATE TABLE _changes (seq BIGSERIAL PRIMARY KEY, collection TEXT NOT NULL, record TEXT NOT NULL,
  action TEXT NOT NULL, before TEXT, created TEXT NOT NULL);
"""
COLLECTION_SCHEMA = """
CREATE TABLE {0} (id TEXT COLLATE "C" PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL,
  author TEXT COLLATE "C" NOT NULL, public BOOLEAN NOT NULL, rank DOUBLE PRECISION NOT NULL,
  created TEXT COLLATE "C" NOT NULL, updated TEXT COLLATE "C" NOT NULL);
CREATE INDEX {0}_created ON {0} (created);
CREATE INDEX {0}_author ON {0} (author);
"""


class PostgresStore:
    def __init__(self, url: str) -> None:
        self._url = url
        lanes = int(os.environ.get("LIMIT_READ_LANES", "1"))
        writers = int(os.environ.get("LIMIT_WRITERS", "4"))
        batch = int(os.environ.get("LIMIT_WRITE_BATCH", "1"))
        self._quick = Lane(self._reader, threads=lanes)
        self._slow = Lane(self._reader, threads=SLOW_THREADS, batch=1)
        self._writes = Lane(self._write_lane, threads=writers, batch=batch)

    def read(self, job: Get | Page) -> asyncio.Future[Any]:
        # A count reads the whole table: what is quick does not wait for it.
        slow = isinstance(job, Page) and job.total
        return (self._slow if slow else self._quick).submit(job)

    def write(self, job: Create) -> asyncio.Future[Any]:
        return self._writes.submit(job)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._url, autocommit=True, prepare_threshold=1)

    def _reader(self) -> Callable[[list[Any]], list[Any]]:
        connection = self._connect()
        return lambda jobs: _pipelined(connection, jobs, _start_read, _finish_read)

    def _write_lane(self) -> Callable[[list[Any]], list[Any]]:
        connection = self._connect()
        return lambda jobs: _write_all(connection, jobs)


def _pipelined(
    connection: psycopg.Connection[Any],
    jobs: list[Any],
    start: Callable[[psycopg.Connection[Any], Any], Any],
    finish: Callable[[Any, Any], Any],
) -> list[Any]:
    answers: list[Any] = []
    try:
        with connection.pipeline() as pipeline:
            begun = [_or_error(start, connection, job) for job in jobs]
            pipeline.sync()
            answers = [
                one if isinstance(one, Exception) else _or_error(finish, job, one)
                for job, one in zip(jobs, begun, strict=True)
            ]
    except psycopg.Error as error:
        answers = [error] * len(jobs)
    return answers


def _or_error(call: Callable[..., Any], *args: Any) -> Any:
    try:
        return call(*args)
    except (RefusedError, psycopg.Error) as error:
        return error


def _start_read(connection: psycopg.Connection[Any], job: Get | Page) -> Any:
    claims = claimed(job.token)
    user, table = claims["id"], job.collection
    # Sent together with the record: what it finds is given away only once the token is verified.
    asked = connection.execute(_USER, (user,))
    if isinstance(job, Get):
        sql = f"SELECT {SELECTED} FROM {table} WHERE id = %s AND {_RULE} LIMIT 1"
        return claims, asked, connection.execute(sql, (job.id, user)), None
    where = _RULE
    params: list[Any] = [user]
    if job.rank_above is not None:
        where, params = f"{_RULE} AND rank > %s", [user, job.rank_above]
    sql = f"SELECT {SELECTED} FROM {table} WHERE {where} ORDER BY created DESC LIMIT %s"
    page = connection.execute(sql, [*params, job.size])
    count = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", params) if job.total else None
    return claims, asked, page, count


def _finish_read(job: Get | Page, begun: Any) -> dict[str, Any]:
    claims, asked, found, count = begun
    user = asked.fetchone()
    if user is None:
        raise RefusedError(401)
    verify(job.token, claims, user[1])
    if isinstance(job, Get):
        row = found.fetchone()
        if row is None:
            raise RefusedError(404)
        return as_record(row, job.collection)
    total = -1 if count is None else count.fetchone()[0]
    return as_page(found.fetchall(), job.collection, job.size, total)


def _write_all(connection: psycopg.Connection[Any], jobs: list[Create]) -> list[Any]:
    return [_or_error(_create, connection, job) for job in jobs]


def _create(connection: psycopg.Connection[Any], job: Create) -> dict[str, Any]:
    claims = claimed(job.token)
    user = connection.execute(_USER, (claims["id"],)).fetchone()
    if user is None:
        raise RefusedError(401)
    verify(job.token, claims, user[1])
    row = new_row(job, user[0])
    connection.execute(
        f"WITH made AS (INSERT INTO {job.collection} ({SELECTED}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
        " RETURNING id, created) INSERT INTO _changes (collection, record, action, created)"
        " SELECT %s, id, 'create', created FROM made",
        (*row, job.collection),
    )
    return as_record(row, job.collection)
