"""kill -9 at any point loses no answered write, and leaves none half written."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests import server as servers
from tests.system.app import TIMEOUT, App, project_rows

WRITES = 1000
CLIENTS = 50


@pytest.fixture(scope="module")
def stopped(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """An installation with the project ``crash``; each test starts and kills its server itself."""
    with servers.installation(tmp_path_factory.mktemp("server"), engine=server_kind) as server:
        server.create_project("crash")
        yield server


@pytest.mark.parametrize("kill_after", [1, 300, 900])
def test_every_answered_create_is_there_after_kill_9(stopped: servers.Server, kill_after: int) -> None:
    server = stopped
    server.start()
    app = App(server.project("crash")).sign_in()
    name = f"notes_{kill_after}"
    collection = app.create_collection(name, {"name": "number", "type": "number", "required": True})

    answered = asyncio.run(create_until_killed(server, app.url, name, kill_after))
    assert kill_after <= len(answered) < WRITES, "the server was to die while creates were under way"

    server.start()
    app = App(server.project("crash")).sign_in()
    stored = {record["id"]: record["number"] for record in app.records(name)}
    assert answered.items() <= stored.items()

    # The change log has exactly the records that exist, each once.
    logged = Counter(change["record"] for change in changes(server, collection["id"]))
    assert logged == Counter(list(stored))
    # And the project goes on.
    assert app.create(name, number=WRITES + 1)["number"] == WRITES + 1
    server.stop()
    if server.extra.get("MBAAS_DATABASE_URL") is None:
        with project_rows(server, "crash") as rows:
            assert rows("PRAGMA integrity_check") == [("ok",)]


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
                        f"{url}/api/collections/{collection}/records", json={"number": number}
                    )
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                answered[answer.json()["id"]] = number
                if len(answered) == kill_after:
                    server.kill()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return answered


def changes(server: servers.Server, collection_id: str) -> list[dict[str, str]]:
    with project_rows(server, "crash") as rows:
        found = rows(f"SELECT record, action FROM _changes WHERE collection = '{collection_id}'")
    assert {action for _, action in found} <= {"create"}
    return [{"record": record, "action": action} for record, action in found]
