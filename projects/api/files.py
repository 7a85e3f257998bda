"""``/api/files``: serving files and thumbs of them, and the short tokens for protected ones.

Serving is raw ASGI: a file is sent by the server itself where it lies on its disk, else in pieces, each read while
no other of the client's is on its way: what is in memory at once, what may have to be waited for by a thread. A slow
client holds a socket and no thread.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, Final

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.accounts.file_tokens import issue_file_token
from projects.api.dispatch import Headers, answer_raw, client_ip, endpoint, read
from projects.api.limits import limit_request
from projects.api.requests import query_of, raw_header
from projects.api.responses import json_response
from projects.api.routing import Receive, Scope, Send
from projects.context import ProjectHandle, current_project
from projects.databases import Session
from projects.databases.lanes import lanes
from projects.databases.stored_files import FileRow
from projects.errors import ApiError
from projects.files.headers import Header, file_headers, is_known, range_applies
from projects.files.presigned import presign_download
from projects.files.ranges import UnsatisfiableRangeError, parse_ranges
from projects.files.serving import FileRequest, FoundFile, find_file
from projects.files.storage import QuickReader, Reader, StorageError
from projects.files.storages import open_storage
from projects.files.threads import in_files_pool, in_storage_pool
from projects.files.thumbs import ensure_thumb
from projects.principal import GUEST, RequestInfo
from projects.schema.fields.coerce import to_bool

# What is read and sent at once of a file that the server does not send itself. The server holds several of them
# for a slow client (with its own buffer 1.3 MB in all); smaller ones cost more turns of a thread.
_PIECE: Final = 128 * 1024
# What describes a body, and there is none.
_NOT_IN_304: Final = frozenset({b"content-type", b"accept-ranges"})


class Files:
    """GET and HEAD of a file."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer_raw(scope, receive, send, lambda sending: _serve(scope, receive, sending))


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    project, request = current_project(), Request(scope)
    params = scope["path_params"]
    await limit_request(request, "file", params["collection"])
    query = query_of(request)
    asked = FileRequest(
        params["collection"],
        params["record"],
        params["name"],
        query.get("thumb", ""),
        query.get("token", ""),
        _text(scope, b"accept") if "thumb" in query else "",
    )

    def info() -> RequestInfo:
        headers, ip = Headers(scope["headers"]), client_ip(request)
        return RequestInfo(GUEST, scope["method"], "default", query, headers, {}, ip)

    def look_up(session: Session) -> FoundFile:
        return find_file(session, asked, info)

    found = await lanes().read(project, look_up)
    if found.wanted is not None and await ensure_thumb(project, found.row, found.wanted):
        found = await lanes().read(project, look_up)
    await _answer(scope, receive, send, project, found, download=to_bool(query.get("download", "")))


async def _answer(
    scope: Scope, receive: Receive, send: Send, project: ProjectHandle, found: FoundFile, *, download: bool
) -> None:
    row = found.row
    headers = file_headers(row, protected=found.protected, download=download, negotiated=found.negotiated)
    if is_known(row, _text(scope, b"if-none-match"), _text(scope, b"if-modified-since")):
        await _empty(send, 304, [header for header in headers if header[0] not in _NOT_IN_304])
        return
    if settings.MBAAS_FILES_REDIRECT_SECONDS and row.storage != "disk" and scope["method"] == "GET":
        address = await in_storage_pool(project, lambda: presign_download(project, row, headers))
        # Whoever keeps the answer keeps the right to see the file: nobody may.
        gone = [(b"location", address.encode()), (b"cache-control", b"private, no-store")]
        await _empty(send, 302, gone)
        return
    ranges = _ranges(scope, row)
    if not ranges:
        await _whole(scope, receive, send, project, row, headers)
    elif len(ranges) == 1:
        start, length = ranges[0]
        headers = [*headers, _content_range(row, start, length)]
        await _send_parts(scope, receive, send, project, row, 206, headers, [(b"", start, length)], b"")
    else:
        await _several(scope, receive, send, project, row, headers, ranges)


def _ranges(scope: Scope, row: FileRow) -> list[tuple[int, int]]:
    wanted = _text(scope, b"range")
    if not wanted or not range_applies(row, _text(scope, b"if-range")):
        return []
    try:
        return parse_ranges(wanted, row.size)
    except UnsatisfiableRangeError:
        headers = {"Content-Range": f"bytes */{row.size}"}
        raise ApiError(416, "The requested range is not in the file.", headers=headers) from None


