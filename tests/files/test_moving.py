"""A project's files move between storages while they are served, whatever stops the move."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.databases.file_lists import count_outside
from projects.files.moving import Move, move_files
from projects.files.removal import remove_released
from projects.files.storage import StorageMisconfiguredError
from projects.files.storages import open_storage, storage_of
from projects.models import AuditEntry, Project
from tests import server as servers
from tests.files.conftest import BUCKET, CREDENTIALS, use_s3
from tests.files.support import Client, bytes_used, create, make_docs, parts, serve
from tests.hosting import host
from tests.system.app import App, project_rows

MANY = 40


@pytest.fixture
def docs(project: ProjectHandle, settings: Any, s3_server: str) -> ProjectHandle:
    """A project on the disk, in an installation that knows a bucket, too."""
    use_s3(settings, s3_server)
    settings.MBAAS_FILES_STORAGE = "disk"
    make_docs(project)
    return project


def fill(project: ProjectHandle) -> dict[str, bytes]:
    """Two records with files and a thumb: content by address."""
    made: dict[str, bytes] = {}

    async def test(client: Client) -> None:
        for number in range(2):
            record = await create(
                client,
                ("one", "pic.png", _png()),
                ("many", "a.txt", b"a" * number),
                ("secret", "s.txt", b"s"),
            )
            base = f"/api/files/docs/{record['id']}"
            for address in (f"{base}/{record['one']}", f"{base}/{record['one']}?thumb=50x50"):
                made[address] = (await client.get(address)).content
            made[f"{base}/{record['many'][0]}"] = b"a" * number

    serve(project, test)
    return made


def _png() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (200, 100), "red").save(out, "PNG")
    return out.getvalue()


def objects(project: ProjectHandle, kind: str) -> set[str]:
    return {found.key for found in open_storage(project, kind).objects()}


def let_go(project: ProjectHandle) -> int:
    """Remove what was released as if its time were over."""
    with write_session(project) as session:
        session.execute("UPDATE _files SET due = '' WHERE NOT (state = 'stored')")
    return remove_released(project)


def check_served(project: ProjectHandle, expected: dict[str, bytes]) -> None:
    async def test(client: Client) -> None:
        for address, content in expected.items():
            answer = await client.get(address)
            assert (answer.status_code, answer.content) == (200, content), address

    serve(project, test)


def problems(moves: list[Move]) -> dict[str, str]:
    return {move.row.original: move.problem for move in moves if move.problem}


def test_files_and_thumbs_go_to_a_bucket_and_back(docs: ProjectHandle) -> None:
    expected = fill(docs)
    used = bytes_used(docs)
    assert len(objects(docs, "disk")) == 8
    for target, left in (("s3", "disk"), ("disk", "s3")):
        moves = list(move_files(docs, target))  # type: ignore[arg-type]
        assert len(moves) == 8 and not problems(moves)
        # Who has just read where a file was still finds it there.
        assert remove_released(docs) == 0
        assert len(objects(docs, left)) == 8
        check_served(docs, expected)
        assert let_go(docs) == 8
        assert (len(objects(docs, left)), len(objects(docs, target))) == (0, 8)
        check_served(docs, expected)
        assert bytes_used(docs) == used
    assert list(move_files(docs, "disk")) == []


def test_a_damaged_and_a_missing_file_are_told_of_and_stay(docs: ProjectHandle) -> None:
    fill(docs)
    with write_session(docs) as session:
        damaged, longer, missing = (
            session.row(f"SELECT key FROM _files WHERE original = '{name}' AND variant_of = ''")[0]  # type: ignore[index]
            for name in ("s.txt", "pic.png", "a.txt")
        )
    disk = open_storage(docs, "disk")
    paths = [Path(str(disk.local_path(key))) for key in (damaged, longer, missing)]
    paths[0].write_bytes(b"S")
    paths[1].write_bytes(paths[1].read_bytes() + b"more")
    paths[2].unlink()
    moves = list(move_files(docs, "s3"))
    told = problems(moves)
    assert set(told) == {"s.txt", "pic.png", "a.txt"}
    assert told["s.txt"] == "damaged: its checksum is not the one it was stored with"
    assert told["pic.png"].startswith("damaged: it has ")
    assert told["a.txt"].startswith("missing: ")
    assert len(moves) == 8 and len(objects(docs, "s3")) == 5
    let_go(docs)
    assert paths[0].exists() and paths[1].exists()
    with read_session(docs) as session:
        assert count_outside(session, "s3")[0] == 3


def test_a_file_whose_record_goes_while_it_is_moved_is_nobodys(
    docs: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from projects.databases.stored_files import release_records
    from projects.files import moving

    fill(docs)

    def check(sink: Any, new: Any) -> None:
        with write_session(docs) as session:
            release_records(session, new.collection, [new.record])

    monkeypatch.setattr(moving, "_check_arrived", check)
    list(move_files(docs, "s3"))
    let_go(docs)
    assert objects(docs, "s3") == objects(docs, "disk") == set()
    assert bytes_used(docs) == 0


def test_what_arrives_broken_is_not_taken(docs: ProjectHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    from projects.files.s3 import S3Storage
    from projects.files.storage import StorageUnavailableError

    expected = fill(docs)
    save = S3Storage.save

    def cut(self: S3Storage, key: str, path: Path, kind: str) -> None:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        save(self, key, path, kind)

    monkeypatch.setattr(S3Storage, "save", cut)
    with pytest.raises(StorageUnavailableError):
        list(move_files(docs, "s3"))
    check_served(docs, expected)
    let_go(docs)
    assert objects(docs, "s3") == set()
    assert len(objects(docs, "disk")) == 8


class TestCommand:
    @pytest.fixture
    def hosted(self, db: None, docs: ProjectHandle, settings: Any) -> Project:
        settings.MBAAS_PROJECT_CACHE_SECONDS = 0
        return host(docs)

    def test_new_files_go_to_the_new_storage(self, hosted: Project, docs: ProjectHandle) -> None:
        expected = fill(docs)
        call_command("move_files", hosted.ref, "--to", "s3")
        hosted.refresh_from_db()
        moved = hosted.handle()
        assert storage_of(moved) == "s3"
        check_served(moved, expected)

        async def test(client: Client) -> None:
            await create(client, ("one", "new.txt", b"new"))

        serve(moved, test)
        with read_session(moved) as session:
            assert count_outside(session, "s3")[0] == 0
        entry = AuditEntry.objects.get(action="files.moved")
        assert (entry.details["to"], entry.details["files"], entry.details["left"]) == ("s3", 8, 0)
        call_command("move_files", hosted.ref, "--to", "local")
        hosted.refresh_from_db()
        assert storage_of(hosted.handle()) == "disk" and "filesPlacement" not in hosted.settings

    def test_a_dry_run_changes_nothing(self, hosted: Project, docs: ProjectHandle, capsys: Any) -> None:
        fill(docs)
        call_command("move_files", hosted.ref, "--to", "s3", "--dry-run")
        assert "8 files (" in capsys.readouterr().err
        hosted.refresh_from_db()
        assert storage_of(hosted.handle()) == "disk"
        assert objects(docs, "s3") == set()

    def test_a_storage_that_does_not_work_is_told_of_before_anything_is_changed(
        self, hosted: Project, docs: ProjectHandle, settings: Any
    ) -> None:
        fill(docs)
        settings.MBAAS_FILES_S3_BUCKET = "no-such-bucket-here"
        with pytest.raises(CommandError, match="s3 cannot be used: write: .*NoSuchBucket"):
            call_command("move_files", hosted.ref, "--to", "s3")
        with pytest.raises(CommandError, match="own cannot be used: open: "):
            call_command("move_files", hosted.ref, "--to", "own")
        hosted.refresh_from_db()
        assert storage_of(hosted.handle()) == "disk"

    def test_a_file_that_stays_makes_the_command_fail(
        self, hosted: Project, docs: ProjectHandle, capsys: Any
    ) -> None:
        fill(docs)
        key = next(iter(objects(docs, "disk")))
        open_storage(docs, "disk").delete(key)
        with pytest.raises(CommandError, match="1 file could not be moved"):
            call_command("move_files", hosted.ref, "--to", "s3")
        assert f"object {key} in disk: missing" in capsys.readouterr().err


def test_a_move_without_a_bucket_is_refused(project: ProjectHandle) -> None:
    with pytest.raises(StorageMisconfiguredError):
        open_storage(project, "s3")


def test_killed_in_the_middle_it_goes_on_where_it_was(
    tmp_path: Path, server_kind: str, s3_server: str
) -> None:
    extra = {
        "MBAAS_FILES_S3_BUCKET": BUCKET,
        "MBAAS_FILES_S3_ENDPOINT": s3_server,
        "MBAAS_FILES_S3_REGION": "us-east-1",
        "MBAAS_FILES_S3_ACCESS_KEY": CREDENTIALS["access_key"],
        "MBAAS_FILES_S3_SECRET_KEY": CREDENTIALS["secret_key"],
        "MBAAS_FILES_S3_PATH_STYLE": "on",
    }
    with servers.running(tmp_path, engine=server_kind, **extra) as server:
        app = App(server.create_project("files")).sign_in()
        app.create_collection("docs", {"name": "one", "type": "file"})
        contents = {}
        for number in range(MANY):
            content = os.urandom(50_000)
            answer = app.http.post(
                f"{app.url}/api/collections/docs/records", files=parts(("one", f"f{number}.bin", content))
            )
            record = answer.json()
            contents[f"{app.url}/api/files/docs/{record['id']}/{record['one']}"] = content
        with project_rows(server, "files") as rows:
            killed = _move_until(server, rows, at_least=3)
            moved = _in(rows, "s3")
            assert killed and 3 <= moved < MANY
        _check(app, contents)
        output = server.manage("move_files", "files", "--to", "s3")
        assert output == ""
        with project_rows(server, "files") as rows:
            assert (_in(rows, "s3"), _in(rows, "disk")) == (MANY, 0)
        _check(app, contents)


def _move_until(server: servers.Server, rows: Any, at_least: int) -> bool:
    """Begin a move and end it with SIGKILL when so many files are moved; whether it was still at it."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "move_files", "files", "--to", "s3"],
        cwd=servers.ROOT, env=server.environment, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None:
        if _in(rows, "s3") >= at_least:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    return process.wait() == -signal.SIGKILL


def _in(rows: Any, storage: str) -> int:
    found = rows(f"SELECT COUNT(*) FROM _files WHERE state = 'stored' AND storage = '{storage}'")
    return int(found[0][0])


def _check(app: App, contents: dict[str, bytes]) -> None:
    for address, content in contents.items():
        answer = app.http.get(address)
        assert answer.status_code == 200 and answer.content == content, address
