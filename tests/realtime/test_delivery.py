"""Order, slow readers, and ends of streams."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases.lanes import TooBusyError
from projects.realtime import client as client_module
from projects.realtime import project_hub
from projects.realtime.client import start
from projects.realtime.hub import Hub
from projects.realtime.submission import Submission
from projects.records.events import ChangeEvent, listen, unlisten
from tests.realtime.support import (
    LIMITS,
    FakeTransport,
    change,
    insert,
    number,
    relation,
    run,
    stage,
    status_of,
    text,
    topic,
    until,
)


def test_changes_are_heard_in_the_order_of_their_commits_also_where_sql_decides_some(
    project: ProjectHandle,
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", text("name"))
            await s.create(orgs, id="org000000000000", name="x")
            plain = await s.collection("plain", number("n"))
            related = await s.collection(
                "related", number("n"), relation("org", orgs), listRule="org.name = 'x'"
            )
            listener = await s.connect("plain/*", "related/*", topic("plain/*", {"filter": "n >= 0"}))
            for n in range(60):
                collection, values = (related, {"org": "org000000000000"}) if n % 3 == 0 else (plain, {})
                await s.write_only(lambda call, c=collection, v=values, n=n: insert(call, c, n=n, **v))
            await s.settle()
            heard = listener.heard()
            by_topic: dict[str, list[int]] = {}
            for name, _, record in heard:
                by_topic.setdefault(name, []).append(record["n"])
            assert by_topic["related/*"] == list(range(0, 60, 3))
            first_topics = [record["n"] for name, _, record in heard if name in ("plain/*", "related/*")]
            assert first_topics == list(range(60))

    run(scenario())


def test_the_changes_of_one_transaction_come_in_their_order_and_with_rising_numbers(
    project: ProjectHandle,
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"))
            listener = await s.connect("posts/*")

            def many(call: Any) -> None:
                record = insert(call, posts, n=0)
                for n in range(1, 20):
                    change(call, posts, record["id"], n=n)

            await s.write(many)
            frames = listener.frames()
            assert [list(frame) for frame in frames] == [["id", "event", "data"]] * 20
            numbers = [int(frame["id"]) for frame in frames]
            assert numbers == sorted(set(numbers))

    run(scenario())


def test_what_comes_together_is_written_together(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine: all of it in one turn of the loop.
    monkeypatch.setattr(project_hub, "SLICE_SECONDS", 60)

    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"))
            together: list[ChangeEvent] = []
            listen(together.append)
            try:
                await s.write(lambda call: [insert(call, posts, n=n) for n in range(50)])
            finally:
                unlisten(together.append)
            listener = await s.connect("posts/*")
            s.hub.receive(together)
            await s.settle()
            assert [record["n"] for _, _, record in listener.heard()] == list(range(50))
            assert listener.transport.writes == 1

    run(scenario())


def test_a_slow_client_is_dropped_and_holds_nobody_up(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project, limits=replace(LIMITS, arrears=10)) as s:
            posts = await s.collection("posts", number("n"))
            slow, quick = await s.connect("posts/*"), await s.connect("posts/*")
            slow.transport.room.clear()
            for n in range(12):
                await s.create(posts, n=n)
            # One is being written and ten wait: as many as it may be behind.
            assert len(quick.frames()) == 12
            assert slow.ended
            assert slow.transport.aborted and not slow.transport.finished
            assert await status_of(slow.subscribe("posts/*")) == 404
            await s.create(posts, n=12)
            assert len(quick.frames()) == 1

    run(scenario())


def test_a_client_that_was_slow_for_a_moment_misses_nothing(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project, limits=replace(LIMITS, arrears=10)) as s:
            posts = await s.collection("posts", number("n"))
            listener = await s.connect("posts/*")
            for round_ in range(3):
                listener.transport.room.clear()
                for n in range(8):
                    await s.create(posts, n=round_ * 8 + n)
                listener.transport.room.set()
                await until(lambda: listener.client._sending is None)
            assert [record["n"] for _, _, record in listener.heard()] == list(range(24))
            assert not listener.ended

    run(scenario())


def test_a_client_that_reads_nothing_is_bounded_in_bytes_too(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MAX_WAITING_BYTES", 10_000)

    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title", max=100_000))
            slow = await s.connect("posts/*")
            slow.transport.room.clear()
            for _ in range(4):
                await s.create(posts, title="x" * 4000)
            assert slow.ended

    run(scenario())


def test_one_event_larger_than_the_bound_is_still_delivered(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "MAX_WAITING_BYTES", 1000)
    monkeypatch.setattr(client_module, "MAX_WRITE_BYTES", 1000)

    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title", max=100_000))
            listener = await s.connect("posts/*")
            for _ in range(3):
                await s.create(posts, title="x" * 4000)
                assert len(listener.frames()) == 1

    run(scenario())


def test_a_client_whose_connection_breaks_is_let_go(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts")
            broken, whole = await s.connect("posts/*"), await s.connect("posts/*")

            async def write(data: bytes) -> None:
                raise OSError("gone")

            broken.transport.write = write  # type: ignore[method-assign]
            await s.create(posts)
            assert broken.transport.aborted
            assert whole.actions() == ["create"]

    run(scenario())


def test_an_idle_stream_is_ended_one_that_was_written_to_is_not(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project, limits=replace(LIMITS, idle_seconds=0.2)) as s:
            posts = await s.collection("posts")
            idle, busy = await s.connect("other/*"), await s.connect("posts/*")
            await asyncio.sleep(0.25)
            # A submission is no sign of life on the stream.
            await idle.subscribe("more/*")
            await s.create(posts)
            s.hub.end_idle()
            assert idle.transport.finished and not busy.ended

    run(scenario())


def test_no_more_clients_than_allowed_and_none_while_stopping(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project, limits=replace(LIMITS, clients=2)) as s:
            first, _ = await s.connect(), await s.connect()
            assert await status_of(s.connect()) == 503
            s.hub.disconnect(first.client)
            third = await s.connect()
            assert await status_of(s.connect()) == 503
            s.hub.close_all()
            assert third.transport.finished
            assert s.hub._count == 0
            assert await status_of(s.connect()) == 503

    run(scenario())


def test_topics_of_all_clients_are_bounded_together(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.realtime.hub.MAX_TOPICS_BYTES", 100)

    async def scenario() -> None:
        async with stage(project) as s:
            one, other = await s.connect("x" * 60), await s.connect()
            assert await status_of(other.subscribe("y" * 60)) == 503
            assert await status_of(one.subscribe("y" * 90)) == 204
            s.hub.disconnect(one.client)
            assert await status_of(other.subscribe("y" * 60)) == 204

    run(scenario())


def test_clients_connect_anew_when_changes_may_have_been_missed(make_project: Any) -> None:
    first, second = make_project("first"), make_project("second")

    async def scenario() -> None:
        async with stage(first) as s:
            here = await s.connect("x")
            transport = FakeTransport()
            await s.hub.connect(second, transport)
            s.hub.missed(second.uid)
            assert transport.finished and not here.ended
            s.hub.missed()
            assert here.transport.finished

    run(scenario())


def test_streams_of_a_project_that_is_not_served_any_more_are_ended(make_project: Any) -> None:
    first, second = make_project("first"), make_project("second")

    async def scenario() -> None:
        async with stage(first) as s:
            here = await s.connect("x")
            transport = FakeTransport()
            await s.hub.connect(second, transport)

            async def serves(project: ProjectHandle) -> bool:
                return project.uid == first.uid

            s.hub._serves = serves
            await s.hub.recheck_projects()
            assert transport.finished and not here.ended

    run(scenario())


def test_who_cannot_be_told_connects_anew(project: ProjectHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is needed and does not answer."""

    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", text("name"))
            posts = await s.collection("posts", relation("org", orgs), listRule="org.name = 'x'")
            listener = await s.connect("posts/*")
            await s.create(posts)
            assert not listener.ended

            async def fails(*_: Any) -> Any:
                raise OSError("no database")

            s.hub._projects[project.uid]._read_once = fails
            await s.create(posts)
            assert listener.transport.finished

    run(scenario())


