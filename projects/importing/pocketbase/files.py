"""Files on their way in: names as they are, bytes into the project's own storage, rows as our own uploads have them.

As with any upload the row is there before the object, and the record gets the file when it is stored: an import that is
cut short leaves no half file, and what it has stored for nothing is removed. What a record has already is not copied
again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.databases.stored_files import attach, find_files
from projects.errors import ApiError
from projects.files.saving import abandon, discard_spooled, quota_of, reserve_uploads, store_upload
from projects.files.spool import Spool, spool_folder
from projects.files.storage import StorageError
from projects.importing.pocketbase.errors import ImportRefusedError
from projects.importing.pocketbase.report import Report, Taken
from projects.importing.pocketbase.snapshot import UNREADABLE
from projects.importing.pocketbase.source import Source
from projects.importing.pocketbase.stored import is_safe
from projects.importing.pocketbase.values import ValueReader
from projects.records.call import Call
from projects.records.rows import find
from projects.schema.collection import CollectionSchema
from projects.schema.fields.file import FileField, NewFile
from projects.schema.store import load_schema

_PIECE: Final = 1024 * 1024
# So many files, or bytes of them, share the transactions that they need.
_TOGETHER: Final = 100
_TOGETHER_BYTES: Final = 64 * 1024 * 1024

_MISSING: Final = "The file is not where PocketBase keeps it; the record has its name."
_UNSAFE: Final = "A file of that name cannot be kept."


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a record names."""

    record: str
    field: FileField
    name: str


def named_files(source: Source, collection: CollectionSchema, name: str) -> Iterator[list[Named]]:
    """The files that the records of the source's collection ``name`` name, some records' at a time."""
    fields = [field for field in collection.file_fields if field.name in source.columns(name)]
    if not fields:
        return
    reader = ValueReader(collection, ["id", *(field.name for field in fields)])
    for rows in source.rows(name, reader.columns, settings.MBAAS_IMPORT_STEP):
        yield [
            Named(values["id"], field, file)
            for values in map(reader.values, rows)
            for field in fields
            for file in field.values_of(values[field.name])
        ]


def measure_files(source: Source, collection: CollectionSchema, name: str, taken: Taken) -> None:
    """Count the source's files, and their bytes."""
    for files in named_files(source, collection, name):
        for file in files:
            size = source.files.size((collection.id, file.record, file.name))
            taken.source_files += 1
            taken.bytes += size or 0


def copy_files(
    project: ProjectHandle,
    source: Source,
    collection: CollectionSchema,
    taken: Taken,
    report: Report,
    advance: Callable[[int], None],
) -> None:
    """All files of the collection's records. ``advance(n)`` after each n of them. Raises ImportRefusedError."""
    for files in named_files(source, collection, collection.name):
        missing = _not_yet_here(project, collection, files)
        taken.files += len(files) - len(missing)
        advance(len(files) - len(missing))
        for part in _together(source, collection, missing):
            taken.files += _copy(project, source, collection, part, report)
            advance(len(part))


def _not_yet_here(
    project: ProjectHandle, collection: CollectionSchema, files: Sequence[Named]
) -> list[Named]:
    by_record: dict[str, list[Named]] = {}
    for file in files:
        by_record.setdefault(file.record, []).append(file)
    left: list[Named] = []
    with read_session(project) as session:
        for record, named in by_record.items():
            found = find_files(session, collection.id, record, [file.name for file in named])
            here = {row.name for row in found}
            left += [file for file in named if file.name not in here]
    return left


def _together(source: Source, collection: CollectionSchema, files: Sequence[Named]) -> Iterator[list[Named]]:
    part: list[Named] = []
    size = 0
    for file in files:
        part.append(file)
        size += source.files.size((collection.id, file.record, file.name)) or 0
        if len(part) == _TOGETHER or size >= _TOGETHER_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _copy(
    project: ProjectHandle,
    source: Source,
    collection: CollectionSchema,
    files: Sequence[Named],
    report: Report,
) -> int:
    """How many of the files are the records' own now."""
    spooled: list[tuple[Named, NewFile]] = []
    try:
        spooled.extend(
            (file, received)
            for file in files
            if (received := _receive(source, collection, file, report)) is not None
        )
        if not spooled:
            return 0
        uploads = [new for _, new in spooled]
        try:
            with write_session(project) as session:
                reserve_uploads(session, uploads)
        except ApiError as error:
            raise ImportRefusedError(
                f"{error.message} The limit is {quota_of(project)} bytes (filesQuotaBytes); with a higher one the"
                " import goes on where it stopped."
            ) from error
        attached = False
        try:
            for new in uploads:
                store_upload(project, new.upload)
            attached = True
            return _attach(project, collection, spooled)
        except StorageError as error:
            raise ImportRefusedError(
                f"The project's file storage does not work: {error}. When it does, the import goes on where it stopped."
            ) from error
        finally:
            if not attached:
                with write_session(project) as session:
                    abandon(session, uploads)
    finally:
        discard_spooled([new for _, new in spooled])


def _attach(
    project: ProjectHandle, collection: CollectionSchema, spooled: Sequence[tuple[Named, NewFile]]
) -> int:
    done = 0
    unwanted: list[NewFile] = []
    with write_session(project) as session:
        call = Call(session, load_schema(session))
        for file, new in spooled:
            # It may have been refused, or changed here since the record came.
            values = find(call, collection, file.record, lock=True)
            wanted = values is not None and file.name in file.field.values_of(values[file.field.name])
            if wanted and attach(
                session,
                new.upload.key,
                collection=collection.id,
                record=file.record,
                field=file.field.id,
                name=file.name,
            ):
                done += 1
            else:
                unwanted.append(new)
        abandon(session, unwanted)
    return done


def _receive(source: Source, collection: CollectionSchema, file: Named, report: Report) -> NewFile | None:
    """The file on our disk; None, with a note, when it cannot be had."""
    where = (collection.id, file.record, file.name)
    about = "/".join((collection.name, *where[1:]))

    def lost(reason: str) -> None:
        report.note_one_of_many("lost", f"{collection.name}: files", about, reason)

    if not is_safe(where):
        lost(_UNSAFE)
        return None
    try:
        with source.files.open(where) as opened:
            if opened.size > settings.MBAAS_MAX_FILE_BYTES:
                lost("The file is larger than MBAAS_MAX_FILE_BYTES.")
                return None
            _require_space(opened.size)
            spool = Spool(opened.original, opened.size)
            try:
                while spool.size < opened.size and (
                    piece := opened.content.read(min(_PIECE, opened.size - spool.size))
                ):
                    spool.feed(piece)
                    spool.write()
                received = spool.finish()
            except BaseException:
                spool.discard()
                raise
    except FileNotFoundError:
        lost(_MISSING)
        return None
    except StorageError as error:
        raise ImportRefusedError(
            f"A file cannot be fetched: {error}. When it can, the import goes on where it stopped."
        ) from error
    except UNREADABLE as error:
        lost(f"The file cannot be read: {error}.")
        return None
    return NewFile(file.name, received.upload)


def _require_space(size: int) -> None:
    folder = spool_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size + settings.MBAAS_IMPORT_KEEP_FREE_BYTES:
        raise ImportRefusedError(
            f"There is no room in {folder} for a file of {size} bytes (MBAAS_IMPORT_KEEP_FREE_BYTES are to stay"
            " free). When there is, the import goes on where it stopped."
        )
