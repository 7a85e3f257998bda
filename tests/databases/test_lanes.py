"""Lanes: work from the event loop on database threads, batched, bounded, stopped in time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import connections

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.deadline import TimedOutError
from projects.databases.lane import ShuttingDownError
from projects.databases.lanes import Lanes, TooBusyError

Make = Callable[..., ProjectHandle]

ENDLESS = {
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT COUNT(*) FROM c",
    "postgresql": "SELECT pg_sleep(60)",
}
MILLIONS = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 500000) SELECT COUNT(*) FROM c"
)


@pytest.fixture
def lanes(project: ProjectHandle) -> Iterator[Lanes]:
    made = Lanes()
    yield made
    made.stop(5)


def put(key: str) -> Callable[[Session], int]:
    def work(session: Session) -> int:
        return session.execute(session.sql("INSERT INTO _params (key, value) VALUES (?, '1')"), (key,))

    return work


def keys(session: Session) -> set[str]:
    return {row[0] for row in session.rows("SELECT key FROM _params")}


def broken(session: Session) -> None:
    put("broken")(session)
    raise ValueError("broken")


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


def test_an_answer_to_a_write_comes_after_its_commit(project: ProjectHandle, lanes: Lanes) -> None:
    async def scenario() -> set[str]:
        await lanes.write(project, put("a"))
        return await lanes.read(project, keys)

    assert "a" in run(scenario())


def test_a_write_that_fails_harms_none_of_those_that_commit_with_it(
    project: ProjectHandle, lanes: Lanes
) -> None:
    async def scenario() -> tuple[list[Any], set[str]]:
        works = [broken if i % 3 == 0 else put(f"k{i}") for i in range(30)]
        results = await asyncio.gather(
            *(lanes.write(project, work) for work in works), return_exceptions=True
        )
        return results, await lanes.read(project, keys)

    results, found = run(scenario())
    assert [isinstance(result, ValueError) for result in results] == [i % 3 == 0 for i in range(30)]
    assert {f"k{i}" for i in range(30) if i % 3} <= found
    assert "broken" not in found


def test_a_write_that_is_refused_before_it_wrote_costs_the_others_nothing(
    project: ProjectHandle, lanes: Lanes
) -> None:
    ran: list[int] = []

    def counted(number: int) -> Callable[[Session], Any]:
        def work(session: Session) -> int:
            ran.append(number)
            session.row("SELECT 1")
            if number % 3 == 0:
                raise ValueError(number)
            return put(f"k{number}")(session)

        return work

    async def scenario() -> set[str]:
        await asyncio.gather(*(lanes.write(project, counted(i)) for i in range(30)), return_exceptions=True)
        return await lanes.read(project, keys)

    assert {f"k{i}" for i in range(30) if i % 3} <= run(scenario())
    assert sorted(ran) == list(range(30))


def test_errors_reach_the_one_who_asked(project: ProjectHandle, lanes: Lanes) -> None:
    async def scenario() -> None:
        await lanes.read(project, broken)

    with pytest.raises((ValueError, sqlite3.OperationalError)):
        run(scenario())


def test_a_statement_too_long_for_the_quick_lane_is_answered_all_the_same(
    project: ProjectHandle, lanes: Lanes
) -> None:
    async def scenario() -> Any:
        return await lanes.read(project, lambda session: session.row(MILLIONS))

    assert run(scenario()) == (500_000,)


def test_a_database_that_opens_too_slowly_for_the_quick_lane_is_read_all_the_same(
    project: ProjectHandle, lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    if project.engine != "postgresql":
        pytest.skip("SQLite's databases are opened where nothing is stopped")
    opened: list[str] = []

    def open_slowly(opening: ProjectHandle) -> None:
        opened.append(threading.current_thread().name)
        with connections[opening.alias].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")

    monkeypatch.setattr("projects.databases.session.ensure_migrated", open_slowly)
    assert "schema_version" in run(lanes.read(project, keys))
    assert [name.rpartition("-")[0] for name in opened] == ["postgresql-quick", "postgresql-slow"]


def test_quick_reads_do_not_wait_for_a_slow_one(project: ProjectHandle, lanes: Lanes, settings: Any) -> None:
    settings.MBAAS_STATEMENT_TIMEOUT_MS = 1_000

    async def scenario() -> bool:
        slow = asyncio.create_task(lanes.read(project, lambda s: s.row(ENDLESS[project.engine])))
        for _ in range(20):
            await lanes.read(project, keys)
        finished_first = not slow.done()
        slow.cancel()
        return finished_first

    assert run(scenario())


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_statement_past_its_time_is_stopped(
    make_project: Make, settings: Any, kind: str, engine: str
) -> None:
    settings.MBAAS_STATEMENT_TIMEOUT_MS = 200
    project = make_project()
    if engine == "postgresql":
        from projects.databases.postgresql.pools import close_all_pools

        close_all_pools()  # connections keep the timeout they were bound with
    lanes = Lanes()

    async def scenario() -> None:
        await getattr(lanes, kind)(project, lambda session: session.row(ENDLESS[engine]))

    try:
        with pytest.raises(TimedOutError):
            run(scenario())
    finally:
        lanes.stop(5)
        if engine == "postgresql":
            close_all_pools()


def test_a_project_with_too_much_waiting_is_told_to_come_back(
    project: ProjectHandle, lanes: Lanes, settings: Any
) -> None:
    settings.MBAAS_PROJECT_CONCURRENCY = 5

    async def scenario() -> list[Any]:
        return await asyncio.gather(*(lanes.read(project, keys) for _ in range(20)), return_exceptions=True)

    results = run(scenario())
    assert sum(isinstance(result, TooBusyError) for result in results) == 15
    assert sum(isinstance(result, set) for result in results) == 5


def test_a_projects_crowd_does_not_count_against_another(
    make_project: Make, lanes: Lanes, settings: Any
) -> None:
    settings.MBAAS_PROJECT_CONCURRENCY = 5
    crowded, quiet = make_project("crowded"), make_project("quiet")

    async def scenario() -> Any:
        crowd = [asyncio.create_task(lanes.read(crowded, keys)) for _ in range(5)]
        found = await lanes.read(quiet, keys)
        await asyncio.gather(*crowd)
        return found

    assert isinstance(run(scenario()), set)


def test_what_waits_when_the_lanes_stop_is_finished_and_nothing_more_is_taken(project: ProjectHandle) -> None:
    lanes = Lanes()

    async def scenario() -> list[Any]:
        waiting = [asyncio.create_task(lanes.write(project, put(f"k{i}"))) for i in range(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(lanes.stop, 5)
        results = await asyncio.gather(*waiting)
        with pytest.raises(ShuttingDownError):
            await lanes.write(project, put("late"))
        return results

    assert run(scenario()) == [1] * 20


def test_a_client_that_went_away_does_not_undo_its_write(project: ProjectHandle, lanes: Lanes) -> None:
    async def scenario() -> bool:
        task = asyncio.create_task(lanes.write(project, put("left")))
        await asyncio.sleep(0)
        task.cancel()
        for _ in range(200):
            if "left" in await lanes.read(project, keys):
                return True
            await asyncio.sleep(0.01)
        return False

    assert run(scenario())


def test_writes_that_wait_for_each_other_are_both_done(project: ProjectHandle, lanes: Lanes) -> None:
    both_hold_one = threading.Barrier(2, timeout=0.5)

    def raise_(first: str, second: str) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            for key in (first, second):
                sql = "UPDATE _params SET value = value || '1' WHERE key = ?"
                session.execute(session.sql(sql), (key,))
                if session.engine == "postgresql" and key == first:
                    with suppress(threading.BrokenBarrierError):
                        both_hold_one.wait()

        return work

    async def scenario() -> list[Any]:
        for key in ("a", "b"):
            await lanes.write(project, put(key))
        await asyncio.gather(lanes.write(project, raise_("a", "b")), lanes.write(project, raise_("b", "a")))
        return await lanes.read(
            project, lambda session: session.rows("SELECT value FROM _params WHERE key IN ('a', 'b')")
        )

    assert run(scenario()) == [("111",), ("111",)]
