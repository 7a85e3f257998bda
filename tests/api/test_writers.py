"""Fifty writers at once, in every way there is to write to one record: no update is lost, no batch half done."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from tests.api.support import Client, records, serve
from tests.records.support import changes, collection, create, number, text

COUNTER = records("counters", "counter00000001")


def make(project: ProjectHandle) -> None:
    with write_session(project) as session:
        counters = collection(
            session,
            "counters",
            number("n"),
            {"name": "tags", "type": "select", "values": [f"t{n}" for n in range(10)], "maxSelect": 10},
        )
        collection(
            session, "claims", text("name"), text("by"), indexes=["CREATE UNIQUE INDEX one ON claims (name)"]
        )
        create(session, counters, id="counter00000001", n=0)


async def add_one(client: Client) -> bool:
    return (await client.patch(COUNTER, json={"n+": 1})).status_code == 200


async def add_tag(client: Client, tag: str) -> bool:
    return (await client.patch(COUNTER, json={"tags+": tag})).status_code == 200


async def claim(client: Client, name: str, by: int) -> bool:
    """Ten for the claim of a name, which one alone can have."""
    requests = [
        {"method": "PATCH", "url": COUNTER, "body": {"n+": 10}},
        {"method": "POST", "url": records("claims"), "body": {"name": name, "by": str(by)}},
    ]
    answer = await client.post("/api/batch", json={"requests": requests})
    assert answer.status_code in (200, 400)
    return answer.status_code == 200


async def read_and_add(client: Client) -> bool:
    """A hundred on top of what was read, tried until nobody came between."""
    for _ in range(500):
        seen = await client.get(COUNTER)
        answer = await client.patch(
            COUNTER, json={"n": seen.json()["n"] + 100}, headers={"If-Match": seen.headers["ETag"]}
        )
        if answer.status_code == 200:
            return True
        assert answer.status_code == 412
    return False


def test_fifty_writers_at_once_lose_nothing_and_leave_nothing_half_done(project: ProjectHandle) -> None:
    make(project)

    async def test(client: Client) -> None:
        kinds: list[tuple[str, Any]] = [
            *(("one", add_one(client)) for _ in range(15)),
            *(("tag", add_tag(client, f"t{n}")) for n in range(10)),
            *(("claim", claim(client, f"name{n % 5}", n)) for n in range(15)),
            *(("read", read_and_add(client)) for _ in range(10)),
        ]
        # In turns, so that every kind meets every other.
        kinds = [kind for start in range(7) for kind in kinds[start::7]]
        done = await asyncio.gather(*(work for _, work in kinds))
        succeeded = Counter(name for (name, _), success in zip(kinds, done, strict=True) if success)
        assert succeeded == {"one": 15, "tag": 10, "claim": 5, "read": 10}

        found = (await client.get(COUNTER)).json()
        assert found["n"] == 15 + 5 * 10 + 10 * 100
        assert sorted(found["tags"]) == [f"t{n}" for n in range(10)]
        claims = (await client.get(records("claims"))).json()["items"]
        assert sorted(one["name"] for one in claims) == [f"name{n}" for n in range(5)]

    serve(project, test)
    with read_session(project) as session:
        log = Counter(action for action, _ in changes(session))
    assert log == {"create": 1 + 5, "update": 15 + 10 + 5 + 10}
