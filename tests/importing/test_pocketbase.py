from __future__ import annotations

import io
import json
import shutil
import sqlite3
import time
import zipfile
from pathlib import Path
from typing import Any

import boto3
import httpx
import jwt
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from projects.context import ProjectHandle
from projects.control.actor import COMMAND
from projects.databases import read_session, write_session
from projects.files.storages import open_storage
from projects.importing.pocketbase.bucket import bucket_of
from projects.importing.pocketbase.errors import ImportRefusedError, SourceError
from projects.importing.pocketbase.report import Report
from projects.importing.pocketbase.run import import_pocketbase
from projects.models import AuditEntry, Project
from projects.records.list import list_records
from projects.schema import load_schema
from tests.accounts.helpers import SUPERUSER, call_on, change_collection, enter, sign_up, who
from tests.api.support import serve
from tests.files.conftest import CREDENTIALS, use_s3
from tests.importing.world import ODD_ID, USER_PASSWORD, World
from tests.records.support import collection, text

pytestmark = pytest.mark.usefixtures("hosted_project")


def take(project: ProjectHandle, path: Path, **options: Any) -> Report:
    return import_pocketbase(COMMAND, Project.objects.get(uid=project.uid), path, **options)


def shown(project: ProjectHandle, name: str) -> list[dict[str, Any]]:
    """All records as a superuser sees them."""
    with read_session(project) as session:
        call = call_on(session, SUPERUSER)
        return list_records(call, name, {"perPage": "500"})["items"]


def same_records(project: ProjectHandle, world: World) -> None:
    """All records are shown as PocketBase showed them, in the order of their creation; views in any."""
    for name, records in world.records.items():
        ours, theirs = shown(project, name), as_ours(records)
        if name in ("shown", "above"):
            ours, theirs = (sorted(some, key=lambda one: one["id"]) for some in (ours, theirs))
        assert ours == theirs, name


def counts(project: ProjectHandle) -> dict[str, int]:
    with read_session(project) as session:
        names = [one.table for one in load_schema(session).collections if one.has_table]
        tables = [*names, "_files", "_changes"]
        return {name: session.rows(f'SELECT count(*) FROM "{name}"')[0][0] for name in tables}


