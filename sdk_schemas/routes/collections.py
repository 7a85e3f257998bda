"""Modelling the project's data: for superusers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdk_schemas.audience import Api
from sdk_schemas.fields import Json
from sdk_schemas.operation import Operation, json_body, parameter, path_parameter
from sdk_schemas.records import ref
from sdk_schemas.routes.rules import WARNINGS

_RULES: Final = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
_RULE: Final[Json] = {
    "type": ["string", "null"],
    "description": "null: superusers only; empty: everyone; else an expression.",
}
FIELD: Final[Json] = {
    "type": "object",
    "required": ["name", "type"],
    "properties": {
        "id": {
            "type": "string",
            "description": "Stays when the name changes, so that a rename keeps the data.",
        },
        "name": {"type": "string"},
        "type": {"type": "string"},
        "system": {"type": "boolean"},
        "hidden": {"type": "boolean"},
        "presentable": {"type": "boolean"},
        "required": {"type": "boolean"},
        "nullable": {"type": "boolean", "description": "No value is null, not the type's zero."},
        "readRule": {
            "type": ["string", "null"],
            "description": "Who reads it, asked record by record; null or empty: whoever reads the record.",
        },
        "writeRule": {
            "type": ["string", "null"],
            "description": "Who sets it, asked of the record as it is; null or empty: whoever writes the record.",
        },
    },
    "additionalProperties": True,
}
_CHANGEABLE: Final[Json] = {
    "name": {"type": "string"},
    "fields": {"type": "array", "items": {"$ref": "#/components/schemas/CollectionField"}},
    "indexes": {"type": "array", "items": {"type": "string"}},
    **dict.fromkeys(_RULES, _RULE),
    "historyRule": {**_RULE, "description": "Who sees how records were: asked about each state of then."},
    "viewQuery": {"type": "string", "description": "Of a view: one SELECT over the project's collections."},
}
COLLECTION: Final[Json] = {
    "type": "object",
    "required": ["id", "name", "type", "system", "fields", "indexes", *_RULES],
    "properties": {
        "id": {"type": "string"},
        "type": {"type": "string", "enum": ["base", "auth", "view"]},
        "system": {"type": "boolean"},
        **_CHANGEABLE,
        "created": {"type": "string"},
        "updated": {"type": "string"},
        "warnings": {
            **WARNINGS,
            "description": "Holes in its rules; only after saving, where there are any.",
        },
    },
    "additionalProperties": True,
}
CHANGE: Final[Json] = {
    "type": "object",
    "properties": {"type": {"type": "string", "enum": ["base", "auth", "view"]}, **_CHANGEABLE},
    "additionalProperties": True,
    "examples": [{"name": "notes", "type": "base", "fields": [{"name": "title", "type": "text"}]}],
}
_TEXTS: Final[Json] = {"type": "array", "items": {"type": "string"}}
_BEFORE_AND_AFTER: Final[Json] = {
    "type": "object",
    "additionalProperties": {"type": "object", "properties": {"before": {}, "after": {}}},
}
DIFF: Final[Json] = {
    "type": "object",
    "required": ["collections", "confirmationRequired", "warnings"],
    "properties": {
        "collections": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "name", "type", "change", "lost"],
                "properties": {
                    **{key: {"type": "string"} for key in ("id", "name", "type")},
                    "change": {"type": "string", "enum": ["create", "update", "delete"]},
                    "options": _BEFORE_AND_AFTER,
                    "fields": {
                        "type": "object",
                        "properties": {
                            "added": _TEXTS,
                            "removed": _TEXTS,
                            "renamed": {"type": "object", "additionalProperties": {"type": "string"}},
                            "changed": {"type": "object", "additionalProperties": _BEFORE_AND_AFTER},
                        },
                    },
                    "indexes": {"type": "object", "properties": {"added": _TEXTS, "removed": _TEXTS}},
                    "lost": {
                        "type": "object",
                        "additionalProperties": {"$ref": "#/components/schemas/FieldError"},
                    },
                },
            },
        },
        "confirmationRequired": {"type": "boolean", "description": "Stored values would be lost."},
        "warnings": {**WARNINGS, "description": "Holes in the rules as they would be."},
    },
}
SCHEMAS: Final[Json] = {
    "Collection": COLLECTION,
    "CollectionChange": CHANGE,
    "CollectionField": FIELD,
    "ImportDiff": DIFF,
}
_PAGE: Final[Json] = {
    "type": "object",
    "required": ["page", "perPage", "totalItems", "totalPages", "items"],
    "properties": {
        **{name: {"type": "integer"} for name in ("page", "perPage", "totalItems", "totalPages")},
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Collection"}},
    },
}
_CONFIRM: Final[Json] = {
    "name": "confirm",
    "in": "query",
    "description": "Stored values may be lost.",
    "schema": {"type": "boolean", "default": False},
}
_DRY_RUN: Final[Json] = {
    "name": "dryRun",
    "in": "query",
    "description": "Only say what would change.",
    "schema": {"type": "boolean", "default": False},
}
_CHANGES: Final[Json] = {"type": "array", "items": {"$ref": "#/components/schemas/CollectionChange"}}
_IMPORT: Final[Json] = {
    "type": "object",
    "required": ["collections"],
    "properties": {
        "collections": _CHANGES,
        "deleteMissing": {"type": "boolean", "default": False},
    },
}
_ROOT: Final = "/api/collections"
_ONE: Final = f"{_ROOT}/{{collection}}"
_NAME: Final = path_parameter("collection", "The name or id of a collection.", example="users")
_REFUSED: Final = (400, 401, 403)
_REFUSED_OR_MISSING: Final = (*_REFUSED, 404)


def operations(api: Api) -> Iterable[Operation]:
    return _OPERATIONS if api.superuser else ()


def _operation(id_: str, method: str, path: str, summary: str, **rest: object) -> Operation:
    return Operation(
        id=id_,
        method=method,  # type: ignore[arg-type]
        path=path,
        tag="collections",
        summary=summary,
        access="superuser",
        **{"refusals": _REFUSED, **rest},  # type: ignore[arg-type]
    )


_FIELDS: Final = parameter("fields")
_OPERATIONS: Final = (
    _operation(
        "listCollections",
        "get",
        _ROOT,
        "List the collections",
        parameters=tuple(map(parameter, ("page", "perPage", "sort", "filter", "skipTotal", "fields"))),
        answer=_PAGE,
    ),
    _operation(
        "createCollection",
        "post",
        _ROOT,
        "Create a collection",
        parameters=(_FIELDS,),
        body=json_body(ref("CollectionChange")),
        answer=ref("Collection"),
    ),
    _operation(
        "viewCollection",
        "get",
        _ONE,
        "View a collection",
        parameters=(_NAME, _FIELDS),
        answer=ref("Collection"),
        refusals=_REFUSED_OR_MISSING,
    ),
    _operation(
        "updateCollection",
        "patch",
        _ONE,
        "Update a collection",
        description="Fields are matched by id. What would lose stored values is refused unless confirmed.",
        parameters=(_NAME, _CONFIRM, _FIELDS),
        body=json_body(ref("CollectionChange"), example={"listRule": ""}),
        answer=ref("Collection"),
        refusals=_REFUSED_OR_MISSING,
    ),
    _operation(
        "deleteCollection",
        "delete",
        _ONE,
        "Delete a collection and its records",
        parameters=(_NAME,),
        status=204,
        refusals=_REFUSED_OR_MISSING,
    ),
    _operation(
        "truncateCollection",
        "delete",
        f"{_ONE}/truncate",
        "Delete all records of a collection",
        parameters=(_NAME,),
        status=204,
        refusals=_REFUSED_OR_MISSING,
    ),
    _operation(
        "importCollections",
        "put",
        f"{_ROOT}/import",
        "Create and update many collections, all or none",
        description="With `dryRun` nothing is written: the answer (200) says what would change and be lost.",
        parameters=(_DRY_RUN, _CONFIRM),
        body=json_body(_IMPORT),
        status=204,
        also={200: ref("ImportDiff")},
    ),
    _operation(
        "collectionsProgress",
        "get",
        f"{_ROOT}/meta/progress",
        "What changes of collections are doing at the moment, on the server that answers",
        answer={
            "type": "object",
            "required": ["running"],
            "properties": {
                "running": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["collection", "step", "seconds"],
                        "properties": {
                            "collection": {"type": "string"},
                            "step": {"type": "string"},
                            "seconds": {"type": "number"},
                        },
                    },
                },
            },
        },
    ),
    _operation(
        "dryRunView",
        "post",
        f"{_ROOT}/meta/dry-run-view",
        "The fields and the first records of a view's query",
        body=json_body(
            {
                "type": "object",
                "required": ["query"],
                "properties": {"query": {"type": "string", "minLength": 1}},
            },
            example={"query": "SELECT id, email FROM users"},
        ),
        answer={
            "type": "object",
            "required": ["fields", "sample"],
            "properties": {
                "fields": {"type": "array", "items": {"$ref": "#/components/schemas/CollectionField"}},
                "sample": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
            },
        },
    ),
    _operation(
        "exportCollections",
        "get",
        f"{_ROOT}/meta/export",
        "All collections, as a file that can be imported",
        answer={
            "type": "object",
            "required": ["collections"],
            "properties": {
                "collections": {"type": "array", "items": {"$ref": "#/components/schemas/CollectionChange"}}
            },
        },
    ),
    _operation(
        "oauth2Providers",
        "get",
        f"{_ROOT}/meta/oauth2-providers",
        "The OAuth2 providers that an auth collection may name",
        answer={
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "displayName", "logo"],
                "properties": {key: {"type": "string"} for key in ("name", "displayName", "logo")},
            },
        },
    ),
    _operation(
        "collectionScaffolds",
        "get",
        f"{_ROOT}/meta/scaffolds",
        "A blank collection of each type",
        answer={"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Collection"}},
    ),
)
