"""From records to what an answer holds: visibility, expand, fields, in that order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from projects.records.call import Call
from projects.records.expand import expand
from projects.records.expand_paths import parse_expand
from projects.records.pick import parse_pick
from projects.records.rows import Values
from projects.records.visible import viewer
from projects.schema.collection import CollectionSchema


@dataclass(frozen=True, slots=True)
class Shape:
    """How a client wants records: the ``expand`` and ``fields`` query parameters as they came."""

    expand: str = ""
    fields: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it is the record as its reader sees it, whole and alone."""
        return not (self.expand or self.fields)

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Shape:
        return cls(query.get("expand", ""), query.get("fields", ""))


def present(
    call: Call, collection: CollectionSchema, records: list[Values], shape: Shape
) -> list[dict[str, Any]]:
    """The records as the caller may see and wants them.

    Raises 400 for ``fields`` that cannot be read and for an ``expand`` that comes to too many records.
    """
    pick = parse_pick(shape.fields)
    shown = list(map(viewer(call, collection, records), records))
    if shape.expand:
        tree = parse_expand(call, collection, shape.expand)
        expand(call, list(zip(records, shown, strict=True)), tree)
    return [pick(record) for record in shown] if pick else shown


def present_one(call: Call, collection: CollectionSchema, record: Values, shape: Shape) -> dict[str, Any]:
    return present(call, collection, [record], shape)[0]
