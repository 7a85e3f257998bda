"""Threads that run database work for the event loop.

Handing one call to a thread and back costs more than the call, so a *lane* is a thread that takes
everything that waits at once and gives it all back with one wake-up of the loop. (With token check,
rule and change log, measured against an executor call per request: 2.2 times the gets, 2.4 times the
creates.) SQLite has three kinds: a quick read lane, whose statements are stopped after a fixed number of
instructions; the slow pool, where what was stopped runs again; and writer lanes, where the writes of one
project that wait together share one commit, and one that fails takes nothing of the others with it. (A project
that is read often is not even handed over: see loop_reads.) PostgreSQL wants concurrency instead: its writes run
one by one on several threads, and so do long reads; quick ones in turns, each turn on one connection.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import psycopg.errors
import structlog
from django.conf import settings
from django.db import close_old_connections

from projects.context import ProjectHandle, use_project
from projects.databases.deadline import DEADLINE_INSTRUCTIONS, Deadline, TimedOutError
from projects.databases.loop_reads import ElsewhereError, LoopReads, NotOpenError, OpenDatabase
from projects.databases.postgresql.pools import keep_connection, read_quickly
from projects.databases.session import Session, StoppedError, close_thread, read_session, write_session

T = TypeVar("T")
Work = Callable[[Session], Any]
# How long a read may take: a moment; a moment, but its answer is large (writing it down alone would hold the event
# loop up); or a while, so that it is not even tried where others wait for it.
Length = Literal["short", "large", "long"]

log = structlog.get_logger("mbaas.lanes")

# What one turn of a lane takes at most: a bound on how long its first job waits for the last.
BATCH = 64
WRITE_BATCH_SECONDS = 0.02
# One that waits for a disk does not hold up all the others' first reads.
OPENING_THREADS = 2
# On PostgreSQL each job of a turn waits for the server, so that a turn is shorter and the lanes are several.
POSTGRES_BATCH = 16


# What a statement meets whose table another transaction has just changed: PostgreSQL's word for a column
# or table that is gone, and for a prepared statement whose result has other types now.
_OUTDATED = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.DatatypeMismatch,
    psycopg.errors.InvalidTextRepresentation,
)

# Work that met one of these is worth a second try. PostgreSQL ends one of those that wait for each other.
_AGAIN = (*_OUTDATED, psycopg.errors.DeadlockDetected)


class TooBusyError(Exception):
    """The project has more requests waiting than it may; try again shortly."""


class ShuttingDownError(Exception):
    """The server is stopping and takes no more work."""


@dataclass(slots=True, eq=False)
class Job:
    project: ProjectHandle
    work: Work
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


def _deliver(jobs: list[Job]) -> None:
    for job in jobs:
        if not job.future.done():
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)


def give_back(jobs: list[Job]) -> None:
    """Hand finished jobs to their event loop with one wake-up."""
    if jobs:
        call_on(jobs[0].loop, _deliver, jobs)


def call_on(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *arguments: Any) -> None:
    try:
        loop.call_soon_threadsafe(call, *arguments)
    except RuntimeError:
        # Nobody waits any more.
        log.warning("an answer came after the loop had ended")


class Lane:
    """One or more threads on one queue; each takes up to ``batch`` waiting jobs at a time.

    ``prepare`` is called on each thread first.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[list[Job]], None],
        *,
        threads: int = 1,
        batch: int = BATCH,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        self._run = run
        self._prepare = prepare
        self._batch = batch
        self._waiting: deque[Job] = deque()
        self._wake = threading.Condition(threading.Lock())
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{i}", daemon=True) for i in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Job) -> None:
        with self._wake:
            if self._stopping:
                raise ShuttingDownError
            self._waiting.append(job)
            self._wake.notify()

    def stop(self, seconds: float) -> None:
        """Finish what waits, then end the threads; give up after ``seconds``."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take(self) -> list[Job]:
        with self._wake:
            while not self._waiting:
                if self._stopping:
                    return []
                self._wake.wait()
            count = min(self._batch, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]

    def _work(self) -> None:
        if self._prepare is not None:
            self._prepare()
        while jobs := self._take():
            try:
                self._run(jobs)
            except BaseException:
                # A job's own errors are caught below; this is the lane's, which must go on.
                log.exception("a lane failed")
                for job in jobs:
                    job.error = job.error or RuntimeError("the lane failed")
                give_back(jobs)
        close_thread()
        close_old_connections()


def _by_project(jobs: list[Job]) -> list[list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.project.uid, []).append(job)
    return list(groups.values())


def _run_write(job: Job, session: Session, *, apart: bool) -> None:
    """Run one job of a transaction. Raises _SpoiledError, and what ended the whole transaction."""
    written = session.written
    try:
        if apart:
            with session.savepoint():
                job.result = job.work(session)
        else:
            job.result = job.work(session)
    except Exception as error:
        job.error = TimedOutError() if isinstance(error, StoppedError) else error
        if not session.in_transaction:
            # SQLite itself gave the transaction up (disk full, I/O error): all are lost.
            raise
        if not apart and session.written != written:
            raise _SpoiledError from error


class _SpoiledError(Exception):
    """A transaction of several jobs holds a part of one that failed."""


class Lanes:
    """All lanes of this process. ``read`` and ``write`` are what the API calls."""

    def __init__(self) -> None:
        self._here = LoopReads()
        self._opening = Lane("read-opening", self._run_opening, threads=OPENING_THREADS)
        self._quick = Lane("read-quick", self._run_quick)
        self._slow = Lane("read-slow", self._run_slow, threads=settings.MBAAS_READ_THREADS, batch=1)
        self._writers = [Lane(f"write-{i}", self._run_writes) for i in range(settings.MBAAS_WRITE_THREADS)]
        self._postgres: _PostgresLanes | None = None
        self._postgres_lock = threading.Lock()
        self._in_flight: dict[str, int] = {}

    async def read(self, project: ProjectHandle, work: Callable[[Session], T], length: Length = "short") -> T:
        """``work(session)`` on a read session. ``work`` may run more than once and must only read.

        ``length`` is what the caller expects. Raises TooBusyError, TimedOutError, ShuttingDownError and what
        ``work`` raises.
        """
        if project.engine == "postgresql":
            lanes = self._pools()
            return await self._submit(
                lanes.slow if length == "long" else lanes.quick, project, _Reading(work)
            )
        if length == "short":
            try:
                return self._here.run(project, work)
            except NotOpenError:
                return await self._submit(self._opening, project, work)
            except ElsewhereError:
                pass
            except StoppedError:
                return await self._submit(self._slow, project, work)
        return await self._submit(self._slow if length == "long" else self._quick, project, work)

    async def write(self, project: ProjectHandle, work: Callable[[Session], T]) -> T:
        """``work(session)`` in a write transaction; the answer comes after its commit.

        ``work`` may run more than once, each time on a database without what it did before.
        """
        if project.engine == "postgresql":
            return await self._submit(self._pools().write, project, work)
        lane = self._writers[hash(project.uid) % len(self._writers)]
        return await self._submit(lane, project, work)

    async def _submit(self, lane: Lane, project: ProjectHandle, work: Callable[[Session], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        count = self._in_flight.get(project.uid, 0)
        if count >= settings.MBAAS_PROJECT_CONCURRENCY:
            raise TooBusyError
        self._in_flight[project.uid] = count + 1
        try:
            lane.submit(Job(project, work, loop, future))
            # A client that goes away cancels its waiting, not the work: a write on its way is finished.
            return await future
        finally:
            left = self._in_flight[project.uid] - 1
            if left:
                self._in_flight[project.uid] = left
            else:
                del self._in_flight[project.uid]

    def stop(self, seconds: float) -> None:
        """Finish what waits, within ``seconds``."""
        deadline = time.monotonic() + seconds
        lanes = [self._opening, self._quick, self._slow, *self._writers]
        if self._postgres:
            lanes += [self._postgres.quick, self._postgres.slow, self._postgres.write]
        for lane in lanes:
            lane.stop(max(0.1, deadline - time.monotonic()))
        self._here.stop()

    def _pools(self) -> _PostgresLanes:
        if self._postgres is None:
            with self._postgres_lock:
                if self._postgres is None:
                    self._postgres = _PostgresLanes(
                        Lane(
                            "postgresql-quick",
                            self._run_postgres_quick,
                            threads=settings.MBAAS_POSTGRES_READ_LANES,
                            batch=POSTGRES_BATCH,
                            prepare=read_quickly,
                        ),
                        Lane(
                            "postgresql-slow",
                            self._run_postgres,
                            threads=settings.MBAAS_POSTGRES_THREADS,
                            batch=1,
                        ),
                        Lane(
                            "postgresql-write",
                            self._run_postgres,
                            threads=settings.MBAAS_POSTGRES_WRITE_LANES,
                            batch=1,
                            prepare=keep_connection,
                        ),
                    )
        return self._postgres

    def _run_opening(self, jobs: list[Job]) -> None:
        """Open databases for the event loop, and run the reads that asked for them."""
        for group in _by_project(jobs):
            project, loop = group[0].project, group[0].loop
            try:
                opened = OpenDatabase(project)
            except Exception as error:
                for job in group:
                    job.error = error
                give_back(group)
                continue
            try:
                with use_project(project):
                    session = opened.begin(project)
                    slow = [job for job in group if not _run_quick_job(job, session)]
            finally:
                opened.end()
            call_on(loop, self._here.adopt, opened)
            self._give_back_quick(group, slow)

    def _run_quick(self, jobs: list[Job]) -> None:
        for group in _by_project(jobs):
            slow: list[Job] = []
            try:
                with read_session(group[0].project) as session:
                    session.limit_quick()
                    try:
                        slow = [job for job in group if not _run_quick_job(job, session)]
                    finally:
                        session.limit(None)
            except Exception as error:
                for job in group:
                    job.error = job.error or error
                slow = []
            self._give_back_quick(group, slow)

    def _give_back_quick(self, group: list[Job], slow: list[Job]) -> None:
        for job in slow:
            self._slow.submit(job)
        give_back([job for job in group if job not in slow])

    def _run_slow(self, jobs: list[Job]) -> None:
        for job in jobs:
            deadline = Deadline(settings.MBAAS_STATEMENT_TIMEOUT_MS)
            try:
                with read_session(job.project) as session:
                    session.limit(deadline, DEADLINE_INSTRUCTIONS)
                    try:
                        job.result = job.work(session)
                    finally:
                        session.limit(None)
            except Exception as error:
                job.error = TimedOutError() if isinstance(error, StoppedError) else error
        give_back(jobs)

    def _run_writes(self, jobs: list[Job]) -> None:
        waiting = jobs
        while waiting:
            group = [job for job in waiting if job.project.uid == waiting[0].project.uid]
            done = self._write_together(group)
            give_back(group[:done])
            finished = set(map(id, group[:done]))
            waiting = [job for job in waiting if id(job) not in finished]

    def _write_together(self, group: list[Job]) -> int:
        """Run jobs of one project in one transaction; returns how many were run before time was up."""
        try:
            return self._attempt(group, apart=False)
        except _SpoiledError:
            # A job failed after it had written something. Nothing has been answered yet: all are run again, each in
            # a savepoint of its own. (One around every job would cost all of them what so few need.)
            for job in group:
                job.result = job.error = None
            return self._attempt(group, apart=True)

    def _attempt(self, group: list[Job], *, apart: bool) -> int:
        done = 0
        try:
            with write_session(group[0].project) as session:
                started = time.monotonic()
                deadline = Deadline(settings.MBAAS_STATEMENT_TIMEOUT_MS)
                try:
                    for job in group:
                        done += 1
                        # Anew for each: a batch sets a limit of its own.
                        deadline.restart()
                        session.limit(deadline, DEADLINE_INSTRUCTIONS)
                        _run_write(job, session, apart=apart)
                        if time.monotonic() - started > WRITE_BATCH_SECONDS:
                            break
                finally:
                    session.limit(None)
        except _SpoiledError:
            raise
        except Exception as error:
            done = max(done, 1)
            for job in group[:done]:
                job.error = job.error or error
        return done

    def _run_postgres_quick(self, jobs: list[Job]) -> None:
        assert self._postgres is not None
        again = [job for group in _by_project(jobs) for job in _read_quickly(group)]
        kept = set(map(id, again))
        give_back([job for job in jobs if id(job) not in kept])
        for job in again:
            self._postgres.slow.submit(job)

    def _run_postgres(self, jobs: list[Job]) -> None:
        for job in jobs:
            try:
                try:
                    _run_on_postgres(job)
                except _AGAIN:
                    # If a schema change came between reading the schema and using it, it is read again.
                    _run_on_postgres(job)
            except Exception as error:
                job.error = TimedOutError() if isinstance(error, StoppedError) else error
        give_back(jobs)


@dataclass(frozen=True, slots=True)
class _PostgresLanes:
    """For reads that are soon stopped, for those that were, and for writes."""

    quick: Lane
    slow: Lane
    write: Lane


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
        for job in left:
            job.error = error
    return again


class _Reading:
    """Marks work of the PostgreSQL pool that needs no transaction."""

    __slots__ = ("_work",)

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, session: Session) -> Any:
        return self._work(session)


def _run_on_postgres(job: Job) -> None:
    session = read_session if isinstance(job.work, _Reading) else write_session
    with session(job.project) as opened:
        try:
            job.result = job.work(opened)
        except _OUTDATED:
            opened.discard_connection()
            raise


def _run_quick_job(job: Job, session: Session) -> bool:
    """Run one job; says False when a statement of it was stopped and it must run again, slowly."""
    try:
        job.result = job.work(session)
    except StoppedError:
        return False
    except Exception as error:
        job.error = error
    return True


_lanes: Lanes | None = None
_lock = threading.Lock()


def lanes() -> Lanes:
    """This process's lanes, started when first used."""
    global _lanes
    if _lanes is None:
        with _lock:
            if _lanes is None:
                _lanes = Lanes()
    return _lanes


def stop_lanes(seconds: float) -> None:
    global _lanes
    with _lock:
        running, _lanes = _lanes, None
    if running is not None:
        running.stop(seconds)
