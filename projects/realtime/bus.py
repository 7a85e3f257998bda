"""Brings changes from the threads that commit them to the hub, and hubs of several processes together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from projects.context import ProjectHandle
from projects.errors import not_found
from projects.realtime.answers import UNKNOWN_CLIENT
from projects.realtime.submission import Submission
from projects.records.events import ChangeEvent


class Listener(Protocol):
    """What a bus needs of the hub."""

    def receive(self, events: Iterable[ChangeEvent]) -> None: ...

    def project(self, uid: str) -> ProjectHandle | None: ...

    def missed(self, project_uid: str | None = None) -> None: ...

    async def submit_here(self, project_uid: str, submission: Submission, authorization: str) -> None: ...


class Bus(Protocol):
    """``node`` names this process: the first NODE_LENGTH characters of its clients' ids."""

    node: str

    async def start(self, hub: Listener) -> None: ...

    async def stop(self) -> None: ...

    def publish(self, event: ChangeEvent) -> None:
        """Tell every process of a committed change. From any thread; neither blocks nor raises."""

    async def watch(self, project_uid: str) -> bool:
        """Whether from now on every change of the project reaches this process's hub, or ``missed`` is called."""

    async def unwatch(self, project_uid: str) -> None: ...

    async def forward(self, node: str, project_uid: str, submission: Submission, authorization: str) -> None:
        """Have another process do ``submit_here``; raises what it raised, 404 when there is no such process."""


class Inbox:
    """Takes items from any thread and hands them to ``take`` on the loop, with one wake-up for many."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[list[ChangeEvent]], None]) -> None:
        self._loop = loop
        self._take = take
        self._lock = threading.Lock()
        self._items: list[ChangeEvent] = []

    def put(self, item: ChangeEvent) -> None:
        with self._lock:
            self._items.append(item)
            first = len(self._items) == 1
        if first:
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:
                # The loop has ended, and with it everyone who would have heard.
                pass

    def _drain(self) -> None:
        with self._lock:
            items, self._items = self._items, []
        self._take(items)


class LocalBus:
    """For a single process."""

    def __init__(self, node: str) -> None:
        self.node = node
        self._hub: Listener | None = None
        self._inbox: Inbox | None = None

    async def start(self, hub: Listener) -> None:
        self._hub = hub
        self._inbox = Inbox(asyncio.get_running_loop(), hub.receive)

    async def stop(self) -> None:
        self._inbox = None

    def publish(self, event: ChangeEvent) -> None:
        # Most changes have nobody waiting for them: the loop is not woken for those.
        if self._inbox is not None and self._hub is not None and self._hub.project(event.project.uid):
            self._inbox.put(event)

    async def watch(self, project_uid: str) -> bool:
        return True

    async def unwatch(self, project_uid: str) -> None:
        pass

    async def forward(self, node: str, project_uid: str, submission: Submission, authorization: str) -> None:
        raise not_found(UNKNOWN_CLIENT)
