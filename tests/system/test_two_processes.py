"""Several server processes on PostgreSQL and Redis behave as one."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import server as servers
from tests.conftest import SERVER_KINDS
from tests.system.app import TIMEOUT, App, sse_events

# With two processes that share the port by connection, the chance that one gets them all is 2^-23.
STREAMS = 24
SOON = 15

pytestmark = pytest.mark.skipif(
    "postgresql" not in SERVER_KINDS,
    reason="needs PostgreSQL and Redis: python -m tests.services postgres redis -- …",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.running(tmp_path_factory.mktemp("server"), engine="postgresql", workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def app(server: servers.Server) -> App:
    app = App(server.create_project("two")).sign_in()
    app.create_collection("notes", {"name": "number", "type": "number"})
    return app


def workers(server: servers.Server) -> list[int]:
    """The process ids of the supervisor's children."""
    assert server.process is not None
    pid = server.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_an_event_reaches_the_streams_of_every_process(app: App, server: servers.Server) -> None:
    assert len(workers(server)) == 2

    async def follow(http: httpx.AsyncClient, ready: asyncio.Semaphore) -> list[dict[str, Any]]:
        async with http.stream("GET", f"{app.url}/api/realtime") as stream:
            events = sse_events(stream)
            client_id = (await anext(events))["data"]["clientId"]
            # On a connection of its own: as likely as not it reaches the other process.
            async with httpx.AsyncClient(timeout=TIMEOUT) as another:
                answer = await another.post(
                    f"{app.url}/api/realtime", json={"clientId": client_id, "subscriptions": ["notes/*"]}
                )
            assert answer.status_code == 204, answer.text
            ready.release()
            return [await asyncio.wait_for(anext(events), SOON) for _ in range(3)]

    async def run() -> list[list[dict[str, Any]]]:
        ready = asyncio.Semaphore(0)
        async with httpx.AsyncClient(timeout=TIMEOUT, limits=httpx.Limits(max_connections=None)) as http:
            following = [asyncio.create_task(follow(http, ready)) for _ in range(STREAMS)]
            for _ in range(STREAMS):
                await asyncio.wait_for(ready.acquire(), TIMEOUT)
            await asyncio.to_thread(write)
            return await asyncio.gather(*following)

    def write() -> None:
        # Each on a new connection, so that both processes write.
        for number in range(3):
            answer = httpx.post(f"{app.url}/api/collections/notes/records", json={"number": number})
            assert answer.status_code == 200, answer.text

    for events in asyncio.run(run()):
        assert [(event["event"], event["data"]["action"]) for event in events] == [("notes/*", "create")] * 3
        assert sorted(event["data"]["record"]["number"] for event in events) == [0, 1, 2]


def test_a_changed_collection_holds_at_once_in_every_process(app: App) -> None:
    app.create_collection("later", {"name": "title", "type": "text"})
    path = f"{app.url}/api/collections/later/records"
    for _ in range(STREAMS):
        assert httpx.get(path).status_code == 200
    app.call("PATCH", "/api/collections/later", {"listRule": None})
    for _ in range(STREAMS):
        assert httpx.get(path).status_code == 403


def test_a_changed_password_ends_sessions_in_every_process(app: App) -> None:
    own = "id = @request.auth.id"
    app.create_collection("people", type="auth", listRule=own, viewRule=own, updateRule=own, deleteRule=own)
    password = {"password": "first-password", "passwordConfirm": "first-password"}
    person = app.create("people", email="alice@example.com", **password)
    signed_in = httpx.post(
        f"{app.url}/api/collections/people/auth-with-password",
        json={"identity": "alice@example.com", "password": "first-password"},
    ).json()
    headers = {"Authorization": signed_in["token"]}
    view = f"{app.url}/api/collections/people/records/{person['id']}"
    # Seen by both, so that both could remember it.
    for _ in range(STREAMS):
        assert httpx.get(view, headers=headers).status_code == 200
    password = {"password": "second-password", "passwordConfirm": "second-password"}
    app.call("PATCH", f"/api/collections/people/records/{person['id']}", password)
    for _ in range(STREAMS):
        assert httpx.get(view, headers=headers).status_code == 404


def test_a_process_that_dies_is_replaced(app: App, server: servers.Server) -> None:
    before = workers(server)
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (len(workers(server)) < 2 or before[0] in workers(server)):
        time.sleep(0.1)
    after = workers(server)
    assert len(after) == 2
    assert before[1] in after
    while time.monotonic() < deadline:
        try:
            if all(httpx.get(f"{server.url}/readyz").status_code == 200 for _ in range(STREAMS)):
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail("the new process did not become ready")
