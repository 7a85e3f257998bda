"""A session is one transaction on one project's database, on every engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from projects.context import NoProjectError, ProjectHandle, current_project
from projects.databases import close_thread, read_session, write_session
from projects.databases.models import Param
from projects.databases.session import Session, _open

Make = Callable[..., ProjectHandle]


def put(session: Session, key: str, value: str = "1") -> None:
    session.execute(session.sql("INSERT INTO _params (key, value) VALUES (?, ?)"), (key, value))


def keys(project: ProjectHandle) -> set[str]:
    with read_session(project) as session:
        return {row[0] for row in session.rows("SELECT key FROM _params")}


def test_what_a_write_session_wrote_is_there_afterwards(project: ProjectHandle) -> None:
    with write_session(project) as session:
        put(session, "a")
    assert "a" in keys(project)


def test_a_write_session_that_raises_leaves_nothing(project: ProjectHandle) -> None:
    with pytest.raises(ValueError), write_session(project) as session:
        put(session, "a")
        raise ValueError
    assert "a" not in keys(project)


def test_a_savepoint_that_raises_undoes_only_its_own(project: ProjectHandle) -> None:
    with write_session(project) as session:
        put(session, "before")
        with pytest.raises(ValueError), session.savepoint():
            put(session, "inside")
            raise ValueError
        put(session, "after")
    assert {"before", "after"} <= keys(project)
    assert "inside" not in keys(project)


def test_savepoints_nest(project: ProjectHandle) -> None:
    with write_session(project) as session, session.savepoint():
        put(session, "outer")
        with pytest.raises(ValueError), session.savepoint():
            put(session, "inner")
            raise ValueError
    assert "outer" in keys(project)
    assert "inner" not in keys(project)


def test_a_statement_that_fails_in_a_savepoint_does_not_spoil_the_transaction(project: ProjectHandle) -> None:
    with write_session(project) as session:
        put(session, "a")
        with pytest.raises(Exception, match="UNIQUE|unique"), session.savepoint():
            put(session, "a")
        put(session, "b")
    assert {"a", "b"} <= keys(project)


def test_after_commit_calls_run_once_the_data_is_visible_to_others(project: ProjectHandle) -> None:
    seen: list[set[str]] = []
    with write_session(project) as session:
        put(session, "a")
        session.after_commit(lambda: seen.append(keys(project)))
        assert seen == []
    assert "a" in seen[0]


def test_after_commit_calls_of_a_rolled_back_session_never_run(project: ProjectHandle) -> None:
    called: list[int] = []
    with pytest.raises(ValueError), write_session(project) as session:
        session.after_commit(lambda: called.append(1))
        raise ValueError
    assert called == []


def test_after_commit_calls_of_a_rolled_back_savepoint_never_run(project: ProjectHandle) -> None:
    called: list[str] = []
    with write_session(project) as session:
        session.after_commit(lambda: called.append("kept"))
        with pytest.raises(ValueError), session.savepoint():
            session.after_commit(lambda: called.append("dropped"))
            raise ValueError
    assert called == ["kept"]


def test_hand_written_sql_may_hold_percent_signs(project: ProjectHandle) -> None:
    with read_session(project) as session:
        row = session.row(session.sql("SELECT 'a%b' WHERE 'abc' LIKE ? || '%'"), ("ab",))
    assert row == ("a%b",)


def test_values_are_never_read_as_sql(project: ProjectHandle) -> None:
    hostile = "x'); DROP TABLE _params; --"
    with write_session(project) as session:
        put(session, hostile)
    assert hostile in keys(project)


def test_a_session_sets_the_project_and_takes_it_away_again(project: ProjectHandle) -> None:
    with read_session(project):
        assert current_project() == project
    with pytest.raises(NoProjectError):
        current_project()


def test_the_orm_reaches_no_project_table_outside_a_project(project: ProjectHandle) -> None:
    with pytest.raises(NoProjectError):
        Param.objects.count()


def test_the_orm_shares_the_sessions_transaction(project: ProjectHandle) -> None:
    with pytest.raises(ValueError), write_session(project) as session:
        put(session, "by-session")
        Param.objects.create(key="by-orm", value="1")
        assert session.row(session.sql("SELECT COUNT(*) FROM _params WHERE key LIKE 'by-%'")) == (2,)
        raise ValueError
    assert not {"by-session", "by-orm"} & keys(project)


def transactions(session: Session) -> int:
    """PostgreSQL: the number of the transaction that the session is in, a new one for each statement outside of any."""
    return int(session.peek("SELECT pg_current_xact_id()::text::bigint")[0])  # type: ignore[index]


def test_a_late_transaction_begins_with_the_first_statement_that_is_more_than_a_peek(
    project: ProjectHandle,
) -> None:
    if project.engine != "postgresql":
        pytest.skip("SQLite's transactions begin where its lock is taken")
    with write_session(project, late=True) as session:
        assert transactions(session) != transactions(session)
        put(session, "a")
        assert transactions(session) == transactions(session)


def test_a_late_session_that_raises_leaves_nothing(project: ProjectHandle) -> None:
    with pytest.raises(ValueError), write_session(project, late=True) as session:
        session.peek("SELECT 1")
        put(session, "a")
        session.execute_many(
            session.sql("INSERT INTO _params (key, value) VALUES (?, ?)"), [("b", "1"), ("c", "1")]
        )
        raise ValueError
    assert not {"a", "b", "c"} & keys(project)


@pytest.mark.parametrize("first", ["execute_many", "savepoint", "begin"])
def test_whatever_a_late_session_does_first_begins_its_transaction(
    project: ProjectHandle, first: str
) -> None:
    with pytest.raises(ValueError), write_session(project, late=True) as session:
        if first == "begin":
            session.begin()
            Param.objects.create(key="a", value="1")
        elif first == "execute_many":
            session.execute_many(session.sql("INSERT INTO _params (key, value) VALUES (?, ?)"), [("a", "1")])
        else:
            with session.savepoint():
                put(session, "a")
        raise ValueError
    assert "a" not in keys(project)


@pytest.mark.parametrize("once", [True, False])
def test_only_who_promises_to_write_once_has_a_statement_of_its_own(
    project: ProjectHandle, once: bool
) -> None:
    sql = "INSERT INTO _params (key, value) VALUES ('a', '1') RETURNING key"
    with pytest.raises(ValueError), write_session(project, late=True) as session:
        session.writes_once = once
        session.row_of_all(sql)
        raise ValueError
    assert ("a" in keys(project)) == (once and project.engine == "postgresql")


def test_two_projects_never_see_each_others_rows(make_project: Make) -> None:
    one, two = make_project("one"), make_project("two")
    with write_session(one) as session:
        put(session, "secret")
    assert "secret" not in keys(two)


def test_open_connections_of_a_thread_are_bounded(make_project: Make, settings: Any) -> None:
    settings.MBAAS_OPEN_DATABASES_PER_THREAD = 3
    close_thread()
    projects = [make_project(f"p-{i}") for i in range(6)]
    for _ in range(2):
        for project in projects:
            assert keys(project)
    assert len(_open.wrappers) <= 3


def test_threads_have_sessions_of_their_own(project: ProjectHandle) -> None:
    with write_session(project) as session:
        put(session, "uncommitted")
        seen: list[set[str]] = []

        def look() -> None:
            seen.append(keys(project))
            close_thread()

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert "uncommitted" not in seen[0]


def test_a_thread_that_reads_and_writes_remembers_nothing_older_than_its_own_write(project: Any) -> None:
    def remembered() -> Any:
        with read_session(project) as session:
            return session.remember("key", lambda: session.row("SELECT count(*) FROM _params"))

    before = remembered()
    with write_session(project) as session:
        session.execute("INSERT INTO _params (key, value) VALUES ('another', '1')")
    assert remembered()[0] == before[0] + 1
