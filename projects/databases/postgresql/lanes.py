"""Lanes for PostgreSQL, which wants concurrency: several threads each for quick reads, long reads and writes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import psycopg.errors
from django.conf import settings

from projects.context import ProjectHandle
from projects.databases.deadline import TimedOutError
from projects.databases.lane import Job, Lane, by_project, give_back
from projects.databases.postgresql.pools import keep_connection, read_quickly
from projects.databases.session import Session, StoppedError, read_session, write_session

# Each job of a turn waits for the server, so that a turn is shorter than SQLite's and the lanes are several.
BATCH = 16

# What a statement meets whose table another transaction has just changed: PostgreSQL's word for a column
# or table that is gone, and for a prepared statement whose result has other types now.
OUTDATED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.DatatypeMismatch,
    psycopg.errors.InvalidTextRepresentation,
)

# Work that met one of these is worth a second try. PostgreSQL ends one of those that wait for each other.
_AGAIN = (*OUTDATED, psycopg.errors.DeadlockDetected)


class PostgresqlLanes:
    """``quick`` is for reads that are soon stopped, ``slow`` for those that were, ``write`` for transactions."""

    def __init__(self) -> None:
        self.quick = Lane(
            "postgresql-quick",
            self._run_quick,
            threads=settings.MBAAS_POSTGRES_READ_LANES,
            batch=BATCH,
            prepare=read_quickly,
        )
        self.slow = Lane(
            "postgresql-slow",
            partial(_run_each, read_session),
            threads=settings.MBAAS_POSTGRES_THREADS,
            batch=1,
        )
        self.write = Lane(
            "postgresql-write",
            partial(_run_each, partial(write_session, late=True)),
            threads=settings.MBAAS_POSTGRES_WRITE_LANES,
            batch=1,
            prepare=keep_connection,
        )

    def _run_quick(self, jobs: list[Job]) -> None:
        again = [job for group in by_project(jobs) for job in _read_quickly(group)]
        kept = set(map(id, again))
        give_back([job for job in jobs if id(job) not in kept])
        for job in again:
            self.slow.submit(job)


def _read_quickly(group: list[Job]) -> list[Job]:
    """Run one project's reads in one session; returns those that must run again, elsewhere."""
    again: list[Job] = []
    left = deque(group)
    try:
        with read_session(group[0].project) as session:
            session.limit_quick()
            while left:
                job = left.popleft()
                try:
                    job.result = job.work(session)
                except StoppedError:
                    again.append(job)
                except _AGAIN:
                    # The connection goes, with all that it has prepared.
                    session.discard_connection()
                    return [*again, job, *left]
                except Exception as error:
                    job.error = error
    except Exception as error:
        if _was_stopped(error):
            # Opening the database took longer than a quick statement may.
            return [*again, *left]
        for job in left:
            job.error = error
    return again


def _was_stopped(error: BaseException | None) -> bool:
    """Whether the server stopped a statement, ours or Django's."""
    return error is not None and (
        isinstance(error, psycopg.errors.QueryCanceled) or _was_stopped(error.__cause__)
    )


Open = Callable[[ProjectHandle], AbstractContextManager[Session]]


def _run_each(open_session: Open, jobs: list[Job]) -> None:
    for job in jobs:
        try:
            try:
                _run(open_session, job)
            except _AGAIN:
                # If a schema change came between reading the schema and using it, it is read again.
                _run(open_session, job)
        except Exception as error:
            job.error = TimedOutError() if isinstance(error, StoppedError) else error
    give_back(jobs)


def _run(open_session: Open, job: Job) -> None:
    with open_session(job.project) as session:
        try:
            job.result = job.work(session)
        except OUTDATED:
            session.discard_connection()
            raise
