"""View: one record by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.errors import not_found
from projects.records.access import condition_for
from projects.records.call import Call
from projects.records.present import Shape, present_one
from projects.records.queries import fetch_one


def view_record(
    call: Call, collection_name: str, record_id: str, params: Mapping[str, str]
) -> dict[str, Any]:
    """The record, in the shape that ``params`` (expand, fields) ask for.

    Raises 403 where only superusers may view, 404 when there is none or the rule hides it.
    """
    collection = call.collection(collection_name)
    rule = condition_for(call, collection.view_rule)
    record = fetch_one(call, collection, rule, record_id)
    if record is None:
        raise not_found()
    return present_one(call, collection, record, Shape.of(params))
