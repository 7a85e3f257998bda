"""Every subscriber of this process, of all projects: coming, submitting topics, being written to, leaving."""

from __future__ import annotations

import asyncio
import secrets
import string
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from projects.context import ProjectHandle
from projects.databases import Session
from projects.errors import forbidden, not_found
from projects.principal import Principal
from projects.realtime.answers import OTHER_USER, UNKNOWN_CLIENT, busy
from projects.realtime.bus import Bus
from projects.realtime.client import Client, Transport, identity
from projects.realtime.project_hub import Find, ProjectHub, Read
from projects.realtime.submission import Submission
from projects.realtime.topics import parse_topic
from projects.records.events import ChangeEvent
from projects.schema.collection import ProjectSchema

log = structlog.get_logger("mbaas.realtime")

# A client's id begins with the name of the process that holds its stream.
NODE_LENGTH = 10
SECRET_LENGTH = 30
_ALPHABET = string.ascii_letters + string.digits
# Streams written to before the loop gets its turn.
FLUSH_SLICE = 500
# What all topics of all clients may take together: guests may subscribe too.
MAX_TOPICS_BYTES = 256 * 1024 * 1024
# How long a project stays known after its last client left.
KEEP_EMPTY_SECONDS = 60
# How often each project with clients is looked up.
PROJECT_CHECK_SECONDS = 15

