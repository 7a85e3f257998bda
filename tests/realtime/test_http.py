"""``/api/realtime`` as a client sees it, through the API's own router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from django.test import override_settings

from projects.api.app import app
from projects.context import ProjectHandle, use_project
from projects.databases.lanes import stop_lanes
from projects.realtime import service
from projects.realtime.service import close_streams, hub, start_realtime, stop_realtime
from tests.realtime.support import SUPERUSER, run, until
from tests.realtime.test_sse import HELLO, Connection

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
WRONG = {"status": 400, "message": "Something went wrong while processing your request.", "data": {}}


@asynccontextmanager
async def server() -> AsyncIterator[None]:
    await start_realtime()
    try:
        yield
    finally:
        close_streams()
        await stop_realtime()
        await asyncio.to_thread(stop_lanes, 5)


def scope(method: str, content_type: str = "", authorization: str = "") -> dict[str, Any]:
    headers = [(b"content-type", content_type.encode()), (b"authorization", authorization.encode())]
    return {
        "type": "http", "method": method, "path": "/api/realtime", "root_path": "", "query_string": b"",
        "headers": [header for header in headers if header[1]], "client": ("127.0.0.1", 1),
    }  # fmt: skip


async def post(project: ProjectHandle, body: bytes, content_type: str = JSON) -> tuple[int, Any]:
    """(status, body) of a submission."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with use_project(project):
        await app(scope("POST", content_type), receive, send)
    raw = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], orjson.loads(raw) if raw else None


@asynccontextmanager
async def stream(project: ProjectHandle, method: str = "GET") -> AsyncIterator[Connection]:
    connection = Connection()

    async def serve() -> None:
        with use_project(project):
            await app(scope(method), connection.receive, connection.send)

    task = asyncio.create_task(serve())
    await until(lambda: connection.finished or HELLO.match(connection.body) is not None)
    try:
        yield connection
    finally:
        connection.leave()
        await asyncio.wait_for(task, 5)


def test_a_stream_is_opened_and_its_client_subscribes(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with server(), stream(project) as connection:
            body = {"clientId": connection.client_id, "subscriptions": ["posts/*", None]}
            assert await post(project, orjson.dumps(body)) == (204, None)
            client = hub()._projects[project.uid].roster.clients[connection.client_id]
            assert list(client.topics) == ["posts/*", ""]

    run(scenario())


@pytest.mark.parametrize(
    ("fields", "topics"),
    [
        ([("subscriptions", "posts/*")], ["posts/*"]),
        ([("subscriptions", "a"), ("subscriptions", "1")], ["a", "1"]),
        ([], []),
    ],
)
def test_a_form_says_the_same(
    project: ProjectHandle, fields: list[tuple[str, str]], topics: list[str]
) -> None:
    async def scenario() -> None:
        async with server(), stream(project) as connection:
            body = urlencode([("clientId", connection.client_id), *fields]).encode()
            assert await post(project, body, FORM) == (204, None)
            client = hub()._projects[project.uid].roster.clients[connection.client_id]
            assert list(client.topics) == topics

    run(scenario())


REQUIRED = {"clientId": {"code": "validation_required", "message": "Cannot be blank."}}


@pytest.mark.parametrize(
    ("body", "content_type", "answer"),
    [
        (b"{bad", JSON, WRONG),
        (b"[]", JSON, WRONG),
        (b'"x"', JSON, WRONG),
        (b'{"clientId":5}', JSON, WRONG),
        (b'{"clientId":"x","subscriptions":"posts"}', JSON, WRONG),
        (b"clientId=x", "text/plain", WRONG),
        (b"", JSON, {**WRONG, "data": REQUIRED}),
        (b"{}", JSON, {**WRONG, "data": REQUIRED}),
        (b'{"clientId":"x"}', JSON, {"status": 404, "message": "Missing or invalid client id.", "data": {}}),
    ],
)
def test_what_is_wrong_is_answered_in_the_error_shape(
    project: ProjectHandle, body: bytes, content_type: str, answer: dict[str, Any]
) -> None:
    async def scenario() -> None:
        async with server():
            assert await post(project, body, content_type) == (answer["status"], answer)

    run(scenario())


def test_a_client_bound_to_somebody_else_is_refused(project: ProjectHandle) -> None:

    async def scenario() -> None:
        async with server(), stream(project) as connection:
            client = hub()._projects[project.uid].roster.clients[connection.client_id]
            hub()._projects[project.uid].roster.bind(client, SUPERUSER, (), {})
            status, body = await post(project, orjson.dumps({"clientId": client.id}))
            assert (status, body["message"]) == (
                403, "The current and the previous request authorization don't match.",
            )  # fmt: skip

    run(scenario())


def test_head_opens_no_stream(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with server(), stream(project, "HEAD") as connection:
            assert connection.messages[0]["status"] == 200
            assert connection.body == b""
            assert not hub()._projects

    run(scenario())


@override_settings(MBAAS_REALTIME_MAX_CLIENTS=1)
def test_one_client_too_many_is_told_to_come_back(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with server(), stream(project), stream(project) as second:
            assert second.messages[0]["status"] == 503
            assert (b"retry-after", b"1") in second.messages[0]["headers"]
            assert orjson.loads(second.body)["status"] == 503

    run(scenario())


def test_other_methods_are_not_found(project: ProjectHandle) -> None:
    async def scenario() -> None:
        connection = Connection()
        with use_project(project):
            await app(scope("DELETE"), connection.receive, connection.send)
        assert connection.messages[0]["status"] == 404

    run(scenario())


@pytest.mark.parametrize(
    ("found", "served"),
    [({}, True), ({"status": "suspended"}, False), ({"uid": "another"}, False), (None, False)],
)
def test_a_project_is_served_while_it_is_at_its_address_and_not_suspended(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, str] | None, served: bool
) -> None:
    project = ProjectHandle("uid", "demo", "sqlite", "local")

    async def find(ref: str) -> ProjectHandle | None:
        return None if found is None else replace(project, **found)

    monkeypatch.setattr(service, "find_project", find)
    assert run(service.is_served(project)) is served
