"""A reference for paths through relations: the predicate, over records that hold their related record's values too."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from projects.principal import RequestInfo
from projects.rules import compile_predicate, parse_rule
from projects.schema.collection import CollectionSchema
from projects.schema.fields.base import Field
from tests.rules.world import NOW, Record, World


def reference(world: World, name: str, rule: str, request: RequestInfo) -> list[str]:
    """The ids that ``rule`` lets through, where ``relation.field`` is read as a field ``relation__field``."""
    main = world.collection(name)
    fields = list(main.fields)
    for own, target in _relations(world, main):
        for inner in target.fields:
            if inner.name != "id":
                rule = re.sub(rf"(?<![\w.]){own.name}\.{inner.name}\b", f"{own.name}__{inner.name}", rule)
                fields.append(replace(inner, name=f"{own.name}__{inner.name}"))
    flat = replace(main, fields=tuple(fields))
    test = compile_predicate(parse_rule(rule), world.schema, flat).bind(request, NOW)
    return sorted(record["id"] for record in world.records[name] if test(_joined(world, main, record)))


def _relations(world: World, main: CollectionSchema) -> list[tuple[Field, CollectionSchema]]:
    return [
        (own, world.collection(str(getattr(own, "collection_id", ""))))
        for own in main.fields
        if own.type == "relation" and not own.is_list
    ]


def _joined(world: World, main: CollectionSchema, record: Record) -> dict[str, Any]:
    out = dict(record)
    for own, target in _relations(world, main):
        found = [other for other in world.records[target.name] if other["id"] == record[own.name]]
        out |= {f"{own.name}__{f.name}": found[0][f.name] if found else None for f in target.fields}
    return out
