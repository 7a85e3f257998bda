"""Totals are remembered, and never wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from projects.databases import read_session, write_session
from projects.records import totals
from projects.records.create import create_record
from projects.records.delete import delete_record
from projects.records.list import list_records
from projects.records.update import update_record
from tests.records.support import call, collection, create, guest, relation, text


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The counting statements that ran."""
    seen: list[str] = []
    read = totals._read

    def noting(session: Any, counting: Any, params: Any) -> Any:
        seen.append(counting.sql)
        return read(session, counting, params)

    monkeypatch.setattr(totals, "_read", noting)
    return seen


@pytest.fixture
def shelf(project: Any) -> Any:
    """A project with authors, nine books that point to them, and tags that nothing points to."""
    with write_session(project) as session:
        authors = collection(session, "authors", text("name"))
        collection(
            session, "books", text("title"), relation("author", authors), listRule="author.name != 'hidden'"
        )
        collection(session, "tags", text("name"))
    with write_session(project) as session:
        author = create(session, authors, name="a")
        books = call(session).collection("books")
        for number in range(9):
            create(session, books, title=str(number), author=author["id"])
    return project


def total(project: Any, **params: str) -> int:
    with read_session(project) as session:
        found = list_records(guest(session), "books", {"perPage": "3", **params})
        return int(found["totalItems"])


def write(project: Any, work: Callable[[Any], Any]) -> Any:
    with write_session(project) as session:
        return work(call(session))


def test_a_total_is_counted_once_while_nothing_changes(shelf: Any, counted: list[str]) -> None:
    assert [total(shelf), total(shelf, page="2"), total(shelf)] == [9, 9, 9]
    assert len(counted) == 1


def test_a_total_is_right_after_each_kind_of_write(shelf: Any, counted: list[str]) -> None:
    assert total(shelf) == 9
    made = write(shelf, lambda asked: create_record(asked, asked.collection("books"), {"title": "new"}))
    assert total(shelf) == 10
    write(shelf, lambda asked: delete_record(asked, asked.collection("books"), made["id"]))
    assert total(shelf) == 9
    assert len(counted) == 3


def test_a_total_is_right_after_a_change_of_a_related_record(shelf: Any) -> None:
    assert total(shelf) == 9
    with read_session(shelf) as session:
        (author,) = list_records(call(session), "authors", {})["items"]
    write(
        shelf,
        lambda asked: update_record(asked, asked.collection("authors"), author["id"], {"name": "hidden"}),
    )
    assert total(shelf) == 0


def test_a_total_is_right_after_a_change_of_records_that_point_here(shelf: Any) -> None:
    with write_session(shelf) as session:
        books = call(session).collection("books")
        collection(session, "lists", relation("books", books, maxSelect=9))
    with read_session(shelf) as session:
        ids = [item["id"] for item in list_records(call(session), "books", {})["items"]]

    def listed() -> int:
        # As a superuser: a client's filter also reads the list rule of what it goes through.
        with read_session(shelf) as session:
            params = {"filter": "lists_via_books.id ?!= ''", "perPage": "1"}
            return int(list_records(call(session), "books", params)["totalItems"])

    write(shelf, lambda asked: create(asked.session, asked.collection("lists"), books=ids[:2]))
    assert listed() == 2
    made = write(shelf, lambda asked: create(asked.session, asked.collection("lists"), books=ids[2:5]))
    assert listed() == 5
    write(
        shelf,
        lambda asked: update_record(asked, asked.collection("lists"), made["id"], {"books": ids[2:3]}),
    )
    assert listed() == 3


def test_a_change_of_another_collection_costs_no_count(shelf: Any, counted: list[str]) -> None:
    assert total(shelf, filter="title != 'x'") == 9
    write(shelf, lambda asked: create_record(asked, asked.collection("tags"), {}))
    assert total(shelf, filter="title != 'x'") == 9
    assert len(counted) == 1


def test_other_constants_are_another_total(shelf: Any) -> None:
    assert [total(shelf, filter=f"title > '{n}'") for n in (1, 3, 5)] == [7, 5, 3]
    assert [total(shelf, filter=f"title > '{n}'") for n in (1, 3, 5)] == [7, 5, 3]


def test_what_was_rolled_back_is_in_no_total(shelf: Any) -> None:
    with pytest.raises(ZeroDivisionError), write_session(shelf) as session:
        asked = call(session)
        create_record(asked, asked.collection("books"), {"title": "never"})
        assert list_records(asked, "books", {"perPage": "3"})["totalItems"] == 10
        raise ZeroDivisionError
    assert total(shelf) == 9


def test_a_filter_that_reads_the_clock_is_counted_each_time(shelf: Any, counted: list[str]) -> None:
    assert [total(shelf, filter="title != @now") for _ in range(2)] == [9, 9]
    assert len(counted) == 2


def test_on_a_long_log_what_is_newer_is_found_by_the_index_whatever_the_values(project: Any) -> None:
    if project.engine != "postgresql":
        pytest.skip("SQLite plans each statement once, and well")
    with write_session(project) as session:
        session.execute(
            "INSERT INTO _changes (xid, collection, record, action, created)"
            " SELECT i, 'c' || mod(i, 4), 'r', 'create', '' FROM generate_series(1, 20000) AS i"
        )
        session.execute("ANALYZE _changes")
        session.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        statement = totals._NEWER.replace("%s", "$1", 1).replace("%s", "$2", 1).replace("%s", "$3", 1)
        session.execute(f"PREPARE newer (text[], bigint, text) AS {statement}")
        plan = "\n".join(row[0] for row in session.rows("EXPLAIN EXECUTE newer ('{c1,c2}', 19999, '1:1:')"))
        session.execute("DEALLOCATE newer")
    assert "Index" in plan and "Seq Scan" not in plan
