"""What every document shares: the error shape, refusals, query parameters, ways to authenticate."""

from __future__ import annotations

from typing import Final

from sdk_schemas.fields import GEO_POINT, Json

_FIELD_ERROR: Final[Json] = {
    "type": "object",
    "description": "What is wrong with one field. Values of lists and objects nest by index and name.",
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "params": {"type": "object", "additionalProperties": True},
    },
    "additionalProperties": True,
}
_ERROR: Final[Json] = {
    "type": "object",
    "required": ["status", "message", "data"],
    "properties": {
        "status": {"type": "integer"},
        "message": {"type": "string"},
        "data": {
            "type": "object",
            "description": "Errors by field.",
            "additionalProperties": {"$ref": "#/components/schemas/FieldError"},
        },
    },
}
SCHEMAS: Final[Json] = {"Error": _ERROR, "FieldError": _FIELD_ERROR, "GeoPoint": GEO_POINT}


def _refusal(status: int, description: str, message: str, **data: Json) -> Json:
    content = {
        "schema": {"$ref": "#/components/schemas/Error"},
        "example": {"status": status, "message": message, "data": data},
    }
    out: Json = {"description": description, "content": {"application/json": content}}
    if status in (409, 429, 503):
        seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait before the next try."}
        out["headers"] = {"Retry-After": seconds}
    return out


RESPONSES: Final[Json] = {
    "BadRequest": _refusal(
        400,
        "What was sent cannot be read, or the server refuses a value of it.",
        "Failed to create record.",
        title={"code": "validation_required", "message": "Cannot be blank."},
    ),
    "Unauthorized": _refusal(
        401,
        "A token is needed, or this one is not valid.",
        "The request requires valid record authorization token.",
    ),
    "Forbidden": _refusal(403, "The caller may not do this.", "Only superusers can perform this action."),
    "NotFound": _refusal(
        404,
        "There is no such thing, or none that the caller may know of.",
        "The requested resource wasn't found.",
    ),
    "Conflict": _refusal(
        409,
        "The first request with this Idempotency-Key is still at work.",
        "A request with this Idempotency-Key is still being processed.",
    ),
    "Gone": _refusal(
        410,
        "What was asked for is older than what is kept.",
        "The change log does not reach back that far any more.",
    ),
    "Changed": _refusal(
        412,
        "The record is not the one that `If-Match` names any more.",
        "The record has changed since you read it.",
    ),
    "OtherRequest": _refusal(
        422,
        "This Idempotency-Key came with another request before.",
        "This Idempotency-Key belongs to another request.",
    ),
    "TooLarge": _refusal(413, "The body is larger than the server takes.", "Request entity too large."),
    "TooManyRequests": _refusal(
        429, "Too many requests: wait.", "Too many requests. Please try again later."
    ),
    "WrongMethod": _refusal(405, "That is not done to it.", "The method is not allowed."),
    "TooSlow": _refusal(
        408, "Nothing came for too long: go on with what has come.", "Nothing came for too long."
    ),
    "WrongType": _refusal(
        415,
        "The body is of another type.",
        "Content-Type must be application/offset+octet-stream.",
    ),
    "OtherOffset": _refusal(
        409,
        "The upload has come to another place: ask with HEAD where.",
        "The upload has not come to this offset: ask it with HEAD.",
    ),
    "OtherVersion": _refusal(
        412,
        "`Tus-Resumable` is missing or names another version.",
        "This server speaks tus 1.0.0: send Tus-Resumable.",
    ),
    "UploadBusy": _refusal(
        423, "Another request sends this upload.", "Another request is sending this upload."
    ),
    "WrongChecksum": _refusal(
        460, "What came is not what the checksum says.", "The checksum of what was sent is another."
    ),
    "StorageFull": _refusal(507, "There is no room for files.", "The storage is full."),
    "Unavailable": _refusal(
        503,
        "The server is busy or stopping, the request took too long, or the project is suspended.",
        "The server is busy. Please try again shortly.",
    ),
}


def _query(name: str, description: str, schema: Json, example: str = "") -> Json:
    out: Json = {"name": name, "in": "query", "description": description, "schema": schema}
    return {**out, "example": example} if example else out


QUERY: Final[Json] = {
    "page": _query("page", "The page, from 1.", {"type": "integer", "minimum": 1, "default": 1}),
    "perPage": _query(
        "perPage", "Records of a page.", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 30}
    ),
    "skipTotal": _query(
        "skipTotal",
        "Answer without counting: quicker; the totals are -1.",
        {"type": "boolean", "default": False},
    ),
    "cursor": _query(
        "cursor",
        "Page by key, which costs the same however far: empty for the first page, then the answer's `nextCursor`.",
        {"type": "string"},
    ),
    "sort": _query("sort", "Fields, `-` before a descending one; `@random`.", {"type": "string"}, "-id"),
    "filter": _query(
        "filter",
        "An expression over the record's fields: `=` `!=` `>` `>=` `<` `<=` `~` `!~`, `&&`, `||`, parentheses.",
        {"type": "string", "maxLength": 3500},
        "id != ''",
    ),
    "search": _query(
        "search",
        'Words that must all occur in the searchable fields, the last perhaps only begun; "those in quotes" one after'
        " the other. What is found best comes first, or where `sort` has `@rank`.",
        {"type": "string"},
    ),
    "expand": _query(
        "expand",
        "Relations whose records are answered too, dotted (up to 6), separated by commas; `collection_via_field` stands"
        " for the records whose relation names this one, up to 1000 of them.",
        {"type": "string"},
    ),
    "fields": _query(
        "fields",
        "Only these parts of the answer, dotted; `:excerpt(200,true)` shortens a text.",
        {"type": "string"},
    ),
}


def _header(name: str, description: str) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


PARAMETERS: Final[Json] = {
    **QUERY,
    "ifNoneMatch": _header(
        "If-None-Match", "The `ETag` of the answer that you have: 304 if nothing has changed."
    ),
    "ifMatch": _header("If-Match", "The `ETag` of the record that you read: 412 if it is another by now."),
    "idempotencyKey": _header(
        "Idempotency-Key",
        "A key of your own for this write: sent again, it is done once and answered the same.",
    ),
}
HEADERS: Final[Json] = {
    "ETag": {"description": "The state that the answer shows.", "schema": {"type": "string"}},
}

SECURITY_SCHEMES: Final[Json] = {
    "userToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An end user's token, from one of the ways to sign in. `Bearer` may be left out.",
    },
    "serviceKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "sk_…",
        "description": "A service key, or the token of a member of the project. Full access: for servers only.",
    },
}
