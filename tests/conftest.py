"""What every test may use: projects on both engines, sessions, running servers.

Tests that take ``project`` run on SQLite, and on PostgreSQL too when MBAAS_TEST_POSTGRES names a server
(``make test-all`` starts one).
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import server as servers
from tests.services import POSTGRES_VARIABLE, REDIS_VARIABLE

# One line for each request of a test buries what failed.
logging.getLogger("httpx").setLevel(logging.WARNING)

ENGINES = ["sqlite", "postgresql"] if os.environ.get(POSTGRES_VARIABLE) else ["sqlite"]
PLACEMENTS = {"sqlite": "local", "postgresql": "test-postgres"}
# What a whole server runs on: files alone, or PostgreSQL for everything with Redis between processes.
SERVER_KINDS = [kind for kind in ENGINES if kind == "sqlite" or os.environ.get(REDIS_VARIABLE)]
# Folders whose tests need more than Python, and the mark that says what.
NEEDS = {"clients": pytest.mark.node, "oracle": pytest.mark.oracle}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs more than Python is told by its folder: ``-m "not node and not oracle"``."""
    for item in items:
        folder = item.path.relative_to(servers.ROOT / "tests").parts[0]
        if folder in NEEDS:
            item.add_marker(NEEDS[folder])


def pytest_unconfigure() -> None:
    """An xdist worker ends without running what atexit holds."""
    from django.conf import settings

    shutil.rmtree(settings.MBAAS_DATA_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def _placements() -> Iterator[None]:
    """The placements that ``project`` uses are known without rows in the control plane."""
    import dj_database_url

    from projects.databases import placements
    from projects.databases.placements import PlacementInfo

    known = {"local": PlacementInfo("local", "sqlite")}
    if url := os.environ.get(POSTGRES_VARIABLE):
        parsed = dj_database_url.parse(url)
        connection = {key: parsed.get(key, "") for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
        known["test-postgres"] = PlacementInfo("test-postgres", "postgresql", connection)
    placements._known.clear()
    placements._known.update(known)
    yield
    for name in set(placements._known) - set(known):
        placements.forget_placement(name)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each database engine in turn."""
    return str(request.param)


@pytest.fixture
def make_project(
    request: pytest.FixtureRequest,
    engine: str,
    django_db_setup: None,
    django_db_blocker: Any,
    _placements: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Any]]:
    """``make_project(ref="demo", **settings)``: another project's handle, its database made and seeded.

    It has no row in the control plane; take ``hosted_project`` where one is needed. Tests that touch
    the control plane ask for ``db`` too, or get an error: without it their rows would stay.
    """
    from projects.context import ProjectHandle
    from projects.databases import close_thread, drop_database
    from projects.models import new_uid

    made: list[ProjectHandle] = []

    def make(ref: str = "demo", **settings: object) -> ProjectHandle:
        handle = ProjectHandle(
            uid=new_uid(),
            ref=ref,
            engine=engine,  # type: ignore[arg-type]
            placement=PLACEMENTS[engine],
            settings=tuple(sorted(settings.items())),
        )
        _create_seeded(handle)
        made.append(handle)
        return handle

    with django_db_blocker.unblock(), _control_plane_guarded(request):
        try:
            yield make
        finally:
            close_thread()
            for handle in made:
                drop_database(handle)


@pytest.fixture
def project(make_project: Callable[..., Any]) -> Any:
    """A fresh project (a ProjectHandle) with the system collections, on each engine in turn."""
    return make_project()


@pytest.fixture
def hosted_project(transactional_db: None, project: Any) -> Any:
    """``project`` with its row in the control plane, which every thread sees: what a server would serve."""
    from tests.hosting import host

    host(project)
    return project


@contextmanager
def _control_plane_guarded(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse this thread the control plane unless the test asked for it."""
    if {"db", "transactional_db"} & set(request.fixturenames):
        yield
        return
    from django.db import connections

    def refuse() -> None:
        raise AssertionError("the control plane is asked: add pytest.mark.django_db, or the fixture db")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections["default"], "ensure_connection", refuse)
        yield


@pytest.fixture
def session(project: Any) -> Iterator[Any]:
    """A write session on ``project``, committed after the test."""
    from projects.databases import write_session

    with write_session(project) as opened:
        yield opened


@pytest.fixture(scope="module", params=SERVER_KINDS)
def server_kind(request: pytest.FixtureRequest) -> str:
    """What the module's server runs on."""
    return str(request.param)


@pytest.fixture(scope="module")
def server(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """A running server that the tests of a module share, in each kind in turn.

    It has no project of theirs: ``server.create_project("ref")`` makes one and returns its base URL.
    """
    with servers.running(tmp_path_factory.mktemp("server"), engine=server_kind) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A failed test shows the end of its server's log."""
    report = yield
    running = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(running, servers.Server):
        report.sections.append(("server log", running.log_tail()))
    return report


_seeded_template: dict[str, Path] = {}


def _create_seeded(handle: Any) -> None:
    """The project's database with its system collections; on SQLite copied from a seeded one."""
    from projects.databases import create_database, write_session
    from projects.databases.aliases import sqlite_path
    from projects.schema import seed_system_collections

    create_database(handle)
    template = _seeded_template.get(handle.engine)
    if template is not None:
        shutil.copyfile(template, sqlite_path(handle.uid))
        return
    with write_session(handle) as opened:
        seed_system_collections(opened)
    if handle.engine == "sqlite":
        _seeded_template[handle.engine] = _copy_of(handle)


def _copy_of(handle: Any) -> Path:
    """The project's file as one file: closing its last connection folds the write-ahead log into it."""
    from django.conf import settings

    from projects.databases import close_thread
    from projects.databases.aliases import sqlite_path

    close_thread()
    copy = Path(settings.MBAAS_DATA_DIR) / "templates" / "seeded.sqlite3"
    return Path(shutil.copyfile(sqlite_path(handle.uid), copy))
