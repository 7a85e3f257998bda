"""Storages that fail: clear errors, nothing half written, and nobody else waits."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import write_session
from projects.files.removal import remove_released
from projects.files.spool import new_key
from projects.files.storage import StorageFullError, StorageUnavailableError
from projects.files.storages import open_storage
from tests.files.conftest import use_s3
from tests.files.stub import Proxy, proxy_before
from tests.files.support import RECORDS, Client, create, make_docs, parts, rows, serve
from tests.services import skip_or_fail

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def bucket(settings: Any, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The installation's bucket, behind a proxy with moods; asked once, so that tests are quick."""
    from projects.files import s3

    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    with proxy_before(s3_server) as proxy:
        use_s3(settings, proxy.address)
        settings.MBAAS_FILES_TIMEOUT_SECONDS = 1
        yield proxy


@pytest.mark.parametrize("mood", ["unavailable", "hanging"])
def test_a_bucket_that_does_not_answer_is_a_503_and_leaves_nothing(
    project: ProjectHandle, bucket: Proxy, mood: Any
) -> None:
    make_docs(project)

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b"a"))
        where = f"/api/files/docs/{made['id']}/{made['one']}"
        assert (await client.get(where)).content == b"a"
        bucket.mood = mood
        started = time.monotonic()
        for answer in (
            await client.post(RECORDS, files=parts(("one", "b.txt", b"b"))),
            await client.patch(f"{RECORDS}/{made['id']}", files=parts(("one", "c.txt", b"c"))),
            await client.get(where),
        ):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "5"
            assert set(answer.json()) == {"status", "message", "data"}
            assert "127.0.0.1" not in answer.text
        assert time.monotonic() - started < 30
        listed = (await client.get(RECORDS)).json()
        assert listed["totalItems"] == 1 and listed["items"][0]["one"] == made["one"]
        # What no file is needed for goes on.
        assert (await client.patch(f"{RECORDS}/{made['id']}", json={"title": "new"})).status_code == 200
        bucket.mood = "well"
        assert (await client.get(where)).content == b"a"
        await create(client, ("one", "d.txt", b"d"))

    serve(project, test)
    assert sorted(row[:2] for row in rows(project)) == [
        ("released", "b.txt"), ("released", "c.txt"), ("stored", "a.txt"), ("stored", "d.txt"),
    ]  # fmt: skip


def test_a_bucket_that_breaks_off_is_noticed_by_the_client(project: ProjectHandle, bucket: Proxy) -> None:
    make_docs(project)
    content = os.urandom(1_000_000)

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.bin", content))
        bucket.mood = "cutting"
        with pytest.raises(StorageUnavailableError):
            # The test's client has the server's exception where a real one has a closed connection.
            await client.get(f"/api/files/docs/{made['id']}/{made['one']}")
        bucket.mood = "well"
        assert (await client.get(f"/api/files/docs/{made['id']}/{made['one']}")).content == content

    serve(project, test)


def test_a_bucket_that_hangs_holds_up_no_other_project(
    make_project: Any, bucket: Proxy, s3_server: str, settings: Any
) -> None:
    from projects import crypto
    from tests.files.conftest import BUCKET, CREDENTIALS

    settings.MBAAS_FILES_TIMEOUT_SECONDS = 3
    own = {
        "bucket": BUCKET, "endpoint": s3_server, "region": "us-east-1", "prefix": "own", "pathStyle": True,
        "accessKey": CREDENTIALS["access_key"], "secretKey": crypto.encrypt(CREDENTIALS["secret_key"]),
    }  # fmt: skip
    sick, sound = make_project("sick"), make_project("sound", fileStorage=own)
    make_docs(sick)
    make_docs(sound)

    async def test(client: Client) -> None:
        bucket.mood = "hanging"
        hanging = [
            asyncio.ensure_future(client.post("/sick" + RECORDS, files=parts(("one", "a.txt", b"a"))))
            for _ in range(20)
        ]
        await asyncio.sleep(0.3)
        started = time.monotonic()
        answer = await client.post("/sound" + RECORDS, files=parts(("one", "a.txt", b"a")))
        assert answer.status_code == 200
        assert time.monotonic() - started < 2
        assert not any(task.done() for task in hanging)
        for task in hanging:
            task.cancel()
        bucket.close()
        await asyncio.gather(*hanging, return_exceptions=True)

    serve({"sick": sick, "sound": sound}, test)


def test_objects_that_a_bucket_does_not_give_up_are_removed_later(
    project: ProjectHandle, bucket: Proxy
) -> None:
    make_docs(project)

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b"a"))
        await client.delete(f"{RECORDS}/{made['id']}")

    serve(project, test)
    bucket.mood = "unavailable"
    assert remove_released(project) == 0
    assert [row[0] for row in rows(project)] == ["released"]
    bucket.mood = "well"
    assert remove_released(project) == 0
    with write_session(project) as session:
        session.execute("UPDATE _files SET due = ''")
    assert remove_released(project) == 1
    assert rows(project) == []
    assert list(open_storage(project, "s3").objects()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with a megabyte of room."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        skip_or_fail(f"a small file system cannot be mounted: {mounted.stderr}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_a_507_and_leaves_nothing(
    project: ProjectHandle, small_disk: Path, settings: Any
) -> None:
    settings.MBAAS_FILES_SPOOL_DIR = small_disk
    make_docs(project)

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.bin", b"a" * 500_000))
        for _ in range(2):
            answer = await client.post(RECORDS, files=parts(("one", "b.bin", b"b" * 2_000_000)))
            assert answer.status_code == 507
            assert set(answer.json()) == {"status", "message", "data"}
        assert (await client.get(RECORDS)).json()["totalItems"] == 1
        assert os.listdir(small_disk) == []
        changed = await client.patch(f"{RECORDS}/{made['id']}", files=parts(("one", "c.bin", b"c" * 500_000)))
        assert changed.status_code == 200

    serve(project, test)
    assert [row[1] for row in rows(project) if row[0] == "stored"] == ["c.bin"]


def test_a_disk_that_fills_up_between_receiving_and_storing_leaves_no_record(
    project: ProjectHandle, small_disk: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_docs(project)
    # The files' own disk is the small one, so what was received must be copied to it.
    monkeypatch.setattr("projects.files.disk.files_folder", lambda uid: small_disk / "files")

    async def test(client: Client) -> None:
        answer = await client.post(RECORDS, files=parts(("one", "b.bin", b"b" * 2_000_000)))
        assert answer.status_code == 507
        assert (await client.get(RECORDS)).json()["totalItems"] == 0
        await create(client, ("one", "a.txt", b"a"))

    serve(project, test)
    remove_released(project)
    assert [path.read_bytes() for path in (small_disk / "files").rglob("*") if path.is_file()] == [b"a"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.ENOSPC, StorageFullError),
        (errno.EDQUOT, StorageFullError),
        (errno.EIO, StorageUnavailableError),
    ],
)
def test_a_disk_that_fails_says_how(
    project: ProjectHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OSError(code, os.strerror(code))

    path = tmp_path / "a"
    path.write_bytes(b"a")
    storage = open_storage(project, "disk")
    monkeypatch.setattr("django.core.files.storage.filesystem.file_move_safe", fail)
    with pytest.raises(error):
        storage.save(new_key(), path, "text/plain")
