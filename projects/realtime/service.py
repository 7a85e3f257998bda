"""This process's realtime: started and stopped with the server."""

from __future__ import annotations

import asyncio

from django.conf import settings

from projects.accounts.principals import resolve_principal
from projects.context import ProjectHandle
from projects.databases.lanes import lanes
from projects.directory import find_project
from projects.realtime.bus import Bus, LocalBus
from projects.realtime.hub import NODE_LENGTH, Hub, Limits, random_text
from projects.records.events import listen, unlisten


class Realtime:
    """The hub, the bus that feeds it, and its upkeep."""

    def __init__(self) -> None:
        self.bus = make_bus(settings.MBAAS_REDIS_URL)
        self.hub = Hub(
            self.bus,
            lambda project, work: lanes().read(project, work),
            resolve_principal,
            is_served,
            Limits(
                idle_seconds=settings.MBAAS_REALTIME_IDLE_SECONDS,
                arrears=settings.MBAAS_REALTIME_QUEUE,
                clients=settings.MBAAS_REALTIME_MAX_CLIENTS,
                recheck_seconds=max(1, settings.MBAAS_PROJECT_CACHE_SECONDS),
            ),
        )
        self._upkeep: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.bus.start(self.hub)
        listen(self.bus.publish)
        self._upkeep = asyncio.get_running_loop().create_task(self.hub.keep_up())

    async def stop(self) -> None:
        self.hub.close_all()
        unlisten(self.bus.publish)
        if self._upkeep is not None:
            self._upkeep.cancel()
        await self.bus.stop()


async def is_served(project: ProjectHandle) -> bool:
    """Whether the project is still found at its address, and not suspended."""
    found = await find_project(project.ref)
    return found is not None and found.uid == project.uid and found.status == "active"


def make_bus(redis_url: str) -> Bus:
    node = random_text(NODE_LENGTH)
    if not redis_url:
        return LocalBus(node)
    # Imported where it is used: a process without Redis need not load its client.
    from projects.realtime.redis_bus import RedisBus

    return RedisBus(redis_url, node)


_realtime: Realtime | None = None


def hub() -> Hub:
    """Raises RuntimeError outside a server."""
    if _realtime is None:
        raise RuntimeError("realtime runs in a server process only")
    return _realtime.hub


async def start_realtime() -> None:
    """Hear of every change from now on. First in a server's life, before any request."""
    global _realtime
    _realtime = Realtime()
    await _realtime.start()


def close_streams() -> None:
    """First step of a stop: every client is told to connect elsewhere, none is taken any more."""
    if _realtime is not None:
        _realtime.hub.close_all()


async def stop_realtime() -> None:
    """Last step of a stop, when nothing writes any more: tell the other processes what is still to be told."""
    global _realtime
    if _realtime is not None:
        await _realtime.stop()
        _realtime = None
