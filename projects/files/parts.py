"""The received part of a resumable upload, as a file of this machine: its length is how far the upload has come.

One at a time writes to it, whichever process it is in: the lock is the kernel's, so it ends with a process that dies.
What was received under a checksum counts only once that is verified: a mark beside the file says from where on it
is not, and whoever opens the file next takes that off.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, Final

from projects.files.disk import disk_error
from projects.files.spool import spool_folder
from projects.files.storage import ObjectMissingError

ALGORITHMS: Final = ("sha1", "sha256", "md5")


class PartBusyError(Exception):
    """Another request is writing to the upload."""


def part_path(uid: str, key: str) -> Path:
    return _folder(uid) / key


def _folder(uid: str) -> Path:
    return spool_folder() / "uploads" / uid


def create_part(uid: str, key: str) -> None:
    """An empty part. Raises StorageError."""
    path = part_path(uid, key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=False)
    except OSError as error:
        raise disk_error(error, path) from error


def discard_part(uid: str, key: str) -> None:
    """Take the part off the disk, if there is one. Raises PartBusyError, StorageError."""
    try:
        with Part(part_path(uid, key)):
            remove_part(uid, key)
    except ObjectMissingError:
        pass


def remove_part(uid: str, key: str) -> None:
    """Take the part off the disk; for who has it locked."""
    path = part_path(uid, key)
    for one in (path, _mark(path), _stop(path)):
        one.unlink(missing_ok=True)


def remove_parts(uid: str) -> None:
    """Take all parts of a project off the disk."""
    shutil.rmtree(_folder(uid), ignore_errors=True)


def received(uid: str, key: str) -> int:
    """How many bytes of the upload there are. Raises PartBusyError, StorageError."""
    with Part(part_path(uid, key)) as part:
        return part.offset


def received_by_now(uid: str, key: str) -> int:
    """The same while another request is writing."""
    path = part_path(uid, key)
    mark = _read_mark(path)
    return path.stat().st_size if mark is None else mark


def ask_to_stop(uid: str, key: str) -> None:
    """Whoever writes to the part is to end: its client has lost the connection and asks where to go on."""
    _stop(part_path(uid, key)).touch()


class Part:
    """The part, open and locked for its writer. Blocks: on a thread. Raises PartBusyError, StorageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hash: Any = None
        self._start = 0
        try:
            self._file = open(path, "r+b", buffering=0)  # noqa: SIM115
        except FileNotFoundError as error:
            raise ObjectMissingError(f"{path}: {error}") from error
        except OSError as error:
            raise disk_error(error, path) from error
        try:
            self._lock()
            self.offset = self._recover()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PartBusyError from error
        # Whoever had it may have moved it into the storage.
        if not os.path.exists(self.path):
            raise ObjectMissingError(str(self.path))

    def _recover(self) -> int:
        size = os.fstat(self._file.fileno()).st_size
        mark = _read_mark(self.path)
        if mark is not None and mark < size:
            self._file.truncate(mark)
            size = mark
        _mark(self.path).unlink(missing_ok=True)
        _stop(self.path).unlink(missing_ok=True)
        return size

    def begin(self, algorithm: str = "") -> None:
        """From here on ``write`` appends. ``algorithm``: what is written counts only once ``verify`` says so."""
        try:
            self._start = self.offset
            self._file.seek(self._start)
            if algorithm:
                self._hash = hashlib.new(algorithm, usedforsecurity=False)
                _mark(self.path).write_text(str(self._start))
        except OSError as error:
            raise disk_error(error, self.path) from error

    def write(self, data: bytes | bytearray) -> None:
        """Append. Raises StorageError; what was written until then stays."""
        try:
            left = memoryview(data)
            while left:
                count = self._file.write(left)
                self.offset += count
                left = left[count:]
        except OSError as error:
            raise disk_error(error, self.path) from error
        if self._hash is not None:
            self._hash.update(data)

    @property
    def is_asked_to_stop(self) -> bool:
        return _stop(self.path).exists()

    def verify(self, digest: bytes) -> bool:
        """Whether what was written has this digest; else it is taken back."""
        if self._hash.digest() != digest:
            self.take_back()
            return False
        # On the disk before it counts.
        os.fsync(self._file.fileno())
        _mark(self.path).unlink(missing_ok=True)
        return True

    def take_back(self) -> None:
        """Nothing that was written since ``begin`` counts."""
        self._file.truncate(self._start)
        self.offset = self._start
        _mark(self.path).unlink(missing_ok=True)

    @property
    def is_unverified(self) -> bool:
        return self._hash is not None

    def flush(self) -> None:
        """Put on the disk what was written: who is told of it may forget it."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise disk_error(error, self.path) from error

    def close(self) -> None:
        self._file.close()


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.unverified")


def _stop(path: Path) -> Path:
    return path.with_name(f"{path.name}.stop")


def _read_mark(path: Path) -> int | None:
    try:
        text = _mark(path).read_text()
    except FileNotFoundError:
        return None
    # Empty when its writer died before it wrote anything else.
    return int(text) if text.isdigit() else None
