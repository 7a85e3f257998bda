"""What rules let happen: for superusers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdk_schemas.audience import Api
from sdk_schemas.fields import Json
from sdk_schemas.operation import Operation

WARNING: Final[Json] = {
    "type": "object",
    "required": ["code", "severity", "collection", "rule", "field", "message", "position", "hint"],
    "properties": {
        "code": {"type": "string"},
        "severity": {"type": "string", "enum": ["error", "warning", "notice"]},
        "collection": {"type": "string"},
        "rule": {"type": "string", "description": "Its name in the collection, or in the field."},
        "field": {"type": "string", "description": "The field it is about; empty for none."},
        "message": {"type": "string"},
        "position": {
            "type": "integer",
            "description": "Where in the rule's text the part at fault starts, from 0.",
        },
        "hint": {"type": "string"},
    },
}
_STORED_RULE: Final[Json] = {
    "type": "object",
    "required": ["rule", "audience", "guests", "public"],
    "properties": {
        "rule": {"type": ["string", "null"]},
        "audience": {"type": "string", "enum": ["public", "signed_in", "owner", "expression", "superusers"]},
        "guests": {"type": "string", "enum": ["always", "sometimes", "never"]},
        "public": {"type": "boolean", "description": "Guests pass, at least with some records or requests."},
        "error": {"type": "string"},
    },
}
_STORED_RULES: Final[Json] = {
    "type": "object",
    "additionalProperties": {"$ref": "#/components/schemas/StoredRule"},
}
SCHEMAS: Final[Json] = {"RuleWarning": WARNING, "StoredRule": _STORED_RULE}
WARNINGS: Final[Json] = {"type": "array", "items": {"$ref": "#/components/schemas/RuleWarning"}}
_OVERVIEW: Final[Json] = {
    "type": "object",
    "required": ["collections", "warnings"],
    "properties": {
        "collections": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "name", "type", "system", "rules", "fields"],
                "properties": {
                    "id": {"type": "string"},
                    "name": {"type": "string"},
                    "type": {"type": "string", "enum": ["base", "auth", "view"]},
                    "system": {"type": "boolean"},
                    "rules": _STORED_RULES,
                    "fields": {"type": "object", "additionalProperties": _STORED_RULES},
                },
            },
        },
        "warnings": WARNINGS,
    },
}


def operations(api: Api) -> Iterable[Operation]:
    return _OPERATIONS if api.superuser else ()


_OPERATIONS: Final = (
    Operation(
        id="rulesOverview",
        method="get",
        path="/api/rules/overview",
        tag="rules",
        summary="Whom each rule lets through, and the holes in them",
        access="superuser",
        answer=_OVERVIEW,
        refusals=(401, 403),
    ),
)
