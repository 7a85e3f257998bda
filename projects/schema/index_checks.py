"""What is wrong with the indexes of a collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projects.errors import ErrorTree, FieldError
from projects.schema.collection import CollectionSchema
from projects.schema.ddl import column_of
from projects.schema.index_parts import Index, IndexSyntaxError, UnsupportedIndexError
from projects.schema.indexes import parse_index
from projects.schema.names import MAX_NAME

MAX_INDEXES: Final = 64


def index_errors(new: CollectionSchema, others: Iterable[CollectionSchema]) -> FieldError | ErrorTree | None:
    """Errors by position in the list. Columns that do not exist are another check: they are told alone."""
    if len(new.indexes) > MAX_INDEXES:
        return FieldError(
            "validation_length_out_of_range",
            f"The length must be no more than {MAX_INDEXES}.",
            {"max": MAX_INDEXES, "min": 0},
        )
    taken = _index_owners(others)
    names: set[str] = set()
    definitions: set[tuple[object, ...]] = set()
    tree: dict[str, FieldError | ErrorTree] = {}
    for at, text in enumerate(new.indexes):
        try:
            index = parse_index(text)
        except UnsupportedIndexError as error:
            tree[str(at)] = invalid_index(f"Invalid CREATE INDEX expression - {error}.")
            continue
        except IndexSyntaxError:
            tree[str(at)] = invalid_index("Invalid CREATE INDEX expression.")
            continue
        found = _index_error(index, names, definitions, taken)
        names.add(index.name.lower())
        definitions.add(index.definition)
        if found:
            tree[str(at)] = found
    return tree


def _index_error(
    index: Index,
    names: set[str],
    definitions: set[tuple[object, ...]],
    taken: dict[str, str],
) -> FieldError | None:
    name = index.name.lower()
    if name in names:
        return FieldError("validation_duplicated_index_name", "The index name already exists.")
    if index.definition in definitions:
        return FieldError("validation_duplicated_index_definition", "The index definition already exists.")
    if name in taken:
        return FieldError(
            "validation_existing_index_name",
            f"The index name is already used in {taken[name]} collection.",
            {"usedTableName": taken[name]},
        )
    if len(index.name.encode()) > MAX_NAME or name.startswith("sqlite_"):
        return invalid_index(f"Failed to create index {index.name} - the name is reserved or too long.")
    return None


def missing_columns(collection: CollectionSchema) -> ErrorTree:
    """Errors of indexes on columns that are no fields; the indexes must be in order otherwise."""
    tree: dict[str, FieldError] = {}
    for at, index in enumerate(map(parse_index, collection.indexes)):
        missing = sorted(name for name in index.column_names() if column_of(collection, name) is None)
        if missing:
            tree[str(at)] = invalid_index(
                f"Failed to create index {index.name} - SQL logic error: no such column: {missing[0]} (1)."
            )
    return tree


def invalid_index(message: str) -> FieldError:
    """The complaint about one index."""
    return FieldError("validation_invalid_index_expression", message)


def _index_owners(collections: Iterable[CollectionSchema]) -> dict[str, str]:
    """Which collection has an index of that (lower-case) name."""
    owners: dict[str, str] = {}
    for collection in collections:
        for text in collection.indexes:
            try:
                owners[parse_index(text).name.lower()] = collection.name
            except IndexSyntaxError:
                continue  # of the same import: refused where its own collection is checked
    return owners
