"""One subscriber: who it is, what it wants, and the frames that wait for it."""

from __future__ import annotations

import asyncio
import time
import types
from collections import deque
from collections.abc import Awaitable, Generator
from typing import Any, Protocol

from projects.principal import GUEST, Principal
from projects.realtime.topics import Topic

# Frames are shared between subscribers, so this bounds one client's arrears, not what they cost.
MAX_WAITING_BYTES = 16 * 1024 * 1024
MAX_WRITE_BYTES = 256 * 1024
# What a server raises on writing to a connection that has gone (ASGI says OSError, Granian RuntimeError).
GONE = (OSError, RuntimeError)


class Transport(Protocol):
    """How a client is reached."""

    @staticmethod
    def frame(topic: str, seq: int, data: bytes) -> bytes:
        """One event ready to be written, for all clients that are reached this way."""

    def write(self, data: bytes) -> Awaitable[None]:
        """Hand frames to the server; done when it will take more. Raises one of GONE."""

    def finish(self) -> None:
        """End the stream in good order, so that the client connects anew."""

    def abort(self) -> None:
        """Drop the connection."""


class Client:
    """A connected subscriber. Everything here happens on the event loop's thread.

    ``principal`` is who it was bound to by its last submission, kept up to date by the hub;
    ``authorization`` the header it was bound with.
    """

    __slots__ = (
        "_arrears", "_sending", "_size", "_waiting",
        "answered", "asked", "authorization", "closed", "dirty", "id", "last_sent", "principal", "project_uid",
        "topics", "transport",
    )  # fmt: skip

    def __init__(self, client_id: str, project_uid: str, transport: Transport, arrears: int) -> None:
        self.id = client_id
        self.project_uid = project_uid
        self.principal: Principal = GUEST
        self.authorization = ""
        self.topics: dict[str, Topic] = {}
        # Its submissions, and which is in force: a later one is never undone by an earlier that took longer.
        self.asked = 0
        self.answered = 0
        self.closed = False
        self.dirty = False
        self.last_sent = time.monotonic()
        self.transport = transport
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._arrears = arrears
        self._sending: asyncio.Task[None] | None = None

    def push(self, frame: bytes) -> bool:
        """Queue a frame for the next ``flush``; False when the client is too slow and must be dropped."""
        # While it keeps up a burst before the next flush is no sign of slowness.
        behind = self._sending is not None and len(self._waiting) > 0
        if behind and (len(self._waiting) >= self._arrears or self._size + len(frame) > MAX_WAITING_BYTES):
            return False
        self._waiting.append(frame)
        self._size += len(frame)
        return True

    def flush(self) -> None:
        """Write what waits. Costs no task unless the connection is not taking it now."""
        if self._sending is not None or not self._waiting or self.closed:
            return
        try:
            rest = start(self.transport.write(self._take()))
        except GONE:
            self.transport.abort()
            return
        self.last_sent = time.monotonic()
        if rest is not None or self._waiting:
            self._sending = asyncio.get_running_loop().create_task(self._send(rest))

    async def _send(self, rest: Awaitable[None] | None) -> None:
        try:
            if rest is not None:
                await rest
            while self._waiting and not self.closed:
                await self.transport.write(self._take())
                self.last_sent = time.monotonic()
        except GONE:
            self.transport.abort()
        finally:
            self._sending = None

    def _take(self) -> bytes:
        """As many frames as make one write."""
        waiting = self._waiting
        if len(waiting) == 1:
            self._size = 0
            return waiting.popleft()
        taken: list[bytes] = []
        size = 0
        while waiting and size < MAX_WRITE_BYTES:
            frame = waiting.popleft()
            size += len(frame)
            taken.append(frame)
        self._size -= size
        return b"".join(taken)

    def close(self, *, abruptly: bool = False) -> None:
        """End the client's stream; nothing is sent to it any more."""
        if self.closed:
            return
        self.closed = True
        self._waiting.clear()
        if abruptly or self._sending is not None:
            # What is half sent cannot be ended in good order.
            if self._sending is not None:
                self._sending.cancel()
            self.transport.abort()
        else:
            self.transport.finish()


def identity(principal: Principal) -> tuple[str, str, str]:
    """What makes two principals the same person."""
    return principal.kind, principal.collection_id, principal.id


def start(awaitable: Awaitable[None]) -> Awaitable[None] | None:
    """Run an awaitable until it first has to wait. None when it is done, else the rest, to be awaited.

    Granian's ``send`` takes a message at once while the connection keeps up. Writing to 2,000 streams this way
    cost 3 to 5 µs of the loop's time each, waking a task for each of them 13 to 19 µs.
    """
    steps = awaitable.__await__()
    try:
        waiting_for = next(steps)
    except StopIteration:
        return None
    return _rest(steps, waiting_for)


@types.coroutine
def _rest(steps: Generator[Any, None, None], waiting_for: Any) -> Generator[Any, None, None]:
    while True:
        error: BaseException | None = None
        try:
            yield waiting_for
        except BaseException as thrown:  # noqa: BLE001 (handed on to where it belongs)
            error = thrown
        try:
            waiting_for = next(steps) if error is None else _throw(steps, error)
        except StopIteration:
            return


def _throw(steps: Generator[Any, None, None], error: BaseException) -> Any:
    if not hasattr(steps, "throw"):
        # A server's own awaitable that takes none, as ``await`` allows.
        raise error
    return steps.throw(error)
