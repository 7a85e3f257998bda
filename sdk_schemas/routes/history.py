"""How records were, and bringing that back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from sdk_schemas.audience import Api, Offer
from sdk_schemas.fields import Json
from sdk_schemas.operation import Access, Operation, json_body, parameter, path_parameter
from sdk_schemas.records import record_example, record_name, ref

_SEQ: Final[Json] = {"type": "integer", "minimum": 1}
_MOMENT: Final[Json] = {"type": "string", "format": "date-time"}
ACTOR: Final[Json] = {
    "type": ["object", "null"],
    "description": "Who made the change; null for nobody who is known.",
    "required": ["kind", "id"],
    "properties": {
        "kind": {"type": "string", "enum": ["user", "superuser"]},
        "id": {"type": "string", "description": "Empty for service keys; of superusers told to superusers."},
        "collectionId": {"type": "string"},
        "collectionName": {"type": "string"},
    },
}
_POINT: Final[Json] = {
    "type": "object",
    "description": "One of these, or none for a deleted record as it was last.",
    "maxProperties": 1,
    "properties": {
        "seq": {**_SEQ, "description": "What this change made or, a deletion, took."},
        "before": {**_SEQ, "description": "What was before this change."},
        "at": {**_MOMENT, "description": "What was at this moment."},
    },
}
_SKIPPED: Final[Json] = {
    "type": "object",
    "description": "Fields that are not as they were then, each with the reason.",
    "additionalProperties": ref("FieldError"),
}
_MOMENT_OF_ALL: Final[Json] = {
    "type": "object",
    "required": ["at"],
    "properties": {
        "at": {**_MOMENT, "description": "A moment that is past, and which the change log reaches back to."},
        "dryRun": {"type": "boolean", "default": False, "description": "Only say what it would come to."},
    },
}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
RESTORED: Final[Json] = {
    "type": "object",
    "required": ["at", "dryRun", "created", "updated", "deleted", "others", "problems"],
    "properties": {
        "at": _MOMENT,
        "dryRun": {"type": "boolean"},
        "created": _COUNT,
        "updated": _COUNT,
        "deleted": _COUNT,
        "others": {
            "type": "object",
            "description": "What became of records of other collections that depended on deleted ones.",
            "additionalProperties": {"type": "object", "additionalProperties": _COUNT},
        },
        "problems": {
            "type": "object",
            "required": ["count", "items"],
            "properties": {
                "count": {**_COUNT, "description": "Records that are not, or not whole, as they were."},
                "items": {
                    "type": "array",
                    "description": "The first hundred of them.",
                    "items": {
                        "type": "object",
                        "required": ["id", "action", "message", "data"],
                        "properties": {
                            "id": {"type": "string"},
                            "action": {"type": "string", "enum": ["create", "update", "delete"]},
                            "message": {"type": "string"},
                            "data": {"type": "object", "additionalProperties": ref("FieldError")},
                        },
                    },
                },
            },
        },
    },
}


def operations(api: Api) -> Iterable[Operation]:
    for offer in api.offers:
        if offer.collection.has_table and (offer.superuser or offer.collection.history_rule is not None):
            yield from _of(offer)
    if api.superuser:
        yield Operation(
            id="restoreCollection",
            method="post",
            path="/api/collections/{collection}/restore",
            tag="collections",
            summary="Make a collection's records what they were at a moment",
            description="In steps: if it is cut short it is asked for again.",
            access="superuser",
            parameters=(path_parameter("collection", "The name or id of a collection.", example="users"),),
            body=json_body(_MOMENT_OF_ALL, example={"at": "2026-11-23T07:30:00.123Z", "dryRun": True}),
            answer=RESTORED,
            refusals=(400, 401, 403, 404, 410),
        )


def _of(offer: Offer) -> Iterator[Operation]:
    name = offer.name
    one = f"/api/collections/{name}/records/{{id}}"
    record_id = path_parameter("id", f"The id of a record of `{name}`.", example=record_example(offer)["id"])
    yield Operation(
        id=f"{name}_history",
        method="get",
        path=f"{one}/history",
        tag=name,
        summary=f"What became of a record of {name}",
        description="Its changes, the newest first; of deleted records too.",
        access=_access(offer),
        parameters=(
            record_id,
            *map(parameter, ("perPage", "cursor", "fields", "ifNoneMatch")),
        ),
        tagged=True,
        answer=_page(offer),
    )
    if {"create", "update"} & offer.actions:
        yield Operation(
            id=f"{name}_restore",
            method="post",
            path=f"{one}/restore",
            tag=name,
            summary=f"Make a record of {name} what it was",
            description="Needs leave to update it too or, if it was deleted, to create it.",
            access=_access(offer),
            parameters=(record_id, *map(parameter, ("expand", "fields", "ifMatch", "idempotencyKey"))),
            body=json_body(_POINT, example={"seq": 41}, required=False),
            tagged=True,
            answer={
                "type": "object",
                "required": ["record", "skipped"],
                "properties": {"record": ref(record_name(offer)), "skipped": _SKIPPED},
            },
            refusals=(400, 403, 404, 409, 410, 412, 422),
        )


def _access(offer: Offer) -> Access:
    rule = offer.collection.history_rule
    if rule is None:
        return "superuser"
    return "rule" if rule.strip() else "open"


def _page(offer: Offer) -> Json:
    return {
        "type": "object",
        "required": ["items", "perPage", "nextCursor"],
        "properties": {
            "perPage": {"type": "integer"},
            "nextCursor": {"type": ["string", "null"]},
            "items": {"type": "array", "items": _entry(offer)},
        },
    }


def _entry(offer: Offer) -> Json:
    out: Json = {
        "type": "object",
        "required": ["seq", "action", "at", "actor", "record", "changed", "before"],
        "properties": {
            "seq": _SEQ,
            "action": {"type": "string", "enum": ["create", "update", "delete"]},
            "at": _MOMENT,
            "actor": ACTOR,
            "record": {**ref(record_name(offer)), "description": "What the change made, or took."},
            "changed": {"type": "array", "items": {"type": "string"}},
            "before": {
                "type": ["object", "null"],
                "description": "What the fields of `changed` were.",
                "additionalProperties": True,
            },
        },
    }
    if offer.superuser:
        out["properties"]["removedFields"] = {
            "type": "array",
            "description": "Fields that the record had then and the collection has no more.",
            "items": {"type": "string"},
        }
    return out
