"""From one state of a collection to the next: which statements, in which order, and what they would lose."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg

from projects.databases.changes import log_former_fields
from projects.databases.stored_files import release_field
from projects.errors import FieldError, invalid_fields
from projects.schema import ddl, links, search
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text
from projects.schema.fields.base import Field
from projects.schema.fields.file import FileField
from projects.schema.index_checks import invalid_index
from projects.schema.index_parts import Index
from projects.schema.indexes import parse_index
from projects.schema.progress import step

if TYPE_CHECKING:
    from projects.databases import Session

# What the engines answer when an index does not fit the data or the columns; anything else is our mistake.
_INDEX_REFUSALS: Final = (
    sqlite3.IntegrityError,
    sqlite3.OperationalError,
    psycopg.IntegrityError,
    psycopg.ProgrammingError,
    psycopg.DataError,
    psycopg.errors.ProgramLimitExceeded,
)


@dataclass(frozen=True)
class FieldChanges:
    """How the fields of two states of a collection differ; fields are the same when their ids are."""

    dropped: tuple[Field, ...]
    added: tuple[Field, ...]
    renamed: dict[str, str]  # old name: new name
    converted: tuple[Field, ...]  # now one value where there was a list, or the other way round
    renulled: tuple[Field, ...]  # as many values as before, now nullable or no more

    @property
    def any(self) -> bool:
        return bool(self.dropped or self.added or self.renamed or self.converted or self.renulled)


def field_changes(old: CollectionSchema, new: CollectionSchema) -> FieldChanges:
    kept = [(field, new.field_by_id[field.id]) for field in old.fields if field.id in new.field_by_id]
    return FieldChanges(
        dropped=tuple(field for field in old.fields if field.id not in new.field_by_id),
        added=tuple(field for field in new.fields if field.id not in old.field_by_id),
        renamed={before.name: after.name for before, after in kept if before.name != after.name},
        converted=tuple(after for before, after in kept if before.is_list != after.is_list),
        renulled=tuple(
            after
            for before, after in kept
            if before.is_list == after.is_list and before.nullable != after.nullable
        ),
    )


def losses(session: Session, old: CollectionSchema, new: CollectionSchema) -> dict[str, FieldError]:
    """What the change would destroy, by field name; empty when every stored value survives."""
    if not old.has_table:
        return {}
    changes = field_changes(old, new)
    lost = {
        field.name: confirmation_required("The field holds data that would be lost.")
        for field in changes.dropped
        if ddl.holds_data(session, old.table, field)
    }
    for field in changes.converted:
        before = old.field_by_id[field.id]
        if before.is_list and ddl.holds_several(session, old.table, before):
            lost[field.name] = confirmation_required("Records hold several values; only the last one stays.")
    for field in changes.renulled:
        before = old.field_by_id[field.id]
        if before.nullable and ddl.holds_null(session, old.table, before):
            lost[field.name] = confirmation_required("Records without a value would get an empty one.")
    return lost


def confirmation_required(message: str) -> FieldError:
    """The complaint about a change that destroys data; sent again with ``confirm`` it goes on."""
    return FieldError("confirmation_required", f"{message} Confirm to go on.")


def create(session: Session, collection: CollectionSchema, message: str) -> None:
    """Build the collection's tables and indexes. Raises ApiError with ``message`` for an index that fails."""
    if collection.has_table:
        ddl.create_table(session, collection)
        links.create_links(session, collection)
        search.create_index(session, collection)
        _create_indexes(session, collection, dict(enumerate(map(parse_index, collection.indexes))), message)


def alter(session: Session, old: CollectionSchema, new: CollectionSchema, message: str) -> None:
    """Make the table of ``old`` the one of ``new``. Raises ApiError for an index that fails."""
    if not old.has_table:
        return
    changes = field_changes(old, new)
    before = {parse_index(text).name: parse_index(text) for text in old.indexes}
    after = {at: parse_index(text) for at, text in enumerate(new.indexes)}
    converted = {field.name.lower() for field in (*changes.converted, *changes.renulled)}
    kept = {
        index.name
        for index in after.values()
        if index.name in before
        and _follows(before[index.name], index, new, changes.renamed)
        and not converted & {name.lower() for name in index.column_names()}
    }
    missing = {at: index for at, index in after.items() if index.name not in kept}
    dropped = [name for name in before if name not in kept]
    is_alone = bool(dropped or changes.any or old.table != new.table)
    if is_alone:
        with step(session, new.name, "waiting for the table"):
            ddl.take_table(session, old.table, "ACCESS EXCLUSIVE")
    elif missing:
        # To build an index keeps writers waiting and no reader.
        with step(session, new.name, "waiting for the table"):
            ddl.take_table(session, old.table, "SHARE")
    for name in dropped:
        ddl.drop_index(session, name)
    if changes.dropped or changes.renamed:
        # After the lock, so that no image of the old names can come after it.
        log_former_fields(session, old.id, {field.name: field.id for field in old.fields}, now_text())
    if old.table != new.table:
        ddl.rename_table(session, old.table, new.table)
    links.drop_outdated_links(session, old, new)
    if is_alone:
        search.drop_outdated_index(session, old, new)
    for field in changes.dropped:
        with step(session, new.name, f"dropping the field {field.name}"):
            ddl.drop_column(session, new.table, field.name)
        if isinstance(field, FileField):
            release_field(session, new.id, field.id)
    ddl.rename_columns(session, new.table, changes.renamed)
    for field in changes.converted:
        with step(session, new.name, f"converting the field {field.name}"):
            ddl.convert_column(session, new.table, field)
        if isinstance(field, FileField) and not field.is_list:
            still_named = (
                f"SELECT {ddl.quote(field.name)} FROM {ddl.quote(new.table)} WHERE id = _files.record"
            )
            release_field(session, new.id, field.id, except_where=f"name IN ({still_named})")
    for field in changes.renulled:
        if field.nullable:
            ddl.allow_null(session, new.table, field)
        else:
            ddl.forbid_null(session, new.table, field)
    for field in changes.added:
        ddl.add_column(session, new.table, field)
    links.create_missing_links(session, old, new)
    search.create_missing_index(session, old, new, dropped=is_alone)
    _create_indexes(session, new, missing, message)


def _follows(before: Index, after: Index, new: CollectionSchema, renamed: dict[str, str]) -> bool:
    """Whether the engine's own renaming already makes ``before`` what ``after`` says."""
    return before.renamed(new.name, renamed).definition == after.definition


def _create_indexes(
    session: Session, collection: CollectionSchema, indexes: dict[int, Index], message: str
) -> None:
    failed = {}
    for at, index in indexes.items():
        try:
            with session.savepoint(), step(session, collection.name, f"building the index {index.name}"):
                ddl.create_index(session, collection, index)
        except _INDEX_REFUSALS as error:
            if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise  # interrupted, disk full
            failed[str(at)] = invalid_index(
                f"Failed to create index {index.name} - {_reason(collection, index, error)}."
            )
    if failed:
        raise invalid_fields(message, {"indexes": failed})


def _reason(collection: CollectionSchema, index: Index, error: Exception) -> str:
    """Why an engine refused an index, without the values that it may quote."""
    if isinstance(error, sqlite3.IntegrityError | psycopg.IntegrityError):
        columns = ", ".join(f"{collection.table}.{column.name}" for column in index.columns)
        return f"constraint failed: UNIQUE constraint failed: {columns} (2067)"
    return str(error).partition("\n")[0].rstrip(".")
