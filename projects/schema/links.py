"""What indexes relations in both directions: link tables of many-valued relations, indexes of single ones.

A many-valued relation's ids stand as an ordered list in the record's own column, which is what reads give; beside it
a table of ``(record, target)`` pairs, indexed both ways, answers "whose is this" and "who names this". A single
relation's column has an index, unless the app team made one that serves as well. The names come from the ids of
collection and field, so that renaming either moves nothing.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from projects.schema import ddl
from projects.schema.collection import CollectionSchema
from projects.schema.ddl import quote
from projects.schema.fields.relation import RelationField
from projects.schema.indexes import parse_index

if TYPE_CHECKING:
    from projects.databases import Session

# Names that begin so no collection of an app team can have.
_PREFIX: Final = "_rel_"


def link_name(collection_id: str, field_id: str) -> str:
    """The name of a field's link table or index; the same for the life of the field."""
    digest = blake2b(f"{collection_id}\n{field_id}".encode(), digest_size=10).hexdigest()
    return f"{_PREFIX}{digest}"


def link_table(collection: CollectionSchema, field: RelationField) -> str:
    """The table of the pairs of a many-valued relation."""
    return link_name(collection.id, field.id)


def linked_fields(collection: CollectionSchema) -> tuple[RelationField, ...]:
    """The many-valued relations of a collection, each with its link table."""
    if not collection.has_table:
        return ()
    return tuple(field for field in collection.fields if isinstance(field, RelationField) and field.is_list)


def create_links(session: Session, collection: CollectionSchema) -> None:
    """The link tables and indexes of a new collection."""
    for field in linked_fields(collection):
        _create_link_table(session, collection, field)
    for field in _indexed_fields(collection):
        _create_index(session, collection, field)


def drop_links(session: Session, collection: CollectionSchema) -> None:
    """The link tables of a collection that goes; its indexes go with its table."""
    for field in linked_fields(collection):
        ddl.run(session, f"DROP TABLE {quote(link_table(collection, field))}")


def drop_outdated_links(session: Session, old: CollectionSchema, new: CollectionSchema) -> None:
    """Before the columns change: what belongs to fields that go, are converted, or need no index any more."""
    kept = {field.id for field in linked_fields(new)}
    for linked in linked_fields(old):
        if linked.id not in kept:
            ddl.run(session, f"DROP TABLE {quote(link_table(old, linked))}")
    still = {field.id for field in _indexed_fields(new)}
    for field in old.fields:
        if not isinstance(field, RelationField) or field.is_list:
            continue
        # A column that becomes nullable, or no more, is made anew.
        after = new.field_by_id.get(field.id)
        if field.id not in still or (after is not None and after.nullable != field.nullable):
            ddl.run(session, f"DROP INDEX IF EXISTS {quote(link_name(old.id, field.id))}")


def create_missing_links(session: Session, old: CollectionSchema, new: CollectionSchema) -> None:
    """After the columns changed: what new and converted fields need, filled from the records."""
    before = {field.id for field in linked_fields(old)}
    for field in linked_fields(new):
        if field.id not in before:
            _create_link_table(session, new, field)
            _fill(session, new, field)
    for single in _indexed_fields(new):
        _create_index(session, new, single)


def _indexed_fields(collection: CollectionSchema) -> list[RelationField]:
    """The single relations that need an index of ours."""
    served = {
        index.columns[0].name.lower()
        for index in map(parse_index, collection.indexes)
        if not (index.where or index.columns[0].function or index.columns[0].collation not in ("", "BINARY"))
    }
    return [
        field
        for field in collection.fields
        if isinstance(field, RelationField) and not field.is_list and field.name.lower() not in served
    ]


def _create_index(session: Session, collection: CollectionSchema, field: RelationField) -> None:
    name = link_name(collection.id, field.id)
    on = f"{quote(collection.table)} ({quote(field.name)})"
    ddl.run(session, f"CREATE INDEX IF NOT EXISTS {quote(name)} ON {on}")


def _create_link_table(session: Session, collection: CollectionSchema, field: RelationField) -> None:
    name = link_table(collection, field)
    text, end = ("TEXT", " WITHOUT ROWID") if session.engine == "sqlite" else ('TEXT COLLATE "C"', "")
    columns = f"record {text} NOT NULL, target {text} NOT NULL, PRIMARY KEY (record, target)"
    ddl.run(session, f"CREATE TABLE {quote(name)} ({columns}){end}")
    ddl.run(session, f"CREATE INDEX {quote(f'{name}_target')} ON {quote(name)} (target, record)")


def _fill(session: Session, collection: CollectionSchema, field: RelationField) -> None:
    table, column = quote(collection.table), quote(field.name)
    elements = (
        f"json_each({column}) AS item"
        if session.engine == "sqlite"
        else f"LATERAL jsonb_array_elements_text({column}) AS item(value)"
    )
    ddl.run(
        session,
        f"INSERT INTO {quote(link_table(collection, field))} (record, target)"
        f" SELECT DISTINCT {table}.id, item.value FROM {table}, {elements}",
    )
