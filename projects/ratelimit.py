"""Counters with an end: the one limiter behind brute-force throttling and the limits of routes.

Counts live in Redis where MBAAS_REDIS_URL names one (all server processes share them), else in this
process. A key always begins with a project's uid, so no project's traffic counts in another.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
from collections import OrderedDict
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from limits.aio.storage import Storage
from limits.errors import StorageError
from limits.storage import storage_from_string

from projects.context import ProjectHandle
from projects.errors import ApiError

log = structlog.get_logger("mbaas.ratelimit")

# How long the counts stay in this process after Redis failed, before it is asked again.
REDIS_PAUSE_SECONDS = 5
REDIS_TIMEOUT_SECONDS = 2
# Counts beyond these wait: the client's pool refuses more connections than it may have.
REDIS_CONNECTIONS = 16


class BoundedMemory(Storage):
    """Counters of this process: at most MBAAS_RATE_LIMIT_MEMORY of them, the oldest dropped first.

    The storage that ``limits`` brings walks all keys at each count: 32 ms of the event loop with
    100,000 keys, which who sends from many addresses could use. Here a count looks at one other key.
    """

    STORAGE_SCHEME = None

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return ()

    def _live(self, key: str) -> tuple[int, float]:
        count, end = self._counts.get(key, (0, 0.0))
        return (count, end) if end > time.time() else (0, 0.0)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count, end = self._live(key)
        self._counts[key] = (count + amount, end or time.time() + expiry)
        if not count:
            self._counts.move_to_end(key)
            self._make_room()
        return count + amount

    def _make_room(self) -> None:
        oldest = next(iter(self._counts))
        if len(self._counts) > self._most or self._counts[oldest][1] <= time.time():
            del self._counts[oldest]

    async def get(self, key: str) -> int:
        return self._live(key)[0]

    async def get_expiry(self, key: str) -> float:
        return self._live(key)[1] or time.time()

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        gone = len(self._counts)
        self._counts.clear()
        return gone

    async def clear(self, key: str) -> None:
        self._counts.pop(key, None)


class Limiter:
    """Counts events by key. When Redis fails the counts go on in this process: a limit never stops the API."""

    def __init__(self, redis_url: str = "") -> None:
        self._memory = BoundedMemory(settings.MBAAS_RATE_LIMIT_MEMORY)
        self._redis = _redis_storage(redis_url) if redis_url else None
        self._redis_again = 0.0
        self._places = asyncio.Semaphore(REDIS_CONNECTIONS)

    async def count(self, key: str, seconds: int) -> int:
        """Count one event; returns how many there were since the key's first one, at most ``seconds`` ago."""
        return int(await self._call("incr", key, seconds))

    async def counted(self, key: str) -> int:
        """How many events the key has, without counting one."""
        return int(await self._call("get", key))

    async def seconds_left(self, key: str) -> float:
        """How long until the key's count begins anew."""
        return max(0.0, float(await self._call("get_expiry", key)) - time.time())

    async def clear(self, key: str) -> None:
        await self._call("clear", key)

    async def _call(self, method: str, *args: Any) -> Any:
        if self._redis is not None:
            async with self._places:
                # Looked at after the wait: who queued up behind a failure does not wait for another.
                if time.monotonic() >= self._redis_again:
                    try:
                        return await getattr(self._redis, method)(*args)
                    except (StorageError, OSError) as error:
                        self._pause(error)
        return await getattr(self._memory, method)(*args)

    def _pause(self, error: Exception) -> None:
        if time.monotonic() >= self._redis_again:
            log.warning("rate limits count in this process: Redis failed", error=str(error))
        self._redis_again = time.monotonic() + REDIS_PAUSE_SECONDS


def _redis_storage(url: str) -> Storage:
    storage = storage_from_string(
        f"async+{url}",
        implementation="redispy",
        wrap_exceptions=True,
        key_prefix="mbaas:limits",
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
    )
    assert isinstance(storage, Storage)
    return storage


# Redis connections belong to the event loop that opened them.
_limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, Limiter] = WeakKeyDictionary()


def limiter() -> Limiter:
    """The limiter of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _limiters.get(loop)
    if found is None:
        found = _limiters[loop] = Limiter(settings.MBAAS_REDIS_URL)
    return found


def limit_key(project: ProjectHandle, *parts: str) -> str:
    """The key of a count: the project's uid and what is counted in it."""
    return ":".join((project.uid, *parts))


def address_of(ip: str) -> str:
    """What counts as one client address: an IPv4 address, or the /64 network that one IPv6 customer has."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address.ipv4_mapped or address) if address.version == 6 else str(address)


def too_many(seconds: float) -> ApiError:
    """The answer 429, with the seconds after which to come back."""
    return ApiError(429, "Too Many Requests.", headers={"Retry-After": str(max(1, math.ceil(seconds)))})
