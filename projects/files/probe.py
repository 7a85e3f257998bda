"""Whether a storage can be used: a small object is written, read back and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from projects.files.spool import new_key, remove_spooled, spool_folder
from projects.files.storage import ObjectMissingError, Storage, StorageError

Step = Literal["open", "write", "read", "delete"]
_BYTES = 1024


@dataclass(frozen=True, slots=True)
class StorageFailure:
    """What did not work, and how the storage said it."""

    step: Step
    error: StorageError


def probe_storage(opening: Callable[[], Storage]) -> StorageFailure | None:
    """What fails of the storage that ``opening()`` gives; None when all of it works. Blocks."""
    content, key, step = secrets.token_bytes(_BYTES), new_key(), "open"
    path = spool_folder() / new_key()
    try:
        storage = opening()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        step = "write"
        storage.save(key, path, "application/octet-stream")
        step = "read"
        if _read(storage, key) != content:
            raise StorageError("what was read is not what was written")
        step = "delete"
        storage.delete(key)
        _must_be_gone(storage, key)
    except StorageError as error:
        return StorageFailure(step, error)  # type: ignore[arg-type]
    finally:
        remove_spooled(path)
    return None


def _read(storage: Storage, key: str) -> bytes:
    reader = storage.open(key, 0, _BYTES)
    try:
        return b"".join(iter(lambda: reader.read(_BYTES), b""))
    finally:
        reader.close()


def _must_be_gone(storage: Storage, key: str) -> None:
    try:
        storage.size(key)
    except ObjectMissingError:
        return
    raise StorageError("what was deleted is still there")
