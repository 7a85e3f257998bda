"""The end of an upload that came before its record: what it is is found out, and it is put into its storage."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.lanes import lanes
from projects.databases.stored_files import count_as, reserve
from projects.databases.uploads import UploadRow, note_stored
from projects.files.names import stored_name
from projects.files.parts import Part, PartBusyError, part_path, remove_part
from projects.files.sniff import HEAD_BYTES, sniff
from projects.files.spool import new_key
from projects.files.storage import ObjectMissingError, Reader, Storage
from projects.files.storages import open_storage
from projects.files.threads import in_storage_pool

_PIECE: Final = 1024 * 1024
_LOCK_TRIES: Final = 10
_LOCK_SECONDS: Final = 0.1


class NotWholeError(Exception):
    """Bytes of the upload are missing, or there are too many."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file is, by its content; ``checksum`` is SHA-256 in hex."""

    type: str
    checksum: str


async def finish(project: ProjectHandle, row: UploadRow) -> None:
    """Put the upload into its storage and note it there, so that a record can get it.

    It may be done again after a crash at any point. Raises NotWholeError, PartBusyError, StorageError.
    """
    await asyncio.shield(_finish(project, row))


async def _finish(project: ProjectHandle, row: UploadRow) -> None:
    key = row.file.key
    if row.kind == "direct":
        # The client can write to the object for as long as its address holds: what is checked is a copy of our own.
        key = new_key()
        copied = replace(row.file, key=key, size=0)
        await lanes().write(
            project, lambda session: reserve(session, [copied], seconds=settings.MBAAS_FILES_PENDING_SECONDS)
        )
        content = await in_storage_pool(project, partial(_copy, project, row, key))
    else:
        content = await in_storage_pool(project, partial(_store, project, row))

    def note(session: Session) -> None:
        noted = note_stored(
            session,
            row.id,
            key=key,
            name=stored_name(row.file.original, content.type),
            kind=content.type,
            checksum=content.checksum,
            seconds=settings.MBAAS_FILES_PENDING_SECONDS,
        )
        if noted and key != row.file.key:
            count_as(session, row.file.key, key)

    await lanes().write(project, note)


def _store(project: ProjectHandle, row: UploadRow) -> _Content:
    file, storage = row.file, open_storage(project, row.file.storage)
    path = part_path(project.uid, file.key)
    try:
        with _locked(path) as part:
            if part.offset != file.size:
                raise NotWholeError
            with open(path, "rb", buffering=0) as reader:
                content = _content_of(reader, row)
            # Half a copy of a process that died.
            storage.delete(file.key)
            storage.save(file.key, path, content.type)
            remove_part(project.uid, file.key)
        return content
    except ObjectMissingError:
        # It was stored by a process that died before it could note it; else there is no such object either.
        return _content_in(storage, file.key, row)


def _locked(path: Path) -> Part:
    """The part, after somebody who only looked at it."""
    for _ in range(_LOCK_TRIES):
        try:
            return Part(path)
        except PartBusyError:
            time.sleep(_LOCK_SECONDS)
    return Part(path)


def _copy(project: ProjectHandle, row: UploadRow, key: str) -> _Content:
    from projects.files.s3 import S3Storage

    storage = open_storage(project, row.file.storage)
    assert isinstance(storage, S3Storage)
    try:
        if storage.size(row.file.key) != row.file.size:
            raise NotWholeError
        storage.copy(row.file.key, key)
    except ObjectMissingError:
        raise NotWholeError from None
    return _content_in(storage, key, row)


def _content_in(storage: Storage, key: str, row: UploadRow) -> _Content:
    if storage.size(key) != row.file.size:
        raise NotWholeError
    reader = storage.open(key, 0, row.file.size)
    try:
        return _content_of(reader, row)
    finally:
        reader.close()


def _content_of(reader: Reader, row: UploadRow) -> _Content:
    digest, head = hashlib.sha256(), b""
    while data := reader.read(_PIECE):
        head += data[: HEAD_BYTES - len(head)]
        digest.update(data)
    return _Content(sniff(head, row.file.size, row.file.original), digest.hexdigest())
