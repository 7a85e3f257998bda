"""The app API as one ASGI application, called inside the project it answers for."""

from __future__ import annotations

from projects.api import (
    auth,
    batch,
    collections,
    documents,
    files,
    health,
    history,
    importing,
    presign,
    realtime,
    records,
    rules,
    tus,
)
from projects.api.responses import error_response
from projects.api.routing import Receive, Routes, Scope, Send
from projects.errors import not_found


async def missing(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer to an address, or a method of one, that there is not."""
    await error_response(not_found())(scope, receive, send)


routes = [
    *records.routes,
    *history.routes,
    *importing.routes,
    *auth.routes,
    *realtime.routes,
    *batch.routes,
    *files.routes,
    *tus.routes,
    *presign.routes,
    *collections.routes,
    *rules.routes,
    *health.routes,
    *documents.routes,
]
app = Routes(routes, missing)
