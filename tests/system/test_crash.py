"""kill -9 at any point loses no answered write, and leaves none half written."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from tests import server as servers
from tests.system.app import TIMEOUT, App, project_rows

WRITES = 1000
CLIENTS = 50


@pytest.fixture(scope="module")
def stopped(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """An installation with the project ``crash``; each test starts and kills its server itself."""
    folder = tmp_path_factory.mktemp("server")
    with servers.installation(folder, engine=server_kind, MBAAS_RESTORE_STEP="50") as server:
        server.create_project("crash")
        yield server


@pytest.mark.parametrize("kill_after", [1, 300, 900])
def test_every_answered_create_is_there_after_kill_9(stopped: servers.Server, kill_after: int) -> None:
    server = stopped
    server.start()
    app = App(server.project("crash")).sign_in()
    name = f"notes_{kill_after}"
    collection = app.create_collection(
        name,
        {"name": "number", "type": "number", "required": True},
        {"name": "title", "type": "text", "searchable": True},
    )

    answered = asyncio.run(create_until_killed(server, app.url, name, kill_after))
    assert kill_after <= len(answered) < WRITES, "the server was to die while creates were under way"

    server.start()
    app = App(server.project("crash")).sign_in()
    stored = {record["id"]: record["number"] for record in app.records(name)}
    assert answered.items() <= stored.items()

    # The change log has exactly the records that exist, each once.
    logged = Counter(change["record"] for change in changes(server, collection["id"]))
    assert logged == Counter(list(stored))
    # So has what they are searched by.
    found = app.records(name, search="note")
    assert {record["id"] for record in found} == set(stored)
    # And the project goes on.
    assert app.create(name, number=WRITES + 1)["number"] == WRITES + 1
    server.stop()
    if server.extra.get("MBAAS_DATABASE_URL") is None:
        with project_rows(server, "crash") as rows:
            assert rows("PRAGMA integrity_check") == [("ok",)]


def test_writes_whose_answers_kill_9_took_are_answered_when_sent_again(stopped: servers.Server) -> None:
    server = stopped
    server.start()
    app = App(server.project("crash")).sign_in()
    app.create_collection("once", {"name": "number", "type": "number", "required": True})
    answered = asyncio.run(create_until_killed(server, app.url, "once", 300))

    server.start()
    app = App(server.project("crash")).sign_in()
    stored = {record["number"]: record["id"] for record in app.records("once")}
    lost = set(stored) - set(answered.values())
    again: dict[int, str] = {}
    with httpx.Client(timeout=TIMEOUT) as http:
        for number in range(1, max(stored) + 51):
            answer = http.post(
                f"{app.url}/api/collections/once/records",
                json=note(number),
                headers=key_of("once", number),
            )
            assert answer.status_code == 200, answer.text
            assert ("idempotency-replayed" in answer.headers) == (number in stored)
            again[number] = answer.json()["id"]
    assert stored.items() <= again.items()
    assert {number: record_id for record_id, number in answered.items()}.items() <= again.items()
    assert len(app.records("once")) == len(again)
    server.stop()
    print(f"{len(lost)} of {len(stored)} committed writes had been answered to nobody")


def test_a_write_that_was_committed_and_never_answered_is_not_done_twice(stopped: servers.Server) -> None:
    server = stopped
    server.start()
    app = App(server.project("crash")).sign_in()
    app.create_collection("silent", {"name": "number", "type": "number"})
    body = b'{"number": 7}'
    head = (
        f"POST /p/crash/api/collections/silent/records HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Idempotency-Key: {key_of('silent', 7)['Idempotency-Key']}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        # The client never reads: for it, the answer was lost.
        deadline = time.monotonic() + TIMEOUT
        while not (stored := app.records("silent")):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        server.kill()

    server.start()
    app = App(server.project("crash")).sign_in()
    for _ in range(2):
        answer = httpx.post(
            f"{app.url}/api/collections/silent/records",
            json={"number": 7},
            headers=key_of("silent", 7),
            timeout=TIMEOUT,
        )
        assert answer.headers["idempotency-replayed"] == "true"
        assert answer.json()["id"] == stored[0]["id"]
    assert len(app.records("silent")) == 1
    server.stop()


def test_a_restoration_that_kill_9_cuts_short_is_finished_when_asked_for_again(
    stopped: servers.Server,
) -> None:
    server = stopped
    server.start()
    app = App(server.project("crash")).sign_in()
    app.create_collection("notes", {"name": "number", "type": "number"})
    path = "/api/collections/notes"
    for first in range(0, 1000, 50):
        requests = [
            {"method": "POST", "url": f"{path}/records", "body": {"number": number}}
            for number in range(first, first + 50)
        ]
        app.call("POST", "/api/batch", {"requests": requests})
    before = app.records("notes")
    at = datetime.now(UTC).isoformat()
    time.sleep(0.01)
    app.call("DELETE", f"{path}/truncate")
    app.create("notes", number=-1)
    assert app.call("GET", f"{path}/records?perPage=1")["totalItems"] == 1

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(
            httpx.post, f"{app.url}{path}/restore", json={"at": at}, headers=app.headers, timeout=TIMEOUT
        )
        deadline = time.monotonic() + TIMEOUT
        while app.call("GET", f"{path}/records?perPage=1")["totalItems"] < 2:
            assert time.monotonic() < deadline
        server.kill()
        assert isinstance(asked.exception(), httpx.TransportError), "it was to die while it restored"

    server.start()
    app = App(server.project("crash")).sign_in()
    some = app.records("notes")
    assert 0 < len(some) < len(before)
    assert all(record in before for record in some)
    answer = app.call("POST", f"{path}/restore", {"at": at})
    assert (answer["created"], answer["problems"]["count"]) == (len(before) - len(some), 0)
    assert app.records("notes") == before
    server.stop()


def key_of(collection: str, number: int) -> dict[str, str]:
    return {"Idempotency-Key": f"the creation of {number} in {collection}"}


def note(number: int) -> dict[str, object]:
    return {"number": number, "title": f"note {number}"}


async def create_until_killed(
    server: servers.Server, url: str, collection: str, kill_after: int
) -> dict[str, int]:
    """Create records from many clients at once and kill the server amid; the number of each answered id."""
    answered: dict[str, int] = {}
    numbers = iter(range(1, WRITES + 1))

    async def client() -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT) as http:
            for number in numbers:
                try:
                    answer = await http.post(
                        f"{url}/api/collections/{collection}/records",
                        json=note(number),
                        headers=key_of(collection, number),
                    )
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                answered[answer.json()["id"]] = number
                if len(answered) == kill_after:
                    server.kill()
                    # The clients went away with it: what was on its way to them is lost.
                    for task in clients:
                        task.cancel()

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    for outcome in await asyncio.gather(*clients, return_exceptions=True):
        if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
            raise outcome
    return answered


def changes(server: servers.Server, collection_id: str) -> list[dict[str, str]]:
    with project_rows(server, "crash") as rows:
        found = rows(f"SELECT record, action FROM _changes WHERE collection = '{collection_id}'")
    assert {action for _, action in found} <= {"create"}
    return [{"record": record, "action": action} for record, action in found]
