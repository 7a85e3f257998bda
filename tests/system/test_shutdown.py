"""A stop loses nothing: streams are ended for their clients to reconnect, requests are finished."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import server as servers
from tests.system.app import TIMEOUT, App, sse_events

# A server that sits its time out instead of ending when nothing is under way any more is found out.
SHUTDOWN_SECONDS = 30
PROMPTLY = 15


@pytest.fixture
def app(server: servers.Server) -> App:
    """A project on a running server that a test may stop; it runs again afterwards."""
    return app_of(server)


@pytest.fixture(scope="module")
def server(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder = tmp_path_factory.mktemp("server")
    settings = {"MBAAS_SHUTDOWN_SECONDS": str(SHUTDOWN_SECONDS)}
    with servers.installation(folder, engine=server_kind, **settings) as installed:
        installed.create_project("stop")
        yield installed


def app_of(server: servers.Server) -> App:
    if server.process is None or server.process.poll() is not None:
        server.start()
    app = App(server.project("stop")).sign_in()
    names = [item["name"] for item in app.call("GET", "/api/collections?perPage=200")["items"]]
    if "notes" not in names:
        app.create_collection("notes", {"name": "number", "type": "number"})
    return app


def test_a_stream_is_ended_and_its_client_comes_back(app: App, server: servers.Server) -> None:
    async def follow() -> float:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT) as http,
            http.stream("GET", f"{app.url}/api/realtime") as stream,
        ):
            events = sse_events(stream)
            assert (await anext(events))["event"] == "PB_CONNECT"
            server.terminate()
            stopped = time.monotonic()
            # Ended properly: a broken stream would raise.
            async for _ in events:
                pass
            return time.monotonic() - stopped

    assert asyncio.run(follow()) < PROMPTLY
    assert server.wait() == 0
    again = app_of(server)
    with httpx.stream("GET", f"{again.url}/api/realtime", timeout=TIMEOUT) as stream:
        assert next(stream.iter_lines()).startswith("id:")


def test_a_request_under_way_is_finished(app: App, server: servers.Server) -> None:
    body = json.dumps({"number": 42}).encode()
    path = app.url.removeprefix(server.url) + "/api/collections/notes/records"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT) as peer:
        peer.sendall(head.encode() + body[:5])
        time.sleep(0.3)
        server.terminate()
        time.sleep(0.5)
        peer.sendall(body[5:])
        answer = peer.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert server.wait() == 0
    again = app_of(server)
    assert 42 in [record["number"] for record in again.records("notes")]


def test_writes_during_a_stop_are_answered_or_refused_and_never_half(
    app: App, server: servers.Server
) -> None:
    async def write() -> dict[str, int]:
        answered: dict[str, int] = {}

        async def client(first: int) -> None:
            async with httpx.AsyncClient(timeout=TIMEOUT) as http:
                for number in range(first, first + 1000):
                    try:
                        answer = await http.post(
                            f"{app.url}/api/collections/notes/records", json={"number": number}
                        )
                    except httpx.TransportError:
                        return
                    if answer.status_code == 503:
                        return
                    assert answer.status_code == 200, answer.text
                    answered[answer.json()["id"]] = number

        async def end() -> None:
            await asyncio.sleep(0.5)
            server.terminate()

        await asyncio.gather(end(), *(client(1000 * n) for n in range(1, 21)))
        return answered

    answered = asyncio.run(write())
    assert answered
    assert server.wait() == 0
    stored = {record["id"]: record["number"] for record in app_of(server).records("notes")}
    assert answered.items() <= stored.items()


def test_an_idle_connection_does_not_hold_up_the_stop(app: App, server: servers.Server) -> None:
    with httpx.Client(timeout=TIMEOUT) as http, socket.create_connection(("127.0.0.1", server.port)):
        assert http.get(f"{app.url}/api/health").status_code == 200
        started = time.monotonic()
        server.terminate()
        assert server.wait() == 0
        assert time.monotonic() - started < PROMPTLY


def test_a_server_that_is_told_to_stop_on_its_way_up_ends(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(TIMEOUT)
        # A Redis that takes connections and says nothing: the start waits for it for some seconds.
        redis = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        extra = {"MBAAS_REDIS_URL": redis, "MBAAS_EMBEDDED_WORKER": "off"}
        with servers.installation(tmp_path / "server", **extra) as server:
            server.launch()
            connection, _ = silent.accept()
            with connection:
                server.terminate()
                started = time.monotonic()
                assert server.wait() == 0
                assert time.monotonic() - started < 2 * PROMPTLY
    assert "Traceback" not in server.log_tail()