def as_ours(value: Any) -> Any:
    """PocketBase's JSON with dates in our form."""
    if isinstance(value, dict):
        return {key: as_ours(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_ours(item) for item in value]
    if isinstance(value, str) and len(value) == 24 and value.endswith("Z") and value[10] == " ":
        return value.replace(" ", "T")
    return value


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """A data folder that nobody has open."""
    target = tmp_path / "pb_data"
    with zipfile.ZipFile(world.backup) as archive:
        archive.extractall(target)
    for name in ("data.db-shm", "data.db-wal"):
        (target / name).unlink(missing_ok=True)
    return target


def change(folder: Path, *statements: str) -> None:
    raw = sqlite3.connect(folder / "data.db")
    for statement in statements:
        raw.execute(statement)
    raw.commit()
    raw.close()


# --- what is taken ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["backup", "folder"])
def test_every_record_is_shown_as_pocketbase_showed_it(
    project: ProjectHandle, world: World, kind: str
) -> None:
    take(project, getattr(world, kind))
    same_records(project, world)


def test_collections_come_with_their_ids_rules_indexes_and_options(
    project: ProjectHandle, world: World
) -> None:
    report = take(project, world.backup)
    with read_session(project) as session:
        schema = load_schema(session)
    assert not report.of_kind("closed") and not report.of_kind("lost")
    for name, theirs in world.collections.items():
        ours = schema.get(name)
        assert ours is not None and (ours.id, ours.type) == (theirs["id"], theirs["type"])
        rules = (ours.list_rule, ours.view_rule, ours.create_rule, ours.update_rule, ours.delete_rule)
        named = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
        assert rules == tuple(theirs[key] for key in named)
        if not theirs["system"]:
            assert [one.name for one in ours.fields] == [one["name"] for one in theirs["fields"]]
            assert list(ours.indexes) == theirs["indexes"]
        if theirs["type"] == "base":
            assert [one.id for one in ours.fields] == [one["id"] for one in theirs["fields"]]
    staff, users = schema.get("staff"), schema.get("users")
    assert staff is not None and users is not None
    assert (staff.options["authRule"], staff.options["manageRule"]) == (
        "verified = true",
        "@request.auth.boss = true",
    )
    assert users.options["oauth2"]["providers"][0]["clientSecret"] == "google-secret"


def test_files_keep_their_names_and_bytes_and_have_rows_like_our_own(
    project: ProjectHandle, world: World
) -> None:
    take(project, world.backup)

    async def look(client: Any) -> None:
        headers = {"Authorization": world.tokens["ann@example.com"]}
        token = (await client.post("/api/files/token", headers=headers)).json()["token"]
        for where, content in world.files.items():
            answer = await client.get("/api/files/" + "/".join(where))
            if "secret" in where[2]:
                assert answer.status_code == 404
                answer = await client.get("/api/files/" + "/".join(where), params={"token": token})
            assert (answer.status_code, answer.content) == (200, content)
        (pic,) = [where for where in world.files if where[2].endswith(".PNG")]
        thumb = await client.get("/api/files/" + "/".join(pic), params={"thumb": "50x50"})
        assert thumb.status_code == 200 and thumb.headers["content-type"] == "image/png"

    serve(project, look)
    with read_session(project) as session:
        rows = session.rows("SELECT original, type, state, size FROM _files WHERE variant_of = ''")
        # Thumbs are made anew here, not copied.
        assert len(rows) == len(world.files) and {row[2] for row in rows} == {"stored"}
        assert ("Sommer Ferien.PNG", "image/png") in {row[:2] for row in rows}
        assert session.rows("SELECT value FROM _params WHERE key = 'files_bytes'") == [
            (str(sum(map(len, world.files.values()))),)
        ]


def test_users_sign_in_with_their_old_password_and_their_hash_is_renewed(
    project: ProjectHandle, world: World
) -> None:
    take(project, world.backup)
    hashes = "SELECT password FROM users WHERE email = 'ann@example.com'"
    with write_session(project) as session:
        assert session.rows(hashes)[0][0].startswith("$2a$")
        assert enter(session, "ann@example.com", "wrong")["status"] == 400
        assert enter(session, "ann@example.com", USER_PASSWORD)["record"]["id"] == "user00000000ann"
    with write_session(project) as session:
        assert not session.rows(hashes)[0][0].startswith("$2a$")
        assert enter(session, "ann@example.com", USER_PASSWORD)["token"]
        # By the unique field that ignores case, too; and who had no way in has none here.
        assert enter(session, "bOSS", USER_PASSWORD, "staff")["token"]
        assert enter(session, "new@example.com", USER_PASSWORD, "staff")["status"] == 403


def test_passwords_that_are_no_users_are_still_hashes(project: ProjectHandle, world: World) -> None:
    take(project, world.backup)
    with read_session(project) as session:
        ((pin,),) = session.rows("SELECT pin FROM notes WHERE title = 'First'")
    assert pin.startswith("$2a$")


def test_relations_are_indexed_in_both_directions(project: ProjectHandle, world: World) -> None:
    take(project, world.backup)
    with read_session(project) as session:
        call = call_on(session, SUPERUSER)
        found = list_records(
            call, "notes", {"filter": "notes_via_related.id ?= 'note0000000000a'", "perPage": "50"}
        )
    assert [one["id"] for one in found["items"]] == ["note00000000101"]


def test_external_identities_come_along(project: ProjectHandle, world: World) -> None:
    take(project, world.backup)
    (identity,) = shown(project, "_externalAuths")
    assert (identity["recordRef"], identity["provider"], identity["providerId"]) == (
        "user00000000ann",
        "google",
        "g-1",
    )


def test_ids_that_break_todays_pattern_stay_as_they_are(project: ProjectHandle, world: World) -> None:
    take(project, world.backup)
    (odd,) = shown(project, "odd")
    assert (odd["id"], odd["v"]) == (ODD_ID, "much too long for today")


def test_every_record_is_in_the_change_log_once(project: ProjectHandle, world: World) -> None:
    take(project, world.backup)
    with read_session(project) as session:
        rows = session.rows("SELECT count(*), count(DISTINCT record), min(action), max(action) FROM _changes")
    kept = sum(len(records) for name, records in world.records.items() if name not in ("shown", "above"))
    assert rows[0][:2][0] == rows[0][1] and rows[0][2:] == ("create", "create") and rows[0][0] > kept


def test_settings_with_a_counterpart_are_taken_and_the_others_told_of(
    project: ProjectHandle, world: World
) -> None:
    report = take(project, world.backup)
    row = Project.objects.get(uid=project.uid)
    assert row.name == "Corner shop"
    assert row.settings["batch"] == {"enabled": True, "maxRequests": 77, "timeout": 9, "maxBodySize": 100000}
    rule = {"label": "*:auth", "maxRequests": 7, "duration": 11, "audience": "@guest"}
    assert row.settings["rateLimits"] == {"enabled": True, "rules": [rule]}
    left = {note.about for note in report.of_kind("left")}
    assert {"_superusers", "settings.smtp", "settings.rateLimits.excludedIPs"} <= left
    assert "smtp-secret" not in json.dumps(report.as_json())
    entry = AuditEntry.objects.get(action="pocketbase.imported")
    assert entry.details["files"] == len(world.files)


def test_files_go_into_a_bucket_where_the_project_has_one(
    project: ProjectHandle, world: World, settings: Any, request: pytest.FixtureRequest
) -> None:
    use_s3(settings, request.getfixturevalue("s3_server"))
    take(project, world.backup)
    with read_session(project) as session:
        rows = session.rows("SELECT storage, count(*) FROM _files WHERE state = 'stored' GROUP BY storage")
        assert rows == [("s3", len(world.files))]
        sizes = session.rows("SELECT key, size FROM _files")
    objects = {one.key: one.size for one in open_storage(project, "s3").objects()}
    assert objects == dict(sizes)


def test_files_are_fetched_from_pocketbases_own_bucket_if_one_says_so(
    project: ProjectHandle, folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = request.getfixturevalue("s3_server")
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["access_key"], aws_secret_access_key=CREDENTIALS["secret_key"],
    )  # fmt: skip
    client.create_bucket(Bucket="theirs")
    placed = [path for path in (folder / "storage").rglob("*") if path.is_file() and path.suffix != ".attrs"]
    for path in placed:
        key = str(path.relative_to(folder / "storage"))
        client.put_object(
            Bucket="theirs",
            Key=key,
            Body=path.read_bytes(),
            Metadata={"original-filename": "Client%20name.txt"},
        )
    shutil.rmtree(folder / "storage")
    account = {
        "enabled": True, "bucket": "theirs", "endpoint": address, "region": "us-east-1", "forcePathStyle": True,
        "accessKey": CREDENTIALS["access_key"], "secret": CREDENTIALS["secret_key"],
    }  # fmt: skip
    change(folder, f"UPDATE _params SET value = json_set(value, '$.s3', json('{json.dumps(account)}'))")
    with pytest.raises(ImportRefusedError, match="--files bucket"):
        take(project, folder)
    report = take(project, folder, files="bucket")
    assert sum(one.files for one in report.collections) == len(placed) and not report.of_kind("lost")
    with read_session(project) as session:
        assert session.rows("SELECT DISTINCT original, storage FROM _files") == [("Client name.txt", "disk")]
    assert CREDENTIALS["secret_key"] not in json.dumps(report.as_json())


@pytest.mark.parametrize("gone", ["accessKey", "secret", "endpoint"])
def test_a_bucket_is_never_asked_with_the_machines_own_credentials(gone: str) -> None:
    account = {"enabled": True, "bucket": "b", "endpoint": "s3.example.com", "accessKey": "a", "secret": "s"}
    assert bucket_of({"s3": account}).endpoint == "https://s3.example.com"
    with pytest.raises(ImportRefusedError, match="keys"):
        bucket_of({"s3": {**account, gone: ""}})


# --- tokens -------------------------------------------------------------------------------------------


def test_tokens_that_pocketbase_issued_hold(project: ProjectHandle, world: World) -> None:
    take(project, world.backup)
    with read_session(project) as session:
        assert who(session, world.tokens["ann@example.com"]).id == "user00000000ann"
        assert who(session, world.tokens["boss@example.com"]).collection_name == "staff"
        assert who(session, world.tokens["ann@example.com"] + "x").kind == "guest"

    async def refresh(client: Any) -> None:
        headers = {"Authorization": world.tokens["ann@example.com"]}
        answer = await client.post("/api/collections/users/auth-refresh", headers=headers)
        fresh = answer.json()["token"]
        assert fresh != headers["Authorization"]
        again = await client.post("/api/collections/users/auth-refresh", headers={"Authorization": fresh})
        assert again.status_code == 200

    serve(project, refresh)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET \"tokenKey\" = 'another-token-key-of-thirty-chars' WHERE id = 'user00000000ann'",
        "UPDATE users SET \"tokenKey\" = '' WHERE id = 'user00000000ann'",
        "DELETE FROM users WHERE id = 'user00000000ann'",
    ],
)
def test_a_token_of_pocketbase_ends_with_the_users_token_key(
    project: ProjectHandle, world: World, statement: str
) -> None:
    take(project, world.backup)
    with write_session(project) as session:
        session.execute(statement)
    with read_session(project) as session:
        assert who(session, world.tokens["ann@example.com"]).kind == "guest"


