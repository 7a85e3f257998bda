"""One project's subscribers in this process, and the way of a change to them.

Changes are handled one after another, so each client hears them in the order of their commits. What Python
can decide is decided on the event loop; what needs the database waits for a lane, and later changes of the
project wait behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from projects.context import ProjectHandle, use_project
from projects.databases import Session
from projects.principal import GUEST, Principal, RequestInfo
from projects.realtime.audience import Audience, Plan, make_plan
from projects.realtime.client import Client
from projects.realtime.latest import Latest
from projects.realtime.offline import NeedsDatabaseError, OfflineSession
from projects.realtime.rendering import Rendering, outcome
from projects.realtime.topics import Topic, bases
from projects.records.call import Call
from projects.records.events import ChangeEvent
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.store import load_schema

log = structlog.get_logger("mbaas.realtime")

T = TypeVar("T")

# How long changes are handled before the loop gets its turn.
SLICE_SECONDS = 0.005
# What one visit to a lane decides at most: readers that wait behind it must not wait long.
GROUPS_PER_READ = 50


class Read(Protocol):
    """``lanes().read``"""

    async def __call__(self, project: ProjectHandle, work: Callable[[Session], T]) -> T: ...


@dataclass(frozen=True, slots=True)
class Hearing:
    """Some subscribers of a topic who get the same answer; ``view`` says how they see the record."""

    audience: Audience
    plan: Plan
    request: RequestInfo
    clients: tuple[Client, ...]
    view: Any


class ProjectHub:
    """``deliver(client, frame)`` queues a frame for a client; ``drop(clients, why)`` has them connect anew."""

    def __init__(
        self,
        project: ProjectHandle,
        read: Read,
        deliver: Callable[[Client, bytes], None],
        drop: Callable[[Iterable[Client], str], None],
    ) -> None:
        self.project = project
        self.clients: dict[str, Client] = {}
        self.empty_since = time.monotonic()
        self._read = read
        self._deliver = deliver
        self._drop = drop
        self._audiences: dict[str, dict[str, Audience]] = {}
        self._users: dict[tuple[str, str], dict[Client, None]] = {}
        self._schema: ProjectSchema | None = None
        self._latest = Latest() if project.engine == "postgresql" else None
        self._offline = OfflineSession(project)
        self._waiting: deque[ChangeEvent] = deque()
        self._running: asyncio.Task[None] | asyncio.Handle | None = None
        # While principals are being found out: whose records changed meanwhile.
        self._finding = 0
        self._changed: set[tuple[str, str]] = set()

    # --- who is here ---------------------------------------------------------------------------------

    def add(self, client: Client) -> None:
        self.clients[client.id] = client

    def remove(self, client: Client) -> None:
        if self.clients.pop(client.id, None) is not None:
            self._leave(client)
            if not self.clients:
                self.empty_since = time.monotonic()

    def bind(self, client: Client, principal: Principal, topics: Iterable[Topic]) -> None:
        """Replace what the client is subscribed to, and as whom."""
        self._leave(client)
        client.principal = principal
        client.topics = {topic.text: topic for topic in topics}
        self._join(client)

    async def find_principal(self, find: Callable[[Session, ProjectSchema], Principal]) -> Principal:
        """``find(session, schema)`` such that no change of that user, heard of meanwhile, is missed."""
        self._finding += 1
        try:
            while True:
                self._changed.clear() if self._finding == 1 else None
                principal = await self._read(self.project, lambda session: find(session, load_schema(session)))
                if (principal.collection_id, principal.id) not in self._changed:
                    return principal
        finally:
            self._finding -= 1

    def _join(self, client: Client) -> None:
        for topic in client.topics.values():
            texts = self._audiences.setdefault(topic.base, {})
            audience = texts.get(topic.text)
            if audience is None:
                audience = texts[topic.text] = Audience(topic)
            audience.join(client)
        if client.principal.kind == "user":
            key = (client.principal.collection_id, client.principal.id)
            self._users.setdefault(key, {})[client] = None

    def _leave(self, client: Client) -> None:
        for topic in client.topics.values():
            texts = self._audiences[topic.base]
            audience = texts[topic.text]
            audience.leave(client)
            if not audience:
                del texts[topic.text]
                if not texts:
                    del self._audiences[topic.base]
        key = (client.principal.collection_id, client.principal.id)
        if client in self._users.get(key, ()):
            del self._users[key][client]
            if not self._users[key]:
                del self._users[key]

    # --- changes -------------------------------------------------------------------------------------

    def receive(self, event: ChangeEvent) -> None:
        self._waiting.append(event)
        if self._running is None:
            self._go_on()

    def _go_on(self) -> None:
        self._running = None
        deadline = time.monotonic() + SLICE_SECONDS
        loop = asyncio.get_running_loop()
        while self._waiting:
            if time.monotonic() > deadline:
                self._running = loop.call_soon(self._go_on)
                return
            event = self._waiting.popleft()
            if self._schema is None or self._schema.version < event.schema_version or not is_complete(event):
                self._running = loop.create_task(self._prepare(event))
                return
            if left := self._handle(self._schema, event):
                self._running = loop.create_task(self._ask(self._schema, event, left))
                return
            self._handled(event)

    async def _prepare(self, event: ChangeEvent) -> None:
        """Read what is missing to handle the event: the schema it was written under, its images."""
        try:
            schema, whole = await self._read(self.project, lambda session: complete(session, event))
            self._schema = schema
            if whole is not None and (left := self._handle(schema, whole)):
                await self._decide(schema, whole, left)
        except Exception:
            self._give_up(event)
        self._handled(event)
        self._go_on()

    async def _ask(self, schema: ProjectSchema, event: ChangeEvent, left: list[Hearing]) -> None:
        try:
            await self._decide(schema, event, left)
        except Exception:
            self._give_up(event)
        self._handled(event)
        self._go_on()

    def _give_up(self, event: ChangeEvent) -> None:
        """Nobody may silently miss a change: all connect anew, and load."""
        log.exception("a change could not be delivered", project=self.project.ref, seq=event.seq)
        self._drop(list(self.clients.values()), "a change could not be read")

    def _handle(self, schema: ProjectSchema, event: ChangeEvent) -> list[Hearing]:
        """Deliver what can be decided here; returns those about whom the database must be asked."""
        collection = schema.get(event.collection_id)
        if collection is None:
            return []
        self._follow_user(event)
        told = self._latest.in_order(event) if self._latest else event
        if told is None:
            return []
        rendering = Rendering()
        left: list[Hearing] = []
        for hearing in self._hearings(schema, collection, told):
            try:
                data = self._decided(self._offline, schema, told, hearing, rendering)
            except NeedsDatabaseError:
                left.append(hearing)
            else:
                self._tell(hearing, told, data)
        return left

    async def _decide(self, schema: ProjectSchema, event: ChangeEvent, left: list[Hearing]) -> None:
        told = self._latest.in_order(event) if self._latest else event
        if told is None:
            return
        for first in range(0, len(left), GROUPS_PER_READ):
            part = left[first : first + GROUPS_PER_READ]

            def work(session: Session, part: list[Hearing] = part) -> list[bytes | None]:
                rendering = Rendering()
                return [self._decided(session, schema, told, hearing, rendering) for hearing in part]

            for hearing, data in zip(part, await self._read(self.project, work), strict=True):
                self._tell(hearing, told, data)

    def _hearings(
        self, schema: ProjectSchema, collection: CollectionSchema, event: ChangeEvent
    ) -> Iterator[Hearing]:
        own = self._users.get((collection.id, event.record_id), {}) if collection.is_auth else {}
        for audience, plan in self._concerned(schema, collection, event.record_id):
            for group in audience.groups():
                clients = tuple(client for client in group.clients if client not in own) if own else tuple(group.clients)
                if clients:
                    yield Hearing(audience, plan, group.request, clients, plan.view(group.request.principal))
            mine = tuple(client for client in own if audience.topic.text in client.topics)
            if mine:
                # Who sees its own record sees more of it.
                yield Hearing(audience, plan, audience.request_of(mine[0]), mine, "own")

    def _concerned(
        self, schema: ProjectSchema, collection: CollectionSchema, record_id: str
    ) -> Iterator[tuple[Audience, Plan]]:
        whole, single = bases(collection.id, collection.name, record_id)
        for names, is_single in ((whole, False), (single, True)):
            for base in names:
                for audience in self._audiences.get(base, {}).values():
                    plan = audience.plan
                    if plan is None or plan.version != schema.version or plan.collection.id != collection.id:
                        plan = make_plan(schema, collection, audience.topic, single=is_single)
                        audience.follow(plan)
                    yield audience, plan

    def _decided(
        self,
        session: Session,
        schema: ProjectSchema,
        event: ChangeEvent,
        hearing: Hearing,
        rendering: Rendering,
    ) -> bytes | None:
        with use_project(self.project):
            call = Call(session, schema, hearing.request)
            heard = outcome(call, hearing.plan, event)
            if heard is None:
                return None
            return rendering.data(call, hearing.plan, *heard, hearing.view)

    def _tell(self, hearing: Hearing, event: ChangeEvent, data: bytes | None) -> None:
        if data is None:
            return
        topic = hearing.audience.topic.text
        # One frame for all who are reached the same way.
        frames: dict[Any, bytes] = {}
        for client in hearing.clients:
            if client.closed or topic not in client.topics:
                continue
            kind = client.kind
            frame = frames.get(kind)
            if frame is None:
                frame = frames[kind] = client.frame(topic, event.seq, data)
            self._deliver(client, frame)

    # --- users ---------------------------------------------------------------------------------------

    def _follow_user(self, event: ChangeEvent) -> None:
        ...

    def _handled(self, event: ChangeEvent) -> None:
        ...


def is_complete(event: ChangeEvent) -> bool:
    ...


def complete(session: Session, event: ChangeEvent) -> tuple[ProjectSchema, ChangeEvent | None]:
    ...
