"""``/api/files/presign``: uploads straight to the project's bucket, then given to a record by their id."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.bodies import read_body
from projects.api.dispatch import endpoint, write
from projects.api.limits import limit_request
from projects.api.responses import json_response
from projects.context import current_project
from projects.databases.uploads import UploadRow
from projects.errors import FieldError, invalid_fields
from projects.files.announcing import announce_upload
from projects.files.presigned import Presigned, presign_upload
from projects.files.threads import in_storage_pool
from projects.records.call import Call


@dataclass(frozen=True, slots=True)
class _Wanted:
    collection: str
    field: str
    filename: str
    filetype: str
    size: int


@endpoint
async def presign(request: Request) -> Response:
    wanted = _read(await read_body(request))
    await limit_request(request, "create", wanted.collection)
    project = current_project()

    def announce(call: Call) -> UploadRow:
        return announce_upload(
            call,
            wanted.collection,
            wanted.field,
            size=wanted.size,
            original=wanted.filename or "file",
            kind="direct",
        )

    row = await write(request, announce)
    made: Presigned = await in_storage_pool(project, partial(presign_upload, project, row, wanted.filetype))
    return json_response(
        {
            "id": row.id,
            "method": "PUT",
            "url": made.url,
            "headers": made.headers,
            "expires": settings.MBAAS_FILES_PRESIGN_SECONDS,
        }
    )


def _read(body: dict[str, Any]) -> _Wanted:
    """Raises 400 with an error for each value that is missing or wrong."""
    errors = {}
    texts = {}
    for name, most, needed in (
        ("collection", 255, True),
        ("field", 255, True),
        ("filename", 1000, False),
        ("filetype", 200, False),
    ):
        text = body.get(name, "")
        if not isinstance(text, str) or len(text) > most or not text.isprintable():
            errors[name] = FieldError("validation_invalid_value", "Must be a text.")
        elif needed and not text:
            errors[name] = FieldError("validation_required", "Cannot be blank.")
        else:
            texts[name] = text
    if not texts.get("filetype", "").isascii():
        errors["filetype"] = FieldError("validation_invalid_value", "Must be a MIME type.")
    size = body.get("size")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size < 10**15:
        errors["size"] = FieldError("validation_invalid_value", "Must be the file's size in bytes.")
    if errors:
        raise invalid_fields("Failed to create upload.", errors)
    assert isinstance(size, int)
    return _Wanted(size=size, **texts)


routes = [Route("/api/files/presign", presign, methods=["POST"])]