def test_another_secret_ends_all_tokens_of_pocketbase(project: ProjectHandle, world: World) -> None:
    take(project, world.backup)
    with write_session(project) as session:
        change_collection(session, "users", authToken={"secret": "s" * 40})
    with read_session(project) as session:
        assert who(session, world.tokens["ann@example.com"]).kind == "guest"


def test_a_project_that_was_not_imported_takes_no_token_of_that_kind(project: ProjectHandle) -> None:
    with write_session(project) as session:
        record = sign_up(session, "eve@example.com")
        secret = call_on(session).collection("users").options["authToken"]["secret"]
        claims = {
            "id": record["id"], "type": "auth", "collectionId": "_pb_users_auth_", "refreshable": True,
            "exp": int(time.time()) + 60,
        }  # fmt: skip
        token = jwt.encode(claims, record["tokenKey"] + secret, "HS256")
        assert who(session, token).kind == "guest"


# --- what cannot be taken -----------------------------------------------------------------------------


def test_a_rule_that_is_not_understood_is_closed_and_told_of(project: ProjectHandle, folder: Path) -> None:
    change(
        folder,
        "UPDATE _collections SET listRule = 'fancy(title) = 1', deleteRule = '' WHERE name = 'notes'",
        """UPDATE _collections SET options = json_set(options, '$.authRule', 'fancy() = 1',
           '$.manageRule', 'other() = 1') WHERE name = 'staff'""",
    )
    report = take(project, folder)
    assert {note.about for note in report.of_kind("closed")} == {
        "notes.listRule",
        "staff.authRule",
        "staff.manageRule",
    }
    assert "fancy(title) = 1" in "".join(note.reason for note in report.of_kind("closed"))
    with write_session(project) as session:
        schema = load_schema(session)
        notes, staff = schema.get("notes"), schema.get("staff")
        assert notes is not None and (notes.list_rule, notes.delete_rule) == (None, "")
        assert staff is not None and (staff.options["authRule"], staff.options["manageRule"]) == (None, None)
        assert enter(session, "boss@example.com", USER_PASSWORD, "staff")["status"] == 403


