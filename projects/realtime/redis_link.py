"""How this process connects to Redis for realtime, and how it tries again."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

# One channel per project and one per process.
PROJECT = "mbaas:realtime:project:"
NODE = "mbaas:realtime:node:"

CONNECT_SECONDS = 2
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0

# What redis-py raises when the link fails.
LINK_ERRORS = (RedisError, OSError, TimeoutError)


def connections(url: str, **options: Any) -> Redis:
    """Without retries of their own: a lost link must be noticed, not mended in silence."""
    return Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        **options,
    )


class Backoff:
    """Waits longer each time, until ``reset``."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def reset(self) -> None:
        self._next = FIRST_PAUSE

    async def wait(self) -> None:
        await asyncio.sleep(self._next)
        self._next = min(self._next * 2, LONGEST_PAUSE)
