"""The list of collections: few, and in memory already, so filtered and sorted there by the same language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from projects.errors import bad_request
from projects.records.access import now
from projects.records.call import Call
from projects.records.queries import as_client_error
from projects.rules import RuleError, compile_predicate, parse_filter
from projects.schema.collection import CollectionSchema
from projects.schema.fields.boolean import BoolField
from projects.schema.fields.date import DateField
from projects.schema.fields.text import TextField

# What of a collection can be filtered and sorted by.
_AS_RECORD = CollectionSchema(
    id="_collections",
    name="_collections",
    type="base",
    system=True,
    fields=(
        *(TextField(id=name, name=name) for name in ("id", "name", "type")),
        BoolField(id="system", name="system"),
        *(DateField(id=name, name=name) for name in ("created", "updated")),
    ),
)
_MAX_SORTS = 8


def browse(
    call: Call, collections: Sequence[CollectionSchema], params: Mapping[str, str]
) -> list[CollectionSchema]:
    """The collections that ``params`` (filter, sort) let through, in their order. Raises 400."""
    found = [(_record(c), c) for c in collections]
    if text := params.get("filter", "").strip():
        found = _filtered(call, found, text)
    for name, descending in reversed(_sorts(params.get("sort", ""))):
        by = itemgetter(name)
        found.sort(key=lambda pair: by(pair[0]), reverse=descending)
    return [collection for _, collection in found]


def _record(collection: CollectionSchema) -> dict[str, Any]:
    return {field.name: getattr(collection, field.name) for field in _AS_RECORD.fields}


def _filtered(
    call: Call, found: list[tuple[dict[str, Any], CollectionSchema]], text: str
) -> list[tuple[dict[str, Any], CollectionSchema]]:
    try:
        parsed = parse_filter(text)
        predicate = compile_predicate(parsed, call.schema, _AS_RECORD, client_filter=True, superuser=True)
        return [pair for pair in found if predicate.test(pair[0], call.request, now())]
    except RuleError as error:
        raise as_client_error(error) from error


def _sorts(text: str) -> list[tuple[str, bool]]:
    sorts = [part.strip() for part in text.split(",")] if text.strip() else []
    if len(sorts) > _MAX_SORTS:
        raise bad_request()
    out = []
    for part in sorts:
        name = part[1:] if part[:1] in ("-", "+") else part
        if name not in _AS_RECORD.field_by_name:
            raise bad_request()
        out.append((name, part.startswith("-")))
    return out
