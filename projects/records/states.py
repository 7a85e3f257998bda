"""How a record was: images of the change log under today's schema.

An image holds the values by the names that fields had when it was written. Fields are the same when their ids are, so
a renamed field's values are found under its former name, and what a deleted field held is nobody's any more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from projects.databases import Session
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema
from projects.schema.fields.base import Field
from projects.schema.fields.manyvalued import ManyValuedField
from projects.schema.fields.password import PasswordField, PasswordHash


@dataclass(frozen=True, slots=True)
class State:
    """A whole record by today's fields, secrets included; ``removed`` names fields of then that are gone."""

    values: Values
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Eras:
    """What names meant in a collection's images: ``ids[i]`` in those written by changes up to ``ends[i]``.

    Images up to ``floor`` are of a collection that was deleted and had the same id.
    """

    collection: CollectionSchema
    floor: int
    ends: tuple[int, ...]
    ids: tuple[Mapping[str, str], ...]

    def state(self, seq: int, image: str | None) -> State | None:
        """The state that change ``seq`` wrote down as what was before it; None where there was no record."""
        if image is None:
            return None
        values: Values = orjson.loads(image)
        at = bisect_left(self.ends, seq)
        if at < len(self.ends):
            return _by_id(
                self.collection, {self.ids[at].get(name, ""): (name, values[name]) for name in values}
            )
        fields = self.collection.field_by_name
        return _by_id(
            self.collection,
            {fields[name].id if name in fields else f"?{name}": (name, values[name]) for name in values},
        )


def eras_of(session: Session, collection: CollectionSchema) -> Eras:
    rows = session.rows(
        session.sql(
            "SELECT seq, action, before FROM _changes WHERE collection = ? AND record = '' ORDER BY seq"
        ),
        (collection.id,),
    )
    floor = max((seq for seq, action, _ in rows if action == "dropped"), default=0)
    kept = [(seq, orjson.loads(ids)) for seq, action, ids in rows if action == "fields" and seq > floor]
    return Eras(collection, floor, tuple(seq for seq, _ in kept), tuple(ids for _, ids in kept))


def _by_id(collection: CollectionSchema, found: Mapping[str, tuple[str, Any]]) -> State:
    values = {
        field.name: _fitted(field, found[field.id][1]) if field.id in found else field.empty()
        for field in collection.fields
    }
    removed = sorted(name for id_, (name, _) in found.items() if id_ not in collection.field_by_id)
    return State(values, tuple(removed))


def _fitted(field: Field, value: Any) -> Any:
    """The value as the field holds values today: one or a list of them, null or not."""
    if value is None:
        return field.empty()
    if isinstance(field, PasswordField):
        return PasswordHash(value)
    return field.normalize(value) if isinstance(field, ManyValuedField) else value
