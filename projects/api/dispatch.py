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

from projects.accounts.principals import resolve_principal
from projects.api.responses import error_response
from projects.client_address import client_address
from projects.context import current_project
from projects.databases import Session
from projects.databases.lanes import lanes
from projects.principal import RequestInfo
from projects.records.call import Call
from projects.schema.store import load_schema

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
    peer = request.client.host if request.client else ""
    return client_address(peer, lambda name: request.headers.get(name, ""))


def request_info(request: Request, body: Mapping[str, Any] | None = None) -> RequestInfo:
    """What rules may read of the request; who asks is found out on the lane."""
    return RequestInfo(
        method=request.method,
        query=dict(request.query_params),
        headers=Headers(request.scope["headers"]),
        body=body or {},
        ip=client_ip(request),
    )


def make_call(session: Session, info: RequestInfo, authorization: str) -> Call:
    """The operation's surroundings: today's schema, and who the token says is asking."""
    schema = load_schema(session)
    principal = resolve_principal(session, schema, authorization)
    return Call(session, schema, info).as_(principal)


async def read(
    request: Request, work: Callable[[Call], T], *, body: Mapping[str, Any] | None = None, slow: bool = False
) -> T:
    """``work(call)`` on a read lane. It may run twice and must only read."""
    info, token = request_info(request, body), request.headers.get("authorization", "")
    return await lanes().read(
        current_project(), lambda session: work(make_call(session, info, token)), slow=slow
    )


async def write(request: Request, work: Callable[[Call], T], *, body: Mapping[str, Any] | None = None) -> T:
    """``work(call)`` in a write transaction; the answer comes after the commit."""
    info, token = request_info(request, body), request.headers.get("authorization", "")
    return await lanes().write(current_project(), lambda session: work(make_call(session, info, token)))


@cache
def _password_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.MBAAS_PASSWORD_THREADS, thread_name_prefix="password")


async def in_password_pool(work: Callable[[], T]) -> T:
    """Hashing takes 20 ms of a core: it gets threads of its own, and no database waits for it."""
    return await asyncio.get_running_loop().run_in_executor(_password_threads(), work)
