"""Quick reads on the event loop's own thread: what runs there, and what does not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from projects.databases import Session, write_session
from projects.databases import session as sessions
from projects.databases.lanes import Lanes
from projects.databases.loop_reads import _MOST_WAITS, _WAITED_SECONDS

HERE = threading.get_ident

# 3 million instructions or so: far beyond the quick budget.
_LONG = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT max(i) FROM n"
)


@pytest.fixture
def engine() -> str:
    """Only SQLite's reads run on the loop."""
    return "sqlite"


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes()
    yield made
    made.stop(5)


def thread_of(session: Session) -> int:
    session.row("SELECT 1")
    return HERE()


def name_of_thread(session: Session) -> str:
    session.row("SELECT 1")
    return threading.current_thread().name


def value(session: Session) -> Any:
    row = session.row("SELECT value FROM _params WHERE key = 'test'")
    return row and row[0]


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await work()

    return asyncio.run(main())


async def warm(lanes: Lanes, project: Any) -> None:
    """Read until the project is open on the loop."""
    deadline = time.monotonic() + 5
    while await lanes.read(project, thread_of) != HERE():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def set_value(project: Any, text: str) -> None:
    with write_session(project) as session:
        session.execute("INSERT OR REPLACE INTO _params (key, value) VALUES ('test', ?)", (text,))


def test_the_first_read_opens_a_project_elsewhere_and_the_next_runs_on_the_loop(
    lanes: Lanes, project: Any
) -> None:
    async def work() -> None:
        assert await lanes.read(project, thread_of) != HERE()
        assert await lanes.read(project, thread_of) == HERE()

    run(work)


def test_what_may_be_long_never_runs_on_the_loop(lanes: Lanes, project: Any) -> None:
    async def work() -> None:
        await warm(lanes, project)
        assert await lanes.read(project, thread_of, "large") != HERE()

    run(work)


def test_a_statement_beyond_the_budget_is_stopped_and_answered_by_the_slow_pool(
    lanes: Lanes, project: Any
) -> None:
    threads: list[int] = []

    def long(session: Session) -> Any:
        threads.append(HERE())
        return session.row(_LONG)

    async def work() -> None:
        await warm(lanes, project)
        assert await lanes.read(project, long) == (300000,)
        assert threads[0] == HERE() and threads[-1] != HERE()

    run(work)


def test_a_statement_that_was_stopped_is_not_begun_again_on_the_loop(lanes: Lanes, project: Any) -> None:
    took: list[float] = []

    def long(session: Session) -> Any:
        began = time.perf_counter()
        try:
            return session.row(_LONG)
        finally:
            if HERE() == loop:
                took.append(time.perf_counter() - began)

    async def work() -> None:
        await warm(lanes, project)
        for _ in range(3):
            await lanes.read(project, long)

    loop = HERE()
    run(work)
    assert len(took) == 3 and max(took[1:]) < took[0] / 5


def test_short_statements_are_never_stopped_however_often_they_run(lanes: Lanes, project: Any) -> None:
    async def work() -> None:
        await warm(lanes, project)
        names = {await lanes.read(project, name_of_thread) for _ in range(20_000)}
        # SQLite counts instructions over all runs of a prepared statement.
        assert not any(name.startswith("read-slow") for name in names)

    run(work)


def test_a_budget_that_is_used_up_stops_nothing_of_the_next_read(
    lanes: Lanes, project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every statement is too long, those that begin and end a transaction included.
    monkeypatch.setattr(sessions, "QUICK_INSTRUCTIONS", 1)

    async def work() -> None:
        await lanes.read(project, thread_of)
        opened = lanes._here._open[project.alias]
        for number in range(50):
            assert await lanes.read(project, lambda session, n=number: session.row(f"SELECT {n}")) == (
                number,
            )
        assert lanes._here._open[project.alias] is opened

    run(work)


def test_a_read_sees_what_was_written_before_it_was_asked(lanes: Lanes, project: Any) -> None:
    async def work() -> None:
        await warm(lanes, project)
        for number in range(20):
            await asyncio.to_thread(set_value, project, str(number))
            assert await lanes.read(project, value) == str(number)
            assert await lanes.read(
                project, lambda session: session.remember("v", lambda: value(session))
            ) == str(number)

    run(work)


def test_reads_of_one_turn_share_a_snapshot_and_leave_none_open(lanes: Lanes, project: Any) -> None:
    def set_elsewhere(text: str) -> None:
        """By another thread, while the loop stands still."""
        thread = threading.Thread(target=set_value, args=(project, text))
        thread.start()
        thread.join()

    async def work() -> None:
        set_elsewhere("before")
        await warm(lanes, project)
        first = await lanes.read(project, value)
        set_elsewhere("after")
        assert (first, await lanes.read(project, value)) == ("before", "before")
        await asyncio.sleep(0)
        assert await lanes.read(project, value) == "after"

    run(work)


def test_a_loop_that_ended_leaves_no_old_snapshot_behind(lanes: Lanes, project: Any) -> None:
    async def first() -> None:
        await warm(lanes, project)
        await lanes.read(project, value)

    run(first)
    set_value(project, "new")
    assert run(lambda: lanes.read(project, value)) == "new"


@pytest.mark.django_db
def test_a_read_that_needs_the_control_plane_runs_on_a_lane(lanes: Lanes, project: Any) -> None:
    def control(session: Session) -> int:
        try:
            with connections["default"].cursor():
                return HERE()
        finally:
            if HERE() != loop:
                connections.close_all()

    async def work() -> None:
        await warm(lanes, project)
        assert await lanes.read(project, control) != loop

    loop = HERE()
    run(work)


def test_a_project_that_waited_for_its_disk_is_read_elsewhere_for_a_while(lanes: Lanes, project: Any) -> None:
    def waiting(session: Session) -> int:
        if HERE() == loop:
            time.sleep(2 * _WAITED_SECONDS)
        return HERE()

    async def work() -> None:
        await warm(lanes, project)
        for _ in range(_MOST_WAITS):
            assert await lanes.read(project, waiting) == loop
        assert await lanes.read(project, thread_of) != loop

    loop = HERE()
    run(work)


def test_only_so_many_databases_are_held_open(
    lanes: Lanes, make_project: Callable[..., Any], settings: Any
) -> None:
    settings.MBAAS_OPEN_DATABASES = 2

    async def work() -> None:
        for number in range(4):
            await warm(lanes, make_project(f"p{number}"))
        assert len(lanes._here._open) == 2

    run(work)
