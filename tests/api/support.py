"""Calls the app API of a project in this process: its routes, lanes and threads, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from projects.accounts.tokens import issue_token
from projects.api.app import app
from projects.context import ProjectHandle, use_project
from projects.databases import Session
from projects.databases.lanes import stop_lanes
from tests.accounts.helpers import call_on, sign_up

Client = httpx.AsyncClient


def client_of(project: ProjectHandle, **options: Any) -> Client:
    """A client whose requests are answered inside the project, as a server does."""

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        with use_project(project):
            await app(scope, receive, send)

    transport = httpx.ASGITransport(inside, client=("192.0.2.1", 1))
    return Client(transport=transport, base_url="http://test", **options)


def serve(project: ProjectHandle, test: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """Run ``test(client)``; the lanes that it started end with it."""

    async def run() -> None:
        async with client_of(project, **options) as client:
            await test(client)

    try:
        asyncio.run(run())
    finally:
        stop_lanes(5)


def records(collection: str, record_id: str = "") -> str:
    path = f"/api/collections/{collection}/records"
    return f"{path}/{record_id}" if record_id else path


def signed_in(session: Session, email: str, collection: str = "users", **values: Any) -> tuple[str, str]:
    """A new user: their id, and the headers' token."""
    record = sign_up(session, email, collection, **values)
    call = call_on(session)
    return record["id"], issue_token(session.project, call.collection(collection), record)
