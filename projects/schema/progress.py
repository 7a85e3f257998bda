"""What changes of collections are doing at the moment, in this process, for whoever waits for one.

Neither engine says how far a rewrite of a table has come, so it is told which step is under way and since when.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from projects.databases import Session


@dataclass(frozen=True, slots=True)
class _Step:
    collection: str
    what: str
    began: float


# By project and session: a session changes one collection at a time.
_running: dict[tuple[str, int], _Step] = {}


@contextmanager
def step(session: Session, collection: str, what: str) -> Iterator[None]:
    """While the block runs, the project's change of ``collection`` is at ``what``."""
    key = (session.project.uid, id(session))
    before = _running.get(key)
    _running[key] = _Step(collection, what, time.monotonic())
    try:
        yield
    finally:
        if before is None:
            del _running[key]
        else:
            _running[key] = before


def running_steps(project_uid: str) -> list[dict[str, Any]]:
    """``[{"collection", "step", "seconds"}]`` of the project, the longest first."""
    now = time.monotonic()
    found = sorted(
        (one for (uid, _), one in list(_running.items()) if uid == project_uid), key=lambda s: s.began
    )
    return [
        {"collection": one.collection, "step": one.what, "seconds": round(now - one.began, 1)}
        for one in found
    ]
