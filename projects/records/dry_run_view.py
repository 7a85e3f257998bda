"""A view's query tried out: the fields it would give, and its first records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from projects.errors import ApiError, FieldError, bad_request, invalid_fields
from projects.records.call import Call
from projects.records.rows import RowReader
from projects.schema.collection import CollectionSchema
from projects.schema.defaults import new_collection
from projects.schema.fields.registry import field_to_json
from projects.schema.views.errors import ViewError

LOADING: Final = "An error occurred while loading the submitted data."
VALIDATING: Final = "An error occurred while validating the submitted data."
_BLANK: Final = FieldError("validation_required", "Cannot be blank.")
# It is not among the project's collections, so the query cannot read it.
_NAME: Final = "temp_view"


def dry_run(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """``{"fields", "sample"}`` for ``body["query"]``. Raises ApiError 400 that says what is wrong with it."""
    query = body.get("query") or ""
    if not isinstance(query, str):
        raise bad_request(LOADING)
    if not query.strip():
        raise invalid_fields(VALIDATING, {"query": _BLANK})
    from projects.schema.views.check import check_view, sample_rows
    from projects.schema.views.columns import view_fields

    try:
        view = replace(new_collection("view"), id=_NAME, name=_NAME, options={"viewQuery": query})
        view = replace(view, fields=view_fields(call.schema, view.id, query))
        check_view(call.session, call.schema, view)
        rows = sample_rows(call.session, call.schema, view)
    except ViewError as error:
        raise ApiError(400, f"Invalid view query. Raw error: \n{str(error).rstrip('.')}.") from None
    return {
        "fields": [field_to_json(field) for field in view.fields],
        "sample": _sample(call, view, rows),
    }


def _sample(call: Call, view: CollectionSchema, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    reader = RowReader(view, call.session.engine)
    shown = [field.name for field in view.fields if not field.hidden]
    own = {"collectionId": view.id, "collectionName": view.name}
    return [{**{name: values[name] for name in shown}, **own} for values in map(reader.values, rows)]
