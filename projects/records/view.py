"""View: one record by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.databases.lanes import Length
from projects.errors import not_found
from projects.records.access import condition_for
from projects.records.call import Call
from projects.records.present import Shape, present_one
from projects.records.queries import fetch_one
from projects.records.rows import Values
from projects.schema.back_relations import VIA
from projects.schema.collection import CollectionSchema


def length_of_view(params: Mapping[str, str]) -> Length:
    """What to expect: with the records that name it, one record may be as much as a list."""
    expand = params.get("expand", "")
    return "large" if VIA in expand or "(" in expand else "short"


def view_record(
    call: Call, collection_name: str, record_id: str, params: Mapping[str, str]
) -> dict[str, Any]:
    """The record, in the shape that ``params`` (expand, fields) ask for.

    Raises as ``find_viewable``, and 400 for a shape that cannot be read.
    """
    collection, record = find_viewable(call, collection_name, record_id)
    return present_one(call, collection, record, Shape.of(params))


def find_viewable(call: Call, collection_name: str, record_id: str) -> tuple[CollectionSchema, Values]:
    """The whole record, for a caller who may view it.

    Raises 403 where only superusers may view, 404 when there is none or the rule hides it.
    """
    collection = call.collection(collection_name)
    rule = condition_for(call, collection.view_rule)
    record = fetch_one(call, collection, rule, record_id)
    if record is None:
        raise not_found()
    return collection, record
