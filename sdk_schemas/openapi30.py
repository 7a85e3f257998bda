"""An OpenAPI 3.1 document as 3.0, for tools that read no newer one: https://spec.openapis.org/oas/v3.0.3.html."""

from __future__ import annotations

from typing import Any, Final

from sdk_schemas.fields import Json


def downgraded(document: Json) -> Json:
    """The same document in 3.0's words, as far as the generator uses words that differ."""
    out: Json = _converted(document)
    out["openapi"] = "3.0.3"
    return out


# Keys whose values are data, and the one whose keys are names of fields.
_DATA: Final = frozenset({"example", "examples", "const", "enum", "default"})
_NAMES: Final = "properties"


def _converted(value: Any) -> Any:
    if isinstance(value, list):
        return [_converted(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value and len(value) > 1:
        # In 3.0 nothing beside a $ref counts.
        rest = {key: _part(key, item) for key, item in value.items() if key != "$ref"}
        return {"allOf": [{"$ref": value["$ref"]}], **rest}
    if {"type": "null"} in value.get("anyOf", ()):
        others = [item for item in value["anyOf"] if item != {"type": "null"}]
        value = {
            **{key: item for key, item in value.items() if key != "anyOf"},
            "allOf": others,
            "nullable": True,
        }
    out = {key: _part(key, item) for key, item in value.items()}
    if isinstance(out.get("type"), list):
        out["nullable"] = "null" in out["type"]
        out["type"] = next(kind for kind in out["type"] if kind != "null")
    choices = out.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        out["allOf"] = [choice for choice in out.pop("anyOf") if choice != {"type": "null"}]
        out["nullable"] = True
    if "const" in out:
        out["enum"] = [out.pop("const")]
    if isinstance(out.get("examples"), list):
        out["example"] = out.pop("examples")[0]
    return out


def _part(key: str, value: Any) -> Any:
    if key in _DATA:
        return value
    if key == _NAMES and isinstance(value, dict):
        return {name: _converted(item) for name, item in value.items()}
    return _converted(value)
