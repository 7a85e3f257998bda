"""Files on their way in: written to the local disk as they come, never held in memory whole."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings

from projects.files.disk import disk_error
from projects.files.names import stored_name
from projects.files.sniff import HEAD_BYTES, sniff
from projects.schema.fields.file import NewFile, Upload

# Nothing is received for longer; what is older was left by a process that died.
_LEFT_BEHIND_SECONDS: Final = 86_400


def spool_folder() -> Path:
    """Where files wait until they are in a storage; on the disk of the data, so that they can be moved."""
    return Path(settings.MBAAS_FILES_SPOOL_DIR)


def new_key() -> str:
    """A name for an object that no other has."""
    return secrets.token_hex(16)


class Spool:
    """One file being received. ``feed`` on the event loop; ``write`` and ``finish`` block, on a thread.

    Of a file with more than ``limit`` bytes only the size is kept, to be refused by.
    """

    def __init__(self, original: str, limit: int) -> None:
        self.original = original
        self.size = 0
        self._limit = limit
        self._waiting = bytearray()
        self._head = b""
        self._hash = hashlib.sha256()
        self._file: BinaryIO | None = None
        self.path = spool_folder() / new_key()

    @property
    def waiting(self) -> int:
        """Bytes that are to be written."""
        return len(self._waiting)

    def feed(self, data: bytes | memoryview) -> None:
        self.size += len(data)
        if self.size <= self._limit:
            self._waiting += data

    def write(self) -> None:
        """Put what waits on the disk. Raises StorageError."""
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = open(self.path, "xb", buffering=0)  # noqa: SIM115
            if len(self._head) < HEAD_BYTES:
                self._head += bytes(self._waiting[: HEAD_BYTES - len(self._head)])
            self._hash.update(self._waiting)
            left = memoryview(self._waiting)
            while left:
                left = left[self._file.write(left) :]
            left.release()
            self._waiting.clear()
        except OSError as error:
            raise disk_error(error, self.path) from error

    def finish(self) -> NewFile:
        """The whole file, under the name that it will have. Raises StorageError."""
        self.write()
        assert self._file is not None
        self._file.close()
        kind = sniff(self._head, self.size, self.original)
        upload = Upload(
            key=new_key(),
            original=self.original,
            size=self.size,
            type=kind,
            checksum=self._hash.hexdigest(),
            path=str(self.path),
        )
        return NewFile(stored_name(self.original, kind), upload)

    def discard(self) -> None:
        """Take the file off the disk, if it is still there."""
        if self._file is not None:
            self._file.close()
            remove_spooled(self.path)


def remove_spooled(path: str | Path) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def remove_left_behind() -> int:
    """Remove what processes that died left in the spool folder; returns how many files."""
    oldest = time.time() - _LEFT_BEHIND_SECONDS
    removed = 0
    folder = spool_folder()
    if not folder.is_dir():
        return 0
    for entry in os.scandir(folder):
        try:
            if entry.is_file() and entry.stat().st_mtime < oldest:
                os.unlink(entry.path)
                removed += 1
        except FileNotFoundError:
            # Another process was quicker.
            continue
    return removed
