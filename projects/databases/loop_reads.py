"""Quick reads of SQLite projects, run where they are asked for: on the event loop's own thread.

Most reads take 10 to 50 µs, and handing one to another thread and back takes longer than that. So a read of a project
whose database is open here runs at once, under the quick lane's budget of instructions; what the budget stops runs
again on the slow pool. All reads of one turn of the loop share a snapshot: it ends before anything that comes after it
is looked at, so a client that was answered finds what it was told.

What could hold the loop up goes elsewhere: opening a database, a database whose reads have lately had to wait for a
disk, reads that need the control plane, answers of many records.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db.backends.base.base import BaseDatabaseWrapper

from projects.context import ProjectHandle, use_project
from projects.databases.memory import Memory
from projects.databases.session import Session, open_alone

T = TypeVar("T")

log = structlog.get_logger("mbaas.lanes")

# A project is opened here once it is read this often: of a thousand that are read once, none is.
_READS_BEFORE_OPENING = 3
_COUNTED = 4096
# A read that took this long waited for something. After so many within a second (one may be a busy processor's) the
# project is read elsewhere for a while.
_WAITED_SECONDS = 0.01
_MOST_WAITS = 3
_COLD_SECONDS = 2.0


class ElsewhereError(Exception):
    """The read does not belong on the event loop: run it on a lane."""


class _Open:
    """One project's connection, and the session that the reads of this turn share."""

    __slots__ = ("_waits", "cold_until", "loop", "memory", "raw", "session", "wrapper")

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        self.wrapper = wrapper
        self.raw: Any = wrapper.connection
        self.memory = Memory()
        self.session: Session | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.cold_until = 0.0
        self._waits: deque[float] = deque(maxlen=_MOST_WAITS)

    def waited(self, now: float) -> None:
        self._waits.append(now)
        if len(self._waits) == _MOST_WAITS and now - self._waits[0] < 1.0:
            self.cold_until = now + _COLD_SECONDS

    def begin(self, project: ProjectHandle, loop: asyncio.AbstractEventLoop) -> Session:
        if self.session is not None:
            if self.loop is loop:
                return self.session
            # The loop that should have ended it was ended first.
            self.end()
        self.memory.begin(self.raw)
        self.session = Session(project, self.raw, self.memory)
        self.session.limit_quick()
        self.loop = loop
        loop.call_soon(self.end)
        return self.session

    def end(self) -> None:
        self.session = None
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")


class LoopReads:
    """The databases that the thread of one event loop reads itself, at most MBAAS_OPEN_DATABASES_PER_THREAD."""

    def __init__(self) -> None:
        self._thread = 0
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._reads: OrderedDict[str, int] = OrderedDict()
        # Opens and closes: both may wait for the disk.
        self._opener = ThreadPoolExecutor(1, thread_name_prefix="loop-reads")

    def run(self, project: ProjectHandle, work: Callable[[Session], T]) -> T:
        """``work(session)`` now. Raises ElsewhereError when it must run on a lane, StoppedError when it takes too
        long, and what ``work`` raises."""
        here = self._find(project)
        started = time.monotonic()
        if started < here.cold_until:
            raise ElsewhereError
        try:
            with use_project(project):
                return work(here.begin(project, asyncio.get_running_loop()))
        except SynchronousOnlyOperation:
            # Django keeps its connections off the event loop, the control plane's too.
            raise ElsewhereError from None
        except sqlite3.DatabaseError:
            # A locked or broken database: the lane says what it is.
            self._drop(project.alias)
            raise ElsewhereError from None
        finally:
            now = time.monotonic()
            if now - started > _WAITED_SECONDS:
                here.waited(now)

    def stop(self) -> None:
        for alias in list(self._open):
            self._drop(alias)
        self._opener.shutdown(wait=True)

    def _find(self, project: ProjectHandle) -> _Open:
        alias = project.alias
        here = self._open.get(alias)
        if here is None or self._thread != threading.get_ident():
            self._thread = self._thread or threading.get_ident()
            self._count(project)
            raise ElsewhereError
        self._open.move_to_end(alias)
        return here

    def _count(self, project: ProjectHandle) -> None:
        """Note a read of a project that is not open here; open it when there were enough."""
        alias = project.alias
        reads = self._reads.pop(alias, 0) + 1
        if reads == _READS_BEFORE_OPENING:
            asyncio.get_running_loop().run_in_executor(self._opener, open_alone, project).add_done_callback(
                lambda opened: self._opened(alias, opened)
            )
        if reads < _READS_BEFORE_OPENING:
            self._reads[alias] = reads
            if len(self._reads) > _COUNTED:
                self._reads.popitem(last=False)

    def _opened(self, alias: str, opened: asyncio.Future[BaseDatabaseWrapper]) -> None:
        if opened.cancelled():
            return
        if error := opened.exception():
            # The lane meets the same and answers it.
            log.warning("a database could not be opened for the event loop", error=str(error))
            return
        self._drop(alias)
        self._open[alias] = _Open(opened.result())
        while len(self._open) > settings.MBAAS_OPEN_DATABASES_PER_THREAD:
            self._drop(next(iter(self._open)))

    def _drop(self, alias: str) -> None:
        here = self._open.pop(alias, None)
        if here is not None:
            here.end()
            self._opener.submit(here.raw.close)
