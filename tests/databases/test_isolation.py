"""What holds projects apart when the code above makes a mistake: files, roles, privileges."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from projects.context import ProjectHandle
from projects.databases import read_session, write_session

Make = Callable[..., ProjectHandle]

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _needs_postgresql() -> None:
    from tests.conftest import ENGINES

    if "postgresql" not in ENGINES:
        pytest.skip("needs a PostgreSQL server (make test-all)")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {other}._params",
        "INSERT INTO {other}._params VALUES ('x', 'y')",
        "UPDATE {other}._params SET value = ''",
        "DELETE FROM {other}._params",
        "DROP TABLE {other}._params",
        "DROP SCHEMA {other} CASCADE",
        "CREATE TABLE {other}.mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "GRANT {other} TO {own}",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY _params TO PROGRAM 'cat'",
    ],
)
def test_a_projects_role_may_touch_nothing_but_its_own_schema(make_project: Make, statement: str) -> None:
    own, other = make_project("own"), make_project("other")
    text = statement.format(own=f'"p_{own.uid}"', other=f'"p_{other.uid}"')
    with pytest.raises(psycopg.errors.InsufficientPrivilege), write_session(own) as session:
        session.execute(text)


def test_a_project_runs_as_its_own_role_with_its_own_schema_alone(make_project: Make) -> None:
    project = make_project()
    with read_session(project) as session:
        row = session.row("SELECT current_user, current_setting('search_path')")
    assert row == (f"p_{project.uid}", f'"p_{project.uid}"')


def test_a_pooled_connection_changes_roles_with_its_project(make_project: Make) -> None:
    one, two = make_project("one"), make_project("two")
    for project in (one, two, one, two):
        with read_session(project) as session:
            assert session.row("SELECT current_user") == (f"p_{project.uid}",)


def test_a_statement_that_runs_too_long_is_stopped(make_project: Make) -> None:
    project = make_project()
    with read_session(project) as session:
        assert session.row("SHOW statement_timeout") != ("0",)
