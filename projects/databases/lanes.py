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
from collections.abc import Callable
from typing import Literal, TypeVar

from django.conf import settings

from projects.context import ProjectHandle, use_project
from projects.databases.deadline import DEADLINE_INSTRUCTIONS, Deadline, TimedOutError
from projects.databases.lane import Job, Lane, by_project, call_on, give_back
from projects.databases.loop_reads import ElsewhereError, LoopReads, NotOpenError, OpenDatabase
from projects.databases.postgresql.lanes import PostgresqlLanes
from projects.databases.session import Session, StoppedError, read_session, write_session

T = TypeVar("T")
# How long a read may take: a moment; a moment, but its answer is large (writing it down alone would hold the event
# loop up); or a while, so that it is not even tried where others wait for it.
Length = Literal["short", "large", "long"]

WRITE_BATCH_SECONDS = 0.02
# One that waits for a disk does not hold up all the others' first reads.
OPENING_THREADS = 2


class TooBusyError(Exception):
    """The project has more requests waiting than it may; try again shortly."""


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
        # Made when the first project on PostgreSQL is asked for.
        self._postgresql: PostgresqlLanes | None = None
        self._postgresql_lock = threading.Lock()
        self._in_flight: dict[str, int] = {}

    async def read(self, project: ProjectHandle, work: Callable[[Session], T], length: Length = "short") -> T:
        """``work(session)`` on a read session. ``work`` may run more than once and must only read.

        ``length`` is what the caller expects. Raises TooBusyError, TimedOutError, ShuttingDownError and what
        ``work`` raises.
        """
        if project.engine == "postgresql":
            lanes = self._on_postgresql()
            return await self._submit(lanes.slow if length == "long" else lanes.quick, project, work)
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
            return await self._submit(self._on_postgresql().write, project, work)
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
        if self._postgresql:
            lanes += [self._postgresql.quick, self._postgresql.slow, self._postgresql.write]
        for lane in lanes:
            lane.stop(max(0.1, deadline - time.monotonic()))
        self._here.stop()

    def _on_postgresql(self) -> PostgresqlLanes:
        if self._postgresql is None:
            with self._postgresql_lock:
                if self._postgresql is None:
                    self._postgresql = PostgresqlLanes()
        return self._postgresql

    def _run_opening(self, jobs: list[Job]) -> None:
        """Open databases for the event loop, and run the reads that asked for them."""
        for group in by_project(jobs):
            project, loop = group[0].project, group[0].loop
            try:
                opened = OpenDatabase(project)
                try:
                    with use_project(project):
                        session = opened.begin(project)
                        slow = [job for job in group if not _run_quick_job(job, session)]
                finally:
                    opened.end()
            except Exception as error:
                for job in group:
                    job.error = job.error or error
                give_back(group)
                continue
            call_on(loop, self._here.adopt, opened)
            self._give_back_quick(group, slow)

    def _run_quick(self, jobs: list[Job]) -> None:
        for group in by_project(jobs):
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
