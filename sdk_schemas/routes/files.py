"""Files of records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projects.schema.fields.file import FileField
from sdk_schemas.audience import Api
from sdk_schemas.fields import Json
from sdk_schemas.operation import Operation, parameter, path_parameter

_BYTES: Final[Json] = {"type": "string", "format": "binary"}
_PATH: Final = (
    path_parameter("collection", "The name or id of a collection."),
    path_parameter("record", "The id of a record."),
    path_parameter("name", "The name of a file, as the record has it."),
)


def _query(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}


_QUERY: Final = (
    _query(
        "thumb",
        "A picture in a smaller size: `100x100`, `100x100t`, `100x100b`, `100x100f`, `0x100`, `100x0`.",
    ),
    _query("token", "For protected files: a token of `/api/files/token`."),
    _query("download", "`1`: to be saved, not shown."),
)


def operations(api: Api) -> Iterable[Operation]:
    if not any(isinstance(field, FileField) for offer in api.offers for field in offer.readable):
        return
    yield Operation(
        id="getFile",
        method="get",
        path="/api/files/{collection}/{record}/{name}",
        tag="files",
        summary="A file of a record, or a thumb of it",
        description="Ranges are answered in part (206).",
        parameters=(*_PATH, *_QUERY, parameter("ifNoneMatch")),
        tagged=True,
        answer=_BYTES,
        answer_type="*/*",
        also={206: _BYTES, 416: None},
        refusals=(400, 404),
    )
    yield Operation(
        id="createFileToken",
        method="post",
        path="/api/files/token",
        tag="files",
        summary="A short token for protected files",
        description="For whoever is signed in.",
        answer={"type": "object", "required": ["token"], "properties": {"token": {"type": "string"}}},
        refusals=(400, 401, 403),
    )