def test_a_view_that_cannot_stand_is_left_out_with_those_over_it(
    project: ProjectHandle, folder: Path
) -> None:
    change(
        folder,
        """UPDATE _collections SET options = json_set(options, '$.viewQuery', 'SELECT id FROM sqlite_master')
           WHERE name = 'shown'""",
    )
    report = take(project, folder)
    assert {"shown", "above"} <= {note.about for note in report.of_kind("left")}
    with read_session(project) as session:
        assert load_schema(session).get("above") is None
    assert len(shown(project, "notes")) == 11


def test_options_and_indexes_that_cannot_stand_are_taken_back_and_told_of(
    project: ProjectHandle, folder: Path
) -> None:
    change(
        folder,
        """UPDATE _collections SET indexes = '["CREATE INDEX i ON odd (no_such_function(v))"]',
           fields = replace(fields, '"pattern":""', '"pattern":"(?=look)ahead"') WHERE name = 'odd'""",
        """UPDATE _collections SET options = json_set(options, '$.oauth2.providers[0].name', 'nobody-knows')
           WHERE name = 'users'""",
    )
    report = take(project, folder)
    assert "odd.v.pattern" in {note.about for note in report.of_kind("changed")}
    assert {"odd.indexes", "users.oauth2.nobody-knows"} <= {note.about for note in report.of_kind("left")}
    assert len(shown(project, "odd")) == 1


def test_a_field_that_cannot_stand_refuses_everything(project: ProjectHandle, folder: Path) -> None:
    change(folder, 'UPDATE _collections SET fields = replace(fields, \'"name":"v"\', \'"name":"expand"\')')
    before = counts(project)
    with pytest.raises(ImportRefusedError, match=r"odd.*expand"):
        take(project, folder)
    assert counts(project) == before


