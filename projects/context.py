"""Which project the running code belongs to. There is no default: no project, no data.

The value is a context variable, so it holds for a request, for the stream that a request opened
and for a background task, and never leaks from one to the next.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Engine = Literal["sqlite", "postgresql"]


class NoProjectError(RuntimeError):
    """Project data was asked for outside any project."""


@dataclass(frozen=True, slots=True)
class ProjectHandle:
    """What the serving path needs to know of a project; a snapshot of its control-plane row.

    ``uid`` never changes and names files, schemas, roles and cache keys; ``ref`` is the name in
    URLs and belongs to one project at a time.
    """

    uid: str
    ref: str
    engine: Engine
    placement: str
    status: str = "active"
    # Settings of the project that differ from the defaults (JSON of the control-plane row).
    settings: tuple[tuple[str, object], ...] = ()

    @property
    def alias(self) -> str:
        """The Django database alias of this project's own database."""
        return f"project:{self.placement}:{self.uid}"

    def setting(self, name: str, default: object = None) -> object:
        for key, value in self.settings:
            if key == name:
                return value
        return default


# What every log line and audit entry of a request says: its id, and its project once that is known.
request_facts: ContextVar[dict[str, str] | None] = ContextVar("mbaas_request_facts", default=None)

_current: ContextVar[ProjectHandle | None] = ContextVar("mbaas_project", default=None)


def current_project() -> ProjectHandle:
    """The project of the running code. Raises NoProjectError when there is none."""
    project = _current.get()
    if project is None:
        raise NoProjectError("no project is set: project data is reached only inside use_project()")
    return project


class use_project:  # noqa: N801 - a context manager, used as one
    """Run the block inside ``project``; the earlier one, if any, is back afterwards."""

    __slots__ = ("_project", "_token")

    # A class, where a generator would do: every request enters it, and a generator's way in and out costs 2 µs.
    def __init__(self, project: ProjectHandle) -> None:
        self._project = project

    def __enter__(self) -> ProjectHandle:
        self._token = _current.set(self._project)
        return self._project

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