def test_a_busy_database_is_asked_again(project: ProjectHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_hub, "FIRST_PAUSE_SECONDS", 0.001)

    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", text("name"))
            await s.create(orgs, id="org000000000000", name="x")
            posts = await s.collection("posts", relation("org", orgs), listRule="org.name = 'x'")
            listener = await s.connect("posts/*")
            hub = s.hub._projects[project.uid]
            read, refusals = hub._read_once, iter([TooBusyError(), TooBusyError()])

            async def busy_twice(*args: Any) -> Any:
                for refusal in refusals:
                    raise refusal
                return await read(*args)

            hub._read_once = busy_twice
            await s.create(posts, org="org000000000000")
            assert listener.actions() == ["create"]

    run(scenario())


def test_a_submission_while_sql_decides_loses_no_event(project: ProjectHandle) -> None:
    """A client that adds a topic replaces all its topics; what is on its way to it still comes."""

    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", text("name"))
            await s.create(orgs, id="org000000000000", name="x")
            posts = await s.collection("posts", relation("org", orgs), listRule="org.name = 'x'")
            listener = await s.connect("posts/*")
            await s.create(posts, org="org000000000000")
            assert listener.actions() == ["create"]
            hub: Hub = s.hub
            room = hub._projects[project.uid]
            read, asked, may_answer = room._read_once, asyncio.Event(), asyncio.Event()

            async def slow(handle: ProjectHandle, work: Any) -> Any:
                answer = await read(handle, work)
                if not asked.is_set():
                    asked.set()
                    await may_answer.wait()
                return answer

            room._read_once = slow
            await s.write_only(lambda call: insert(call, posts, org="org000000000000"))
            await asked.wait()
            await hub.submit(project, Submission(listener.client.id, ("posts/*", "orgs/*")), "")
            may_answer.set()
            await s.settle()
            assert listener.actions() == ["create"]

    run(scenario())


