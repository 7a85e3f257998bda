"""``/api/health``: whether the project's database answers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.dispatch import client_ip, endpoint, read
from projects.api.responses import json_response
from projects.records.call import Call
from projects.records.pick import parse_pick


@endpoint
async def health(request: Request) -> Response:
    pick = parse_pick(request.query_params.get("fields", ""))

    def work(call: Call) -> dict[str, Any]:
        if not call.principal.is_superuser:
            return {}
        return {
            "canBackup": False,
            "possibleProxyHeader": _proxy_header(request),
            "realIP": client_ip(request),
        }

    data = await read(request, work)
    answer = {"message": "API is healthy.", "code": 200, "data": data}
    return json_response(pick(answer) if pick else answer)


def _proxy_header(request: Request) -> str:
    """A header that looks like a proxy's: whoever sets the server up may want to trust it."""
    names = ("CF-Connecting-IP", "Fly-Client-IP", "X-Real-IP", "X-Forwarded-For")
    return next((name for name in names if name in request.headers), "")


routes = [Route("/api/health", health, methods=["GET"])]
