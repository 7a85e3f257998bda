"""Writes that may hold passwords: hashed between two tries, on threads that no database waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request

from projects.accounts.passwords import do_password_work
from projects.accounts.throttle import guess
from projects.api.dispatch import client_ip, in_password_pool, write
from projects.api.limits import check, tags
from projects.context import current_project
from projects.records.auth_fields import (
    NOTHING_HASHED,
    HashedPasswords,
    PasswordWork,
    UnhashedPasswords,
)
from projects.records.call import Call

T = TypeVar("T")

# A try finds what is to be hashed, the next one writes; one more for a record that changed in between.
_TRIES = 3


async def write_hashing(
    request: Request,
    work: Callable[[Call, HashedPasswords], T],
    *,
    body: Mapping[str, Any] | None = None,
) -> T:
    """``work(call, hashed)`` in a write transaction, with what its passwords were hashed to.

    Sign-ups are limited and guesses at an old password throttled on the way: raises ApiError 429 too.
    """

    def with_hashes(hashed: HashedPasswords) -> Callable[[Call], T]:
        return lambda call: work(call, hashed)

    hashed = NOTHING_HASHED
    for _ in range(_TRIES):
        try:
            return await write(request, with_hashes(hashed), body=body)
        except UnhashedPasswords as needed:
            hashed = await hash_now(request, needed.work)
    raise RuntimeError("the passwords of a write changed at every try")


async def hash_now(request: Request, work: PasswordWork) -> HashedPasswords:
    """Do what a write asked for. Raises ApiError 429."""
    project, ip = current_project(), client_ip(request)
    if work.sign_up:
        await check(project, tags("signUp", work.collection_name), ip)
    if not work.old:
        return await in_password_pool(lambda: do_password_work(work))
    async with guess(project, f"{work.collection_id}/{work.record_id}", ip) as attempt:
        hashed = await in_password_pool(lambda: do_password_work(work))
        attempt.right = bool(hashed.proved)
    return hashed
