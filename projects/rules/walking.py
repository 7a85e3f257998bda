"""From a row along a dotted path to a value."""

from __future__ import annotations

from dataclasses import dataclass

from projects.rules.paths import (
    Back,
    Column,
    Element,
    Given,
    Item,
    Modifier,
    Row,
    Via,
    is_relation,
    relation_target,
)
from projects.rules.problems import Problem
from projects.schema.back_relations import unique_indexes
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.fields.base import Field

# Limits of the wire contract (relations) and of sense (keys inside one JSON value).
MAX_RELATION_DEPTH = 6
MAX_JSON_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Walker:
    """``guarded``: for a client, who may not go where hidden fields or a list rule of null stand in the way."""

    schema: ProjectSchema
    guarded: bool

    def value_from(self, row: Given, path: tuple[str, ...], modifier: str) -> Column | Element:
        """``value`` for each record of a list of ids, where the id itself needs no record."""
        if path == ("id",):
            return Element(row, _of_one(column_modifier("id", modifier)))
        return self.value(row, path, column_modifier(path[-1], modifier))

    def value(self, row: Row, path: tuple[str, ...], modifier: str) -> Column | Element:
        """The value at ``path`` from ``row``. Raises Problem."""
        for hops, name in enumerate(path):
            rest = path[hops + 1 :]
            here = row.collection
            assert here is not None
            field = here.field_by_name.get(name)
            if field is None:
                row = self._back(row, here, name, rest)
            else:
                if self.guarded and field.hidden:
                    raise _hidden(field)
                found = self._end(row, field, rest, modifier)
                if found is not None:
                    if rest and is_relation(field):
                        _count(hops + 1)
                    return found
                row = self._forward(row, field)
            _count(hops + 1)
        raise AssertionError("a path has at least one part")

    def is_back_relation(self, here: CollectionSchema, name: str) -> bool:
        try:
            self._back_relation(here, name)
        except Problem:
            return False
        return True

    def _end(self, row: Row, field: Field, rest: tuple[str, ...], modifier: str) -> Column | Element | None:
        """The value, when ``field`` is where the path ends."""
        kind = _of_one(modifier)
        if rest and field.kind in ("json", "geo") and not field.is_list:
            if len(rest) > MAX_JSON_DEPTH:
                raise Problem(f"more than {MAX_JSON_DEPTH} keys inside one value")
            return Column(row, field, rest, kind)
        if not rest:
            if modifier == "each" and field.is_list:
                return Element(self._items(row, field))
            return Column(row, field, (), kind)
        if rest == ("id",) and is_relation(field):
            if not field.is_list:
                return Column(row, field, (), kind)
            if not self.guarded:
                return Element(self._items(row, field), kind)
        return None

    def _items(self, row: Row, field: Field) -> Item:
        return Item(row, field, relation_collection(self.schema, field) if is_relation(field) else None)

    def _forward(self, row: Row, field: Field) -> Row:
        if not is_relation(field):
            raise Problem(f'field "{field.name}" is not a valid relation')
        target = relation_collection(self.schema, field)
        self._check_listed(target)
        return Item(row, field, target) if field.is_list else Via(row, field, target)

    def _back(self, row: Row, here: CollectionSchema, name: str, rest: tuple[str, ...]) -> Back:
        if "_via_" not in name:
            raise Problem(f'unknown field "{name}"' if not rest else f'failed to resolve field "{name}"')
        other, field = self._back_relation(here, name)
        if not rest:
            raise Problem(f'"{name}" stands for records, not for a value; name a field of theirs')
        # Where records of one list may keep their relation to themselves, how many there are would tell of them.
        if self.guarded and (field.hidden or field.read_rule):
            raise _hidden(field)
        self._check_listed(other)
        return Back(row, field, other, single=is_unique(other, field))

    def _back_relation(self, here: CollectionSchema, name: str) -> tuple[CollectionSchema, Field]:
        collection, _, relation = name.partition("_via_")
        other = self.schema.get(collection)
        if other is None or not other.is_readable:
            raise Problem(f'failed to load back relation field "{name}" collection')
        field = other.field_by_name.get(relation)
        if field is None or not is_relation(field):
            raise Problem(f'missing or invalid back relation field "{relation}" in collection "{other.name}"')
        if relation_target(field) != here.id:
            raise Problem(f'invalid collection reference of back relation field "{relation}"')
        return other, field

    def _check_listed(self, collection: CollectionSchema) -> None:
        if self.guarded and collection.list_rule is None:
            raise Problem(f'only superusers can list "{collection.name}"')


def relation_collection(schema: ProjectSchema, field: Field) -> CollectionSchema:
    """The collection that a relation leads to. Raises Problem."""
    target = schema.get(relation_target(field))
    if target is None or not target.is_readable:
        raise Problem(f'failed to load the collection of relation "{field.name}"')
    return target


def is_unique(collection: CollectionSchema, field: Field) -> bool:
    """Whether no two records can have the same value in ``field``: it is single and its index says so."""
    return not field.is_list and any(not index.where for index in unique_indexes(collection, field.name))


def column_modifier(name: str, modifier: str) -> str:
    """The modifier as a stored value takes it; :isset and :changed are about request values and change nothing."""
    if modifier in ("each", "length", "lower"):
        return modifier
    if modifier not in ("", "isset", "changed"):
        raise Problem(f'unknown modifier in "{name}:{modifier}"')
    return ""


def _of_one(modifier: str) -> Modifier:
    """The modifier as one value takes it, which is each of itself."""
    if modifier == "length":
        return "length"
    return "lower" if modifier == "lower" else ""


def _count(hops: int) -> None:
    if hops > MAX_RELATION_DEPTH:
        raise Problem(f"more than {MAX_RELATION_DEPTH} relations in one path")


def _hidden(field: Field) -> Problem:
    return Problem(f'field "{field.name}" is hidden and can be filtered by superusers only')
