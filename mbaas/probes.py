"""``/healthz``: the process lives. ``/readyz``: it can serve, or says what is missing."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from projects.api.responses import json_response


class Probes:
    """``ready`` turns false when the server is about to stop, so that a proxy sends no more."""

    def __init__(self) -> None:
        self.stopping = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/healthz":
            response = json_response({"status": "ok"})
        else:
            checks = await self._checks()
            ready = all(value == "ok" for value in checks.values())
            response = json_response(
                {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503
            )
        await response(scope, receive, send)

    async def _checks(self) -> dict[str, str]:
        checks = {"server": "stopping" if self.stopping else "ok"}
        checks["control database"] = await asyncio.to_thread(_control_database)
        if settings.MBAAS_REDIS_URL:
            checks["redis"] = await _redis()
        return checks


def _control_database() -> str:
    try:
        close_old_connections()
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1 FROM projects_project LIMIT 1")
    except DatabaseError:
        return "unavailable"
    return "ok"


async def _redis() -> str:
    import redis.asyncio

    client = redis.asyncio.from_url(settings.MBAAS_REDIS_URL, socket_timeout=2)
    try:
        await client.ping()
    except (redis.RedisError, OSError):
        return "unavailable"
    finally:
        await client.aclose()
    return "ok"
