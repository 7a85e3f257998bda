"""Is this text a rule of that collection? Asked when a collection is saved."""

from __future__ import annotations

from projects.rules.parse import parse_rule
from projects.rules.scope import Scope
from projects.schema.collection import CollectionSchema, ProjectSchema


def validate_rule(text: str, schema: ProjectSchema, collection: CollectionSchema) -> None:
    """Raise RuleError (RuleSyntaxError) when ``text`` is no valid rule of ``collection``.

    ``schema`` holds the project as it will be after saving. The empty rule, which lets everyone, is not asked here.
    """
    # What a rule may say does not depend on the engine that runs it.
    Scope(schema, collection, "sqlite").rule(parse_rule(text))
