"""What an import would change, as JSON for people and scripts: the answer of a dry run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from projects.errors import tree_as_json
from projects.schema.alter import field_changes
from projects.schema.collection import CollectionSchema
from projects.schema.fields.registry import field_to_json
from projects.schema.importing import CollectionChange, ImportPlan, import_losses
from projects.schema.serialize import collection_to_json

if TYPE_CHECKING:
    from projects.databases import Session

# Told in a form of their own, or changing with every write.
_APART: Final = frozenset({"fields", "indexes", "created", "updated"})


def import_diff(session: Session, plan: ImportPlan) -> dict[str, Any]:
    """``{"collections": […], "confirmationRequired": bool}``, with only those collections that change.

    A collection has ``change`` (create, update, delete), ``options`` (wire name: before and after), ``fields``
    (added, removed, renamed, changed), ``indexes`` (added, removed), and ``lost``: the stored values that would go,
    by field or, when the collection goes, by its own name.
    """
    lost = import_losses(session, plan)
    found = [_of_change(change, lost) for change in plan.changes]
    found += [_entry(collection, "delete", lost) for collection in plan.gone]
    return {
        "collections": [entry for entry in found if entry is not None],
        "confirmationRequired": bool(lost),
    }


def _of_change(change: CollectionChange, lost: Mapping[str, Any]) -> dict[str, Any] | None:
    old, new = change.old, change.new
    if old is None:
        return _entry(new, "create", {}, fields={"added": [field.name for field in new.fields]})
    options = _options(old, new)
    fields = _fields(old, new)
    indexes = _lists(old.indexes, new.indexes)
    if not (options or any(fields.values()) or any(indexes.values())):
        return None
    return _entry(old, "update", lost, options=options, fields=fields, indexes=indexes)


def _entry(
    collection: CollectionSchema, change: str, lost: Mapping[str, Any], **parts: Any
) -> dict[str, Any]:
    tree = lost.get(collection.name)
    losses = tree_as_json(tree if isinstance(tree, Mapping) else {collection.name: tree}) if tree else {}
    head = {"id": collection.id, "name": collection.name, "type": collection.type, "change": change}
    return {**head, **parts, "lost": losses}


def _options(old: CollectionSchema, new: CollectionSchema) -> dict[str, Any]:
    return _changed(collection_to_json(old), collection_to_json(new), _APART)


def _fields(old: CollectionSchema, new: CollectionSchema) -> dict[str, Any]:
    changes = field_changes(old, new)
    kept = [field for field in new.fields if field.id in old.field_by_id]
    changed = {
        field.name: found
        for field in kept
        if (found := _changed(field_to_json(old.field_by_id[field.id]), field_to_json(field), {"name"}))
    }
    return {
        "added": [field.name for field in changes.added],
        "removed": [field.name for field in changes.dropped],
        "renamed": changes.renamed,
        "changed": changed,
    }


def _changed(
    before: Mapping[str, Any], after: Mapping[str, Any], apart: set[str] | frozenset[str]
) -> dict[str, Any]:
    return {
        name: {"before": before.get(name), "after": after.get(name)}
        # What is there only where it is set may go too.
        for name in (*after, *(name for name in before if name not in after))
        if name not in apart and before.get(name) != after.get(name)
    }


def _lists(before: Sequence[str], after: Sequence[str]) -> dict[str, list[str]]:
    return {
        "added": [text for text in after if text not in before],
        "removed": [text for text in before if text not in after],
    }
