"""What rules let happen: for superusers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdk_schemas.audience import Api
from sdk_schemas.fields import Json
from sdk_schemas.operation import Operation, json_body

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
_VERDICT: Final[Json] = {
    "type": ["boolean", "null"],
    "description": "null: it depends on a record that was not named.",
}
_PLACE: Final[Json] = {"start": {"type": "integer"}, "end": {"type": "integer"}}
# An "and", an "or" or a comparison; its operands say which values were compared.
PART: Final[Json] = {
    "type": "object",
    "required": ["type", "start", "end", "verdict"],
    "properties": {
        "type": {"type": "string", "enum": ["and", "or", "comparison"]},
        **_PLACE,
        "verdict": _VERDICT,
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/RulePart"}},
        "left": {"$ref": "#/components/schemas/RuleOperand"},
        "operator": {"type": "string"},
        "right": {"$ref": "#/components/schemas/RuleOperand"},
        "values": {
            "type": "string",
            "enum": ["all", "some"],
            "description": "Of many values, how many must fit.",
        },
    },
}
OPERAND: Final[Json] = {
    "type": "object",
    "required": ["type", "start", "end"],
    "properties": {
        "type": {"type": "string", "enum": ["constant", "identifier", "call"]},
        **_PLACE,
        "name": {"type": "string"},
        "modifier": {"type": "string"},
        "arguments": {"type": "array", "items": {"$ref": "#/components/schemas/RuleOperand"}},
        "value": {"description": "The value that was compared."},
        "values": {"type": "array", "description": "Those of a path through many records."},
        "more": {"type": "boolean", "description": "There are more than are shown."},
    },
}
_EXPLANATION: Final[Json] = {
    "type": "object",
    "required": [
        "collection",
        "operation",
        "rule",
        "asked",
        "verdict",
        "reason",
        "tree",
        "failed",
        "sql",
        "plan",
    ],
    "properties": {
        "collection": {"type": "string"},
        "operation": {"type": "string"},
        "rule": {"type": ["string", "null"]},
        "asked": {"type": "object", "additionalProperties": True},
        "verdict": _VERDICT,
        "reason": {"type": "string"},
        "tree": {"anyOf": [{"$ref": "#/components/schemas/RulePart"}, {"type": "null"}]},
        "failed": {
            "type": "array",
            "description": "The comparisons because of which the rule is false.",
            "items": {"type": "object", "properties": {**_PLACE, "text": {"type": "string"}}},
        },
        "sql": {
            "type": ["object", "null"],
            "properties": {
                "engine": {"type": "string", "enum": ["sqlite", "postgresql"]},
                "text": {"type": "string"},
                "parameters": {"type": "array"},
            },
        },
        "reads": {
            "type": "object",
            "properties": {
                "collections": {"type": "array", "items": {"type": "string"}},
                "request": {"type": "array", "items": {"type": "string"}},
            },
        },
        "plan": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "collection": {"type": "string"},
                    "access": {"type": "string", "enum": ["scan", "index"]},
                    "index": {"type": ["string", "null"]},
                    "sentence": {"type": "string"},
                },
            },
        },
    },
}
_TEXTS: Final[Json] = {"type": "object", "additionalProperties": {"type": "string"}}
_QUESTION: Final[Json] = {
    "type": "object",
    "required": ["collection"],
    "properties": {
        "collection": {"type": "string", "description": "Its name or id."},
        "rule": {
            "type": ["string", "null"],
            "description": "The rule; left out: the stored one of `operation`.",
        },
        "operation": {
            "type": "string",
            "enum": [
                *("list", "view", "create", "update", "delete", "history"),
                *("auth", "manage", "mfa", "read", "write"),
            ],
        },
        "field": {"type": "string", "description": "Whose rule it is, for `read` and `write`."},
        "user": {"type": ["string", "null"], "description": '"collection/id" of who asks; none: a guest.'},
        "record": {
            "type": ["string", "object", "null"],
            "description": "Its id, or the values of one that is not stored.",
        },
        "body": {"type": "object", "additionalProperties": True},
        "query": _TEXTS,
        "headers": _TEXTS,
        "method": {"type": "string"},
        "context": {"type": "string"},
    },
}
_UNFINISHED: Final[Json] = {
    "type": "object",
    "required": ["collection", "text"],
    "properties": {
        "collection": {"type": "string", "description": "Its name or id."},
        "text": {"type": "string"},
        "position": {"type": "integer", "minimum": 0, "description": "In characters; left out: the end."},
        "kind": {"type": "string", "enum": ["rule", "filter"], "default": "rule"},
    },
}
_TEXT_LIST: Final[Json] = {"type": "array", "items": {"type": "string"}}
_COMPLETION: Final[Json] = {
    "type": "object",
    "required": ["start", "end", "expected", "items", "errors"],
    "properties": {
        **_PLACE,
        "expected": {**_TEXT_LIST, "description": "What the grammar has there."},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["text", "kind", "type", "help"],
                "properties": {
                    "text": {"type": "string", "description": "Takes the place from start to end."},
                    "kind": {"type": "string"},
                    "type": {"type": "string"},
                    "help": {"type": "string"},
                },
            },
        },
        "errors": {
            "type": "array",
            "description": "What is wrong with the text as it is.",
            "items": {
                "type": "object",
                "required": ["message", "position", "expected"],
                "properties": {
                    "message": {"type": "string"},
                    "position": {"type": "integer"},
                    "expected": _TEXT_LIST,
                },
            },
        },
    },
}
SCHEMAS: Final[Json] = {
    "RulePart": PART,
    "RuleOperand": OPERAND,
    "RuleWarning": WARNING,
    "StoredRule": _STORED_RULE,
}
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
    Operation(
        id="explainRule",
        method="post",
        path="/api/rules/explain",
        tag="rules",
        summary="What a rule comes to for a user and a record, part by part",
        description="Nothing is written: with a `body`, a create or update rule is asked as if it were sent.",
        access="superuser",
        body=json_body(_QUESTION, example={"collection": "users", "operation": "update"}),
        answer=_EXPLANATION,
        refusals=(400, 401, 403),
    ),
    Operation(
        id="completeRule",
        method="post",
        path="/api/rules/complete",
        tag="rules",
        summary="What may stand at a position of an unfinished rule or filter",
        access="superuser",
        body=json_body(_UNFINISHED, example={"collection": "users", "text": "id = @request.au"}),
        answer=_COMPLETION,
        refusals=(400, 401, 403),
    ),
)
