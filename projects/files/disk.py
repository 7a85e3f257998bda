"""Files on this machine's disk, below the project's own folder."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage

from projects.context import ProjectHandle
from projects.databases.aliases import project_folder
from projects.files.storage import (
    ObjectInfo,
    ObjectMissingError,
    Reader,
    StorageFullError,
    StorageUnavailableError,
)

# A flag that no kernel knows where there is none: such a read is refused, and done on a thread.
_NO_WAIT = getattr(os, "RWF_NOWAIT", 1 << 30)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def files_folder(uid: str) -> Path:
    """Where a project's files lie when they are on disk."""
    return project_folder(uid) / "files"


class DiskStorage:
    """Objects as files ``<first two of the key>/<rest of it>``: folders stay short with many of them."""

    def __init__(self, project: ProjectHandle) -> None:
        self._storage = FileSystemStorage(location=files_folder(project.uid))

    def save(self, key: str, path: Path, content_type: str) -> None:
        with _errors(key):
            if settings.MBAAS_SQLITE_SYNCHRONOUS == "FULL":
                _flush(path)
            try:
                with _Movable(path) as content:
                    name = self._storage.save(_name(key), content)
            except OSError:
                # Half a copy from another disk, say.
                self._storage.delete(_name(key))
                raise
            if name != _name(key):
                self._storage.delete(name)
                raise StorageUnavailableError(f"{key}: there is an object of that key already")

    def open(self, key: str, start: int, size: int) -> Reader:
        with _errors(key):
            return _Part(self._storage.path(_name(key)), start, size)

    def local_path(self, key: str) -> str | None:
        return self._storage.path(_name(key))

    def size(self, key: str) -> int:
        with _errors(key):
            return self._storage.size(_name(key))

    def delete(self, key: str) -> None:
        with _errors(key):
            self._storage.delete(_name(key))

    def objects(self) -> Iterator[ObjectInfo]:
        root = self._storage.path("")
        with _errors(root):
            for folder, _, names in os.walk(root):
                for name in names:
                    path = os.path.join(folder, name)
                    key = os.path.relpath(path, root).replace(os.sep, "")
                    yield ObjectInfo(key, os.path.getsize(path))

    def delete_all(self) -> None:
        with _errors("all"):
            folder = self._storage.path("")
            if os.path.exists(folder):
                shutil.rmtree(folder)


class _Movable(File):  # type: ignore[type-arg]
    """A file that FileSystemStorage moves into place (a rename on the same disk) instead of copying it."""

    def __init__(self, path: Path) -> None:
        # Opened by Django's own move only when it must copy between disks.
        super().__init__(open(path, "rb"), name=path.name)  # noqa: SIM115
        self._path = str(path)

    def temporary_file_path(self) -> str:
        return self._path


class _Part:
    """Bytes ``start`` to ``start + size`` of a file."""

    def __init__(self, path: str, start: int, size: int) -> None:
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._at = start
        self._end = start + size

    def read(self, size: int) -> bytes:
        with _errors(str(self._at)):
            return self._taken(os.pread(self._handle, min(size, self._end - self._at), self._at))

    def read_now(self, size: int) -> bytes | None:
        buffer = bytearray(min(size, self._end - self._at))
        try:
            # Only what the kernel has in its page cache (Linux).
            count = os.preadv(self._handle, [buffer], self._at, _NO_WAIT)
        except OSError:
            return None
        return self._taken(bytes(memoryview(buffer)[:count])) if count else None

    def _taken(self, data: bytes) -> bytes:
        self._at += len(data)
        return data

    def close(self) -> None:
        os.close(self._handle)


def _name(key: str) -> str:
    return f"{key[:2]}/{key[2:]}"


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _errors(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissingError(f"{key}: {error}") from error
    except OSError as error:
        raise disk_error(error, key) from error


def disk_error(error: OSError, what: Any) -> StorageFullError | StorageUnavailableError:
    """A failure of the local disk as a StorageError."""
    kind = StorageFullError if error.errno in _FULL else StorageUnavailableError
    return kind(f"{what}: {error}")
