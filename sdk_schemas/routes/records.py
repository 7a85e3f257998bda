"""The Records API of each collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from projects.schema.fields.file import FileField
from projects.schema.search import searchable_fields
from sdk_schemas.audience import Action, Api, Offer
from sdk_schemas.components import PARAMETERS
from sdk_schemas.fields import Json, part_schema
from sdk_schemas.operation import Access, Operation, json_body, parameter, path_parameter
from sdk_schemas.records import (
    create_example,
    page_example,
    record_example,
    record_name,
    ref,
    update_example,
)

_SHAPE: Final = (parameter("expand"), parameter("fields"))
_READ: Final = (parameter("ifNoneMatch"),)
_WRITE: Final = (parameter("idempotencyKey"),)
_CHANGE: Final = (parameter("ifMatch"), *_WRITE)
# What a write may be refused with beside what any operation of a collection may.
_ONCE: Final = (400, 403, 404, 409, 422)
_COUNT: Final[Json] = {
    "type": "object",
    "required": ["count"],
    "properties": {"count": {"type": "integer", "description": "How many records were written."}},
}
_MATCHING: Final = (
    {**PARAMETERS["filter"], "required": True},
    {
        "name": "limit",
        "in": "query",
        "description": "At most so many records, the oldest first.",
        "schema": {"type": "integer", "minimum": 1},
    },
)
_GROUPING: Final = tuple(
    {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }
    for name, description, example in (
        (
            "group",
            "Fields with one plain value (up to 8), of dates also `:year`, `:month`, `:day`, `:hour`; none: one item.",
            "id",
        ),
        (
            "select",
            "`count`, and `count`, `sum`, `avg`, `min`, `max` of a field: `count,sum(total)` (up to 20).",
            "count",
        ),
        ("sort", "Groups and what is selected, `-` before a descending one.", "-count"),
    )
)
_GROUPS: Final[Json] = {
    "type": "object",
    "required": ["page", "perPage", "totalItems", "totalPages", "items"],
    "properties": {
        **{key: {"type": "integer"} for key in ("page", "perPage")},
        **{
            key: {"type": "integer", "description": "-1: not counted."}
            for key in ("totalItems", "totalPages")
        },
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "description": "The values, each under the name it was asked for by.",
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            },
        },
    },
}
_PAGING: Final = tuple(map(parameter, ("page", "perPage", "cursor", "sort", "filter", "skipTotal")))


def operations(api: Api) -> Iterable[Operation]:
    for offer in api.offers:
        yield from _of(offer)


def _of(offer: Offer) -> Iterator[Operation]:
    root = f"/api/collections/{offer.name}/records"
    one = f"{root}/{{id}}"
    name, tag = offer.name, offer.name
    record = ref(record_name(offer))
    record_id = path_parameter("id", f"The id of a record of `{name}`.", example=record_example(offer)["id"])
    if "list" in offer.actions:
        yield Operation(
            id=f"{name}_list",
            method="get",
            path=root,
            tag=tag,
            summary=f"List {name}",
            description="What the rule hides is left out.",
            access=access(offer, "list"),
            parameters=(*_PAGING, *_search(offer), *_SHAPE, *_READ),
            tagged=True,
            answer=ref(f"{offer.type_name}Page"),
            examples={"page": {"value": page_example(offer)}},
        )
        yield _aggregate(offer, root)
    if "create" in offer.actions:
        yield Operation(
            id=f"{name}_create",
            method="post",
            path=root,
            tag=tag,
            summary=f"Create a record of {name}",
            access=access(offer, "create"),
            parameters=(*_SHAPE, *_WRITE),
            body=record_body(offer, f"{offer.type_name}Create", create_example(offer)),
            tagged=True,
            answer=record,
            refusals=_ONCE,
        )
    if "view" in offer.actions:
        yield Operation(
            id=f"{name}_view",
            method="get",
            path=one,
            tag=tag,
            summary=f"View a record of {name}",
            access=access(offer, "view"),
            parameters=(record_id, *_SHAPE, *_READ),
            tagged=True,
            answer=record,
        )
    if "update" in offer.actions:
        yield Operation(
            id=f"{name}_update",
            method="patch",
            path=one,
            tag=tag,
            summary=f"Update a record of {name}",
            description="Fields that the body does not name stay as they are.",
            access=access(offer, "update"),
            parameters=(record_id, *_SHAPE, *_CHANGE),
            body=record_body(offer, f"{offer.type_name}Update", update_example(offer)),
            tagged=True,
            answer=record,
            refusals=(*_ONCE, 412),
        )
        yield Operation(
            id=f"{name}_updateMany",
            method="patch",
            path=root,
            tag=tag,
            summary=f"Update the records of {name} that match",
            description="All or none; those that the rule refuses are passed over.",
            access=access(offer, "update"),
            parameters=(*_MATCHING, *_WRITE),
            body=json_body(ref(f"{offer.type_name}Update"), example=update_example(offer)),
            answer=_COUNT,
            refusals=_ONCE,
        )
    if "delete" in offer.actions:
        yield Operation(
            id=f"{name}_delete",
            method="delete",
            path=one,
            tag=tag,
            summary=f"Delete a record of {name}",
            description="Relations to it are emptied, or their records deleted too, as the fields say.",
            access=access(offer, "delete"),
            parameters=(record_id, *_CHANGE),
            status=204,
            refusals=(*_ONCE, 412),
        )
        yield Operation(
            id=f"{name}_deleteMany",
            method="delete",
            path=root,
            tag=tag,
            summary=f"Delete the records of {name} that match",
            description="All or none; those that the rule refuses are passed over.",
            access=access(offer, "delete"),
            parameters=(*_MATCHING, *_WRITE),
            answer=_COUNT,
            refusals=_ONCE,
        )


def _search(offer: Offer) -> tuple[Json, ...]:
    return (parameter("search"),) if searchable_fields(offer.collection) else ()


def _aggregate(offer: Offer, root: str) -> Operation:
    return Operation(
        id=f"{offer.name}_aggregate",
        method="get",
        path=f"{root}/aggregate",
        tag=offer.name,
        summary=f"Count and sum the records of {offer.name}",
        description="Of the records that the rule shows, by groups. Values that the caller may not read count as none.",
        access=access(offer, "list"),
        parameters=(*_GROUPING, *map(parameter, ("filter", "page", "perPage")), *_search(offer)),
        answer=_GROUPS,
    )


def access(offer: Offer, action: Action) -> Access:
    if action in offer.open:
        return "open"
    rule = getattr(offer.collection, f"{action}_rule")
    return "superuser" if rule is None else "rule"


def record_body(offer: Offer, schema_name: str, example: Json) -> Json:
    """A body of that schema: JSON, and multipart where the record has files."""
    body = json_body(ref(schema_name), example=example)
    files = [field for field in offer.writable if isinstance(field, FileField)]
    if files:
        payload = {**ref(schema_name), "description": "The other fields, as JSON."}
        parts = {field.name: part_schema(field) for field in files}
        body["content"]["multipart/form-data"] = {
            "schema": {"type": "object", "properties": {"@jsonPayload": payload, **parts}},
            "encoding": {"@jsonPayload": {"contentType": "application/json"}},
        }
    return body
