"""Back relations: the records whose relation names a record, called ``collection_via_field``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.fields.relation import RelationField
from projects.schema.index_parts import Index
from projects.schema.indexes import parse_index

VIA = "_via_"


@dataclass(frozen=True, slots=True)
class BackRelation:
    """The records of ``collection`` whose ``field`` names a record.

    ``single``: the contract shows one record, not a list, because a unique index of the field's own says that there
    is no other; also where the index has a condition, or the field is many-valued, and there can be more.
    """

    collection: CollectionSchema
    field: RelationField
    single: bool

    @property
    def name(self) -> str:
        return f"{self.collection.name}{VIA}{self.field.name}"


def back_relation(schema: ProjectSchema, here: CollectionSchema, name: str) -> BackRelation | None:
    """The back relation of ``here`` that ``name`` stands for; None when there is none."""
    collection, via, relation = name.partition(VIA)
    other = schema.get(collection) if via else None
    field = other.field_by_name.get(relation) if other else None
    if other is None or not isinstance(field, RelationField) or field.collection_id != here.id:
        return None
    return schema.derived.get(("back relation", other.id, field.id), lambda: _of(other, field))


def back_relations(schema: ProjectSchema, here: CollectionSchema) -> Iterator[BackRelation]:
    """All of them, in the order of the collections and their fields."""
    for other in schema.collections:
        for field in other.fields:
            if isinstance(field, RelationField) and field.collection_id == here.id:
                yield _of(other, field)


def unique_indexes(collection: CollectionSchema, field_name: str) -> list[Index]:
    """The unique indexes of that field alone, as it is stored."""
    found = [index for index in map(parse_index, collection.indexes) if index.unique]
    return [
        index
        for index in found
        if len(index.columns) == 1
        and index.columns[0].name.lower() == field_name.lower()
        and not index.columns[0].function
    ]


def _of(other: CollectionSchema, field: RelationField) -> BackRelation:
    return BackRelation(other, field, single=bool(unique_indexes(other, field.name)))
