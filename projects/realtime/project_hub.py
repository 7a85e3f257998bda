"""The way of a project's changes to its subscribers in this process.

Changes are handled one after another, so each client hears them in the order of their commits. What Python
can decide is decided on the event loop; what needs the database waits for a lane, and later changes of the
project wait behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeAlias, TypeVar

import structlog

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.lanes import TooBusyError
from projects.principal import GUEST, Principal
from projects.realtime.audience import Group
from projects.realtime.client import Client
from projects.realtime.images import complete, is_complete, under
from projects.realtime.latest import Latest
from projects.realtime.offline import NeedsDatabaseError, OfflineSession
from projects.realtime.plans import Plan, Plans, Wanted, make_plans
from projects.realtime.rendering import Rendering, outcome
from projects.realtime.roster import Roster
from projects.realtime.topics import Topic
from projects.records.call import Call
from projects.records.events import ChangeEvent
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.store import load_schema

log = structlog.get_logger("mbaas.realtime")

T = TypeVar("T")
# What only the database can answer: does this reach them, and what do they see of it?
Question: TypeAlias = tuple[ChangeEvent, Group, tuple[Client, ...]]
Find: TypeAlias = Callable[[Session, ProjectSchema], Principal]

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

    def receive(self, events: Iterable[ChangeEvent]) -> None:
        """Events in the order of their commits."""
        self._waiting.extend(events)
        if self._running is None:
            # Not here and now: what else comes meanwhile is handled along, and the loop is not held up.
            self._running = asyncio.get_running_loop().call_soon(self._go_on)

    async def prepare(self, find: Find, topics: Sequence[Topic]) -> tuple[Principal, Plans]:
        """Who ``find(session, schema)`` says is asking, and plans for the topics that need one.

        The answer is true at the moment it is given: what takes time is done, and who changed meanwhile is
        found again.
        """
        plans: dict[Wanted, Plan] = {}
        self._finding += 1
        try:
            while True:
                started = self._changes
                schema, principal = await self._read(lambda session: _found(session, find))
                wanted = self.roster.unplanned_topics(schema, topics, superuser=principal.is_superuser)
                missing = [one for one in wanted if one not in plans or plans[one].version != schema.version]
                if missing:
                    plans.update(await make_plans(schema, missing))
                elif self._changed.get((principal.collection_id, principal.id), 0) <= started:
                    return principal, plans
        finally:
            self._finding -= 1
            if not self._finding:
                self._changed.clear()

    # --- one change after another

    def _go_on(self) -> None:
        self._running = None
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + SLICE_SECONDS
        if not self.roster.clients:
            self._waiting.clear()
        while self._waiting:
            event = self._waiting.popleft()
            try:
                work = self._handle_now(event)
            except Exception:
                log.exception("a change could not be delivered", project=self.project.ref, seq=event.seq)
                self._give_up()
            else:
                if work is not None:
                    self._running = loop.create_task(self._finish(event, work))
                    return
            self._handled(event)
            if self._waiting and time.monotonic() > deadline:
                self._running = loop.call_soon(self._go_on)
                return

    def _handle_now(self, event: ChangeEvent) -> Coroutine[Any, Any, None] | None:
        """Handle the event here and now if that can be; else returns what is left to be done."""
        schema = self._schema
        if schema is None or schema.version < event.schema_version or not is_complete(event):
            return self._read_and_handle(event)
        collection = schema.get(event.collection_id)
        if collection is None:
            return None
        if self.roster.unplanned(schema, collection, event.record_id):
            return self._plan_and_handle(schema, collection, event)
        left = self._handle(schema, collection, event)
        return self._ask(schema, left) if left else None

    async def _finish(self, event: ChangeEvent, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("a change could not be delivered", project=self.project.ref, seq=event.seq)
            self._give_up()
        self._handled(event)
        self._go_on()

    def _give_up(self) -> None:
        """Nobody may silently miss a change: all connect anew, and load."""
        self._drop(list(self.roster.clients.values()), "a change could not be delivered")

    async def _read_and_handle(self, event: ChangeEvent) -> None:
        """For an event that needs a newer schema, or came without its images."""
        schema, whole = await self._read(lambda session: complete(session, event))
        self._adopt(schema)
        collection = schema.get(event.collection_id)
        if whole is not None and collection is not None:
            await self._plan_and_handle(schema, collection, whole)

    async def _plan_and_handle(
        self, schema: ProjectSchema, collection: CollectionSchema, event: ChangeEvent
    ) -> None:
        # Again for those who came while the plans were made.
        while wanted := self.roster.unplanned(schema, collection, event.record_id):
            self.roster.follow(await make_plans(schema, wanted))
        await self._ask(schema, self._handle(schema, collection, event))

    def _handle(
        self, schema: ProjectSchema, collection: CollectionSchema, event: ChangeEvent
    ) -> list[Question]:
        """Deliver what can be decided here; returns what the database must be asked."""
        event = under(schema, collection, event)
        self._follow_user(event)
        told = self._latest.in_order(event) if self._latest else event
        if told is None:
            return []
        call, rendering = Call(self._offline, schema), Rendering(told.seq)
        left: list[Question] = []
        # A list, and tuples: who proves too slow leaves while the others are told.
        for group in list(self.roster.groups(collection, told.record_id)):
            try:
                data = _answer(call, group, told, rendering)
            except NeedsDatabaseError:
                left.append((told, group, tuple(group.clients)))
            else:
                self._tell(group.topic, tuple(group.clients), rendering, data)
        return left

    async def _ask(self, schema: ProjectSchema, left: list[Question]) -> None:
        if not left:
            return
        # All of one event.
        rendering = Rendering(left[0][0].seq)
        for first in range(0, len(left), GROUPS_PER_READ):
            part = left[first : first + GROUPS_PER_READ]

            def work(session: Session, part: list[Question] = part) -> list[bytes | None]:
                call = Call(session, schema)
                return [_answer(call, group, event, rendering) for event, group, _ in part]

            for (_, group, clients), data in zip(part, await self._read(work), strict=True):
                # Meanwhile some may have left the topic. Whom they are bound to changes only after this event.
                still = tuple(client for client in clients if group.topic.text in client.topics)
                self._tell(group.topic, still, rendering, data)

    async def _read(self, work: Callable[[Session], T]) -> T:
        pause = FIRST_PAUSE_SECONDS
        for _ in range(READ_ATTEMPTS - 1):
            try:
                return await self._read_once(self.project, work)
            except TooBusyError:
                await asyncio.sleep(pause)
                pause *= 2
        return await self._read_once(self.project, work)

    def _tell(
        self, topic: Topic, clients: tuple[Client, ...], rendering: Rendering, data: bytes | None
    ) -> None:
        if data is None:
            return
        kind, frame = None, b""
        for client in clients:
            if client.closed:
                continue
            if type(client.transport) is not kind:
                kind = type(client.transport)
                frame = rendering.frame(kind, topic.text, data)
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


def _found(session: Session, find: Find) -> tuple[ProjectSchema, Principal]:
    schema = load_schema(session)
    return schema, find(session, schema)


def _answer(call: Call, group: Group, event: ChangeEvent, rendering: Rendering) -> bytes | None:
    """What the group hears of the change. Raises NeedsDatabaseError on an offline session."""
    heard = outcome(call, group, event)
    return rendering.data(call, group, *heard) if heard else None
