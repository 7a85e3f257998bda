"""The app API as one ASGI application, called inside the project it answers for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.routing import Match, Route, Router

from projects.api import auth, batch, collections, documents, health, realtime, records
from projects.api.responses import error_response
from projects.errors import not_found

routes = [
    *records.routes,
    *auth.routes,
    *realtime.routes,
    *batch.routes,
    *collections.routes,
    *health.routes,
    *documents.routes,
]


async def missing(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[Any], Awaitable[None]],
) -> None:
    """The answer to an address or a method that there is not."""
    await error_response(not_found())(scope, receive, send)


class ApiRoute(Route):
    """A route that another method of the same address is simply not: 404, as the wire contract has it."""

    def matches(self, scope: MutableMapping[str, Any]) -> tuple[Match, MutableMapping[str, Any]]:
        match, child = super().matches(scope)
        return (Match.NONE, {}) if match is Match.PARTIAL else (match, child)


def _as_api_route(route: Any) -> Any:
    if type(route) is Route:
        return ApiRoute(route.path, route.endpoint, methods=sorted(route.methods or ()))
    return route


app = Router([_as_api_route(route) for route in routes], redirect_slashes=False, default=missing)
