"""Tables brought into a collection, by superusers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdk_schemas.audience import Api
from sdk_schemas.fields import Json
from sdk_schemas.operation import Operation, path_parameter

_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_ANSWER: Final[Json] = {
    "type": "object",
    "required": ["created", "updated", "unchanged", "refused", "unknownColumns", "errors"],
    "properties": {
        "created": _COUNT,
        "updated": _COUNT,
        "unchanged": {**_COUNT, "description": "Records that the rows describe as they are."},
        "refused": _COUNT,
        "unknownColumns": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Columns that are no fields, and were left out.",
        },
        "errors": {
            "type": "array",
            "description": "The first refused rows.",
            "items": {
                "type": "object",
                "required": ["line", "message", "data"],
                "properties": {
                    "line": {"type": "integer", "minimum": 1},
                    "message": {"type": "string"},
                    "data": {"type": "object", "additionalProperties": True},
                },
            },
        },
    },
}
_TEXT: Final[Json] = {"type": "string"}
_QUERY: Final[tuple[Json, ...]] = tuple(
    {"name": name, "in": "query", "description": description, "schema": schema}
    for name, description, schema in (
        ("upsert", "A row whose id is there changes that record.", {"type": "boolean"}),
        ("dryRun", "Nothing is stored: the answer says what would be refused.", {"type": "boolean"}),
        ("delimiter", "Of CSV, where the header does not tell.", {"type": "string", "maxLength": 1}),
        ("columns", 'JSON: which field a name in the file means, `{"E-mail": "email", "note": ""}`.', _TEXT),
    )
)


def operations(api: Api) -> Iterable[Operation]:
    if not api.superuser:
        return
    yield Operation(
        id="importRecords",
        method="post",
        path="/api/collections/{collection}/records/import",
        tag="collections",
        summary="Bring a table into a collection",
        description=(
            "CSV with a header, or JSON lines, in UTF-8. Rows are stored in steps, each a transaction; those that are"
            " refused are told of and the others stored. No rule of the collection is asked."
        ),
        access="superuser",
        parameters=(path_parameter("collection", "The name or id of a collection."), *_QUERY),
        body={
            "required": True,
            "content": {
                "text/csv": {"schema": _TEXT, "example": "id,title\n,First\n"},
                "application/jsonl": {"schema": _TEXT, "example": '{"title": "First"}\n'},
            },
        },
        answer=_ANSWER,
        refusals=(400, 401, 403, 404),
    )
