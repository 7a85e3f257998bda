"""What no record has any more is removed, whatever crashed in between; what a record has never is."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.control import deletion
from projects.control.actor import SYSTEM
from projects.databases import stored_files, sweeping, write_session
from projects.errors import ApiError
from projects.files import removal, tasks
from projects.files.removal import Bell, remove_released, start_removal
from projects.files.spool import remove_left_behind, spool_folder
from projects.files.storage import StorageUnavailableError
from projects.files.storages import open_storage
from projects.models import Project
from projects.rules import validate_rule
from projects.schema.importing import import_collections
from projects.schema.operations import delete_collection, update_collection, view_collection
from projects.schema.serialize import collection_to_json
from tests.files.support import RECORDS, Client, bytes_used, create, file, make_docs, rows, serve
from tests.hosting import host
from tests.records.support import collection


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    # A task closes what it finds open: here the connection whose transaction the test is.
    for room in (tasks, sweeping):
        monkeypatch.setattr(room, "close_old_connections", lambda: None)


@pytest.fixture
def docs(project: ProjectHandle, storage_kind: str) -> ProjectHandle:
    make_docs(project)
    return project


def two_records(project: ProjectHandle) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []

    async def test(client: Client) -> None:
        for number in range(2):
            names = [
                ("one", f"a{number}.txt", b"a"),
                ("many", f"b{number}.txt", b"b"),
                ("many", f"c{number}.txt", b"c"),
            ]
            made.append(await create(client, *names))

    serve(project, test)
    return made


def objects(project: ProjectHandle, kind: str) -> set[str]:
    return {found.key for found in open_storage(project, kind).objects()}


def stored(project: ProjectHandle) -> set[str]:
    """The originals of the files that records have."""
    return {original for state, original, _ in rows(project) if state == "stored"}


def test_objects_go_and_with_them_their_rows_and_their_bytes(docs: ProjectHandle, storage_kind: str) -> None:
    first, _ = two_records(docs)
    assert bytes_used(docs) == 6

    async def test(client: Client) -> None:
        await client.delete(f"{RECORDS}/{first['id']}")

    serve(docs, test)
    assert len(objects(docs, storage_kind)) == 6
    assert remove_released(docs) == 3
    assert remove_released(docs) == 0
    assert len(objects(docs, storage_kind)) == 3
    assert stored(docs) == {"a1.txt", "b1.txt", "c1.txt"}
    assert bytes_used(docs) == 3


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
class TestSchemaChanges:
    def test_a_collection_takes_its_files_along(self, docs: ProjectHandle) -> None:
        two_records(docs)
        with write_session(docs) as session:
            delete_collection(session, "docs", confirm=True)
        assert stored(docs) == set()
        assert remove_released(docs) == 6
        assert objects(docs, "disk") == set()

    def test_an_import_that_drops_a_collection_takes_its_files_along(self, docs: ProjectHandle) -> None:
        two_records(docs)
        with write_session(docs) as session:
            users = collection_to_json(view_collection(session, "users"))
            data = {"collections": [users], "deleteMissing": True}
            import_collections(session, data, validate_rule=validate_rule, confirm=True)
        assert stored(docs) == set()

    def test_a_truncated_collection_has_no_files(self, docs: ProjectHandle) -> None:
        from projects.records.delete import delete_all
        from tests.records.support import call

        two_records(docs)
        with write_session(docs) as session:
            delete_all(call(session), view_collection(session, "docs"))
        assert stored(docs) == set()

    def test_a_field_takes_its_files_along_and_a_rename_does_not(self, docs: ProjectHandle) -> None:
        two_records(docs)

        def change(edit: Any) -> None:
            with write_session(docs) as session:
                fields = collection_to_json(view_collection(session, "docs"))["fields"]
                update_collection(
                    session, "docs", {"fields": edit(fields)}, validate_rule=validate_rule, confirm=True
                )

        change(
            lambda fields: [
                {**one, "name": f"{one['name']}2"} if one["type"] == "file" else one for one in fields
            ]
        )
        assert len(stored(docs)) == 6
        change(lambda fields: [one for one in fields if one["name"] != "one2"])
        assert stored(docs) == {"b0.txt", "c0.txt", "b1.txt", "c1.txt"}

    def test_a_list_that_becomes_one_file_lets_go_of_the_others(self, docs: ProjectHandle) -> None:
        two_records(docs)
        with write_session(docs) as session:
            fields = collection_to_json(view_collection(session, "docs"))["fields"]
            single = [{**one, "maxSelect": 1} if one["name"] == "many" else one for one in fields]
            update_collection(session, "docs", {"fields": single}, validate_rule=validate_rule, confirm=True)
        assert stored(docs) == {"a0.txt", "c0.txt", "a1.txt", "c1.txt"}

    def test_files_go_with_records_that_are_deleted_along(self, docs: ProjectHandle) -> None:
        with write_session(docs) as session:
            parent = view_collection(session, "docs")
            link = {"name": "doc", "type": "relation", "collectionId": parent.id, "cascadeDelete": True}
            collection(session, "children", link, file("photo"))

        async def test(client: Client) -> None:
            made = await create(client, ("one", "parent.txt", b"p"))
            body = [("doc", (None, made["id"])), ("photo", ("child.txt", b"c"))]
            assert (await client.post("/api/collections/children/records", files=body)).status_code == 200
            assert (await client.delete(f"{RECORDS}/{made['id']}")).status_code == 204

        serve(docs, test)
        assert stored(docs) == set()
        assert len(rows(docs)) == 2


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
def test_a_commit_rings_for_the_removal_and_a_roll_back_does_not(
    docs: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    rang: list[str] = []
    monkeypatch.setattr(stored_files, "_listeners", [])
    monkeypatch.setattr(
        removal, "_bell", type("B", (), {"ring": lambda self, project: rang.append(project.uid)})
    )
    start_removal()
    first, second = two_records(docs)

    async def test(client: Client) -> None:
        assert (await client.patch(f"{RECORDS}/{first['id']}", json={"title": "x"})).status_code == 200
        refused = {"one": "", "many": ["forged.txt"]}
        assert (await client.patch(f"{RECORDS}/{first['id']}", json=refused)).status_code == 400
        assert rang == []
        assert (await client.patch(f"{RECORDS}/{first['id']}", json={"one": ""})).status_code == 200
        assert rang == [docs.uid]
        assert (await client.delete(f"{RECORDS}/{second['id']}")).status_code == 204
        assert rang == [docs.uid] * 2

    serve(docs, test)


def test_ringing_never_waits_and_loses_nothing() -> None:
    answered: list[str] = []
    go_on = threading.Event()

    def answer(uid: str) -> None:
        go_on.wait(5)
        answered.append(uid)
        if uid == "fails":
            raise ConnectionError

    bell = Bell(answer)
    handles = [ProjectHandle(uid, "x", "sqlite", "local") for uid in ("a", "b", "a", "fails", "c")]
    started = time.monotonic()
    for handle in handles:
        bell.ring(handle)
    assert time.monotonic() - started < 1
    go_on.set()
    bell.ring(handles[0])
    deadline = time.monotonic() + 5
    while set(answered) != {"a", "b", "c", "fails"} and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(answered) == {"a", "b", "c", "fails"}


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
def test_the_sweep_finds_what_crashes_left(docs: ProjectHandle, transactional_db: None) -> None:
    host(docs)
    made = two_records(docs)
    with write_session(docs) as session:
        # A process died after it had let go of a file, another before it gave one to its record.
        session.execute(session.sql("UPDATE _files SET state = 'released' WHERE original = ?"), ("a0.txt",))
        session.execute(
            session.sql("UPDATE _files SET state = 'pending', due = ? WHERE original = ?"),
            ("2020-01-01T00:00:00.000Z", "b0.txt"),
        )
        session.execute(
            session.sql("UPDATE _files SET state = 'pending', due = ? WHERE original = ?"),
            ("2999-01-01T00:00:00.000Z", "c0.txt"),
        )
    tasks.sweep_files()
    assert {original for _, original, _ in rows(docs)} == {"c0.txt", "a1.txt", "b1.txt", "c1.txt"}
    assert len(objects(docs, "disk")) == 4
    assert made


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
def test_a_project_that_cannot_be_swept_holds_up_no_other(
    docs: ProjectHandle, make_project: Any, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    host(docs)
    broken = make_project("broken")
    host(broken)
    two_records(docs)
    with write_session(docs) as session:
        session.execute("UPDATE _files SET state = 'released'")
    real = tasks.needs_removal

    def fail(handle: ProjectHandle) -> bool:
        if handle.uid == broken.uid:
            raise OSError("unreachable")
        return real(handle)

    monkeypatch.setattr(tasks, "needs_removal", fail)
    tasks.sweep_files()
    assert rows(docs) == []


def test_half_received_files_are_removed_when_nobody_can_be_receiving_them_any_more() -> None:
    folder = spool_folder()
    folder.mkdir(parents=True, exist_ok=True)
    old, new = folder / "old", folder / "new"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    assert remove_left_behind() == 1
    assert not old.exists() and new.exists()
    new.unlink()


class TestPurge:
    def deleting(self, project: ProjectHandle) -> Project:
        host(project)
        row = Project.objects.get(pk=project.uid)
        return deletion.request_deletion(SYSTEM, row, typed_ref=row.ref)

    def test_a_purged_project_leaves_no_object_behind(
        self, docs: ProjectHandle, transactional_db: None, storage_kind: str
    ) -> None:
        two_records(docs)
        assert len(objects(docs, storage_kind)) == 6
        deletion.purge_project(SYSTEM, self.deleting(docs), before_due=True)
        assert objects(docs, storage_kind) == set()
        assert not Project.objects.filter(pk=docs.uid).exists()

    @pytest.mark.parametrize("storage_kind", ["s3"], indirect=True)
    def test_a_bucket_that_fails_keeps_the_project_to_be_purged_later(
        self, docs: ProjectHandle, transactional_db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        two_records(docs)
        project = self.deleting(docs)

        def fail(*args: Any) -> None:
            raise StorageUnavailableError("unreachable")

        with monkeypatch.context() as patch:
            patch.setattr("projects.files.s3.S3Storage.delete_all", fail)
            with pytest.raises(StorageUnavailableError):
                deletion.purge_project(SYSTEM, project, before_due=True)
        # Some objects may be gone: there is no way back.
        with pytest.raises(ApiError):
            deletion.cancel_deletion(SYSTEM, project)
        deletion.purge_project(SYSTEM, project, before_due=True)
        assert objects(docs, "s3") == set()


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
def test_files_on_the_disk_lie_below_their_projects_folder(docs: ProjectHandle, settings: Any) -> None:
    two_records(docs)
    lying = [
        path
        for path in Path(settings.MBAAS_DATA_DIR).rglob("*")
        if path.is_file() and path.read_bytes() == b"a"
    ]
    assert len(lying) == 2
    assert all(docs.uid in path.parts for path in lying)
