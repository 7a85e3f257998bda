"""The outermost layer: request ids, access log, CORS, security headers, and which application answers.

Pure ASGI, so that it holds for streams too. ``/p/<ref>/…`` goes to the app API inside the project,
``/healthz`` and ``/readyz`` are answered here, all else is Django's.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from mbaas.access_log import AccessLog, ConsoleLog
from projects.api import tus
from projects.api.requests import raw_header
from projects.api.responses import error_response
from projects.context import ProjectHandle, request_facts, use_project
from projects.directory import find_project, known_project
from projects.errors import ApiError, not_found

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
_Headers = list[tuple[bytes, bytes]]

# A path may hold any character, line breaks too.
_PROJECT = re.compile(r"/p/([a-z0-9-]{1,64})(/.*)?", re.DOTALL)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Request ids of this process: unique in the logs, and nobody's secret.
_PROCESS = secrets.token_hex(4)
_numbers = itertools.count(1)
_SECURITY_HEADERS = [
    (b"vary", b"Origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
]
_METHODS = b"GET,HEAD,PUT,PATCH,POST,DELETE"
_EXPOSED = b"X-Request-Id, Retry-After, ETag, Idempotency-Replayed"
_EXPOSED_OF_UPLOADS = _EXPOSED + (
    b", Location, Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata, Tus-Resumable, Tus-Version"
    b", Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm"
)


class Edge:
    """``api`` answers inside a project, ``django`` everything that belongs to none."""

    def __init__(self, api: App, django: App, probes: App, log: AccessLog | ConsoleLog | None = None) -> None:
        self._log = log
        self._api = api
        self._django = django
        self._probes = probes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _refuse_websocket(scope, receive, send)
            return
        request_id = _request_id(scope)
        started = time.perf_counter()
        status = 500
        # What every answer gets; the project's routes add to it.
        extra = [(b"x-request-id", request_id.encode())]

        def sending(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *extra]
            return send(message)

        # A dict of this request's own, so that the project can be added when it is known.
        facts = {"request_id": request_id}
        request_facts.set(facts)
        try:
            path = scope["path"]
            if match := _PROJECT.fullmatch(path):
                await self._in_project(match, scope, receive, sending, extra)
            elif path in ("/healthz", "/readyz"):
                await self._probes(scope, receive, sending)
            else:
                await self._django(scope, receive, sending)
        finally:
            if self._log is not None:
                self._log.write(
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                    **facts,
                )

    async def _in_project(
        self, match: re.Match[str], scope: Scope, receive: Receive, send: Send, extra: _Headers
    ) -> None:
        ref, rest = match[1], match[2] or "/"
        project: ProjectHandle | None = None
        refusal: Exception | None = None
        try:
            project = known_project(ref) or await find_project(ref)
            refusal = _refusal(project)
        except DatabaseError as error:
            refusal = error
        origin = _allowed_origin(scope, project)
        is_upload = rest.startswith(tus.PATH)
        if scope["method"] == "OPTIONS":
            await _preflight(scope, send, origin, tus.options_headers() if is_upload else [])
            return
        # CORS and security headers on every answer of the app API, errors and streams included.
        extra += _SECURITY_HEADERS
        if origin:
            extra += (
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", _EXPOSED_OF_UPLOADS if is_upload else _EXPOSED),
            )
        if project is None or refusal is not None:
            await error_response(refusal or not_found())(scope, receive, send)
            return
        if facts := request_facts.get():
            facts["project"] = project.ref
        # Routes are written from the project's own root; what the prefix was, who builds addresses must know.
        inner = {**scope, "path": rest, "mbaas.prefix": f"/p/{ref}"}
        with use_project(project):
            await self._api(inner, receive, send)


def _refusal(project: ProjectHandle | None) -> ApiError | None:
    """Why nothing of the project is served; None when it is."""
    if project is None:
        return not_found("No project has this address.")
    if project.status == "suspended":
        return ApiError(503, "This project is suspended.")
    return None


def _request_id(scope: Scope) -> str:
    """The caller's own ``X-Request-Id`` when it is a harmless token, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return str(given)
    return f"{_PROCESS}{next(_numbers):08x}"


def _allowed_origin(scope: Scope, project: ProjectHandle | None) -> bytes:
    """What to answer the page that asks: its origin or ``*``; empty when it may not read the answer."""
    origin = raw_header(scope, b"origin")
    if not origin:
        return b""
    own: Any = project.setting("corsOrigins") if project is not None else None
    allowed = own or settings.MBAAS_CORS_ORIGINS
    if "*" in allowed:
        return b"*"
    return origin if origin.decode("latin-1") in allowed else b""


async def _preflight(scope: Scope, send: Send, origin: bytes, headers: _Headers) -> None:
    """``headers``: what else OPTIONS says of the address."""
    headers = [*headers, (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")]
    if origin:
        headers += [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED_OF_UPLOADS),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-max-age", b"86400"),
        ]
        wanted = raw_header(scope, b"access-control-request-headers")
        if wanted:
            headers.append((b"access-control-allow-headers", wanted))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4404})
