"""Changes of tables that are big, or in use: how long they may take, and whom they keep waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg.errors
import pytest

from projects.context import ProjectHandle
from projects.databases import close_thread, read_session, write_session
from projects.databases.session import StoppedError
from projects.schema import create_collection, load_schema, update_collection
from projects.schema.progress import running_steps
from tests.schema.helpers import any_rule

A = {"id": "fa", "name": "a", "type": "text"}
B = {"id": "fb", "name": "b", "type": "text"}
ROWS = 60_000


@pytest.fixture
def busy(project: ProjectHandle) -> Iterator[ProjectHandle]:
    with write_session(project) as session:
        create_collection(session, {"name": "things", "fields": [A]}, validate_rule=any_rule)
    yield project
    close_thread()


def fill(project: ProjectHandle) -> None:
    numbers = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT i FROM n"
        if project.engine == "sqlite"
        else f"SELECT generate_series(1, {ROWS}) AS i"
    )
    with write_session(project) as session:
        session.execute(f"INSERT INTO things (id, a) SELECT 'r' || i, 'text ' || i FROM ({numbers}) AS s")


def change(project: ProjectHandle, **data: Any) -> None:
    with write_session(project) as session:
        update_collection(session, "things", data, validate_rule=any_rule)


def test_a_change_of_the_schema_may_take_longer_than_other_statements(
    busy: ProjectHandle, settings: Any
) -> None:
    fill(busy)
    settings.MBAAS_STATEMENT_TIMEOUT_MS = 10
    index = "CREATE INDEX idx_a ON things (a)"
    settings.MBAAS_SCHEMA_CHANGE_TIMEOUT_MS = 5
    with pytest.raises(StoppedError):
        change(busy, indexes=[index])
    settings.MBAAS_SCHEMA_CHANGE_TIMEOUT_MS = 60_000
    change(busy, indexes=[index])
    with read_session(busy) as session:
        assert load_schema(session).get("things").indexes == (index,)  # type: ignore[union-attr]


def test_a_step_that_takes_long_is_told_while_it_runs(busy: ProjectHandle) -> None:
    fill(busy)
    seen: list[Any] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.extend(running_steps(busy.uid))
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        change(busy, indexes=["CREATE INDEX idx_a ON things (a)"])
    finally:
        done.set()
        watcher.join()
    assert {(one["collection"], one["step"]) for one in seen} >= {("things", "building the index idx_a")}
    assert running_steps(busy.uid) == []


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_change_that_waits_for_a_long_query_keeps_no_reader_waiting(
    request: pytest.FixtureRequest, engine: str
) -> None:
    require_postgresql()
    busy = request.getfixturevalue("busy")
    reading, release = threading.Event(), threading.Event()

    def long_query() -> None:
        with write_session(busy) as session:
            session.row("SELECT count(*) FROM things")
            reading.set()
            release.wait(10)
        close_thread()

    def altered() -> None:
        change(busy, fields=[A, B])
        close_thread()

    with ThreadPoolExecutor(2) as pool:
        query = pool.submit(long_query)
        assert reading.wait(5)
        waiting = pool.submit(altered)
        slowest = 0.0
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            began = time.monotonic()
            with read_session(busy) as session:
                session.row("SELECT a FROM things LIMIT 1")
            slowest = max(slowest, time.monotonic() - began)
        assert not waiting.done()
        release.set()
        query.result(10)
        waiting.result(15)
    assert slowest < 1.0
    with read_session(busy) as session:
        assert "b" in load_schema(session).get("things").field_by_name  # type: ignore[union-attr]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_table_that_is_never_free_refuses_the_change_and_stays(
    request: pytest.FixtureRequest, engine: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_postgresql()
    busy = request.getfixturevalue("busy")
    settings.MBAAS_STATEMENT_TIMEOUT_MS, settings.MBAAS_SCHEMA_LOCK_MS = 500, 20
    monkeypatch.setattr("projects.schema.ddl._LOCK_GRACE_SECONDS", 0)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with write_session(busy) as session:
            session.row("SELECT count(*) FROM things")
            held.set()
            release.wait(10)
        close_thread()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert held.wait(5)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            change(busy, fields=[A, B])
        release.set()
        holder.result(10)
    with read_session(busy) as session:
        assert "b" not in load_schema(session).get("things").field_by_name  # type: ignore[union-attr]


def require_postgresql() -> None:
    from tests.conftest import ENGINES

    if "postgresql" not in ENGINES:
        pytest.skip("no PostgreSQL server (make test-all starts one)")
