"""A small client of the tus protocol, for tests of what each of its requests is answered."""

from __future__ import annotations

import base64
from typing import Any

import httpx

UPLOADS = "/api/files/uploads"
VERSION = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}


def metadata(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


async def announce(
    client: httpx.AsyncClient,
    size: int,
    *,
    field: str = "one",
    filename: str = "Hello.txt",
    collection: str = "docs",
    content: bytes | None = None,
    **headers: str,
) -> httpx.Response:
    described = metadata(collection=collection, field=field, filename=filename)
    given = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": described, **headers}
    if content is not None:
        given |= BYTES
    return await client.post(UPLOADS, headers=given, content=content)


async def begin(client: httpx.AsyncClient, size: int, **given: Any) -> str:
    """A new upload; its address."""
    answer = await announce(client, size, **given)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


async def append(
    client: httpx.AsyncClient, address: str, offset: int, content: Any, **headers: str
) -> httpx.Response:
    given = {**VERSION, **BYTES, "Upload-Offset": str(offset), **headers}
    return await client.patch(address, headers=given, content=content)


async def offset_of(client: httpx.AsyncClient, address: str, **headers: str) -> int:
    answer = await client.head(address, headers={**VERSION, **headers})
    assert answer.status_code == 200, answer.status_code
    return int(answer.headers["upload-offset"])


async def uploaded(client: httpx.AsyncClient, content: bytes, **given: Any) -> str:
    """A whole upload; its id."""
    headers = given.get("headers", {})
    address = await begin(client, len(content), content=content, **given)
    assert await offset_of(client, address, **headers) == len(content)
    return address.rpartition("/")[2]
