"""One project per engine for all tests that take ``session``: each test's changes are rolled back.

A project of its own per test costs PostgreSQL half a second, and there are a thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import Session, close_thread, drop_database, write_session
from projects.models import new_uid
from tests.conftest import PLACEMENTS, _create_seeded


class _Undone(Exception):
    """Raised at the end of each test, so that its transaction is rolled back."""


@pytest.fixture(scope="session")
def _shared_projects(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, ProjectHandle]]:
    """The shared project by engine, filled when it is first wanted (placements are known then)."""
    made: dict[str, ProjectHandle] = {}
    with django_db_blocker.unblock():
        yield made
        close_thread()
        for handle in made.values():
            drop_database(handle)


@pytest.fixture
def session(
    engine: str, _placements: None, _shared_projects: dict[str, ProjectHandle], django_db_blocker: Any
) -> Iterator[Session]:
    """A write session on a seeded project; what the test does in it is undone."""
    with django_db_blocker.unblock():
        if engine not in _shared_projects:
            handle = ProjectHandle(new_uid(), "shared", engine, PLACEMENTS[engine])  # type: ignore[arg-type]
            _create_seeded(handle)
            _shared_projects[engine] = handle
        try:
            with write_session(_shared_projects[engine]) as opened:
                yield opened
                raise _Undone
        except _Undone:
            pass
