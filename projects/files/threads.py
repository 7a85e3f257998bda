"""Threads for calls that block on a disk or a bucket: never the event loop, never a lane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from django.conf import settings

from projects.context import ProjectHandle

T = TypeVar("T")


@cache
def _disk_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.MBAAS_FILES_THREADS, thread_name_prefix="files")


@cache
def _storage_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.MBAAS_FILES_THREADS, thread_name_prefix="storage")


async def in_files_pool(work: Callable[[], T]) -> T:
    """``work()``, which waits for the local disk alone, on a thread."""
    return await asyncio.get_running_loop().run_in_executor(_disk_threads(), work)


class _Turns:
    """How many calls of one project wait for a storage, in one event loop."""

    def __init__(self, width: int) -> None:
        self.semaphore = asyncio.Semaphore(width)
        self.users = 0


_turns: dict[tuple[int, str], _Turns] = {}


async def in_storage_pool(project: ProjectHandle, work: Callable[[], T]) -> T:
    """``work()``, which may wait for a bucket, on a thread.

    A project has a quarter of the threads at most: when its bucket hangs, the others' go on.
    """
    loop = asyncio.get_running_loop()
    key = (id(loop), project.uid)
    turns = _turns.get(key)
    if turns is None:
        turns = _turns[key] = _Turns(max(1, settings.MBAAS_FILES_THREADS // 4))
    turns.users += 1
    try:
        async with turns.semaphore:
            return await loop.run_in_executor(_storage_threads(), work)
    finally:
        turns.users -= 1
        if not turns.users:
            _turns.pop(key, None)
