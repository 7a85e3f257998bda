from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from projects.accounts.throttle import GuessLimits, check_sign_in_throttle, guess
from projects.context import ProjectHandle
from projects.errors import ApiError
from projects.ratelimit import limiter


def handle(uid: str = "a" * 15, **settings: Any) -> ProjectHandle:
    return ProjectHandle(uid, "demo", "sqlite", "local", settings=tuple(settings.items()))


FIRST, SECOND = handle(), handle("b" * 15)
IP = "192.0.2.1"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000_000.0]
    monkeypatch.setattr("projects.ratelimit.time.time", lambda: now[0])
    return now


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def attempt(
    right: bool | None, subject: str = "users/alice", project: ProjectHandle = FIRST, ip: str = IP
) -> int:
    """0 when it was let through, else the seconds to wait."""
    try:
        async with guess(project, subject, ip) as one:
            one.right = right
    except ApiError as error:
        if error.status != 429 or error.data:
            raise
        return int(error.headers["Retry-After"])
    return 0


async def wrong(times: int, **where: Any) -> list[int]:
    return [await attempt(False, **where) for _ in range(times)]


def test_some_wrong_passwords_are_free_and_then_the_wait_doubles(clock: list[float]) -> None:
    async def test() -> None:
        assert await wrong(6) == [0] * 6
        waits = []
        for _ in range(12):
            wait = await attempt(False)
            waits.append(wait)
            clock[0] += wait
            assert await attempt(False) == 0
        assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]

    run(test())


def test_while_it_waits_not_even_the_right_password_is_tried(clock: list[float]) -> None:
    async def test() -> None:
        await wrong(6)
        assert await attempt(True) == 2
        clock[0] += 2
        assert await attempt(True) == 0

    run(test())


def test_a_success_forgets_the_wrong_ones_before_it(clock: list[float]) -> None:
    async def test() -> None:
        await wrong(5)
        assert await attempt(True) == 0
        assert await wrong(6) == [0] * 6
        assert await attempt(False) == 2

    run(test())


def test_the_count_begins_anew_after_a_day(clock: list[float]) -> None:
    async def test() -> None:
        await wrong(5)
        clock[0] += 86_401
        assert await wrong(6) == [0] * 6

    run(test())


def test_an_attempt_that_was_never_decided_counts_for_nothing(clock: list[float]) -> None:
    async def test() -> None:
        for _ in range(20):
            assert await attempt(None) == 0

        with pytest.raises(RuntimeError, match="database"):
            async with guess(FIRST, "users/alice", IP):
                raise RuntimeError("database")
        assert await wrong(6) == [0] * 6

    run(test())


@pytest.mark.parametrize(
    "elsewhere",
    [{"project": SECOND}, {"subject": "members/alice"}, {"subject": "users/bob"}],
    ids=["project", "collection", "identity"],
)
def test_one_throttle_says_and_does_nothing_in_another(clock: list[float], elsewhere: dict[str, Any]) -> None:
    async def test() -> None:
        await wrong(6)
        assert await attempt(False) == 2
        assert await wrong(6, **elsewhere) == [0] * 6
        await attempt(True, **elsewhere)
        assert await attempt(False) == 2

    run(test())


@pytest.mark.parametrize("spelling", ["users/ALICE", "users/alice ", "users/ａlice", "users/Alice"])
def test_spellings_of_one_identity_share_its_count(clock: list[float], spelling: str) -> None:
    async def test() -> None:
        await wrong(6)
        assert await attempt(False, subject=spelling) == 2

    run(test())


def test_another_address_does_not_help_the_guesser(clock: list[float]) -> None:
    async def test() -> None:
        for i in range(6):
            assert await attempt(False, ip=f"198.51.100.{i}") == 0
        assert await attempt(False, ip="198.51.100.99") == 2

    run(test())


def test_an_address_has_a_high_limit_over_all_identities(clock: list[float]) -> None:
    async def test() -> None:
        for i in range(100):
            assert await attempt(False, subject=f"users/{i}") == 0
        assert await attempt(False, subject="users/one more") == 300
        assert await attempt(True, subject="users/one more") == 300
        assert await attempt(False, subject="users/one more", ip="198.51.100.1") == 0
        assert await attempt(False, subject="users/one more", project=SECOND) == 0
        clock[0] += 300
        assert await attempt(False, subject="users/one more") == 0

    run(test())


def test_thousands_of_phones_behind_one_address_sign_in(clock: list[float]) -> None:
    async def test() -> None:
        for i in range(2000):
            assert await attempt(True, subject=f"users/{i}") == 0

    run(test())


def test_an_ipv6_customer_is_one_address(clock: list[float]) -> None:
    async def test() -> None:
        for i in range(100):
            await attempt(False, subject=f"users/{i}", ip=f"2001:db8:0:1::{i:x}")
        assert await attempt(False, subject="users/x", ip="2001:db8:0:1:ffff::1") == 300
        assert await attempt(False, subject="users/x", ip="2001:db8:0:2::1") == 0

    run(test())


def test_a_thousand_guesses_at_once_are_no_thousand_guesses(clock: list[float]) -> None:
    tried = 0

    async def one() -> None:
        nonlocal tried
        async with guess(FIRST, "users/alice", IP) as it:
            tried += 1
            await asyncio.sleep(0.001)
            it.right = False

    async def test() -> None:
        outcomes = await asyncio.gather(*(one() for _ in range(1000)), return_exceptions=True)
        assert sum(isinstance(one, ApiError) for one in outcomes) == 1000 - tried
        assert tried <= 10

    run(test())


def test_the_right_password_many_times_at_once_is_welcome(clock: list[float]) -> None:
    async def one() -> None:
        async with guess(FIRST, "users/alice", IP) as it:
            await asyncio.sleep(0)
            it.right = True

    async def test() -> None:
        await asyncio.gather(*(one() for _ in range(100)))

    run(test())


def test_keys_hold_the_project_and_no_identity(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        await wrong(6, subject="users/alice@example.com")
        keys = list(limiter()._memory._counts)
        assert len(keys) == 3
        assert all(key.startswith(FIRST.uid + ":") and "alice" not in key for key in keys)

    run(test())


def test_a_project_sets_its_own_limits(clock: list[float]) -> None:
    strict = handle("c" * 15, signInThrottle={"freeAttempts": 1, "firstDelay": 10, "addressAttempts": 3})

    async def test() -> None:
        assert await wrong(2, project=strict) == [0, 0]
        assert await attempt(False, project=strict) == 10
        assert await attempt(False, project=strict, subject="users/bob") == 0
        assert await attempt(False, project=strict, subject="users/carol") == 300

    run(test())


def test_the_wait_is_bounded_however_many_were_wrong() -> None:
    assert GuessLimits.of(FIRST).delay_after(10**6) == 900


@pytest.mark.parametrize("value", [{}, {"freeAttempts": 3}, {"longestDelay": 60, "forgetAfter": 3600}])
def test_a_projects_throttle_that_is_in_order_is_accepted(value: Any) -> None:
    assert check_sign_in_throttle(value) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"more": 1},
        {"freeAttempts": 0},
        {"freeAttempts": "5"},
        {"firstDelay": True},
        {"firstDelay": 1.5},
    ],
)
def test_a_projects_throttle_that_is_wrong_is_refused_in_a_sentence(value: Any) -> None:
    error = check_sign_in_throttle(value)
    assert error is not None and error.message.endswith(".")
