"""A thread that takes everything that waits at once and gives it back with one wake-up of the loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

BATCH = 64

Job = tuple[Any, "asyncio.Future[Any]"]


class Lane:
    """``run`` is made by ``opened()`` on the lane's thread: it answers a list of jobs, an exception for a failed one."""

    def __init__(
        self, opened: Callable[[], Callable[[list[Any]], list[Any]]], *, threads: int = 1, batch: int = BATCH
    ) -> None:
        self._opened = opened
        self._batch = batch
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for _ in range(threads):
            threading.Thread(target=self._work, daemon=True).start()

    def submit(self, job: Any) -> asyncio.Future[Any]:
        future = self._loop.create_future()
        self._jobs.put((job, future))
        return future

    def _work(self) -> None:
        run = self._opened()
        while True:
            jobs = [self._jobs.get()]
            while len(jobs) < self._batch:
                try:
                    jobs.append(self._jobs.get_nowait())
                except queue.Empty:
                    break
            answers = run([job for job, _ in jobs])
            futures = [future for _, future in jobs]
            self._loop.call_soon_threadsafe(_deliver, futures, answers)


def _deliver(futures: list[asyncio.Future[Any]], answers: list[Any]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
