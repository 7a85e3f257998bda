"""The fixtures keep tests apart, on both engines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from projects.databases import Session, read_session, write_session
from projects.models import Project
from tests.server import ROOT

INSERT = "INSERT INTO _params (key, value) VALUES (?, ?)"
COUNT = "SELECT COUNT(*) FROM _params WHERE key = 'left'"


@pytest.mark.parametrize("again", [1, 2])
def test_a_project_is_fresh_in_every_test(project: Any, again: int) -> None:
    with write_session(project) as session:
        assert session.row(COUNT) == (0,)
        session.execute(session.sql(INSERT), ("left", "behind"))


def test_two_projects_of_a_test_are_apart(make_project: Callable[..., Any]) -> None:
    one, two = make_project("one"), make_project("two")
    with write_session(one) as session:
        session.execute(session.sql(INSERT), ("left", "behind"))
    with read_session(two) as session:
        assert session.row(COUNT) == (0,)


def test_a_project_has_the_system_collections(session: Session) -> None:
    names = {name for (name,) in session.rows("SELECT name FROM _collections")}
    assert {"_superusers", "users"} <= names


def test_the_control_plane_is_refused_to_a_test_that_did_not_ask(project: Any) -> None:
    with pytest.raises(AssertionError, match="django_db"):
        Project.objects.count()


@pytest.mark.parametrize("again", [1, 2])
def test_the_control_plane_is_empty_in_every_test(hosted_project: Any, again: int) -> None:
    assert [row.uid for row in Project.objects.all()] == [hosted_project.uid]
    assert Project.objects.select_related("placement").get().handle() == hosted_project


def test_data_lives_in_a_folder_of_this_process() -> None:
    assert "mbaas-tests-" in str(settings.MBAAS_DATA_DIR)
    assert (ROOT / "data") not in settings.MBAAS_DATA_DIR.parents


def test_the_services_command_passes_the_exit_code_on() -> None:
    done = services("redis", "--", sys.executable, "-c", "import os; os.environ['MBAAS_TEST_REDIS']; exit(3)")
    assert done.returncode == 3, done.stderr


def test_a_missing_service_is_a_failure_on_ci_and_a_notice_elsewhere() -> None:
    nowhere = {"PATH": "/nowhere"}
    there = services("redis", "--", sys.executable, "-c", "", env={**nowhere, "CI": ""})
    assert (there.returncode, "apt-get install redis-server" in there.stderr) == (0, True)
    on_ci = services("redis", "--", sys.executable, "-c", "", env={**nowhere, "CI": "true"})
    assert (on_ci.returncode, "apt-get install redis-server" in on_ci.stderr) == (2, True)


def services(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.services", *arguments],
        cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
