"""Moving a project's files to another storage while they are served.

A file is copied under a new key, read back, and only then does its record have the new object instead of the
old one, which is removed like any that no record has. So it can be stopped at any point and begun again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.databases.file_lists import list_outside
from projects.databases.stored_files import FileRow, release_pending, replace_file, reserve
from projects.files.disk import disk_error
from projects.files.spool import new_key, remove_spooled, spool_folder
from projects.files.storage import (
    ObjectMissingError,
    Storage,
    StorageError,
    StorageUnavailableError,
)
from projects.files.storages import StorageName, open_storage

_PIECE: Final = 1024 * 1024
_TOGETHER: Final = 100
# An old object stays for so long: somebody may just have read where it is.
_GRACE_SECONDS: Final = 600
# A storage that fails for one file so often fails for every file.
_ATTEMPTS: Final = 3


class DamagedFileError(StorageError):
    """The object is not what was stored: another size, or another checksum."""


@dataclass(frozen=True, slots=True)
class Move:
    """What became of one file: ``problem`` says why it stays where it is; empty when it was moved."""

    row: FileRow
    problem: str = ""


def move_files(project: ProjectHandle, target: StorageName) -> Iterator[Move]:
    """Move every file and thumb that is in another storage to ``target``, also what comes meanwhile. Blocks.

    A file that is missing or damaged stays, and is told of. Raises StorageError when the storages do not work.
    """
    stay: set[str] = set()
    while True:
        moved = 0
        for row in _outside(project, target):
            if row.key in stay:
                continue
            problem = _try(project, row, target)
            if problem:
                stay.add(row.key)
            else:
                moved += 1
            yield Move(row, problem)
        if not moved:
            return


def _outside(project: ProjectHandle, target: StorageName) -> Iterator[FileRow]:
    after = ""
    while True:
        with read_session(project) as session:
            rows = list_outside(session, target, after=after, limit=_TOGETHER)
        if not rows:
            return
        yield from rows
        after = rows[-1].key


def _try(project: ProjectHandle, row: FileRow, target: StorageName) -> str:
    for left in reversed(range(_ATTEMPTS)):
        try:
            move_file(project, row, target)
            break
        except ObjectMissingError:
            return "missing: its storage has no such object"
        except DamagedFileError as error:
            return f"damaged: {error}"
        except StorageUnavailableError:
            if not left:
                raise
    return ""


def move_file(project: ProjectHandle, row: FileRow, target: StorageName) -> None:
    """Move one file. Nothing has changed when it raises StorageError, or when no record has it any more."""
    source, sink = open_storage(project, row.storage), open_storage(project, target)
    path = spool_folder() / new_key()
    new = replace(row, key=new_key(), storage=target, state="pending")
    try:
        _fetch(source, row, path)
        with write_session(project) as session:
            reserve(session, [new], seconds=settings.MBAAS_FILES_PENDING_SECONDS)
        placed = False
        try:
            sink.save(new.key, path, new.type)
            _check_arrived(sink, new)
            with write_session(project) as session:
                placed = replace_file(session, row, new, seconds=_GRACE_SECONDS)
        finally:
            if not placed:
                with write_session(project) as session:
                    release_pending(session, [new.key])
    finally:
        remove_spooled(path)


def _fetch(source: Storage, row: FileRow, path: Path) -> None:
    if (size := source.size(row.key)) != row.size:
        raise DamagedFileError(f"it has {size} bytes instead of {row.size}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "xb") as copy:
            digest = _digest(source, row, copy)
    except OSError as error:
        raise disk_error(error, path) from error
    if digest != row.checksum:
        raise DamagedFileError("its checksum is not the one it was stored with")


def _check_arrived(sink: Storage, new: FileRow) -> None:
    try:
        if sink.size(new.key) == new.size and _digest(sink, new) == new.checksum:
            return
    except ObjectMissingError as error:
        raise StorageUnavailableError(f"{new.key}: what was stored is not there: {error}") from error
    raise StorageUnavailableError(f"{new.key}: what arrived is not what was sent")


def _digest(storage: Storage, row: FileRow, copy: BinaryIO | None = None) -> str:
    digest = hashlib.sha256()
    with closing(storage.open(row.key, 0, row.size)) as reader:
        while data := reader.read(_PIECE):
            digest.update(data)
            if copy is not None:
                copy.write(data)
    return digest.hexdigest()
