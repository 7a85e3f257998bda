"""From the committing thread to the loop, in one process."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from projects.context import ProjectHandle
from projects.realtime.bus import Inbox, LocalBus
from projects.realtime.submission import Submission
from projects.records.events import ChangeEvent
from tests.realtime.support import run, stage, status_of, until

PROJECT = ProjectHandle("uid", "demo", "sqlite", "local")


def event(seq: int) -> ChangeEvent:
    return ChangeEvent(PROJECT, seq, 1, "posts", "r", "create", None, {"id": "r"})


def test_what_many_threads_put_in_comes_out_whole_with_few_wake_ups() -> None:
    async def scenario() -> None:
        taken: list[list[ChangeEvent]] = []
        inbox = Inbox(asyncio.get_running_loop(), taken.append)

        def put(first: int) -> None:
            for seq in range(first, first + 1000):
                inbox.put(event(seq))

        threads = [threading.Thread(target=put, args=(n * 1000,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        await until(lambda: sum(map(len, taken)) == 4000)
        assert {one.seq for batch in taken for one in batch} == set(range(4000))
        # All were put in while the loop was busy waiting for the threads.
        assert len(taken) == 1
        for thread_first in range(0, 4000, 1000):
            own = [one.seq for batch in taken for one in batch if one.seq // 1000 * 1000 == thread_first]
            assert own == sorted(own)

    run(scenario())


def test_a_loop_that_has_ended_does_not_fail_the_writer() -> None:
    taken: list[Any] = []

    async def make() -> Inbox:
        return Inbox(asyncio.get_running_loop(), taken.append)

    inbox = asyncio.run(make())
    inbox.put(event(1))
    assert taken == []


def test_changes_that_nobody_waits_for_do_not_wake_the_loop(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            woken: list[Any] = []
            bus = s.bus
            assert isinstance(bus, LocalBus)
            put = bus._inbox.put  # type: ignore[union-attr]
            bus._inbox.put = lambda item: (woken.append(item), put(item))  # type: ignore[union-attr, method-assign, func-returns-value]
            posts = await s.collection("posts")
            await s.create(posts)
            assert woken == []
            listener = await s.connect("posts/*")
            await s.create(posts)
            assert len(woken) == 1
            assert listener.actions() == ["create"]

    run(scenario())


def test_a_client_of_another_process_is_not_found_where_there_is_none(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            elsewhere = "x" * 10 + "y" * 30
            assert await status_of(s.hub.submit(project, Submission(elsewhere, ()), "")) == 404

    run(scenario())
