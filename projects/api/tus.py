"""``/api/files/uploads``: resumable uploads, tus 1.0.0 (https://tus.io/protocols/resumable-upload).

The core with creation, creation-with-upload, expiration, checksum and termination. What is received lies on the disk
of the spool folder; how far an upload has come is the length of its file, so every process there can go on with it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from email.utils import format_datetime
from functools import wraps
from typing import Final

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.dispatch import Endpoint, endpoint, read, write
from projects.api.limits import limit_request
from projects.api.receiving import receive_part
from projects.api.requests import header
from projects.context import current_project
from projects.databases.stored_files import release_pending
from projects.databases.uploads import UploadRow
from projects.errors import ApiError, FieldError, bad_request, invalid_fields
from projects.files.announcing import LONGEST_METADATA, announce_upload
from projects.files.finishing import finish
from projects.files.parts import (
    ALGORITHMS,
    PartBusyError,
    ask_to_stop,
    create_part,
    discard_part,
    received,
    received_by_now,
)
from projects.files.storage import ObjectMissingError, StorageError
from projects.files.threads import in_files_pool
from projects.records.call import Call
from projects.records.uploads import own_upload

PATH: Final = "/api/files/uploads"
VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,expiration,checksum,termination"
CONTENT_TYPE: Final = "application/offset+octet-stream"
FAILED: Final = "Failed to create upload."

# How long HEAD waits for the request that sends the upload to end.
_STOP_TRIES: Final = 15
_STOP_SECONDS: Final = 0.2


def options_headers() -> list[tuple[bytes, bytes]]:
    """What OPTIONS says of the protocol."""
    return [
        (b"tus-resumable", VERSION.encode()),
        (b"tus-version", VERSION.encode()),
        (b"tus-extension", EXTENSIONS.encode()),
        (b"tus-max-size", str(settings.MBAAS_MAX_FILE_BYTES).encode()),
        (b"tus-checksum-algorithm", ",".join(ALGORITHMS).encode()),
    ]


def _tus(handler: Endpoint) -> Endpoint:
    """``handler`` for requests of our version of the protocol; every answer names it."""

    @endpoint
    async def guarded(request: Request) -> Response:
        if header(request, b"tus-resumable") != VERSION:
            headers = {"Tus-Version": VERSION}
            raise ApiError(412, "This server speaks tus 1.0.0: send Tus-Resumable.", headers=headers)
        try:
            return await handler(request)
        except PartBusyError:
            raise ApiError(423, "Another request is sending this upload.") from None

    @wraps(handler)
    async def answered(request: Request) -> Response:
        response = await guarded(request)
        response.headers["Tus-Resumable"] = VERSION
        return response

    return answered


@_tus
async def create(request: Request) -> Response:
    size = _number(request, b"upload-length")
    metadata = header(request, b"upload-metadata")
    given = _read_metadata(metadata)
    name = given.get("collection", "")
    await limit_request(request, "create", name)
    original = given.get("filename", "") or "file"

    def announce(call: Call) -> UploadRow:
        return announce_upload(
            call, name, given.get("field", ""), size=size, original=original, metadata=metadata
        )

    row = await write(request, announce)
    uid = current_project().uid
    try:
        await in_files_pool(lambda: create_part(uid, row.file.key))
    except StorageError:
        await write(request, lambda call: release_pending(call.session, [row.file.key]))
        raise
    offset = 0
    if header(request, b"content-type") == CONTENT_TYPE or not size:
        offset = await receive_part(request, row, 0)
    prefix = request.scope.get("mbaas.prefix", "")
    headers = {"Location": f"{prefix}{PATH}/{row.id}", **_state(row, offset)}
    return Response(status_code=201, headers=headers)


@_tus
async def one_upload(request: Request) -> Response:
    # For clients that can send nothing but GET and POST.
    method = header(request, b"x-http-method-override").upper() or request.method
    row = await read(request, lambda call: own_upload(call, request.path_params["id"]))
    if row.kind == "tus" and method == "PATCH":
        return await _append(request, row)
    if row.kind == "tus" and method == "HEAD":
        return await _head(row)
    if method == "DELETE":
        return await _terminate(request, row)
    raise ApiError(405, "The method is not allowed.", headers={"Allow": "HEAD, PATCH, DELETE"})


async def _head(row: UploadRow) -> Response:
    headers = {
        **_state(row, await _offset(row)),
        "Upload-Length": str(row.file.size),
        "Cache-Control": "no-store",
    }
    if row.metadata:
        headers["Upload-Metadata"] = row.metadata
    return Response(status_code=200, headers=headers)


async def _offset(row: UploadRow) -> int:
    if row.stored:
        return row.file.size
    project, key = current_project(), row.file.key
    try:
        for _ in range(_STOP_TRIES):
            try:
                return await in_files_pool(lambda: received(project.uid, key))
            except PartBusyError:
                # Who asks has lost the connection that is still believed in.
                await in_files_pool(lambda: ask_to_stop(project.uid, key))
                await asyncio.sleep(_STOP_SECONDS)
        return await in_files_pool(lambda: received_by_now(project.uid, key))
    except ObjectMissingError:
        # A process that died had it stored already.
        await finish(project, row)
        return row.file.size


async def _append(request: Request, row: UploadRow) -> Response:
    if header(request, b"content-type") != CONTENT_TYPE:
        raise ApiError(415, f"Content-Type must be {CONTENT_TYPE}.")
    offset = await receive_part(request, row, _number(request, b"upload-offset"))
    return Response(status_code=204, headers=_state(row, offset))


async def _terminate(request: Request, row: UploadRow) -> Response:
    uid = current_project().uid
    await in_files_pool(lambda: discard_part(uid, row.file.key))
    await write(request, lambda call: release_pending(call.session, [row.file.key]))
    return Response(status_code=204)


def _state(row: UploadRow, offset: int) -> dict[str, str]:
    return {"Upload-Offset": str(offset), "Upload-Expires": format_datetime(row.due, usegmt=True)}


def _number(request: Request, name: bytes) -> int:
    text = header(request, name)
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise bad_request(f"{name.decode().title()} must be a number of bytes.")
    return int(text)


def _read_metadata(text: str) -> Mapping[str, str]:
    """``Upload-Metadata``: pairs of a key and a value in Base64. Raises 400."""
    wrong = invalid_fields(
        FAILED, {"metadata": FieldError("validation_invalid_format", "Upload-Metadata cannot be read.")}
    )
    if len(text) > LONGEST_METADATA:
        raise wrong
    found: dict[str, str] = {}
    for pair in text.split(",") if text else ():
        key, _, value = pair.strip().partition(" ")
        if not key or key in found:
            raise wrong
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise wrong from None
    if missing := {
        name: FieldError("validation_required", "Cannot be blank.")
        for name in ("collection", "field")
        if not found.get(name)
    }:
        raise invalid_fields(FAILED, missing)
    return found


routes = [
    Route(PATH, create, methods=["POST"]),
    Route(PATH + "/{id}", one_upload, methods=["HEAD", "PATCH", "DELETE", "POST"]),
]
