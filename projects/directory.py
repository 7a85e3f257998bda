"""Which project an address names: the control plane's row, kept in memory for a moment.

A change made by this process holds at once; one made by another after MBAAS_PROJECT_CACHE_SECONDS.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models.signals import post_delete, post_save

from projects.context import ProjectHandle
from projects.databases.placements import forget_placement
from projects.models import Placement, Project

# Known addresses, those without a project included; the oldest are dropped, so that guessing costs no memory.
_LIMIT = 20_000
_known: OrderedDict[str, tuple[float, ProjectHandle | None]] = OrderedDict()
_asked: dict[str, asyncio.Future[ProjectHandle | None]] = {}


def known_project(ref: str) -> ProjectHandle | None:
    """The project at ``/p/<ref>`` if it is in memory."""
    entry = _fresh(ref)
    return entry[1] if entry is not None else None


async def find_project(ref: str) -> ProjectHandle | None:
    """The project at ``/p/<ref>``; None when there is none or it is being deleted."""
    if (entry := _fresh(ref)) is not None:
        return entry[1]
    # One question to the database however many requests wait for its answer.
    waiting = _asked.get(ref)
    if waiting is None or waiting.get_loop() is not asyncio.get_running_loop():
        waiting = asyncio.get_running_loop().run_in_executor(_threads(), _look_up, ref)
        _asked[ref] = waiting
        waiting.add_done_callback(lambda _: _asked.pop(ref, None))
    return await asyncio.shield(waiting)


def _fresh(ref: str) -> tuple[float, ProjectHandle | None] | None:
    entry = _known.get(ref)
    return entry if entry is not None and entry[0] > time.monotonic() else None


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="directory")


def _look_up(ref: str) -> ProjectHandle | None:
    close_old_connections()
    row = Project.objects.select_related("placement").filter(ref=ref).first()
    handle = row.handle() if row is not None and row.status != Project.Status.DELETING else None
    _known[ref] = (time.monotonic() + settings.MBAAS_PROJECT_CACHE_SECONDS, handle)
    _known.move_to_end(ref)
    while len(_known) > _LIMIT:
        _known.popitem(last=False)
    return handle


def _forget(sender: Any, instance: Project, **kwargs: Any) -> None:
    # After the commit: until then a look-up would only find the old row again.
    transaction.on_commit(lambda: _known.pop(instance.ref, None), using="default")


def _forget_placement(sender: Any, instance: Placement, **kwargs: Any) -> None:
    transaction.on_commit(lambda: forget_placement(instance.name), using="default")


post_save.connect(_forget, Project, dispatch_uid="directory")
post_delete.connect(_forget, Project, dispatch_uid="directory")
post_save.connect(_forget_placement, Placement, dispatch_uid="directory")
