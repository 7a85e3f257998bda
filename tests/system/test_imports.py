"""kill -9 in the middle of an import: whole steps are there, and the same command goes on."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import server as servers
from tests.importing.world import ask, f
from tests.oracle.pocketbase import EMAIL, PASSWORD, NoBinaryError, pocketbase
from tests.services import skip_or_fail
from tests.system.app import project_rows

STEP = 50
ROWS = 4000
NOTES, FILES = 1500, 300

Rows = Callable[[str], list[Any]]


@pytest.fixture(scope="module")
def stopped(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """An installation whose server does not run: commands alone write."""
    folder = tmp_path_factory.mktemp("server")
    with servers.installation(folder, engine=server_kind, MBAAS_IMPORT_STEP=str(STEP)) as server:
        yield server


def kill_when(server: servers.Server, rows: Rows, sql: str, count: int, *command: str) -> None:
    """Start the command and kill it as soon as ``sql`` counts ``count``."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=servers.ROOT, env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None and rows(sql)[0][0] < count:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stderr.read()  # type: ignore[union-attr]


def test_a_table_is_there_up_to_a_whole_step_and_is_imported_again_with_upsert(
    stopped: servers.Server, tmp_path: Path
) -> None:
    server = stopped
    server.manage("create_project", "table", "--owner", servers.OWNER)
    schema = tmp_path / "schema.json"
    fields = [
        f("title", "text", searchable=True),
        f("self", "relation", collectionId="rows00000000000", maxSelect=3),
    ]
    schema.write_text(
        json.dumps([{"id": "rows00000000000", "name": "rows", "type": "base", "fields": fields}])
    )
    server.manage("import_collections", "table", str(schema))
    lines = tmp_path / "rows.jsonl"
    with open(lines, "w") as out:
        for n in range(ROWS):
            row = {
                "id": f"row{n:012}",
                "title": f"title {n}",
                "self": [f"row{max(0, n - 1):012}"] if n else [],
            }
            out.write(json.dumps(row) + "\n")
    command = ("import_records", "table", "rows", str(lines), "--upsert")
    with project_rows(server, "table") as rows:
        kill_when(server, rows, 'SELECT count(*) FROM "rows"', STEP, *command)
        stored = [row[0] for row in rows('SELECT id FROM "rows" ORDER BY id')]
        logged = rows("SELECT record, action FROM _changes ORDER BY seq")
        assert 0 < len(stored) < ROWS and len(stored) % STEP == 0
        assert stored == [f"row{n:012}" for n in range(len(stored))]
        assert logged == [(record, "create") for record in stored]
        server.manage(*command)
        assert rows('SELECT count(*) FROM "rows"') == [(ROWS,)]
        assert rows("SELECT count(*), count(DISTINCT record) FROM _changes") == [(ROWS, ROWS)]


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PocketBase with many notes, and files of some, put there past it when it has ended."""
    directory = tmp_path_factory.mktemp("pocketbase")
    try:
        with pocketbase(directory) as theirs, httpx.Client(base_url=theirs.base_url) as client:
            body = {"identity": EMAIL, "password": PASSWORD}
            entered = ask(client, "POST", "/api/collections/_superusers/auth-with-password", json=body)
            client.headers["Authorization"] = entered["token"]
            notes = {"name": "notes", "type": "base", "fields": [f("title", "text"), f("pic", "file")]}
            made = ask(client, "POST", "/api/collections", json=notes)
    except NoBinaryError as missing:
        skip_or_fail(str(missing))
    folder = directory / "pb_data"
    raw = sqlite3.connect(folder / "data.db")
    for n in range(NOTES):
        name = f"pic_{n:010}.txt" if n < FILES else ""
        raw.execute(
            "INSERT INTO notes (id, title, pic) VALUES (?, ?, ?)", (f"note{n:011}", f"title {n}", name)
        )
        if name:
            place = folder / "storage" / made["id"] / f"note{n:011}"
            place.mkdir(parents=True)
            (place / name).write_text(f"content {n}")
    raw.commit()
    raw.close()
    return folder


def test_a_whole_pocketbase_goes_on_from_wherever_it_was_killed(
    stopped: servers.Server, data_folder: Path
) -> None:
    server = stopped
    server.manage("create_project", "moved", "--owner", servers.OWNER)
    command = ("import_pocketbase", "moved", str(data_folder), "--json")
    with project_rows(server, "moved") as rows:
        at_files = "SELECT count(*) FROM _files WHERE state = 'stored'"
        any_mark = "SELECT count(*) FROM _params WHERE key = 'pocketbase_import'"
        kill_when(server, rows, any_mark, 1, *command)
        kill_when(server, rows, 'SELECT count(*) FROM "notes"', 500, *command)
        (count,) = rows('SELECT count(*) FROM "notes"')[0]
        assert 500 <= count < NOTES and count % STEP == 0
        kill_when(server, rows, at_files, 1, *command)
        (files,) = rows(at_files)[0]
        assert rows('SELECT count(*) FROM "notes"') == [(NOTES,)] and 0 < files < FILES
        report = json.loads(server.manage(*command))
        assert report["resumed"] and not [one for one in report["notes"] if one["kind"] in ("lost", "closed")]
        assert rows('SELECT count(*), count(DISTINCT id) FROM "notes"') == [(NOTES, NOTES)]
        # Each once in the change log, each file once, and as many bytes as there are.
        assert rows("SELECT count(*), count(DISTINCT record) FROM _changes WHERE record LIKE 'note%'") == [
            (NOTES, NOTES)
        ]
        stored = rows("SELECT record, name, size FROM _files WHERE state = 'stored' ORDER BY record")
        expected = [(f"note{n:011}", f"pic_{n:010}.txt", len(f"content {n}")) for n in range(FILES)]
        assert stored == expected
