"""A hub on a real project's database, with subscribers that only remember what they were sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import orjson

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.lanes import Lanes
from projects.errors import ApiError
from projects.principal import GUEST, Principal, RequestInfo
from projects.realtime.bus import Bus, LocalBus
from projects.realtime.client import Client
from projects.realtime.hub import NODE_LENGTH, Hub, Limits, random_text
from projects.realtime.sse import SseTransport
from projects.realtime.submission import Submission
from projects.records import rows
from projects.records.call import Call
from projects.records.changelog import log_change
from projects.records.events import listen, unlisten
from projects.rules import validate_rule
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.operations import create_collection, update_collection
from projects.schema.record_values import prepare_create
from projects.schema.store import load_schema

T = TypeVar("T")

SUPERUSER = Principal("superuser")
OPEN = {f"{action}Rule": "" for action in ("list", "view", "create", "update", "delete")}
LIMITS = Limits(idle_seconds=300, arrears=1000, clients=10_000, recheck_seconds=300)
SECONDS = 10


def topic(base: str, query: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None) -> str:
    """A topic with options, as the SDKs write it."""
    options = {"query": query or {}, "headers": headers or {}}
    return f"{base}?options={quote(orjson.dumps(options).decode())}"


class FakeTransport:
    """Takes everything at once, unless ``full``: then writing waits until it is not."""

    frame = staticmethod(SseTransport.frame)

    def __init__(self) -> None:
        self.sent = b""
        self.writes = 0
        self.finished = False
        self.aborted = False
        self.room = asyncio.Event()
        self.room.set()

    async def write(self, data: bytes) -> None:
        if not self.room.is_set():
            await self.room.wait()
        self.sent += data
        self.writes += 1

    def finish(self) -> None:
        self.finished = True

    def abort(self) -> None:
        self.aborted = True


class Listener:
    """A connected client and what it heard."""

    def __init__(self, stage: Stage, client: Client, transport: FakeTransport) -> None:
        self.stage = stage
        self.client = client
        self.transport = transport
        self._read = 0

    async def subscribe(self, *topics: str, who: str = "") -> None:
        """``who`` as in ``resolve``. Raises ApiError."""
        await self.stage.hub.submit(self.stage.project, Submission(self.client.id, topics), who)

    def frames(self) -> list[dict[str, str]]:
        """Everything that was sent since the last look, as the lines of each event."""
        new = self.transport.sent[self._read :]
        self._read = len(self.transport.sent)
        return [
            dict(line.split(":", 1) for line in block.split("\n"))
            for block in new.decode().split("\n\n")
            if block
        ]

    def heard(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(topic, action, record) of each event since the last look."""
        out = []
        for frame in self.frames():
            data = orjson.loads(frame["data"])
            out.append((frame["event"], data["action"], data["record"]))
        return out

    def actions(self) -> list[str]:
        return [action for _, action, _ in self.heard()]

    @property
    def ended(self) -> bool:
        return self.transport.finished or self.transport.aborted


class Stage:
    """One process's hub over one project."""

    def __init__(self, project: ProjectHandle, lanes: Lanes, hub: Hub, bus: Bus) -> None:
        self.project = project
        self.lanes = lanes
        self.hub = hub
        self.bus = bus

    async def connect(self, *topics: str, who: str = "") -> Listener:
        transport = FakeTransport()
        client = await self.hub.connect(self.project, transport)
        listener = Listener(self, client, transport)
        if topics:
            await listener.subscribe(*topics, who=who)
        return listener

    async def write(self, work: Callable[[Call], T]) -> T:
        """``work(call)`` in a transaction, as a superuser; when it returns every subscriber has been told."""
        result = await self.write_only(work)
        await self.settle()
        return result

    async def write_only(self, work: Callable[[Call], T]) -> T:
        return await self.lanes.write(self.project, lambda session: work(superuser_call(session)))

    async def settle(self) -> None:
        await until(lambda: is_quiet(self.hub))

    async def create(self, collection: CollectionSchema, **values: Any) -> dict[str, Any]:
        return await self.write(lambda call: insert(call, collection, **values))

    async def update(self, collection: CollectionSchema, record_id: str, **values: Any) -> dict[str, Any]:
        return await self.write(lambda call: change(call, collection, record_id, **values))

    async def delete(self, collection: CollectionSchema, record_id: str) -> None:
        await self.write(lambda call: remove(call, collection, record_id))

    async def collection(self, name: str, *fields: dict[str, Any], **options: Any) -> CollectionSchema:
        """Open to everyone unless ``options`` say otherwise."""
        data = {"name": name, "type": "base", "fields": list(fields), **OPEN, **options}
        return await self.write(
            lambda call: create_collection(call.session, data, validate_rule=validate_rule)
        )

    async def alter(self, which: str, **changed: Any) -> CollectionSchema:
        return await self.write(
            lambda call: update_collection(call.session, which, changed, validate_rule=validate_rule)
        )


