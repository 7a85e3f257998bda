"""The way of a project's changes to its subscribers in this process.

Changes are handled one after another, so each client hears them in the order of their commits. What Python
can decide is decided on the event loop; what needs the database waits for a lane, and later changes of the
project wait behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Protocol, TypeAlias, TypeVar

import structlog

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.lanes import TooBusyError
from projects.principal import GUEST, Principal
from projects.realtime.audience import Group
from projects.realtime.client import Client, Transport
from projects.realtime.images import complete, is_complete, under
from projects.realtime.latest import Latest
from projects.realtime.offline import NeedsDatabaseError, OfflineSession
from projects.realtime.rendering import Rendering, outcome
from projects.realtime.roster import Roster
from projects.records.call import Call
from projects.records.events import ChangeEvent
from projects.schema.collection import ProjectSchema
from projects.schema.store import load_schema

log = structlog.get_logger("mbaas.realtime")

T = TypeVar("T")
# What only the database can answer: does this reach them, and what do they see of it?
Question: TypeAlias = tuple[ChangeEvent, Group]

# How long changes are handled before the loop gets its turn.
SLICE_SECONDS = 0.005
# What one visit to a lane decides at most: readers that wait behind it must not wait long.
GROUPS_PER_READ = 50
# How often a busy project's lane is asked again, waiting twice as long each time.
READ_ATTEMPTS = 7
FIRST_PAUSE_SECONDS = 0.05


class Read(Protocol):
    """``lanes().read``"""

    async def __call__(self, project: ProjectHandle, work: Callable[[Session], T]) -> T: ...


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
        self.roster = Roster()
        self._read_once = read
        self._deliver = deliver
        self._drop = drop
        self._schema: ProjectSchema | None = None
        self._latest = Latest() if project.engine == "postgresql" else None
        self._offline = OfflineSession(project)
        self._waiting: deque[ChangeEvent] = deque()
        self._running: asyncio.Task[None] | asyncio.Handle | None = None
        # While principals are being found out: when each user's record last changed, counted in changes.
        self._finding = 0
        self._changes = 0
        self._changed: dict[tuple[str, str], int] = {}

    def receive(self, event: ChangeEvent) -> None:
        self._waiting.append(event)
        if self._running is None:
            self._go_on()

    async def find_principal(self, find: Callable[[Session, ProjectSchema], Principal]) -> Principal:
        """``find(session, schema)``, again when that user changed meanwhile: no change of it may be missed."""
        self._finding += 1
        try:
            while True:
                started = self._changes
                principal = await self._read(lambda session: find(session, load_schema(session)))
                if self._changed.get((principal.collection_id, principal.id), 0) <= started:
                    return principal
        finally:
            self._finding -= 1
            if not self._finding:
                self._changed.clear()

    # --- one change after another

    def _go_on(self) -> None:
        self._running = None
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + SLICE_SECONDS
        while self._waiting:
            if time.monotonic() > deadline:
                self._running = loop.call_soon(self._go_on)
                return
            event = self._waiting.popleft()
            schema = self._schema
            if schema is None or schema.version < event.schema_version or not is_complete(event):
                self._running = loop.create_task(self._finish(event, self._prepare(event)))
                return
            left = self._handle(schema, event)
            if left:
                self._running = loop.create_task(self._finish(event, self._ask(schema, left)))
                return
            self._handled(event)

    async def _finish(self, event: ChangeEvent, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:
            # Nobody may silently miss a change: all connect anew, and load.
            log.exception("a change could not be delivered", project=self.project.ref, seq=event.seq)
            self._drop(list(self.roster.clients.values()), "a change could not be read")
        self._handled(event)
        self._go_on()

    async def _prepare(self, event: ChangeEvent) -> None:
        """Read what is missing to handle the event: the schema it was written under, its images."""
        schema, whole = await self._read(lambda session: complete(session, event))
        self._adopt(schema)
        if whole is not None:
            await self._ask(schema, self._handle(schema, whole))

    def _handle(self, schema: ProjectSchema, event: ChangeEvent) -> list[Question]:
        """Deliver what can be decided here; returns what the database must be asked."""
        collection = schema.get(event.collection_id)
        if collection is None:
            return []
        event = under(schema, collection, event)
        self._follow_user(event)
        told = self._latest.in_order(event) if self._latest else event
        if told is None:
            return []
        call, rendering = Call(self._offline, schema), Rendering()
        left: list[Question] = []
        # A list: who proves too slow leaves while the others are told.
        for group in list(self.roster.groups(schema, collection, told.record_id)):
            try:
                data = _answer(call, group, told, rendering)
            except NeedsDatabaseError:
                left.append((told, group))
            else:
                self._tell(told, group, data)
        return left

    async def _ask(self, schema: ProjectSchema, left: list[Question]) -> None:
        for first in range(0, len(left), GROUPS_PER_READ):
            part = left[first : first + GROUPS_PER_READ]

            def work(session: Session, part: list[Question] = part) -> list[bytes | None]:
                call, rendering = Call(session, schema), Rendering()
                return [_answer(call, group, event, rendering) for event, group in part]

            for (event, group), data in zip(part, await self._read(work), strict=True):
                self._tell(event, group, data)

    async def _read(self, work: Callable[[Session], T]) -> T:
        pause = FIRST_PAUSE_SECONDS
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return await self._read_once(self.project, work)
            except TooBusyError:
                await asyncio.sleep(pause)
                pause *= 2
        return await self._read_once(self.project, work)

    def _tell(self, event: ChangeEvent, group: Group, data: bytes | None) -> None:
        if data is None:
            return
        topic = group.topic.text
        frames: dict[type[Transport], bytes] = {}
        for client in list(group.clients):
            kind = type(client.transport)
            frame = frames.get(kind)
            if frame is None:
                frame = frames[kind] = kind.frame(topic, event.seq, data)
            self._deliver(client, frame)

    # --- users

    def _follow_user(self, event: ChangeEvent) -> None:
        """Keep principals as their records are: rules read them, and a new token key ends every session."""
        self._changes += 1
        if self._finding:
            self._changed[event.collection_id, event.record_id] = self._changes
        if event.after is None:
            return
        new, old = event.after.get("tokenKey"), (event.before or {}).get("tokenKey")
        same: list[Client] = []
        ended: list[Client] = []
        for client in self.roster.signed_in(event.collection_id, event.record_id):
            held = (client.principal.record or {}).get("tokenKey")
            if held == new:
                same.append(client)
            elif held == old or event.before is None:
                ended.append(client)
            # Else it is a change before or after the one that matters, which is on its way.
        self.roster.become(ended, GUEST)
        if same:
            self.roster.become(same, replace(same[0].principal, record=event.after))

    def _handled(self, event: ChangeEvent) -> None:
        """Who was deleted has still heard of that, and is a guest from now on."""
        if event.action == "delete":
            self.roster.become(self.roster.signed_in(event.collection_id, event.record_id), GUEST)

    def _adopt(self, schema: ProjectSchema) -> None:
        """Users go with their collection."""
        self._schema = schema
        for collection_id, record_id in list(self.roster.users()):
            if schema.get(collection_id) is None:
                self.roster.become(self.roster.signed_in(collection_id, record_id), GUEST)


def _answer(call: Call, group: Group, event: ChangeEvent, rendering: Rendering) -> bytes | None:
    """What the group hears of the change. Raises NeedsDatabaseError on an offline session."""
    heard = outcome(call, group, event)
    return rendering.data(call, group, *heard) if heard else None
