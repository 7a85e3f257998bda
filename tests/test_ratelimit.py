"""One conformance suite for both places where counters live, and what happens when Redis fails."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.ratelimit import BoundedMemory, Limiter, address_of, limit_key, limiter, too_many
from tests.services import REDIS_VARIABLE, free_port

Test = Callable[[Limiter], Awaitable[None]]
REDIS = os.environ.get(REDIS_VARIABLE, "")


@pytest.fixture(params=["memory", "redis"] if REDIS else ["memory"])
def run(request: pytest.FixtureRequest) -> Callable[[Test], None]:
    """Run a test with a limiter of each kind."""

    def with_limiter(test: Test) -> None:
        async def inside() -> None:
            await test(Limiter(REDIS if request.param == "redis" else ""))

        asyncio.run(inside())

    return with_limiter


def key() -> str:
    return f"test:{time.time_ns()}"


def test_events_are_counted_until_their_window_ends(run: Callable[[Test], None]) -> None:
    async def test(counts: Limiter) -> None:
        one, other = key(), key() + "b"
        assert [await counts.count(one, 1) for _ in range(3)] == [1, 2, 3]
        assert (await counts.counted(one), await counts.counted(other)) == (3, 0)
        await asyncio.sleep(1.1)
        assert await counts.counted(one) == 0
        assert await counts.count(one, 1) == 1

    run(test)


def test_later_events_do_not_put_the_end_off(run: Callable[[Test], None]) -> None:
    async def test(counts: Limiter) -> None:
        one = key()
        await counts.count(one, 2)
        await asyncio.sleep(1.1)
        await counts.count(one, 2)
        assert 0 < await counts.seconds_left(one) <= 1.5

    run(test)


def test_what_is_cleared_begins_anew(run: Callable[[Test], None]) -> None:
    async def test(counts: Limiter) -> None:
        one = key()
        await counts.count(one, 60)
        await counts.clear(one)
        await counts.clear(key())
        assert await counts.counted(one) == 0 and await counts.count(one, 60) == 1

    run(test)


def test_a_thousand_at_once_are_counted_each(run: Callable[[Test], None]) -> None:
    async def test(counts: Limiter) -> None:
        one = key()
        seen = await asyncio.gather(*(counts.count(one, 60) for _ in range(1000)))
        assert sorted(seen) == list(range(1, 1001))

    run(test)


@pytest.mark.skipif(not REDIS, reason=f"{REDIS_VARIABLE} names no Redis")
def test_two_processes_share_their_counts_in_redis() -> None:
    async def test() -> None:
        one, first, second = key(), Limiter(REDIS), Limiter(REDIS)
        assert (await first.count(one, 60), await second.count(one, 60)) == (1, 2)
        await first.clear(one)
        assert await second.counted(one) == 0

    asyncio.run(test())


def test_without_its_redis_a_limiter_counts_on_in_memory() -> None:
    async def test() -> None:
        counts, one = Limiter(f"redis://127.0.0.1:{free_port()}/0"), key()
        assert [await counts.count(one, 60) for _ in range(3)] == [1, 2, 3]
        assert await counts.counted(one) == 3
        await counts.clear(one)
        assert await counts.counted(one) == 0

    asyncio.run(test())


def test_a_redis_that_does_not_answer_holds_nobody_up_for_long() -> None:
    async def test() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        async with server:
            counts = Limiter(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
            began = time.monotonic()
            seen = await asyncio.gather(*(counts.count("a", 60) for _ in range(200)))
            assert sorted(seen) == list(range(1, 201))
            assert time.monotonic() - began < 5

    asyncio.run(test())


def test_a_redis_that_failed_is_asked_again_only_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("projects.ratelimit.time.monotonic", lambda: clock[0])

    async def test() -> None:
        counts = Limiter(f"redis://127.0.0.1:{free_port()}/0")
        await counts.count("a", 60)
        calls: list[str] = []
        storage: Any = counts._redis

        async def incr(name: str, *args: Any) -> int:
            calls.append(name)
            return 77

        monkeypatch.setattr(storage, "incr", incr)
        assert await counts.count("a", 60) == 2 and not calls
        clock[0] += 5.1
        assert await counts.count("a", 60) == 77 and calls == ["a"]

    asyncio.run(test())


def test_memory_is_bounded_and_drops_the_oldest() -> None:
    async def test() -> None:
        memory = BoundedMemory(3)
        for name in "abcd":
            await memory.incr(name, 60)
        assert list(memory._counts) == ["b", "c", "d"]
        await memory.incr("b", 60)
        assert await memory.get("b") == 2
        assert await memory.reset() == 3 and await memory.get("b") == 0

    asyncio.run(test())


def test_what_has_ended_leaves_memory_as_others_come(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("projects.ratelimit.time.time", lambda: clock[0])

    async def test() -> None:
        memory = BoundedMemory(1000)
        for i in range(100):
            await memory.incr(f"old{i}", 60)
        clock[0] += 61
        for i in range(100):
            await memory.incr(f"new{i}", 60)
        assert len(memory._counts) <= 101

    asyncio.run(test())


def test_a_count_costs_the_same_with_many_keys() -> None:
    async def test() -> None:
        memory = BoundedMemory(200_000)
        for i in range(100_000):
            await memory.incr(f"key{i}", 600)
        began = time.perf_counter()
        for i in range(1000):
            await memory.incr(f"more{i}", 600)
        # The storage that comes with limits takes 32 s for these.
        assert time.perf_counter() - began < 1

    asyncio.run(test())


def test_each_event_loop_has_a_limiter_of_its_own() -> None:
    async def test() -> Limiter:
        assert limiter() is limiter()
        return limiter()

    assert asyncio.run(test()) is not asyncio.run(test())


@pytest.mark.parametrize(
    ("ip", "counts_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_network_is_one_address(ip: str, counts_as: str) -> None:
    assert address_of(ip) == counts_as


def test_keys_begin_with_the_projects_uid() -> None:
    handle = ProjectHandle("a" * 15, "demo", "sqlite", "local")
    assert limit_key(handle, "rate", "*:auth", "192.0.2.1") == "a" * 15 + ":rate:*:auth:192.0.2.1"


@pytest.mark.parametrize(("seconds", "header"), [(0.0, "1"), (0.2, "1"), (1.1, "2"), (60.0, "60")])
def test_the_answer_says_when_to_come_back(seconds: float, header: str) -> None:
    error = too_many(seconds)
    assert error.as_json() == {"status": 429, "message": "Too Many Requests.", "data": {}}
    assert error.headers == {"Retry-After": header}
