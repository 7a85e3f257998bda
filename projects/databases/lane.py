"""A lane: threads on a queue of database work, and how what they did returns to the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import close_old_connections

from projects.context import ProjectHandle
from projects.databases.session import Session, close_thread

Work = Callable[[Session], Any]

log = structlog.get_logger("mbaas.lanes")

# What one turn of a lane takes at most: a bound on how long its first job waits for the last.
BATCH = 64


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


def by_project(jobs: list[Job]) -> list[list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.project.uid, []).append(job)
    return list(groups.values())
