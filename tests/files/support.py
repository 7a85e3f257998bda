"""A project with collections that hold files, and a client of its API inside this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from projects.api.app import app as api
from projects.context import ProjectHandle, use_project
from projects.databases import write_session
from projects.databases.lanes import stop_lanes
from projects.databases.stored_files import used_bytes
from tests.records.support import collection, text

Client = httpx.AsyncClient
RECORDS = "/api/collections/docs/records"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccfc0f01f00"
    "05050202a14d9e2f0000000049454e44ae426082"
)


def file(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "file", **options}


def make_docs(project: ProjectHandle, **options: Any) -> None:
    """The collection ``docs``: open to everyone, with files single, many (3), protected."""
    with write_session(project) as session:
        collection(
            session,
            "docs",
            text("title"),
            file("one", thumbs=["50x50", "20x20f"]),
            file("many", maxSelect=3, maxSize=1000, mimeTypes=["image/png", "text/plain"]),
            file("secret", protected=True, thumbs=["50x50"]),
            **options,
        )


def serve(
    projects: ProjectHandle | dict[str, ProjectHandle], test: Callable[[Client], Awaitable[None]]
) -> None:
    """Run ``test(client)`` against the project's API, inside the project as the server does.

    Several projects are told apart by the first part of an address.
    """

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        project = projects
        if isinstance(project, dict):
            name, _, rest = scope["path"][1:].partition("/")
            project, scope = project[name], {**scope, "path": f"/{rest}"}
        with use_project(project):
            await api(scope, receive, send)

    async def run() -> None:
        transport = httpx.ASGITransport(inside, client=("192.0.2.1", 1))
        async with Client(transport=transport, base_url="http://test") as client:
            await test(client)

    try:
        asyncio.run(run())
    finally:
        stop_lanes(5)


async def create(client: Client, *files: tuple[str, str, bytes], **values: str) -> dict[str, Any]:
    """A new record of ``docs`` with these files: (field, name, content)."""
    answer = await client.post(RECORDS, files=parts(*files, **values))
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def parts(*files: tuple[str, str, bytes], **values: str) -> list[tuple[str, Any]]:
    """A multipart body for httpx: values, then files."""
    return [
        *((name, (None, value)) for name, value in values.items()),
        *((field, (name, content)) for field, name, content in files),
    ]


def rows(project: ProjectHandle) -> list[tuple[str, str, str]]:
    """(state, original name, stored name) of every row of the table of files."""
    with write_session(project) as session:
        return sorted(session.rows("SELECT state, original, name FROM _files"))


def bytes_used(project: ProjectHandle) -> int:
    with write_session(project) as session:
        return used_bytes(session)
