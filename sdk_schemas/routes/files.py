"""Files of records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projects.schema.fields.file import FileField
from sdk_schemas.audience import Api
from sdk_schemas.fields import Json
from sdk_schemas.operation import Operation, json_body, parameter, path_parameter

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


def _header(name: str, description: str, schema: Json, *, required: bool = True, example: str = "") -> Json:
    out: Json = {
        "name": name, "in": "header", "required": required, "description": description, "schema": schema,
    }  # fmt: skip
    return {**out, "example": example} if example else out


_TEXT: Final[Json] = {"type": "string"}
_BYTE_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_OFFSET_TYPE: Final = "application/offset+octet-stream"
_UPLOAD: Final = path_parameter("id", "The id of an upload: the last part of its address.")
_VERSION: Final = _header(
    "Tus-Resumable", "The protocol's version.", {"type": "string", "const": "1.0.0"}, example="1.0.0"
)
_CHECKSUM: Final = _header(
    "Upload-Checksum",
    "`sha256` (or `sha1`, `md5`) and the digest of this body in Base64.",
    _TEXT,
    required=False,
)
_STATE: Final[Json] = {
    "Upload-Offset": {"description": "How many bytes have come.", "schema": _BYTE_COUNT},
    "Upload-Expires": {"description": "Until when the last byte must be there.", "schema": _TEXT},
    "Tus-Resumable": {"schema": _TEXT},
}
_RECEIVING: Final = (408, 409, 413, 415, 423, 460, 507)
_ON_TUS: Final = {409: "OtherOffset", 412: "OtherVersion"}
_PART: Final[Json] = {"required": False, "content": {_OFFSET_TYPE: {"schema": _BYTES}}}
_PRESIGNED: Final[Json] = {
    "type": "object",
    "required": ["id", "method", "url", "headers", "expires"],
    "properties": {
        "id": {"type": "string", "description": "The value of the field, once the file is there."},
        "method": {"type": "string"},
        "url": {"type": "string"},
        "headers": {
            "type": "object",
            "description": "To be sent along as they are: they are signed.",
            "additionalProperties": {"type": "string"},
        },
        "expires": {"type": "integer", "description": "Seconds."},
    },
}
_WANTED: Final[Json] = {
    "type": "object",
    "required": ["collection", "field", "size"],
    "properties": {
        "collection": {"type": "string"},
        "field": {"type": "string"},
        "filename": {"type": "string"},
        "filetype": {"type": "string", "description": "Its MIME type."},
        "size": {"type": "integer", "minimum": 1, "description": "Bytes."},
    },
}


def _uploads() -> Iterable[Operation]:
    """Resumable uploads (tus 1.0.0), and uploads straight to the project's bucket."""
    root = "/api/files/uploads"
    yield Operation(
        id="createUpload",
        method="post",
        path=root,
        tag="files",
        summary="Begin a resumable upload (tus 1.0.0)",
        description="For whoever might create or update a record of the collection. The upload's id, which ends the"
        " address in `Location`, is then the value of the field in a create, an update or a batch.",
        parameters=(
            _VERSION,
            _header("Upload-Length", "The file's size in bytes.", _BYTE_COUNT),
            _header(
                "Upload-Metadata",
                "`collection`, `field`, `filename` and `filetype`, each with its value in Base64, separated by commas.",
                _TEXT,
                example="collection dXNlcnM=,field YXZhdGFy,filename YS5wbmc=",
            ),
            _CHECKSUM,
        ),
        body=_PART,
        status=201,
        headers={"Location": {"description": "The upload's address.", "schema": _TEXT}, **_STATE},
        refusals=(400, 403, 404, 412, *_RECEIVING),
        said=_ON_TUS,
    )
    yield Operation(
        id="appendUpload",
        method="patch",
        path=f"{root}/{{id}}",
        tag="files",
        summary="Go on with a resumable upload",
        description="What came before a connection was lost stays.",
        parameters=(
            _UPLOAD, _VERSION, _header("Upload-Offset", "Where this body goes on.", _BYTE_COUNT), _CHECKSUM,
        ),
        body={**_PART, "required": True},
        status=204,
        headers=_STATE,
        refusals=(400, 404, 405, 412, *_RECEIVING),
        said=_ON_TUS,
    )  # fmt: skip
    yield Operation(
        id="headUpload",
        method="head",
        path=f"{root}/{{id}}",
        tag="files",
        summary="How far a resumable upload has come",
        parameters=(_UPLOAD, _VERSION),
        headers={**_STATE, "Upload-Length": {"schema": _BYTE_COUNT}, "Upload-Metadata": {"schema": _TEXT}},
        refusals=(404, 405, 412),
        said=_ON_TUS,
    )
    yield Operation(
        id="deleteUpload",
        method="delete",
        path=f"{root}/{{id}}",
        tag="files",
        summary="Give an upload up",
        parameters=(_UPLOAD, _VERSION),
        status=204,
        refusals=(404, 412, 423),
        said=_ON_TUS,
    )
    yield Operation(
        id="presignUpload",
        method="post",
        path="/api/files/presign",
        tag="files",
        summary="Upload a file straight to the project's bucket",
        description="For whoever might create or update a record of the collection. Send the file to `url`, then use"
        " `id` as the field's value. 400 where the project's files are on the server's disk.",
        body=json_body(_WANTED, example={"collection": "users", "field": "avatar", "size": 1000}),
        answer=_PRESIGNED,
        refusals=(400, 403, 404, 413),
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
    yield from _uploads()
