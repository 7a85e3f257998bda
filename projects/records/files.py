"""Files of a record: which names it may have, and giving the stored files to it in its own transaction.

A file is stored outside of any transaction: a bucket may take minutes, and the project's writes wait for
nothing. So a write that brings files runs twice: first as if they were stored (``Upload.granted``), to see
that it succeeds and which it takes, then for good. Nothing is stored for a write that is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from projects.databases.stored_files import attach, release_names, release_records
from projects.databases.uploads import forget_upload
from projects.errors import ApiError, FieldError
from projects.records.call import Call
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema
from projects.schema.fields.file import FileField, NewFile


class UnstoredFiles(Exception):
    """The write needs these files in the storage first: undo it, store them, then write again."""

    def __init__(self, files: tuple[NewFile, ...]) -> None:
        super().__init__("files are to be stored")
        self.files = files


def unknown_files(
    collection: CollectionSchema, values: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, FieldError]:
    """An error for each file field that names a file which is neither new nor the record's own."""
    errors: dict[str, FieldError] = {}
    for field in collection.file_fields:
        if field.name in values:
            own = field.values_of(before[field.name]) if before else ()
            if error := field.unknown_files(values[field.name], own):
                errors[field.name] = error
    return errors


def new_files(collection: CollectionSchema, values: Mapping[str, Any]) -> list[tuple[FileField, NewFile]]:
    """The new files among ``values``."""
    return [
        (field, file)
        for field in collection.file_fields
        if field.name in values
        for file in field.values_of(values[field.name])
        if isinstance(file, NewFile)
    ]


def take_new_files(collection: CollectionSchema, values: Values) -> list[tuple[FileField, NewFile]]:
    """The new files among ``values``, where their plain names then stand. Raises UnstoredFiles."""
    if not collection.file_fields:
        return []
    files = new_files(collection, values)
    missing = [file for _, file in files if not (file.upload.stored or file.upload.granted)]
    if missing:
        raise UnstoredFiles(tuple(missing))
    for field in {field.name: field for field, _ in files}.values():
        values[field.name] = field.normalize([str(name) for name in field.values_of(values[field.name])])
    return files


def attach_files(
    call: Call, collection: CollectionSchema, record_id: str, files: list[tuple[FileField, NewFile]]
) -> None:
    """Make stored files the record's own. Raises 400 for one that is stored no more."""
    for field, file in files:
        file.upload.wanted = True
        if not file.upload.stored:
            continue
        attached = attach(
            call.session,
            file.upload.key,
            collection=collection.id,
            record=record_id,
            field=field.id,
            name=str(file),
        )
        if not attached:
            # It waited for longer than MBAAS_FILES_PENDING_SECONDS, or another record has it already.
            raise ApiError(400, "An uploaded file is not there any more. Please upload it again.")
        if file.upload.upload_id:
            forget_upload(call.session, file.upload.upload_id)


def release_replaced(call: Call, collection: CollectionSchema, before: Values, changed: Values) -> None:
    """Let go of the files that an update took out of the record."""
    for field in collection.file_fields:
        if field.name in changed:
            kept = field.values_of(changed[field.name])
            gone = [name for name in field.values_of(before[field.name]) if name not in kept]
            if gone:
                release_names(call.session, collection.id, before["id"], gone)


def release_files(call: Call, collection: CollectionSchema, records: Sequence[Values]) -> None:
    """Let go of the files of records that were deleted."""
    names = [field.name for field in collection.file_fields]
    if names and (ids := [record["id"] for record in records if any(record[name] for name in names)]):
        release_records(call.session, collection.id, ids)
