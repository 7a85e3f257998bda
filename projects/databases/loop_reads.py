"""Quick reads of SQLite projects, run where they are asked for: on the event loop's own thread.

Most reads take 10 to 50 µs, and handing one to another thread and back takes longer than that. So a read of a project
whose database is open here runs at once, under the quick lane's budget of instructions; what the budget stops runs
again on the slow pool. All reads of one turn of the loop share a snapshot: it ends before anything that comes after it
is looked at, so a client that was answered finds what it was told.

What could hold the loop up goes elsewhere: opening a database (the thread that opens it also runs the reads that asked
for it, then hands it over), a database whose reads have lately had to wait for a disk, reads that need the control
plane, answers of many records.
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

from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation

from projects.context import ProjectHandle, use_project
from projects.databases.memory import Memory
from projects.databases.session import Session, open_alone

T = TypeVar("T")

# A thousand databases may be open, so each has less of a page cache than a lane's (-KiB); the system's own is below it.
_CACHE_SIZE = -1000
# A read that took this long waited for something. After so many within a second (one may be a busy processor's) the
# project is read elsewhere for a while.
_WAITED_SECONDS = 0.025
_MOST_WAITS = 3
_COLD_SECONDS = 2.0


class ElsewhereError(Exception):
    """The read does not belong on the event loop: run it on a lane."""


class NotOpenError(ElsewhereError):
    """The project's database is not open here: run the read where it is opened."""


class OpenDatabase:
    """One project's connection, and the session that the reads of this turn share.

    Opened (and migrated, where it must be) by the thread that makes it; used by one thread at a time.
    """

    __slots__ = ("_waits", "alias", "cold_until", "loop", "memory", "raw", "session", "wrapper")

    def __init__(self, project: ProjectHandle) -> None:
        self.alias = project.alias
        # Kept: Django's functions, which SQL calls, belong to it.
        self.wrapper = open_alone(project)
        self.raw: Any = self.wrapper.connection
        self.raw.execute(f"PRAGMA cache_size={_CACHE_SIZE}")
        self.memory = Memory()
        self.session: Session | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.cold_until = 0.0
        self._waits: deque[float] = deque(maxlen=_MOST_WAITS)

    def waited(self, now: float) -> None:
        self._waits.append(now)
        if len(self._waits) == _MOST_WAITS and now - self._waits[0] < 1.0:
            self.cold_until = now + _COLD_SECONDS

    def begin(self, project: ProjectHandle) -> Session:
        """A session, until ``end``."""
        self.memory.begin(self.raw)
        self.session = Session(project, self.raw, self.memory)
        self.session.limit_quick()
        return self.session

    def begin_turn(self, project: ProjectHandle, loop: asyncio.AbstractEventLoop) -> Session:
        """The session of this turn of the loop."""
        if self.session is not None:
            if self.loop is loop:
                return self.session
            # The loop that should have ended it was ended first.
            self.end()
        self.loop = loop
        loop.call_soon(self.end)
        return self.begin(project)

    def end(self) -> None:
        # The budget is the session's: it must stop neither this nor how the next one begins.
        self.raw.set_progress_handler(None, 0)
        self.session = None
        if self.raw.in_transaction:
            self.raw.execute("ROLLBACK")


class LoopReads:
    """The databases that the thread of one event loop reads itself, at most MBAAS_OPEN_DATABASES."""

    def __init__(self) -> None:
        self._thread = 0
        self._open: OrderedDict[str, OpenDatabase] = OrderedDict()
        # Closing may wait for the disk too.
        self._closer = ThreadPoolExecutor(1, thread_name_prefix="loop-reads")

    def run(self, project: ProjectHandle, work: Callable[[Session], T]) -> T:
        """``work(session)`` now. Raises ElsewhereError when it must run on a lane, StoppedError when it takes too
        long, and what ``work`` raises."""
        here = self._find(project.alias)
        started = time.monotonic()
        if started < here.cold_until:
            raise ElsewhereError
        try:
            with use_project(project):
                return work(here.begin_turn(project, asyncio.get_running_loop()))
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

    def adopt(self, opened: OpenDatabase) -> None:
        """Take over a database that another thread has opened."""
        if self._thread != threading.get_ident():
            opened.raw.close()
            return
        self._drop(opened.alias)
        self._open[opened.alias] = opened
        while len(self._open) > settings.MBAAS_OPEN_DATABASES:
            self._drop(next(iter(self._open)))

    def stop(self) -> None:
        for alias in list(self._open):
            self._drop(alias)
        self._closer.shutdown(wait=True)

    def _find(self, alias: str) -> OpenDatabase:
        self._thread = self._thread or threading.get_ident()
        if self._thread != threading.get_ident():
            raise ElsewhereError
        here = self._open.get(alias)
        if here is None:
            raise NotOpenError
        self._open.move_to_end(alias)
        return here

    def _drop(self, alias: str) -> None:
        here = self._open.pop(alias, None)
        if here is not None:
            here.end()
            self._closer.submit(here.raw.close)
