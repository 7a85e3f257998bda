"""The database of a PocketBase as it was at one moment: a copy on our disk, whatever the original does meanwhile.

A running PocketBase is read through SQLite's own backup, as any other reader of it; the data folder is never written.
"""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

from django.conf import settings

from projects.files.spool import new_key, spool_folder
from projects.importing.pocketbase.errors import SourceError

DATABASE: Final = "data.db"
_LOG: Final = "data.db-wal"
_SHARED: Final = "data.db-shm"
_PIECE: Final = 1024 * 1024
# Pages that the backup copies before it lets go for a moment.
_PAGES: Final = 4096


@contextmanager
def snapshot_of_folder(folder: Path) -> Iterator[Path]:
    """A copy of the folder's database, gone after the block. Raises SourceError."""
    original = folder / DATABASE
    if not original.is_file():
        raise SourceError(f"{folder} is no data folder of PocketBase: it has no {DATABASE}.")
    with _room() as room:
        copy = room / DATABASE
        log = folder / _LOG
        try:
            size = original.stat().st_size + (log.stat().st_size if log.is_file() else 0)
            _require_space(size)
            if (folder / _SHARED).exists():
                # It may be running: SQLite knows how to read beside it.
                _back_up(original, copy)
            else:
                shutil.copyfile(original, copy)
                if log.is_file():
                    shutil.copyfile(log, room / _LOG)
        except OSError as error:
            raise SourceError(f"{original} cannot be read: {error.strerror or error}.") from error
        yield copy


@contextmanager
def snapshot_of_backup(archive: zipfile.ZipFile) -> Iterator[Path]:
    """A copy of the database in a backup. Only it is unpacked, under names of ours. Raises SourceError."""
    names = set(archive.namelist())
    if DATABASE not in names:
        raise SourceError(f"The file is no backup of PocketBase: it has no {DATABASE}.")
    with _room() as room:
        for name in (DATABASE, _LOG):
            if name in names:
                info = archive.getinfo(name)
                if info.file_size > settings.MBAAS_IMPORT_MAX_DATABASE_BYTES:
                    raise SourceError(f"{name} says to be larger than MBAAS_IMPORT_MAX_DATABASE_BYTES.")
                _require_space(info.file_size)
                _unpack(archive, info, room / name)
        yield room / DATABASE


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    try:
        with archive.open(info) as packed, open(target, "xb") as out:
            # No more than it says to have, whatever is packed.
            copy_bounded(packed, out, info.file_size)
    except UNREADABLE as error:
        raise SourceError(f"{info.filename} cannot be unpacked: {error}.") from error


# What reading a damaged, encrypted or strangely packed archive raises.
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
)


def copy_bounded(source: IO[bytes], target: IO[bytes], most: int) -> None:
    """Copy ``source``, at most ``most`` bytes of it."""
    left = most
    while left and (piece := source.read(min(_PIECE, left))):
        left -= len(piece)
        target.write(piece)


def _back_up(original: Path, copy: Path) -> None:
    address = f"file:{quote(str(original.resolve()))}?mode=ro"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=10)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            # One transaction: else every commit of the other would make the backup begin again.
            source.execute("BEGIN")
            source.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            source.backup(target, pages=_PAGES, sleep=0)
    except sqlite3.Error as error:
        raise SourceError(f"{original} cannot be read: {error}.") from error


@contextmanager
def _room() -> Iterator[Path]:
    room = spool_folder() / f"import-{new_key()}"
    room.mkdir(parents=True)
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _require_space(size: int) -> None:
    folder = spool_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size + settings.MBAAS_IMPORT_KEEP_FREE_BYTES:
        raise SourceError(
            f"There is no room in {folder} for a copy of the database ({size} bytes, and"
            " MBAAS_IMPORT_KEEP_FREE_BYTES are to stay free)."
        )