def test_a_project_without_clients_is_forgotten_after_a_while(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            listener = await s.connect("x")
            await s.hub._forget_empty()
            s.hub.disconnect(listener.client)
            await s.hub._forget_empty()
            assert project.uid in s.hub._projects
            monkeypatch.setattr("projects.realtime.hub.KEEP_EMPTY_SECONDS", -1)
            await s.hub._forget_empty()
            assert not s.hub._projects and not s.hub._empty_since
            assert not (await s.connect("x")).ended

    run(scenario())


def test_a_long_row_of_changes_lets_the_loop_go_on_in_between(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_hub, "SLICE_SECONDS", -1)

    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"))
            listener = await s.connect("posts/*")
            turns = 0

            async def count() -> None:
                nonlocal turns
                while True:
                    await asyncio.sleep(0)
                    turns += 1

            together: list[ChangeEvent] = []
            listen(together.append)
            await s.write(lambda call: [insert(call, posts, n=n) for n in range(50)])
            unlisten(together.append)
            listener.heard()
            counting = asyncio.create_task(count())
            await asyncio.sleep(0)
            turns = 0
            s.hub.receive(together)
            await until(lambda: not s.hub._projects[project.uid]._waiting)
            counting.cancel()
            assert turns >= 49
            await s.settle()
            assert [record["n"] for _, _, record in listener.heard()] == list(range(50))

    run(scenario())


def test_on_postgresql_a_late_change_never_brings_an_older_state(project: ProjectHandle) -> None:
    """Two processes may tell of their commits in another order than they committed."""
    if project.engine != "postgresql":
        pytest.skip("SQLite has one writer at a time")

    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"))
            record = await s.create(posts, n=1)
            listener = await s.connect("posts/*")
            held: list[ChangeEvent] = []
            listen(held.append)
            s.hub.missed()
            await s.update(posts, record["id"], n=2)
            await s.update(posts, record["id"], n=3)
            unlisten(held.append)
            listener = await s.connect("posts/*")
            s.hub.receive(reversed(held))
            await s.settle()
            assert [(action, shown["n"]) for _, action, shown in listener.heard()] == [
                ("update", 3),
                ("update", 3),
            ]

    run(scenario())


# --- starting an awaitable without a task


def test_an_awaitable_that_need_not_wait_is_done_at_once() -> None:
    async def scenario() -> None:
        done: list[int] = []

        async def quick() -> None:
            done.append(1)

        assert start(quick()) is None
        assert done == [1]

    run(scenario())


def test_one_that_waits_goes_on_when_it_is_awaited() -> None:
    async def scenario() -> None:
        steps: list[str] = []
        gate = asyncio.get_running_loop().create_future()

        async def slow() -> None:
            steps.append("begun")
            steps.append(await gate)
            await asyncio.sleep(0)
            steps.append("over")

        rest = start(slow())
        assert rest is not None and steps == ["begun"]
        gate.set_result("answered")
        await rest
        assert steps == ["begun", "answered", "over"]

    run(scenario())


def test_an_error_and_a_cancellation_reach_it() -> None:
    async def scenario() -> None:
        seen: list[str] = []

        async def waits(gate: asyncio.Future[None]) -> None:
            try:
                await gate
            except (asyncio.CancelledError, OSError) as error:
                seen.append(type(error).__name__)
                raise

        failing = asyncio.get_running_loop().create_future()
        rest = start(waits(failing))
        failing.set_exception(OSError())
        assert rest is not None
        with pytest.raises(OSError):
            await rest

        rest = start(waits(asyncio.get_running_loop().create_future()))

        async def awaiting() -> None:
            assert rest is not None
            await rest

        task = asyncio.create_task(awaiting())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert seen == ["OSError", "CancelledError"]

    run(scenario())
