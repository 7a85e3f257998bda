"""What every file storage can do. An object is named by its key and never changes once it is there.

All calls block: they belong on the threads of ``projects.files.threads``, never on the event loop and
never inside a write transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from projects.errors import ApiError

UNAVAILABLE = "The project's file storage is unavailable. Please try again shortly."
FULL = "The project's file storage is full."


class StorageError(Exception):
    """The storage did not do what it was asked; the text is for logs."""

    def as_api_error(self) -> ApiError:
        """What a client is told of it."""
        return ApiError(503, UNAVAILABLE, headers={"Retry-After": "5"})


class StorageUnavailableError(StorageError):
    """It could not be reached, took too long, or failed in its own way; the same call may work later."""


class StorageFullError(StorageError):
    """It has no room left."""

    def as_api_error(self) -> ApiError:
        return ApiError(507, FULL)


class StorageMisconfiguredError(StorageError):
    """It is there, but not with this bucket, these credentials or these rights."""


class ObjectMissingError(StorageError):
    """It has no object of that key."""

    def as_api_error(self) -> ApiError:
        return ApiError(404, "The requested resource wasn't found.")


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object as a storage lists it; ``size`` in bytes."""

    key: str
    size: int


class Reader(Protocol):
    """Bytes of one object, in order. Close it when done, read to the end or not."""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; ``b""`` at the end. Raises StorageError."""

    def close(self) -> None: ...


@runtime_checkable
class QuickReader(Reader, Protocol):
    """A reader that knows what is at hand."""

    def read_now(self, size: int) -> bytes | None:
        """Up to ``size`` bytes that are in memory already, or None when ``read`` might wait for them.

        The only call here that does not block.
        """


class Storage(Protocol):
    """One project's part of a storage."""

    def save(self, key: str, path: Path, content_type: str) -> None:
        """Store the file at ``path``, which may be moved away. Whole or not at all. Raises StorageError."""

    def open(self, key: str, start: int, size: int) -> Reader:
        """``size`` bytes of the object from ``start`` on. Raises StorageError."""

    def local_path(self, key: str) -> str | None:
        """Where the object is as a file of this machine, if it is one."""

    def size(self, key: str) -> int:
        """How many bytes the object has. Raises StorageError."""

    def delete(self, key: str) -> None:
        """Remove the object if it is there. Raises StorageError."""

    def objects(self) -> Iterator[ObjectInfo]:
        """Every object of the project, in any order. Raises StorageError."""

    def delete_all(self) -> None:
        """Remove every object of the project. Raises StorageError."""
