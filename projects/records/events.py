"""Tells the rest of the process that a record changed, once the change is durable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from projects.context import ProjectHandle

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One committed write. ``before`` and ``after`` are whole records by field name, hidden fields and
    secrets included; ``after`` is None for a delete, ``before`` for a create. ``seq`` is its place in the
    project's change log, ``schema_version`` the schema it was written under.
    """

    project: ProjectHandle
    seq: int
    schema_version: int
    collection_id: str
    record_id: str
    action: Action
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


Listener = Callable[[ChangeEvent], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call ``listener(event)`` after every commit of this process, on the committing thread.

    It must hand the event on at once: it runs while the writer waits.
    """
    _listeners.append(listener)


def unlisten(listener: Listener) -> None:
    _listeners.remove(listener)


def announce(event: ChangeEvent) -> None:
    for listener in _listeners:
        listener(event)
