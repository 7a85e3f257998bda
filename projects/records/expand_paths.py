"""The text of ``expand`` as a tree of steps from record to record."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from projects.records.call import Call
from projects.schema.back_relations import VIA, back_relation
from projects.schema.collection import CollectionSchema
from projects.schema.fields.relation import RelationField

# Limits of the wire contract: what lies deeper is left out.
MAX_DEPTH = 6
MAX_PATHS = 50
# How back relations were written before PocketBase 0.22; it still reads it.
_INDIRECT = re.compile(r"(\w+)\((\w+)\)")


@dataclass(frozen=True, slots=True)
class Step:
    """From a record to those that its ``relation`` names; ``back``: to those whose ``relation`` names it.

    ``single``: what is shown is one record, not a list.
    """

    target: CollectionSchema
    relation: RelationField
    back: bool
    single: bool


@dataclass(frozen=True, slots=True)
class Branch:
    step: Step
    below: Tree = field(default_factory=dict)


# The wanted paths as a tree: ``a.b,a.c`` is a branch ``a`` with ``b`` and ``c`` below.
Tree: TypeAlias = dict[str, Branch]


def parse_expand(call: Call, collection: CollectionSchema, text: str) -> Tree:
    """The tree of those paths that exist for the caller; any other is left out whole, as the contract has it."""
    tree: Tree = {}
    for path in text.split(",")[:MAX_PATHS]:
        names = [name.strip() for name in path.split(".")[:MAX_DEPTH]]
        branch = tree
        for name, step in zip(names, _steps(call, collection, names), strict=False):
            branch = branch.setdefault(name, Branch(step)).below
    return tree


def _steps(call: Call, collection: CollectionSchema, names: list[str]) -> list[Step]:
    """The steps of a path; none when one of them does not exist for the caller."""
    steps: list[Step] = []
    for name in names:
        step = _step(call, steps[-1].target if steps else collection, name)
        if step is None:
            return []
        steps.append(step)
    return steps


def _step(call: Call, here: CollectionSchema, name: str) -> Step | None:
    step = _forward(call, here, name) or _back(call, here, name)
    if step is None or not step.target.is_readable or call.principal.is_superuser:
        return step if step and step.target.is_readable else None
    # Who may not see which records name which cannot ask for them by it either.
    return None if step.relation.hidden or step.target.view_rule is None else step


def _forward(call: Call, here: CollectionSchema, name: str) -> Step | None:
    relation = here.field_by_name.get(name)
    if not isinstance(relation, RelationField):
        return None
    target = call.schema.get(relation.collection_id)
    return Step(target, relation, back=False, single=not relation.is_list) if target else None


def _back(call: Call, here: CollectionSchema, name: str) -> Step | None:
    indirect = _INDIRECT.fullmatch(name)
    found = back_relation(call.schema, here, f"{indirect[1]}{VIA}{indirect[2]}" if indirect else name)
    return Step(found.collection, found.field, back=True, single=found.single) if found else None
