"""What this process has to tell the others: kept until Redis has taken it."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque

import structlog
from redis.asyncio import Redis

from projects.realtime.codec import encode_change, encode_gap
from projects.realtime.redis_link import LINK_ERRORS, PROJECT, Backoff
from projects.records.events import ChangeEvent

log = structlog.get_logger("mbaas.realtime")

STOP_SECONDS = 5
MAX_OUTGOING = 50_000
BATCH = 500


class Outgoing:
    """Numbers the changes of each project, so that who listens can tell a repetition and a gap."""

    def __init__(self, redis: Redis, node: str) -> None:
        self._redis = redis
        self._node = node
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._some = asyncio.Event()
        self._told: dict[str, int] = {}
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Send what waits, as far as Redis takes it now."""
        self._stopping = True
        self._some.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=STOP_SECONDS)
            self._task.cancel()
        if self._waiting:
            log.warning("changes were not told", count=len(self._waiting))

    def put(self, events: list[ChangeEvent]) -> None:
        for event in events:
            uid = event.project.uid
            number = self._told[uid] = self._told.get(uid, 0) + 1
            self._waiting.append((PROJECT + uid, encode_change(self._node, number, event)))
        if len(self._waiting) > MAX_OUTGOING:
            self._give_up()
        self._some.set()

    def _give_up(self) -> None:
        """Redis has been away for too long: say later that changes were missed, instead of which."""
        log.error("too many changes wait for redis; clients will be told to load", count=len(self._waiting))
        uids = {channel.removeprefix(PROJECT) for channel, _ in self._waiting}
        self._waiting.clear()
        for uid in uids:
            self._told[uid] += 1
            self._waiting.append((PROJECT + uid, encode_gap(self._node, self._told[uid])))

    async def _run(self) -> None:
        """Until there is nothing left after the stop began, or Redis does not take it then."""
        backoff = Backoff()
        while not self._stopping or self._waiting:
            await self._some.wait()
            self._some.clear()
            try:
                await self._send()
                backoff.reset()
            except LINK_ERRORS as error:
                log.warning("changes cannot be told", count=len(self._waiting), error=str(error))
                if self._stopping:
                    return
                self._some.set()
                await backoff.wait()

    async def _send(self) -> None:
        """Messages leave the queue when Redis has taken them; some may be told twice, none is lost."""
        while self._waiting:
            batch = list(itertools.islice(self._waiting, BATCH))
            pipeline = self._redis.pipeline(transaction=False)
            for channel, message in batch:
                pipeline.publish(channel, message)
            await pipeline.execute()
            for sent in batch:
                # Unless all was given up meanwhile.
                if self._waiting and self._waiting[0] is sent:
                    self._waiting.popleft()