def test_missing_files_and_names_that_lead_elsewhere_are_told_of(
    project: ProjectHandle, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("not yours")
    (gone,) = (folder / "storage").glob("*/note0000000000a/a*.txt")
    gone.unlink()
    (linked,) = (folder / "storage").glob("*/note0000000000a/b*.txt")
    linked.unlink()
    linked.symlink_to(outside)
    change(folder, "UPDATE odd SET f = '../../../../outside.txt'")
    report = take(project, folder)
    lost = {note.about: note.reason for note in report.of_kind("lost")}
    assert len(lost) == 3 and f"odd/{ODD_ID}/../../../../outside.txt" in lost
    with read_session(project) as session:
        assert session.rows("SELECT count(*) FROM _files WHERE original = 'outside.txt'") == [(0,)]


def test_values_that_no_engine_stores_are_cleaned(project: ProjectHandle, folder: Path) -> None:
    change(
        folder,
        "UPDATE notes SET title = 'a' || char(0) || 'b' WHERE id = 'note0000000000a'",
        "UPDATE notes SET data = '{\"k\":\"x\\u0000y\"}', title = CAST(x'ff41' AS TEXT) WHERE id = 'note00000000101'",
    )
    report = take(project, folder)
    assert "notes" in {note.about for note in report.of_kind("changed")}
    records = {one["id"]: one for one in shown(project, "notes")}
    assert records["note0000000000a"]["title"] == "ab"
    assert (records["note00000000101"]["title"], records["note00000000101"]["data"]) == (
        "\ufffdA",
        {"k": "xy"},
    )


def test_records_that_are_refused_are_told_of_and_the_others_taken(
    project: ProjectHandle, folder: Path
) -> None:
    change(
        folder,
        "DROP INDEX idx_title",
        "UPDATE notes SET title = 'same' WHERE id IN ('note00000000102', 'note00000000104')",
    )
    report = take(project, folder)
    assert [note.about for note in report.of_kind("lost")] == ["notes/note00000000104"]
    assert len(shown(project, "notes")) == 10


# --- where it goes and comes from ---------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_reports_the_same(project: ProjectHandle, world: World) -> None:
    before = counts(project)
    planned = take(project, world.backup, dry_run=True)
    assert counts(project) == before and not Project.objects.get(uid=project.uid).settings
    done = take(project, world.backup)
    assert planned.notes == done.notes
    notes = next(one for one in planned.collections if one.name == "notes")
    assert (notes.source_records, notes.source_files, notes.bytes) == (
        11,
        4,
        sum(len(content) for (name, *_), content in world.files.items() if name == "notes"),
    )


def test_a_project_with_records_or_collections_is_refused(project: ProjectHandle, world: World) -> None:
    with write_session(project) as session:
        collection(session, "mine", text("a"))
    with pytest.raises(ImportRefusedError, match="mine"):
        take(project, world.backup)


def test_an_import_is_made_once(project: ProjectHandle, world: World) -> None:
    take(project, world.backup)
    before = counts(project)
    with pytest.raises(ImportRefusedError, match="already"):
        take(project, world.folder)
    assert counts(project) == before


def test_what_is_left_of_an_interrupted_import_is_whole_and_the_next_goes_on(
    project: ProjectHandle, world: World, settings: Any
) -> None:
    """Cut off at every step in turn."""
    settings.MBAAS_IMPORT_STEP = 3
    steps: list[tuple[str, int]] = []

    class Cut(BaseException):
        pass

    def watch(step: str, done: int, total: int) -> None:
        if (step, done) not in steps:
            steps.append((step, done))
            raise Cut

    for _ in range(60):
        try:
            report = take(project, world.backup, watch=watch)
        except Cut:
            continue
        break
    assert report.resumed and len(steps) > 8
    same_records(project, world)
    with read_session(project) as session:
        assert session.rows(
            "SELECT count(*), count(DISTINCT record) FROM _changes WHERE collection = ?".replace(
                "?", f"'{world.collections['notes']['id']}'"
            )
        ) == [(11, 11)]
        states = session.rows("SELECT state, count(*) FROM _files GROUP BY state")
    assert dict(states)["stored"] == len(world.files)


def test_an_interrupted_import_does_not_go_on_with_another_pocketbase(
    project: ProjectHandle, world: World, folder: Path
) -> None:
    def watch(step: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(project, world.backup, watch=watch)
    change(
        folder,
        "UPDATE _collections SET options = replace(options, '\"secret\":\"', '\"secret\":\"other') WHERE name = '_superusers'",
    )
    with pytest.raises(ImportRefusedError, match="another PocketBase"):
        take(project, folder)


def test_a_running_pocketbase_is_read_and_not_touched(project: ProjectHandle, world: World) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        files = [path for path in sorted(world.folder.glob("data.db*")) if path.suffix != ".db-shm"]
        return {path.name: (path.stat().st_size, path.read_bytes()) for path in files}

    before = state()
    take(project, world.folder)
    assert state() == before
    assert httpx.get(f"{world.server.base_url}/api/health").status_code == 200


def test_what_is_only_in_the_write_ahead_log_is_taken_too(
    project: ProjectHandle, folder: Path, tmp_path: Path
) -> None:
    writer = sqlite3.connect(folder / "data.db")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE notes SET n = 42 WHERE id = 'note0000000000a'")
    writer.commit()
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("data.db", "data.db-wal"):
        shutil.copyfile(folder / name, crashed / name)
    writer.close()
    (crashed / "data.db").chmod(0o400)
    crashed.chmod(0o500)
    try:
        take(project, crashed)
    finally:
        crashed.chmod(0o700)
    assert next(one for one in shown(project, "notes") if one["title"] == "First")["n"] == 42
    assert sorted(path.name for path in crashed.iterdir()) == ["data.db", "data.db-wal"]


def repacked(source: Path, target: Path, *, without: str = "", **extra: bytes) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            if info.filename != without:
                new.writestr(info.filename, old.read(info))
        for name, content in extra.items():
            new.writestr(name.replace("_slash_", "/"), content)
    return target


def test_names_in_a_backup_lead_nowhere(project: ProjectHandle, world: World, tmp_path: Path) -> None:
    hostile = repacked(
        world.backup, tmp_path / "x.zip", **{"../../evil.txt": b"evil", "/tmp/evil.txt": b"evil"}
    )
    take(project, hostile)
    assert not list(tmp_path.parent.rglob("evil.txt"))


def test_a_backup_that_unpacks_to_too_much_is_refused(
    project: ProjectHandle, world: World, tmp_path: Path, settings: Any
) -> None:
    settings.MBAAS_IMPORT_MAX_DATABASE_BYTES = 100_000
    with pytest.raises(SourceError, match="MBAAS_IMPORT_MAX_DATABASE_BYTES"):
        take(project, world.backup)
    settings.MBAAS_IMPORT_MAX_DATABASE_BYTES = 10**12
    settings.MBAAS_IMPORT_KEEP_FREE_BYTES = 10**18
    with pytest.raises(SourceError, match="no room"):
        take(project, world.backup)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no zip", "neither a folder nor a backup"),
        ({"readme.txt": b"hi"}, "no backup of PocketBase"),
        ({"data.db": b"no database"}, "cannot be read|not a database"),
        ({"data.db": b""}, "none of PocketBase's"),
    ],
)
def test_what_is_no_pocketbase_is_refused_in_words(
    project: ProjectHandle, tmp_path: Path, content: Any, says: str
) -> None:
    path = tmp_path / "given.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in content.items():
                archive.writestr(name, data)
    with pytest.raises(SourceError, match=says):
        take(project, path)


def test_a_damaged_or_older_database_is_refused_before_anything_is_taken(
    project: ProjectHandle, folder: Path
) -> None:
    change(folder, "ALTER TABLE _collections RENAME COLUMN fields TO schema")
    with pytest.raises(SourceError, match=r"0\.23"):
        take(project, folder)
    with open(folder / "data.db", "r+b") as damaged:
        damaged.seek(3 * 4096)
        damaged.write(b"\xff" * 8192)
    with pytest.raises(SourceError, match=r"damaged|cannot be read"):
        take(project, folder)


def test_the_command_prints_the_report(project: ProjectHandle, world: World) -> None:
    out = io.StringIO()
    call_command("import_pocketbase", project.ref, str(world.backup), "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert {key: value for key, value in report["collections"][2].items() if key != "sourceBytes"} == {
        "name": "notes",
        "type": "base",
        "records": 11,
        "files": 4,
        "sourceRecords": 11,
        "sourceFiles": 4,
    }
    with pytest.raises(CommandError, match="already"):
        call_command("import_pocketbase", project.ref, str(world.backup))
    with pytest.raises(CommandError, match="no data folder"):
        call_command("import_pocketbase", project.ref, "/")