Resolve = Callable[[Session, ProjectSchema, str], Principal]
Serves = Callable[[ProjectHandle], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Limits:
    """MBAAS_REALTIME_*; ``recheck_seconds``: how long a superuser's ended right may still be used."""

    idle_seconds: float
    arrears: int
    clients: int
    recheck_seconds: float


def random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


class Hub:
    """``resolve(session, schema, authorization)`` says who a header stands for, ``serves(project)`` whether
    the project is still to be served: not suspended, deleted or renamed."""

    def __init__(self, bus: Bus, read: Read, resolve: Resolve, serves: Serves, limits: Limits) -> None:
        self._bus = bus
        self._read = read
        self._resolve = resolve
        self._serves = serves
        self._limits = limits
        self._projects: dict[str, ProjectHub] = {}
        self._empty_since: dict[str, float] = {}
        self._count = 0
        self._topics_bytes = 0
        self._dirty: deque[Client] = deque()
        self._flushing = False
        self._stopping = False

    # --- clients

    async def connect(self, project: ProjectHandle, transport: Transport) -> Client:
        """A new client, which hears of every change from now on. Raises 503 when no more are taken."""
        if self._stopping or self._count >= self._limits.clients:
            raise busy()
        hub = self._projects.get(project.uid)
        if hub is None:
            hub = self._projects[project.uid] = ProjectHub(project, self._read, self._deliver, self.drop)
        # Not to be forgotten meanwhile; again for a while if it comes to nothing.
        self._empty_since[project.uid] = time.monotonic()
        self._count += 1
        watched = False
        try:
            watched = await self._bus.watch(project.uid)
        finally:
            if not watched or self._stopping:
                self._count -= 1
        if not watched or self._stopping:
            raise busy()
        self._empty_since.pop(project.uid, None)
        client_id = self._bus.node + random_text(SECRET_LENGTH)
        client = Client(client_id, project.uid, transport, self._limits.arrears)
        hub.roster.add(client)
        return client

    def disconnect(self, client: Client) -> None:
        """Forget a client whose stream has ended."""
        client.closed = True
        hub = self._projects.get(client.project_uid)
        if hub is not None and hub.roster.remove(client):
            self._count -= 1
            self._topics_bytes -= _weight(client.topics)
            if not hub.roster.clients:
                self._empty_since[client.project_uid] = time.monotonic()

    def drop(self, clients: Iterable[Client], why: str) -> None:
        """End their streams: they connect anew, and load what they may have missed."""
        count = 0
        for client in clients:
            if not client.closed:
                count += 1
                client.close()
                self.disconnect(client)
        if count:
            log.info("streams ended", count=count, why=why)

    async def submit(self, project: ProjectHandle, submission: Submission, authorization: str) -> None:
        """Replace a client's topics and bind it to who asks, whichever process holds its stream.

        Raises 404 for a client that this project does not have, 403 when it is bound to somebody else, 503
        when its process does not answer.
        """
        node = submission.client_id[:NODE_LENGTH]
        if node == self._bus.node:
            await self.submit_here(project.uid, submission, authorization)
        else:
            await self._bus.forward(node, project.uid, submission, authorization)

    async def submit_here(self, project_uid: str, submission: Submission, authorization: str) -> None:
        """``submit`` for a client of this process."""
        hub, client = self._find(project_uid, submission.client_id)
        client.asked += 1
        turn = client.asked
        topics = [parse_topic(text) for text in submission.topics]
        principal, plans = await hub.prepare(self._find_by(authorization), topics)
        # It may have gone, or been bound, meanwhile.
        hub, client = self._find(project_uid, submission.client_id)
        if client.principal.kind != "guest" and identity(client.principal) != identity(principal):
            raise forbidden(OTHER_USER)
        if turn < client.answered:
            # A later submission overtook this one.
            return
        weight = self._topics_bytes - _weight(client.topics) + _weight(submission.topics)
        if weight > MAX_TOPICS_BYTES:
            raise busy()
        client.answered = turn
        self._topics_bytes = weight
        client.authorization = authorization
        hub.roster.bind(client, principal, topics, plans)

    def _find_by(self, authorization: str) -> Find:
        return lambda session, schema: self._resolve(session, schema, authorization)

    def _find(self, project_uid: str, client_id: str) -> tuple[ProjectHub, Client]:
        hub = self._projects.get(project_uid)
        client = hub.roster.clients.get(client_id) if hub else None
        if hub is None or client is None:
            raise not_found(UNKNOWN_CLIENT)
        return hub, client

    # --- changes

    def receive(self, events: Iterable[ChangeEvent]) -> None:
        """Tell the subscribers of this process. Events of a project come in the order of their commits."""
        by_project: dict[str, list[ChangeEvent]] = {}
        for event in events:
            by_project.setdefault(event.project.uid, []).append(event)
        for uid, own in by_project.items():
            hub = self._projects.get(uid)
            if hub is not None:
                hub.receive(own)

    def project(self, uid: str) -> ProjectHandle | None:
        """The project, if somebody here may want to hear of it."""
        hub = self._projects.get(uid)
        return hub.project if hub else None

    def _deliver(self, client: Client, frame: bytes) -> None:
        if not client.push(frame):
            self.drop((client,), "too slow")
        elif not client.dirty:
            client.dirty = True
            self._dirty.append(client)
            if not self._flushing:
                self._flushing = True
                asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Write everything that was queued for a client at once."""
        for _ in range(min(FLUSH_SLICE, len(self._dirty))):
            client = self._dirty.popleft()
            client.dirty = False
            client.flush()
        if self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        else:
            self._flushing = False

    # --- upkeep

    def missed(self, project_uid: str | None = None) -> None:
        """Changes (of one project, or of any) may have passed by unheard: their clients connect anew."""
        hubs = [self._projects.get(project_uid)] if project_uid else list(self._projects.values())
        for hub in hubs:
            if hub is not None:
                self.drop(list(hub.roster.clients.values()), "changes may have been missed")

    async def keep_up(self) -> None:
        """End what is idle or has lost its right, forget empty projects; until cancelled."""
        pause = min(self._limits.idle_seconds / 4, self._limits.recheck_seconds, 5.0)
        projects_at = time.monotonic() + PROJECT_CHECK_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                self.end_idle()
                await self.recheck_superusers()
                await self._forget_empty()
                if time.monotonic() > projects_at:
                    projects_at = time.monotonic() + PROJECT_CHECK_SECONDS
                    await self.recheck_projects()
            except Exception:
                log.exception("the upkeep of realtime failed; it is tried again")

    def end_idle(self) -> None:
        """End the streams that nothing was sent on for MBAAS_REALTIME_IDLE_SECONDS."""
        oldest = time.monotonic() - self._limits.idle_seconds
        self.drop([client for client in self._clients() if client.last_sent < oldest], "idle")

    async def recheck_projects(self) -> None:
        """End the streams of projects that are not served any more."""
        for hub in list(self._projects.values()):
            if hub.roster.clients and not await self._serves(hub.project):
                self.drop(list(hub.roster.clients.values()), "the project is not served any more")

    async def recheck_superusers(self) -> None:
        """End the streams of those whose key was revoked or whose membership ended."""
        rights: dict[tuple[str, str], bool] = {}
        for client in self._clients():
            if client.closed or not client.principal.is_superuser:
                # Gone while another's right was looked up, or nothing to look up.
                continue
            key = (client.project_uid, client.authorization)
            if key not in rights:
                rights[key] = await self._is_superuser(client)
            if not rights[key]:
                self.drop((client,), "no superuser any more")

    async def _is_superuser(self, client: Client) -> bool:
        hub = self._projects[client.project_uid]
        try:
            principal, _ = await hub.prepare(self._find_by(client.authorization), ())
        except Exception:
            log.exception("a superuser's right could not be checked")
            return False
        return identity(principal) == identity(client.principal)

    async def _forget_empty(self) -> None:
        before = time.monotonic() - KEEP_EMPTY_SECONDS
        for uid, since in list(self._empty_since.items()):
            # Looked at again: somebody may have come while another was forgotten.
            if since < before and self._empty_since.get(uid) == since:
                del self._empty_since[uid], self._projects[uid]
                await self._bus.unwatch(uid)

    def close_all(self) -> None:
        """End every stream and take no more: the process stops."""
        self._stopping = True
        self.drop(self._clients(), "the server stops")

    def _clients(self) -> list[Client]:
        return [client for hub in self._projects.values() for client in hub.roster.clients.values()]


def _weight(topics: Iterable[str]) -> int:
    return sum(map(len, topics))
