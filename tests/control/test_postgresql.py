"""Projects on a PostgreSQL placement, as the control plane makes, checks and removes them."""

from __future__ import annotations

import os

import psycopg
import pytest

from projects.control import deletion, doctor, projects
from projects.control.actor import COMMAND
from projects.control.placements import create_placement
from projects.databases import close_thread
from projects.databases.placements import forget_placement
from projects.databases.postgresql.pools import role_name
from projects.models import Placement, Project
from tests.services import POSTGRES_VARIABLE

URL = os.environ.get(POSTGRES_VARIABLE, "")
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not URL, reason="no PostgreSQL server (make test-all starts one)"),
]


@pytest.fixture
def placement() -> Placement:
    return create_placement(COMMAND, name="pg-1", engine="postgresql", url=URL)


def _schemas() -> set[str]:
    with psycopg.connect(URL) as connection:
        return {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace").fetchall()}


def test_a_project_has_a_schema_of_its_own_until_it_is_purged(placement: Placement) -> None:
    project = projects.create_project(COMMAND, "shop", placement="pg-1")
    assert role_name(project.uid) in _schemas()
    deletion.request_deletion(COMMAND, project, typed_ref="shop")
    deletion.purge_project(COMMAND, project, before_due=True)
    assert role_name(project.uid) not in _schemas()
    assert not Project.objects.exists()


def test_a_failed_creation_leaves_no_schema(placement: Placement, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _schemas()

    def fail(session: object) -> None:
        raise RuntimeError("no space left")

    monkeypatch.setattr(projects, "seed_system_collections", fail)
    with pytest.raises(RuntimeError, match="no space left"):
        projects.create_project(COMMAND, "shop", placement="pg-1")
    assert _schemas() == before and not Project.objects.exists()


def test_doctor_looks_at_the_server_and_names_what_is_missing(placement: Placement) -> None:
    project = projects.create_project(COMMAND, "shop", placement="pg-1")
    (finding,) = [f for f in doctor.examine() if f.check == "placement pg-1"]
    assert finding.level == "ok" and "PostgreSQL" in finding.message
    close_thread()
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA "{role_name(project.uid)}" CASCADE')
    (finding,) = [f for f in doctor.examine() if f.check == "placement pg-1" and f.level == "error"]
    assert "shop" in finding.message
    deletion.request_deletion(COMMAND, project, typed_ref="shop")
    deletion.purge_project(COMMAND, project, before_due=True)


def test_doctor_says_what_a_login_lacks(placement: Placement) -> None:
    with psycopg.connect(URL, autocommit=True) as connection:
        database = connection.info.dbname
        connection.execute("DROP ROLE IF EXISTS weak")
        connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
        placement.url = f"postgresql://weak:weak@{connection.info.host}:{connection.info.port}/{database}"
    placement.save()
    forget_placement("pg-1")
    found = " ".join(
        f.message for f in doctor.examine() if f.check == "placement pg-1" and f.level == "error"
    )
    assert "may not create roles" in found and "may not create schemas" in found
