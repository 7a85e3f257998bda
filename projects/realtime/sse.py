"""Server-sent events over raw ASGI.

The hub writes to the stream itself; the stream's own task only waits for the client to go away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from projects.context import ProjectHandle
from projects.realtime.client import GONE, start
from projects.realtime.hub import Hub

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    # nginx would otherwise hold events back.
    (b"x-accel-buffering", b"no"),
]
CONNECTED = "PB_CONNECT"
# How long a stream that was ended may take to go.
END_SECONDS = 5


class SseTransport:
    """Writes to one stream. Made inside the task that serves it."""

    __slots__ = ("_send", "_task", "aborted", "over")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._task = asyncio.current_task()
        self.aborted = False
        self.over = False

    @staticmethod
    def frame(topic: str, seq: int, data: bytes) -> bytes:
        return b"id:%d\nevent:%b\ndata:%b\n\n" % (seq, topic.encode(errors="replace"), data)

    def write(self, data: bytes) -> Awaitable[None]:
        return self._send({"type": "http.response.body", "body": data, "more_body": True})

    def finish(self) -> None:
        try:
            rest = start(self._send({"type": "http.response.body", "body": b"", "more_body": False}))
        except GONE:
            rest = None
        if rest is not None:
            self.abort()
        else:
            # ASGI tells a finished response that its client has gone; not for ever if the server does not.
            asyncio.get_running_loop().call_later(END_SECONDS, self.abort)

    def abort(self) -> None:
        if self._task is not None and not self.over and not self.aborted:
            self.aborted = True
            self._task.cancel()


async def serve_stream(hub: Hub, project: ProjectHandle, receive: Receive, send: Send) -> None:
    """Answer with a stream of events until the client leaves or the hub ends it.

    The first event tells the client its id. Raises ApiError before anything is sent when the hub takes no
    more clients.
    """
    transport = SseTransport(send)
    client = await hub.connect(project, transport)
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        hello = b'id:%b\nevent:%b\ndata:{"clientId":"%b"}\n\n' % (
            client.id.encode(), CONNECTED.encode(), client.id.encode(),
        )  # fmt: skip
        await transport.write(hello)
        while (await receive())["type"] != "http.disconnect":
            pass
    except GONE:
        pass
    except asyncio.CancelledError:
        if not transport.aborted:
            raise
        # It was our own doing: the task ends as if the client had left, and the server drops the connection.
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
    finally:
        transport.over = True
        hub.disconnect(client)


async def answer_head(send: Send) -> None:
    """HEAD: the headers alone."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b""})
