"""A session without a database: work that turns out not to need one is done on the event loop.

What asks it for a row raises NeedsDatabaseError and runs again on a lane.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from projects.context import ProjectHandle
from projects.databases import Session


class NeedsDatabaseError(Exception):
    """This cannot be decided without reading the project's database."""


class OfflineSession(Session):
    __slots__ = ()

    def __init__(self, project: ProjectHandle) -> None:
        self.project = project
        self.engine = project.engine

    def rows(self, sql: str, params: Sequence[Any] = (), anew: bool = False) -> NoReturn:
        raise NeedsDatabaseError

    def row(self, sql: str, params: Sequence[Any] = (), anew: bool = False) -> NoReturn:
        raise NeedsDatabaseError

    def execute(self, sql: str, params: Sequence[Any] = ()) -> NoReturn:
        raise NeedsDatabaseError


def require_database(session: Session) -> None:
    """Said before work that will certainly ask it, so that nothing is prepared in vain."""
    if isinstance(session, OfflineSession):
        raise NeedsDatabaseError
