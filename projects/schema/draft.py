"""From a client's JSON to a collection that is complete but not yet checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from projects.schema.auth_options import as_rule, merge_auth_options
from projects.schema.collection import HISTORY_RULE, CollectionSchema, CollectionType
from projects.schema.dates import normalize_date
from projects.schema.defaults import auth_index_texts, with_system_fields
from projects.schema.fields.base import Field, MalformedError
from projects.schema.fields.options import as_flag, as_text, as_texts
from projects.schema.fields.registry import field_from_json
from projects.schema.ids import field_id
from projects.schema.index_parts import Index, IndexSyntaxError
from projects.schema.indexes import parse_index
from projects.schema.serialize import RULES

COLLECTION_TYPES: Final[tuple[CollectionType, ...]] = ("base", "auth", "view")


def read_type(data: Mapping[str, Any]) -> str:
    """The collection type that the JSON names, ``base`` when it names none. Raises MalformedError."""
    if data.get("name") is not None:
        as_text(data["name"])
    return as_text(data.get("type") or "base")


def merge(current: CollectionSchema, data: Mapping[str, Any]) -> CollectionSchema:
    """``current`` with the keys of ``data`` laid over it. Null leaves what was there, except for rules.

    Raises MalformedError when a value has the wrong JSON type. Unknown keys are ignored.
    """
    changes: dict[str, Any] = {}
    for wire, name in RULES:
        if wire in data:
            changes[name] = as_rule(data[wire])
    if data.get("name") is not None:
        changes["name"] = as_text(data["name"])
    if data.get("system") is not None:
        changes["system"] = as_flag(data["system"])
    if data.get("fields") is not None:
        fields = _fields(data["fields"])
        # Those of a view are what its query gives.
        changes["fields"] = current.fields if current.is_view else fields
    if data.get("indexes") is not None:
        changes["indexes"] = as_texts(data["indexes"])
    if data.get("created") is not None and (created := normalize_date(data["created"])):
        changes["created"] = created
    if current.is_auth:
        changes["options"] = merge_auth_options(current.options, data)
    if current.is_view and data.get("viewQuery") is not None:
        changes["options"] = {**current.options, "viewQuery": as_text(data["viewQuery"])}
    if HISTORY_RULE in data:
        changes["options"] = _with_history_rule(changes.get("options", current.options), data[HISTORY_RULE])
    return replace(current, **changes)


def _with_history_rule(options: Mapping[str, Any], given: Any) -> dict[str, Any]:
    """The options with that rule. Null, as it is everywhere from the start, takes no room."""
    rule = as_rule(given)
    others = {key: value for key, value in options.items() if key != HISTORY_RULE}
    return others if rule is None else {**others, HISTORY_RULE: rule}


def complete(draft: CollectionSchema, before: CollectionSchema | None = None) -> CollectionSchema:
    """``draft`` (which has its id) with its system fields, and indexes that fit its table.

    ``before`` is the stored collection of an update: indexes that were not given anew follow a rename.
    """
    if draft.is_view:
        return draft
    done = replace(draft, fields=with_system_fields(draft.type, draft.fields))
    renames = _renames(before, done) if before is not None and draft.indexes == before.indexes else {}
    done = replace(done, indexes=tuple(_fitted(text, done, renames) for text in done.indexes))
    if done.is_auth:
        done = replace(done, indexes=_with_auth_indexes(done), options=_forced_options(done))
    return done


def _fields(data: Any) -> tuple[Field, ...]:
    """A collection's fields: ones without id get one, a repeated id (or name without id) replaces."""
    if not isinstance(data, list):
        raise MalformedError("expected a list")
    parsed = [field_from_json(item) for item in data]
    given = {field.id: field.name for field in parsed if field.id}
    out: list[Field] = []
    for item in parsed:
        field = item
        if not item.id:
            same_name = next((other.id for other in out if other.name == item.name), "")
            field = replace(item, id=same_name or _free_id(item, given))
        at = next((i for i, other in enumerate(out) if other.id == field.id), None)
        if at is None:
            out.append(field)
        else:
            out[at] = field
    return tuple(out)


def _free_id(field: Field, given: Mapping[str, str]) -> str:
    """The id derived from the name, unless a field that was renamed since still has it."""
    derived = field_id(field.type, field.name)
    number = 2
    free = derived
    while given.get(free, field.name) != field.name:
        free, number = f"{derived}_{number}", number + 1
    return free


def _renames(before: CollectionSchema, after: CollectionSchema) -> dict[str, str]:
    """Old name to new name of the fields whose name changed."""
    return {
        field.name: after.field_by_id[field.id].name
        for field in before.fields
        if field.id in after.field_by_id and after.field_by_id[field.id].name != field.name
    }


def _fitted(text: str, collection: CollectionSchema, renames: Mapping[str, str]) -> str:
    """The index's text as sent if it fits, else spelled anew for the collection's table and columns."""
    if not collection.name:
        return text
    try:
        index = parse_index(text)
    except IndexSyntaxError:
        return text  # refused by the check that follows
    touched = {name.lower() for name in index.column_names()} & {name.lower() for name in renames}
    if index.table == collection.name and not touched:
        return text
    return index.renamed(collection.name, renames).text()


def _with_auth_indexes(collection: CollectionSchema) -> tuple[str, ...]:
    """The indexes, with the unique ones of tokenKey and email that an auth collection must have."""
    texts = list(collection.indexes)
    for name, text in auth_index_texts(collection.id, collection.name).items():
        if not has_unique_index(collection, name):
            texts.append(text)
    return tuple(texts)


def has_unique_index(collection: CollectionSchema, name: str) -> bool:
    """Whether the field alone is unique by an index, be it only where it is not empty."""
    return any(_makes_unique(index, name) for index in _parsed(collection))


def _makes_unique(index: Index, name: str) -> bool:
    if not index.unique or len(index.columns) != 1:
        return False
    column = index.columns[0]
    if column.name.lower() != name.lower() or column.function:
        return False
    condition = [token.value for token in index.where]
    return not condition or (
        len(condition) == 3
        and condition[0].lower() == name.lower()
        and condition[1] in ("!=", "<>")
        and condition[2] == ""
    )


def _parsed(collection: CollectionSchema) -> list[Index]:
    out = []
    for text in collection.indexes:
        try:
            out.append(parse_index(text))
        except IndexSyntaxError:
            continue
    return out


def _forced_options(collection: CollectionSchema) -> dict[str, Any]:
    """The options, with OAuth2 values no longer mapped to fields that do not exist.

    Members of a project always sign in with their password.
    """
    options = dict(collection.options)
    oauth2 = dict(options["oauth2"])
    names = collection.field_by_name
    oauth2["mappedFields"] = {
        key: name if name in names else ""
        for key, name in cast(Mapping[str, str], oauth2["mappedFields"]).items()
    }
    options["oauth2"] = oauth2
    if not collection.has_table:
        options["passwordAuth"] = {**options["passwordAuth"], "enabled": True}
    return options