@asynccontextmanager
async def stage(
    project: ProjectHandle,
    *,
    bus: Bus | None = None,
    limits: Limits = LIMITS,
    resolve: Callable[[Session, ProjectSchema, str], Principal] | None = None,
    hears_commits: bool = True,
) -> AsyncIterator[Stage]:
    """A running hub on ``project``.

    ``hears_commits``: commits of this process are its own. Not so for a hub that stands for another process.
    """
    lanes = Lanes()
    bus = bus or LocalBus(random_text(NODE_LENGTH))

    async def read(handle: ProjectHandle, work: Callable[[Session], T]) -> T:
        return await lanes.read(handle, work)

    async def serves(_: ProjectHandle) -> bool:
        return True

    hub = Hub(bus, read, resolve or by_name, serves, limits)
    await bus.start(hub)
    if hears_commits:
        listen(bus.publish)
    try:
        yield Stage(project, lanes, hub, bus)
    finally:
        hub.close_all()
        if hears_commits:
            unlisten(bus.publish)
        await bus.stop()
        await asyncio.to_thread(lanes.stop, 5)


def by_name(session: Session, schema: ProjectSchema, authorization: str) -> Principal:
    """``superuser``, or ``<user's id> <token key>``; anything else, and any other token key, is a guest."""
    if authorization == "superuser":
        return SUPERUSER
    user_id, _, key = authorization.partition(" ")
    users = schema.get("users")
    assert users is not None
    record = rows.find(Call(session, schema), users, user_id) if user_id else None
    if record is None or record["tokenKey"] != key:
        return GUEST
    return Principal("user", users.id, users.name, record)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


def is_quiet(hub: Hub) -> bool:
    """Whether everything that was heard of has been told."""
    idle = all(not p._waiting and p._running is None for p in hub._projects.values())
    return idle and not hub._dirty and not hub._flushing


def superuser_call(session: Session) -> Call:
    return Call(session, load_schema(session), RequestInfo(principal=SUPERUSER))


def insert(call: Call, collection: CollectionSchema, **values: Any) -> dict[str, Any]:
    record = prepare_create(collection, values)
    rows.insert(call, collection, record)
    log_change(call, collection, "create", record["id"], None, record)
    return record


def change(call: Call, collection: CollectionSchema, record_id: str, **values: Any) -> dict[str, Any]:
    before = rows.find(call, collection, record_id, lock=True)
    assert before is not None
    rows.update(call, collection, record_id, values)
    after = {**before, **values}
    log_change(call, collection, "update", record_id, before, after)
    return after


def remove(call: Call, collection: CollectionSchema, record_id: str) -> None:
    before = rows.find(call, collection, record_id, lock=True)
    assert before is not None
    rows.delete(call, collection, [record_id])
    log_change(call, collection, "delete", record_id, before, None)


async def make_user(stage: Stage, name: str, **values: Any) -> str:
    """A record of ``users``; returns what ``by_name`` knows it by."""
    users = await stage.lanes.read(stage.project, lambda session: load_schema(session).get("users"))
    assert users is not None
    record = await stage.create(
        users, email=f"{name}@example.com", name=name, tokenKey=f"key-of-{name}", **values
    )
    return f"{record['id']} {record['tokenKey']}"


async def users_of(stage: Stage) -> CollectionSchema:
    found = await stage.lanes.read(stage.project, lambda session: load_schema(session).get("users"))
    assert found is not None
    return found


async def status_of(call: Awaitable[Any]) -> int:
    """204 for a call that returns, else the status it was refused with."""
    try:
        await call
    except ApiError as error:
        return error.status
    return 204


def run(scenario: Awaitable[T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(SECONDS * 3):
            return await scenario

    return asyncio.run(bounded())


def text(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "text", **options}


def number(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "number", **options}


def boolean(name: str) -> dict[str, Any]:
    return {"name": name, "type": "bool"}


def relation(name: str, to: CollectionSchema) -> dict[str, Any]:
    return {"name": name, "type": "relation", "collectionId": to.id, "maxSelect": 1}
