"""What an editor may offer at a position of a rule, as a client asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from projects.errors import FieldError, invalid_fields
from projects.rules.completion import complete
from projects.rules.parse import MAX_RULE_LENGTH
from projects.schema.collection import ProjectSchema

FAILED: Final = "Failed to complete the rule."
_KINDS: Final = ("rule", "filter")


def complete_rule(schema: ProjectSchema, body: Mapping[str, Any]) -> dict[str, Any]:
    """``collection``, ``text``, ``position`` (characters, from 0; its end where left out), ``kind`` (rule, filter).

    Raises ApiError 400 by field.
    """
    name, text, kind = body.get("collection"), body.get("text", ""), body.get("kind", "rule")
    collection = schema.get(name) if isinstance(name, str) else None
    if collection is None:
        raise _refused("collection", "There is no such collection.")
    if not isinstance(text, str) or len(text) > MAX_RULE_LENGTH:
        raise _refused("text", f"Must be a text of up to {MAX_RULE_LENGTH} characters.")
    position = body.get("position", len(text))
    if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= len(text):
        raise _refused("position", "Must be a place in the text.")
    if kind not in _KINDS:
        raise _refused("kind", "Must be rule or filter.")
    return complete(schema, collection, text, position, is_filter=kind == "filter").as_json()


def _refused(name: str, message: str) -> Exception:
    return invalid_fields(FAILED, {name: FieldError("validation_invalid_value", message)})
