"""The stream over ASGI: what is sent, and how it ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.errors import ApiError
from projects.realtime import sse
from projects.realtime.sse import SseTransport, answer_head, serve_stream
from projects.realtime.submission import Submission
from tests.realtime.support import Stage, run, stage, status_of, until

HELLO = re.compile(rb'id:(\w{40})\nevent:PB_CONNECT\ndata:\{"clientId":"\1"\}\n\n')


class Connection:
    """A client's connection, as a server presents it to the application."""

    def __init__(self, *, tells_when_finished: bool = True) -> None:
        self.messages: list[dict[str, Any]] = []
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._received.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        self._tells_when_finished = tells_when_finished
        self.room = asyncio.Event()
        self.room.set()

    async def receive(self) -> dict[str, Any]:
        return await self._received.get()

    async def send(self, message: dict[str, Any]) -> None:
        if not self.room.is_set():
            await self.room.wait()
        self.messages.append(message)
        if (
            message["type"] == "http.response.body"
            and not message.get("more_body")
            and self._tells_when_finished
        ):
            self.leave()

    def leave(self) -> None:
        self._received.put_nowait({"type": "http.disconnect"})

    @property
    def body(self) -> bytes:
        return b"".join(m["body"] for m in self.messages if m["type"] == "http.response.body")

    @property
    def finished(self) -> bool:
        last = self.messages[-1] if self.messages else {}
        return last.get("type") == "http.response.body" and not last.get("more_body")

    @property
    def client_id(self) -> str:
        hello = HELLO.match(self.body)
        assert hello is not None, self.body
        return hello[1].decode()


@asynccontextmanager
async def streaming(s: Stage, connection: Connection) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(serve_stream(s.hub, s.project, connection.receive, connection.send))
    await until(lambda: HELLO.match(connection.body) is not None)
    try:
        yield task
    finally:
        connection.leave()
        await asyncio.wait({task}, timeout=5)
        assert task.done()


def test_a_stream_begins_with_its_headers_and_the_clients_id(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            connection = Connection()
            async with streaming(s, connection):
                start, first = connection.messages
                assert start["status"] == 200
                assert dict(start["headers"]) == {
                    b"content-type": b"text/event-stream",
                    b"cache-control": b"no-store",
                    b"x-accel-buffering": b"no",
                }
                assert HELLO.fullmatch(first["body"]) and first["more_body"]
                other = Connection()
                async with streaming(s, other):
                    assert other.client_id != connection.client_id

    run(scenario())


def test_an_event_is_its_number_its_topic_and_its_data(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts")
            connection = Connection()
            async with streaming(s, connection):
                await s.hub.submit(project, Submission(connection.client_id, ("posts/*?x=ä",)), "")
                await s.create(posts, id="r00000000000000")
                event = connection.messages[-1]["body"].decode()
                pattern = r'id:\d+\nevent:posts/\*\?x=ä\ndata:\{"record":\{.*\},"action":"create"\}\n\n'
                assert re.fullmatch(pattern, event)

    run(scenario())


def test_a_client_that_leaves_is_forgotten(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            connection = Connection()
            async with streaming(s, connection) as task:
                submission = Submission(connection.client_id, ("x",))
                assert await status_of(s.hub.submit(project, submission, "")) == 204
                connection.leave()
                await task
                assert await status_of(s.hub.submit(project, submission, "")) == 404
                assert s.hub._count == 0

    run(scenario())


def test_a_stream_that_the_hub_ends_is_ended_in_good_order(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            connection = Connection()
            async with streaming(s, connection) as task:
                s.hub.close_all()
                await task
                assert connection.finished
                assert s.hub._count == 0

    run(scenario())


def test_a_server_that_does_not_say_that_the_client_has_gone_cannot_hold_a_stream(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "END_SECONDS", 0.02)

    async def scenario() -> None:
        async with stage(project) as s:
            connection = Connection(tells_when_finished=False)
            async with streaming(s, connection) as task:
                s.hub.close_all()
                await asyncio.wait_for(task, 5)

    run(scenario())


def test_a_stream_that_takes_nothing_is_cut_off_and_its_task_ends_quietly(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts")
            connection = Connection()
            async with streaming(s, connection) as task:
                await s.hub.submit(project, Submission(connection.client_id, ("posts/*",)), "")
                connection.room.clear()
                await s.write_only(lambda call: None)
                await s.create(posts)
                s.hub.close_all()
                await asyncio.wait_for(task, 5)
                assert not task.cancelled() and not connection.finished

    run(scenario())


def test_a_cancellation_from_outside_is_not_swallowed(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            connection = Connection()
            async with streaming(s, connection) as task:
                task.cancel()
                await asyncio.wait({task})
                assert task.cancelled()
                assert s.hub._count == 0

    run(scenario())


def test_nothing_is_sent_when_no_more_clients_are_taken(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            s.hub.close_all()
            connection = Connection()
            with pytest.raises(ApiError) as refused:
                await serve_stream(s.hub, project, connection.receive, connection.send)
            assert refused.value.status == 503
            assert connection.messages == []

    run(scenario())


def test_head_is_answered_with_the_headers_alone() -> None:
    async def scenario() -> None:
        connection = Connection()
        await answer_head(connection.send)
        assert [m["type"] for m in connection.messages] == ["http.response.start", "http.response.body"]
        assert connection.body == b""

    run(scenario())


def test_a_topic_that_is_no_unicode_does_not_break_the_frame() -> None:
    assert SseTransport.frame("x\ud800", 1, b"{}") == b"id:1\nevent:x?\ndata:{}\n\n"
