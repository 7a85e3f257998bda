"""Which project an address names: the control plane's row, kept in memory for a moment.

A change made by this process holds at once; one made by another after MBAAS_PROJECT_CACHE_SECONDS. Where many projects
are in use, most are looked up together with one that is asked for, before they are asked for themselves.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models.signals import post_delete, post_save

from projects.context import ProjectHandle
from projects.databases.placements import forget_placement
from projects.models import Placement, Project

# Known addresses, those without a project included; the oldest are dropped, so that guessing costs no memory.
_LIMIT = 20_000
# How many more are looked up with one that is asked for: a question with that many names takes 4 ms instead of 1.
_TOGETHER = 100


@dataclass(slots=True)
class _Known:
    """What was found, until when it is believed, and whether anybody asked for it."""

    until: float
    project: ProjectHandle | None
    is_used: bool = False


# In the order of their look-ups.
_known: OrderedDict[str, _Known] = OrderedDict()
_asked: dict[str, asyncio.Future[ProjectHandle | None]] = {}


def known_project(ref: str) -> ProjectHandle | None:
    """The project at ``/p/<ref>`` if it is in memory."""
    entry = _fresh(ref)
    return entry.project if entry is not None else None


async def find_project(ref: str) -> ProjectHandle | None:
    """The project at ``/p/<ref>``; None when there is none or it is being deleted."""
    if (entry := _fresh(ref)) is not None:
        return entry.project
    # One question to the database however many requests wait for its answer.
    waiting = _asked.get(ref)
    if waiting is None or waiting.get_loop() is not asyncio.get_running_loop():
        waiting = asyncio.get_running_loop().run_in_executor(_threads(), _look_up, ref)
        _asked[ref] = waiting
        waiting.add_done_callback(lambda _: _asked.pop(ref, None))
    return await asyncio.shield(waiting)


def _fresh(ref: str) -> _Known | None:
    entry = _known.get(ref)
    if entry is None or entry.until <= time.monotonic():
        return None
    entry.is_used = True
    return entry


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="directory")


def _look_up(ref: str) -> ProjectHandle | None:
    close_old_connections()
    refs = [ref, *_due(ref)]
    rows = Project.objects.select_related("placement").filter(ref__in=refs)
    found = {row.ref: row.handle() for row in rows if row.status != Project.Status.DELETING}
    until = time.monotonic() + settings.MBAAS_PROJECT_CACHE_SECONDS
    for one in refs:
        _known[one] = _Known(until, found.get(one), is_used=one == ref)
        _known.move_to_end(one)
    while len(_known) > _LIMIT:
        _known.popitem(last=False)
    return found.get(ref)


def _due(ref: str) -> list[str]:
    """Other addresses that were asked for and are no longer believed; those that nobody asked for are forgotten."""
    due = []
    for other, entry in list(islice(_known.items(), _TOGETHER)):
        if entry.until > time.monotonic():
            break
        if entry.is_used and other != ref:
            due.append(other)
        else:
            _known.pop(other, None)
    return due


def _forget(sender: Any, instance: Project, **kwargs: Any) -> None:
    # After the commit: until then a look-up would only find the old row again.
    transaction.on_commit(lambda: _known.pop(instance.ref, None), using="default")


def _forget_placement(sender: Any, instance: Placement, **kwargs: Any) -> None:
    transaction.on_commit(lambda: forget_placement(instance.name), using="default")


post_save.connect(_forget, Project, dispatch_uid="directory")
post_delete.connect(_forget, Project, dispatch_uid="directory")
post_save.connect(_forget_placement, Placement, dispatch_uid="directory")
