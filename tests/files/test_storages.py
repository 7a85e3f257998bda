"""One suite that every storage passes: disk, and S3 over its real protocol."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.files.spool import new_key
from projects.files.storage import (
    ObjectInfo,
    ObjectMissingError,
    QuickReader,
    Storage,
    StorageMisconfiguredError,
    StorageUnavailableError,
)
from projects.files.storages import open_storage, own_account, storage_of

CONTENT = os.urandom(300_000)
UIDS = ("a" * 15, "b" * 15)


def handle(uid: str = UIDS[0], **settings: object) -> ProjectHandle:
    return ProjectHandle(uid, "demo", "sqlite", "local", settings=tuple(settings.items()))


@pytest.fixture
def storages(storage_kind: str) -> Any:
    """The parts of two projects, empty before and after."""
    both = [open_storage(handle(uid), storage_kind) for uid in UIDS]
    for one in both:
        one.delete_all()
    yield both
    for one in both:
        one.delete_all()


@pytest.fixture
def storage(storages: list[Storage]) -> Storage:
    return storages[0]


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., str]:
    """``save(storage, content)``: a new object; its key."""

    def save(storage: Storage, content: bytes = CONTENT, kind: str = "image/png") -> str:
        path, key = tmp_path / new_key(), new_key()
        path.write_bytes(content)
        storage.save(key, path, kind)
        return key

    return save


def read(storage: Storage, key: str, start: int, size: int, piece: int = 64_000) -> bytes:
    reader = storage.open(key, start, size)
    try:
        return b"".join(iter(lambda: reader.read(piece), b""))
    finally:
        reader.close()


def test_what_is_saved_comes_back_whole(storage: Storage, save: Callable[..., str]) -> None:
    key = save(storage)
    assert hashlib.sha256(read(storage, key, 0, len(CONTENT))).digest() == hashlib.sha256(CONTENT).digest()
    assert storage.size(key) == len(CONTENT)


@pytest.mark.parametrize(("start", "size"), [(0, 1), (5, 10), (299_999, 1), (100_000, 150_000), (7, 0)])
def test_any_part_can_be_read(storage: Storage, save: Callable[..., str], start: int, size: int) -> None:
    assert read(storage, save(storage), start, size) == CONTENT[start : start + size]


def test_what_is_in_memory_can_be_read_without_waiting(
    storage: Storage, storage_kind: str, save: Callable[..., str]
) -> None:
    reader = storage.open(save(storage), 10, 1000)
    first = reader.read(100)
    second = reader.read_now(100) if isinstance(reader, QuickReader) else None
    rest = b"".join(iter(lambda: reader.read(64_000), b""))
    reader.close()
    assert first + (second or b"") + rest == CONTENT[10:1010]
    # A bucket never has anything at hand; a disk that has just been read does, where the kernel can say so.
    assert second is None or (storage_kind == "disk" and len(second) == 100)


def test_an_empty_object_is_an_object(storage: Storage, save: Callable[..., str]) -> None:
    key = save(storage, b"")
    assert storage.size(key) == 0
    assert read(storage, key, 0, 0) == b""


def test_an_object_beyond_one_part_of_an_upload(storage: Storage, save: Callable[..., str]) -> None:
    content = os.urandom(1024) * 9 * 1024
    key = save(storage, content)
    assert storage.size(key) == len(content)
    assert read(storage, key, 8_000_000, 1_000_000) == content[8_000_000:9_000_000]


def test_a_missing_object_is_said_to_be_missing(storage: Storage) -> None:
    for call in (lambda: storage.open("0" * 32, 0, 1), lambda: storage.size("0" * 32)):
        with pytest.raises(ObjectMissingError):
            call()


def test_deleting_removes_and_may_be_repeated(storage: Storage, save: Callable[..., str]) -> None:
    key, kept = save(storage), save(storage)
    storage.delete(key)
    storage.delete(key)
    storage.delete("0" * 32)
    assert [found.key for found in storage.objects()] == [kept]
    with pytest.raises(ObjectMissingError):
        read(storage, key, 0, 1)


def test_a_project_sees_its_own_objects_only(storages: list[Storage], save: Callable[..., str]) -> None:
    mine, theirs = storages
    key = save(mine, b"mine")
    other = save(theirs, b"theirs")
    assert list(mine.objects()) == [ObjectInfo(key, 4)]
    for call in (lambda: mine.open(other, 0, 6), lambda: mine.size(other)):
        with pytest.raises(ObjectMissingError):
            call()
    mine.delete(other)
    mine.delete_all()
    assert list(mine.objects()) == []
    assert list(theirs.objects()) == [ObjectInfo(other, 6)]


def test_a_file_that_is_not_there_is_not_saved(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissingError):
        storage.save(new_key(), tmp_path / "nothing", "text/plain")
    assert list(storage.objects()) == []


def test_only_the_disk_has_paths(storage: Storage, storage_kind: str, save: Callable[..., str]) -> None:
    key = save(storage, b"here")
    path = storage.local_path(key)
    assert (path is not None) == (storage_kind == "disk")
    if path is not None:
        assert Path(path).read_bytes() == b"here"


def test_a_project_may_have_a_bucket_of_its_own(s3_server: str, save: Callable[..., str]) -> None:
    from projects import crypto
    from tests.files.conftest import BUCKET, CREDENTIALS

    own = {
        "bucket": BUCKET, "endpoint": s3_server, "region": "us-east-1", "prefix": "own", "pathStyle": True,
        "accessKey": CREDENTIALS["access_key"], "secretKey": crypto.encrypt(CREDENTIALS["secret_key"]),
    }  # fmt: skip
    project = handle(fileStorage=own)
    assert storage_of(project) == "own"
    assert own_account(project).secret_key == CREDENTIALS["secret_key"]
    assert CREDENTIALS["secret_key"] not in repr(own_account(project))
    storage = open_storage(project, "own")
    key = save(storage, b"own")
    assert read(storage, key, 0, 3) == b"own"
    storage.delete_all()


def test_a_project_without_a_bucket_of_its_own_gets_nobody_elses() -> None:
    assert storage_of(handle()) == "disk"
    with pytest.raises(StorageMisconfiguredError):
        open_storage(handle(), "own")
    with pytest.raises(StorageMisconfiguredError):
        open_storage(handle(), "s3")


@pytest.mark.parametrize("storage_kind", ["s3"], indirect=True)
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"MBAAS_FILES_S3_BUCKET": "no-such-bucket-here"}, StorageMisconfiguredError),
        ({"MBAAS_FILES_S3_ENDPOINT": "http://127.0.0.1:9"}, StorageUnavailableError),
    ],
)
def test_a_bucket_that_cannot_be_used_says_so(
    storage_kind: str, settings: Any, save: Callable[..., str], change: dict[str, str], error: type[Exception]
) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    with pytest.raises(error):
        save(open_storage(handle(), "s3"), b"x")
