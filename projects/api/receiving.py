"""The body of a request that goes on with a resumable upload: to the disk as it comes, and no further than it may."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable
from typing import Final, TypeVar

from django.conf import settings
from starlette.requests import Request

from projects.api.bodies import chunks
from projects.api.multipart import too_large
from projects.api.requests import header
from projects.context import current_project
from projects.databases.uploads import UploadRow
from projects.errors import ApiError, bad_request
from projects.files.finishing import finish
from projects.files.parts import ALGORITHMS, Part, part_path
from projects.files.storage import ObjectMissingError
from projects.files.threads import in_files_pool

T = TypeVar("T")

# What gathers in memory before a thread writes it down.
_STEP_BYTES: Final = 512 * 1024
# How often a request that waits for its client looks whether another of the client's wants to go on instead.
_LOOK_SECONDS: Final = 1.0


async def receive_part(request: Request, row: UploadRow, start: int) -> int:
    """Append the request's body to the upload; how far it has come then. A whole one is put into its storage.

    What came before a connection was lost stays, unless it came under a checksum. Raises 409 when the upload has not
    come to ``start``, 413 for more than it was announced with, 460 for a wrong checksum, 400, PartBusyError,
    StorageError.
    """
    algorithm, digest = _checksum(request)
    length = header(request, b"content-length")
    if length.isdigit() and start + int(length) > row.file.size:
        raise too_large()
    project, size = current_project(), row.file.size
    if row.stored:
        offset = size
    else:
        try:
            offset = await _append(request, row, start, algorithm, digest)
        except ObjectMissingError:
            # A process that died had it stored already.
            await finish(project, row)
            offset = size
        else:
            if offset == size:
                await finish(project, row)
            return offset
    if start != offset:
        raise _conflict()
    return offset


def _conflict() -> ApiError:
    return ApiError(409, "The upload has not come to this offset: ask it with HEAD.")


async def _append(request: Request, row: UploadRow, start: int, algorithm: str, digest: bytes) -> int:
    path = part_path(current_project().uid, row.file.key)
    part = await in_files_pool(lambda: Part(path))
    try:
        if part.offset != start:
            raise _conflict()
        await _blocking(lambda: part.begin(algorithm))
        await _receive(request, part, row.file.size)
        if not algorithm:
            await _blocking(part.flush)
        elif not await _blocking(lambda: part.verify(digest)):
            raise ApiError(460, "The checksum of what was sent is another.")
        return part.offset
    finally:
        # The lock must not outlive the request.
        part.close()


async def _receive(request: Request, part: Part, size: int) -> None:
    waiting = bytearray()

    async def write() -> None:
        nonlocal waiting
        # Nothing is written twice, whatever becomes of it.
        data, waiting = waiting, bytearray()
        await _blocking(lambda: part.write(data))

    try:
        async for chunk in _patiently(chunks(request), part):
            if part.offset + len(waiting) + len(chunk) > size:
                waiting.clear()
                await _blocking(part.take_back)
                raise too_large()
            waiting += chunk
            if len(waiting) >= _STEP_BYTES:
                await write()
    except Exception:
        # The client went away. What came under a checksum does not count without the rest.
        if waiting and not part.is_unverified:
            await write()
            await _blocking(part.flush)
        raise
    if waiting:
        await write()


async def _patiently(body: AsyncIterator[bytes], part: Part) -> AsyncIterator[bytes]:
    """The body's pieces, until its client is silent for too long, or comes back in another request."""
    coming: asyncio.Future[bytes | None] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(_next(body))
            silent = 0.0
            while not (await asyncio.wait({coming}, timeout=_LOOK_SECONDS))[0]:
                silent += _LOOK_SECONDS
                asked = await in_files_pool(lambda: part.is_asked_to_stop)
                if asked or silent >= settings.MBAAS_UPLOADS_IDLE_SECONDS:
                    raise ApiError(408, "Nothing came for too long.")
            chunk = coming.result()
            if chunk is None:
                return
            yield chunk
    finally:
        if coming is not None and not coming.done():
            coming.cancel()


async def _next(body: AsyncIterator[bytes]) -> bytes | None:
    return await anext(body, None)


async def _blocking(work: Callable[[], T]) -> T:
    """``work()`` on a thread; a request that is cancelled waits for it, so that its file can be closed."""
    doing = asyncio.ensure_future(in_files_pool(work))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise


def _checksum(request: Request) -> tuple[str, bytes]:
    """Algorithm and digest of ``Upload-Checksum``; empty when there is none. Raises 400."""
    text = header(request, b"upload-checksum")
    if not text:
        return "", b""
    algorithm, _, encoded = text.strip().partition(" ")
    if algorithm not in ALGORITHMS:
        raise bad_request(f"Upload-Checksum takes {', '.join(ALGORITHMS)}.")
    try:
        return algorithm, base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        raise bad_request("Upload-Checksum must have the digest in Base64.") from None
