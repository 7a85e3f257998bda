"""``expand``: the records that relations point to, each level under its own view rule, one query a level."""

from __future__ import annotations

from typing import Any

from projects.records.access import condition_for
from projects.records.call import Call
from projects.records.queries import fetch_by_ids
from projects.records.rows import Values
from projects.records.visible import viewer
from projects.schema.collection import CollectionSchema
from projects.schema.fields.relation import RelationField

MAX_DEPTH = 6
MAX_PATHS = 50

# The wanted paths as a tree: ``a.b,a.c`` is ``{"a": {"b": {}, "c": {}}}``.
Tree = dict[str, "Tree"]


def parse_expand(call: Call, collection: CollectionSchema, text: str) -> Tree:
    """The tree of those paths that exist for the caller; any other is left out whole, as the contract has it."""
    tree: Tree = {}
    for path in text.split(",")[:MAX_PATHS]:
        names = [name.strip() for name in path.split(".")]
        if len(names) <= MAX_DEPTH and _exists(call, collection, names):
            branch = tree
            for name in names:
                branch = branch.setdefault(name, {})
    return tree


def _exists(call: Call, collection: CollectionSchema, names: list[str]) -> bool:
    current: CollectionSchema | None = collection
    for name in names:
        field = current.field_by_name.get(name) if current else None
        if not isinstance(field, RelationField) or (field.hidden and not call.principal.is_superuser):
            return False
        current = call.schema.get(field.collection_id)
        if current is None or (current.view_rule is None and not call.principal.is_superuser):
            return False
    return True


def expand(
    call: Call, collection: CollectionSchema, records: list[tuple[Values, Values]], tree: Tree
) -> None:
    """Add ``expand`` to the visible half of each ``(whole record, visible record)`` pair."""
    for name, below in tree.items():
        field = collection.field_by_name[name]
        assert isinstance(field, RelationField)
        target = call.schema.get(field.collection_id)
        # A relation that does not show itself leads nowhere.
        seen = [pair for pair in records if name in pair[1]]
        related = _related(call, target, field, seen, below) if target else {}
        for values, shown in records:
            into: dict[str, Any] = shown.setdefault("expand", {})
            if name not in shown:
                continue
            found = [related[id_] for id_ in field.values_of(values[name]) if id_ in related]
            if found:
                into[name] = found if field.is_list else found[0]


def _related(
    call: Call,
    target: CollectionSchema,
    field: RelationField,
    records: list[tuple[Values, Values]],
    below: Tree,
) -> dict[str, Values]:
    """The visible related records by id, themselves expanded."""
    rule = condition_for(call, target.view_rule)
    ids = list(dict.fromkeys(id_ for values, _ in records for id_ in field.values_of(values[field.name])))
    found = fetch_by_ids(call, target, rule, ids)
    show = viewer(call, target, list(found.values()))
    pairs = [(values, show(values)) for values in found.values()]
    expand(call, target, pairs, below)
    return {values["id"]: shown for values, shown in pairs}
