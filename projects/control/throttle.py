"""Brute force on sign-in is slowed: attempts are counted by address and by e-mail, right ones given back.

Counted in Django's cache, so over all processes where it is shared. An attempt is counted before the
password is checked, so that many at once do not all slip under the limit.
"""

from __future__ import annotations

import contextlib
import hashlib
import time

from django.conf import settings
from django.core.cache import cache

from projects.errors import ApiError
from projects.models import normalize_email

_PREFIX = "control:sign-in"


def begin_attempt(ip: str, email: str) -> None:
    """Count an attempt. Raises ApiError 429 (with Retry-After, seconds) when there were too many."""
    refused = False
    for key, limit in _counters(ip, email):
        refused = _add(key) > limit or refused
    if refused:
        raise ApiError(
            429, "Too many attempts. Try again later.", headers={"Retry-After": str(_seconds_left())}
        )


def attempt_succeeded(ip: str, email: str) -> None:
    """The password was right: forget this person's attempts from this address, and this one elsewhere.

    The address keeps its other attempts: else who has one account could guess at others forever.
    """
    own, *shared = _counters(ip, email)
    cache.delete(own[0])
    for key, _ in shared:
        # The window may have just turned over: then there is nothing to give back.
        with contextlib.suppress(ValueError):
            cache.decr(key)


def _add(key: str) -> int:
    cache.add(key, 0, _window() * 2)
    try:
        return cache.incr(key)
    except ValueError:
        # Evicted in between by a full cache.
        cache.set(key, 1, _window())
        return 1


def _window() -> int:
    seconds: int = settings.MBAAS_CONSOLE_SIGN_IN_WINDOW
    return seconds


def _seconds_left() -> int:
    return _window() - int(time.time()) % _window()


def _counters(ip: str, email: str) -> tuple[tuple[str, int], ...]:
    limit: int = settings.MBAAS_CONSOLE_SIGN_IN_LIMIT
    window = int(time.time()) // _window()
    person = normalize_email(email)
    return (
        (_key(window, ip, person), limit),
        # Many people may share an address; many addresses may be tried on one person.
        (_key(window, ip, ""), limit * 10),
        (_key(window, "", person), limit * 10),
    )


def _key(window: int, ip: str, email: str) -> str:
    # Hashed: what was typed may hold anything, and cache servers refuse some of it.
    return f"{_PREFIX}:{window}:{hashlib.sha256(f'{ip}|{email}'.encode()).hexdigest()}"
