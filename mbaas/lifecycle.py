"""What a server process does when it starts, and in which order it stops."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import structlog
from django.conf import settings

from mbaas.access_log import AccessLog, ConsoleLog
from mbaas.probes import Probes
from projects.databases.lanes import stop_lanes
from projects.databases.postgresql.pools import close_all_pools
from projects.realtime.service import close_streams, start_realtime, stop_realtime

log = structlog.get_logger("mbaas")

# Objects made and kept between two looks of the garbage collector at the young ones.
COLLECT_EVERY = 10_000


class Lifecycle:
    """Answers the ASGI lifespan, counts what is under way, and passes everything else on."""

    def __init__(self, app: Any, probes: Probes, log: AccessLog | ConsoleLog | None) -> None:
        self._app = app
        self._log = log
        self._probes = probes
        self._under_way = 0
        self._started = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        await start_realtime()
        collect_seldom()
        await send({"type": "lifespan.startup.complete"})
        self._started.set()
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def started(self) -> None:
        """Until the start is complete; what is half started cannot be stopped."""
        await self._started.wait()

    async def stop(self) -> None:
        """Tell streams to reconnect elsewhere, let requests finish, then let go of the databases."""
        if self._probes.stopping:
            return
        self._probes.stopping = True
        deadline = asyncio.get_running_loop().time() + settings.MBAAS_SHUTDOWN_SECONDS
        close_streams()
        while self._under_way and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        if self._under_way:
            log.warning("stopped with requests under way", count=self._under_way)
        left = max(1.0, deadline - asyncio.get_running_loop().time())
        await asyncio.to_thread(stop_lanes, left)
        # After the last commit, so that its event still reaches the other processes.
        await stop_realtime()
        await asyncio.to_thread(close_all_pools)
        if self._log is not None:
            await asyncio.to_thread(self._log.stop)


def collect_seldom() -> None:
    """Have the garbage collector look less often for cycles, and never again among what the start has made.

    That lives for ever (130,000 objects): looking through it again and again stopped all threads for 100 ms beside an
    import, and took a tenth of the processor's time for a get or a create.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 5, 5)
