"""Guessing passwords is slowed: strictly per account, generously per address.

After some wrong passwords for one identity each further one doubles the wait, up to a bound, so that an
account cannot be locked for long by somebody else. Addresses get a high limit: a carrier puts thousands of
phones behind one. What was typed is counted whether or not anybody has it, so a 429 tells nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings

from projects.context import ProjectHandle
from projects.errors import FieldError
from projects.ratelimit import Limiter, address_of, limit_key, limiter, too_many

# The project's setting that overrides some of these limits, by their wire names below.
SETTING = "signInThrottle"


@dataclass(frozen=True, slots=True)
class GuessLimits:
    """Times in seconds. The settings MBAAS_SIGN_IN_* hold the defaults.

    ``freeAttempts`` wrong passwords for an identity cost nothing, the next one ``firstDelay``, then twice
    that and so on up to ``longestDelay``. ``forgetAfter``: when the count begins anew.
    ``addressAttempts`` wrong passwords may come from one address in ``addressWindow``.
    """

    freeAttempts: int
    firstDelay: int
    longestDelay: int
    forgetAfter: int
    addressAttempts: int
    addressWindow: int

    @classmethod
    def of(cls, project: ProjectHandle) -> GuessLimits:
        values = {
            "freeAttempts": settings.MBAAS_SIGN_IN_FREE_ATTEMPTS,
            "firstDelay": settings.MBAAS_SIGN_IN_FIRST_DELAY,
            "longestDelay": settings.MBAAS_SIGN_IN_LONGEST_DELAY,
            "forgetAfter": settings.MBAAS_SIGN_IN_FORGET_AFTER,
            "addressAttempts": settings.MBAAS_SIGN_IN_ADDRESS_ATTEMPTS,
            "addressWindow": settings.MBAAS_SIGN_IN_ADDRESS_WINDOW,
        }
        own = project.setting(SETTING)
        return cls(**{**values, **(own if isinstance(own, dict) else {})})

    def delay_after(self, wrong: int) -> int:
        """How long the next attempt must wait after that many wrong ones."""
        beyond = wrong - self.freeAttempts
        # The exponent is bounded before it is used: 2**10000 is a number too.
        return min(self.firstDelay * 2 ** min(beyond - 1, 30), self.longestDelay) if beyond > 0 else 0


_MOST = 10**6


def check_sign_in_throttle(value: Any) -> FieldError | None:
    """What is wrong with a project's setting ``signInThrottle``, in one sentence."""
    names = [item.name for item in fields(GuessLimits)]
    if not isinstance(value, dict) or set(value) - set(names):
        return FieldError("validation_invalid_value", f"Must be an object with some of: {', '.join(names)}.")
    for name, number in value.items():
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= _MOST:
            return FieldError("validation_invalid_value", f"{name} must be a whole number from 1 to {_MOST}.")
    return None


class Attempt:
    """One check of a password; its caller says how it went. Nothing is counted when it says nothing."""

    def __init__(self) -> None:
        self.right: bool | None = None


@asynccontextmanager
async def guess(project: ProjectHandle, subject: str, ip: str) -> AsyncIterator[Attempt]:
    """Let one password be tried for ``subject`` (whose: an identity as typed, a record's id).

    Raises ApiError 429 with Retry-After. Attempts for one subject wait for each other beyond
    ``freeAttempts``, so that a thousand sent at once are no thousand guesses.
    """
    limits, counts = GuessLimits.of(project), limiter()
    name = _name(subject)
    wrong, waiting = limit_key(project, "wrong", name), limit_key(project, "wait", name)
    address = limit_key(project, "wrong-from", address_of(ip))
    async with _turn(wrong, limits.freeAttempts):
        await _admit(counts, limits, waiting, address)
        attempt = Attempt()
        try:
            yield attempt
        finally:
            if attempt.right:
                await counts.clear(wrong)
            elif attempt.right is False:
                await counts.count(address, limits.addressWindow)
                delay = limits.delay_after(await counts.count(wrong, limits.forgetAfter))
                if delay:
                    await counts.count(waiting, delay)


async def _admit(counts: Limiter, limits: GuessLimits, waiting: str, address: str) -> None:
    if await counts.counted(waiting):
        raise too_many(await counts.seconds_left(waiting))
    if await counts.counted(address) >= limits.addressAttempts:
        raise too_many(await counts.seconds_left(address))


def _name(subject: str) -> str:
    """Spellings that one index may take for the same share a count; hashed, for it may hold anything."""
    text = unicodedata.normalize("NFKC", subject).casefold().strip()
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


class _Turn:
    __slots__ = ("places", "users")

    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.users = 0


_turns: dict[str, _Turn] = {}


@asynccontextmanager
async def _turn(key: str, places: int) -> AsyncIterator[None]:
    """At most ``places`` at once in this process for one key."""
    turn = _turns.setdefault(key, _Turn(max(1, places)))
    turn.users += 1
    try:
        async with turn.places:
            yield
    finally:
        turn.users -= 1
        if not turn.users:
            _turns.pop(key, None)
