"""``python -m benchmarks.limit.app ENGINE WHERE PORT``: serves the limit."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import orjson
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.limit.records import Create, Get, Page
from benchmarks.limit.tokens import RefusedError

_RANK = "rank>-"
_store: Any = None


def _open(engine: str, where: str) -> Any:
    if engine == "postgresql":
        from benchmarks.limit.postgresql import PostgresStore

        return PostgresStore(where)
    from benchmarks.limit.sqlite import SqliteStore

    return SqliteStore(where)


async def _answer(work: asyncio.Future[Any]) -> Response:
    try:
        return Response(orjson.dumps(await work), media_type="application/json")
    except RefusedError as refused:
        return Response(b"{}", refused.status, media_type="application/json")


async def view(request: Request) -> Response:
    path = request.path_params
    job = Get(request.headers.get("authorization", ""), path["collection"], path["id"])
    return await _answer(_store.read(job))


async def list_or_create(request: Request) -> Response:
    token, collection = request.headers.get("authorization", ""), request.path_params["collection"]
    if request.method == "POST":
        return await _answer(_store.write(Create(token, collection, orjson.loads(await request.body()))))
    params = request.query_params
    text = params.get("filter", "")
    rank = -float(text.removeprefix(_RANK)) if text else None
    page = Page(token, collection, int(params.get("perPage", "30")), params.get("skipTotal") != "1", rank)
    return await _answer(_store.read(page))


async def health(request: Request) -> Response:
    return Response(request.method)


app = Starlette(
    routes=[
        Route("/api/collections/{collection}/records", list_or_create, methods=["GET", "POST"]),
        Route("/api/collections/{collection}/records/{id}", view),
        Route("/api/health", health),
    ]
)


async def serve(engine: str, where: str, port: int) -> None:
    global _store
    _store = _open(engine, where)
    server = Server(
        app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, http=HTTPModes.http1,
        websockets=False, backlog=4096, backpressure=10_000, log_enabled=False,
    )  # fmt: skip
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    serving = asyncio.create_task(server.serve())
    await stop.wait()
    server.stop()
    await serving


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
