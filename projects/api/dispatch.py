"""From an HTTP request to an operation on a lane, and from its outcome to an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, wraps
from typing import Any, TypeVar

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from projects.accounts.arrival import arrive
from projects.api.requests import header, query_of
from projects.api.responses import error_response
from projects.api.routing import Receive, Scope, Send
from projects.client_address import client_address
from projects.context import current_project
from projects.databases import Session
from projects.databases.lanes import Length, lanes
from projects.principal import RequestInfo
from projects.records.call import Call

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(handler: Endpoint) -> Endpoint:
    """Answer what ``handler`` raises in the error shape."""

    @wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except Exception as error:
            return error_response(error)

    return answered


async def answer_raw(
    scope: Scope, receive: Receive, send: Send, serve: Callable[[Send], Awaitable[None]]
) -> None:
    """``endpoint`` for raw ASGI: ``serve(send)``, and what it raises before its answer has begun in the error shape.

    After that the client must see that the rest is missing, so the error goes on.
    """
    started = False

    async def sending(message: Any) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        await serve(sending)
    except Exception as error:
        if started:
            raise
        await error_response(error)(scope, receive, send)


class Headers(Mapping[str, str]):
    """A request's headers as ``@request.headers.*`` names them: lower case, ``_`` for ``-``."""

    __slots__ = ("_raw", "_read")

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._raw = raw
        self._read: dict[str, str] | None = None

    def _values(self) -> dict[str, str]:
        # Few rules read headers: they are decoded when one does.
        if self._read is None:
            self._read = {
                name.decode("latin-1").lower().replace("-", "_"): value.decode("latin-1")
                for name, value in reversed(self._raw)
            }
        return self._read

    def __getitem__(self, name: str) -> str:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())


def client_ip(request: Request) -> str:
    """The address the request came from."""
    peer = request.scope.get("client")
    return client_address(peer[0] if peer else "", lambda name: request.headers.get(name, ""))


def _work_of(
    request: Request, work: Callable[[Call], T], body: Mapping[str, Any] | None
) -> Callable[[Session], T]:
    """``work`` with an operation's surroundings: today's schema, and who the token says is asking."""
    method, query, headers = request.method, query_of(request), Headers(request.scope["headers"])
    ip, token = client_ip(request), header(request, b"authorization")

    def run(session: Session) -> T:
        schema, principal = arrive(session, token)
        info = RequestInfo(principal, method, "default", query, headers, body or {}, ip)
        return work(Call(session, schema, info))

    return run


async def read(
    request: Request,
    work: Callable[[Call], T],
    *,
    body: Mapping[str, Any] | None = None,
    length: Length = "short",
) -> T:
    """``work(call)`` on a read session; ``length`` says what is expected of it. It may run more than once and must
    only read."""
    return await lanes().read(current_project(), _work_of(request, work, body), length)


async def write(request: Request, work: Callable[[Call], T], *, body: Mapping[str, Any] | None = None) -> T:
    """``work(call)`` in a write transaction; the answer comes after the commit."""
    return await lanes().write(current_project(), _work_of(request, work, body))


@cache
def _password_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.MBAAS_PASSWORD_THREADS, thread_name_prefix="password")


async def in_password_pool(work: Callable[[], T]) -> T:
    """Hashing takes 20 ms of a core: it gets threads of its own, and no database waits for it."""
    return await asyncio.get_running_loop().run_in_executor(_password_threads(), work)