async def _whole(
    scope: Scope, receive: Receive, send: Send, project: ProjectHandle, row: FileRow, headers: list[Header]
) -> None:
    path = open_storage(project, row.storage).local_path(row.key)
    if path is None or not row.size or "http.response.pathsend" not in (scope.get("extensions") or {}):
        await _send_parts(scope, receive, send, project, row, 200, headers, [(b"", 0, row.size)], b"")
        return
    headers = [*headers, (b"content-length", str(row.size).encode())]
    if scope["method"] == "HEAD":
        await _empty(send, 200, headers)
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.pathsend", "path": path})


async def _several(
    scope: Scope,
    receive: Receive,
    send: Send,
    project: ProjectHandle,
    row: FileRow,
    headers: list[Header],
    ranges: list[tuple[int, int]],
) -> None:
    """``multipart/byteranges`` (RFC 9110, 14.6)."""
    boundary = secrets.token_hex(16).encode()
    kind = next(value for name, value in headers if name == b"content-type")
    parts = []
    for start, length in ranges:
        head = b"\r\n--%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n"
        parts.append((head % (boundary, kind, _content_range(row, start, length)[1]), start, length))
    rest = [header for header in headers if header[0] != b"content-type"]
    rest.append((b"content-type", b"multipart/byteranges; boundary=" + boundary))
    end = b"\r\n--" + boundary + b"--\r\n"
    await _send_parts(scope, receive, send, project, row, 206, rest, parts, end)


async def _send_parts(
    scope: Scope,
    receive: Receive,
    send: Send,
    project: ProjectHandle,
    row: FileRow,
    status: int,
    headers: list[Header],
    parts: Iterable[tuple[bytes, int, int]],
    end: bytes,
) -> None:
    """Send pieces of the file, (what comes before, start, length) each, and ``end``."""
    parts = list(parts)
    length = sum(len(head) + size for head, _, size in parts) + len(end)
    headers = [*headers, (b"content-length", str(length).encode())]
    if scope["method"] == "HEAD" or not length:
        await _empty(send, status, headers)
        return
    source = _Source(project, row)
    client = _Client(receive)
    try:
        # Whatever can fail at once does so before the answer begins.
        await source.open(parts[0][1], parts[0][2])
        first = await source.read()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for at, (head, start, size) in enumerate(parts):
            if at:
                await source.open(start, size)
                first = await source.read()
            await send(_body(head + first))
            while source.left and not client.is_gone:
                await send(_body(await source.read()))
        await send({"type": "http.response.body", "body": end, "more_body": False})
    finally:
        client.forget()
        await source.close()


class _Source:
    """The bytes of a stored file, read on threads; a piece at a time."""

    def __init__(self, project: ProjectHandle, row: FileRow) -> None:
        self._project = project
        self._row = row
        self._storage = open_storage(project, row.storage)
        self._is_local = self._storage.local_path(row.key) is not None
        self._reader: Reader | None = None
        self.left = 0

    async def open(self, start: int, size: int) -> None:
        await self.close()
        self._reader = await self._run(lambda: self._storage.open(self._row.key, start, size))
        self.left = size

    async def read(self) -> bytes:
        reader = self._reader
        assert reader is not None
        if not self.left:
            return b""
        size = min(_PIECE, self.left)
        data = reader.read_now(size) if isinstance(reader, QuickReader) else None
        if data is None:
            data = await self._run(lambda: reader.read(size))
        if not data:
            raise StorageError(f"{self._row.key}: {self.left} bytes are missing")
        self.left -= len(data)
        return data

    async def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await self._run(reader.close)

    async def _run(self, work: Callable[[], Any]) -> Any:
        return await (in_files_pool(work) if self._is_local else in_storage_pool(self._project, work))


class _Client:
    """Notices when the client goes away: the server takes what is sent to nobody without a word."""

    def __init__(self, receive: Receive) -> None:
        self._waiting = asyncio.ensure_future(self._wait(receive))

    @staticmethod
    async def _wait(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    @property
    def is_gone(self) -> bool:
        return self._waiting.done()

    def forget(self) -> None:
        self._waiting.cancel()


def _body(data: bytes) -> MutableMapping[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": True}


async def _empty(send: Send, status: int, headers: list[Header]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _content_range(row: FileRow, start: int, length: int) -> Header:
    return b"content-range", f"bytes {start}-{start + length - 1}/{row.size}".encode()


def _text(scope: Scope, name: bytes) -> str:
    return str(raw_header(scope, name), "latin-1")


@endpoint
async def token(request: Request) -> Response:
    await limit_request(request)
    return json_response({"token": await read(request, issue_file_token)})


routes = [
    Route("/api/files/token", token, methods=["POST"]),
    Route("/api/files/{collection}/{record}/{name}", Files(), methods=["GET"]),
]
