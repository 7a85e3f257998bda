"""A new record, what it names and its entry in the change log: all of it, or none."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import close_thread, read_session, write_session
from projects.errors import ApiError
from projects.records.delete import delete_record
from tests.api.support import Client, records, serve
from tests.records.support import call, changes, collection, create, number, relation, text

ANN, BOB = "authorann000001", "authorbob000001"


@pytest.fixture
def shelf(project: ProjectHandle) -> ProjectHandle:
    """Authors ann and bob, and books that name one author, any editors, and each other."""
    with write_session(project) as session:
        authors = collection(session, "authors", text("name"))
        collection(
            session,
            "books",
            text("title"),
            number("pages"),
            relation("author", authors),
            relation("editors", authors, maxSelect=5),
            indexes=["CREATE UNIQUE INDEX one_title ON books (title)"],
        )
        for id_ in (ANN, BOB):
            create(session, authors, id=id_)
    return project


def stored(project: ProjectHandle) -> tuple[int, int]:
    """How many books there are, and how many the change log knows of."""
    with read_session(project) as session:
        books = call(session).collection("books")
        found = session.row("SELECT count(*) FROM books")
        logged = session.row(
            session.sql("SELECT count(*) FROM _changes WHERE collection = ? AND action = 'create'"),
            (books.id,),
        )
        assert found and logged
        return int(found[0]), int(logged[0])


def test_what_a_record_names_may_be_one_several_or_none(shelf: ProjectHandle) -> None:
    with write_session(shelf) as session:
        books = call(session).collection("books")
        for title, author, editors in (
            ("a", "", []),
            ("b", ANN, []),
            ("c", "", [BOB]),
            ("d", ANN, [ANN, BOB]),
        ):
            made = create(session, books, title=title, author=author, editors=editors, pages=7)
            assert (made["author"], made["editors"], made["pages"]) == (author, editors, 7)
        assert [action for action, _ in changes(session)].count("create") == 6
        assert session.row("SELECT sum(pages) FROM books") == (28,)
    assert stored(shelf) == (4, 4)


@pytest.mark.parametrize(
    ("field", "value"), [("author", "missing00000001"), ("editors", [ANN, "missing00000001"])]
)
def test_a_record_that_names_a_missing_one_is_refused_by_field_and_writes_nothing(
    shelf: ProjectHandle, field: str, value: Any
) -> None:
    async def test(client: Client) -> None:
        body = {"title": "a", "author": ANN, "editors": [BOB], field: value}
        answer = await client.post(records("books"), json=body)
        assert answer.status_code == 400
        assert list(answer.json()["data"]) == [field]
        assert answer.json()["data"][field]["code"] == "validation_missing_rel_records"

    serve(shelf, test)
    assert stored(shelf) == (0, 0)


def test_one_that_breaks_a_unique_index_is_refused_and_logs_nothing(shelf: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        assert (await client.post(records("books"), json={"title": "a", "author": ANN})).status_code == 200
        again = await client.post(records("books"), json={"title": "a", "author": ANN})
        assert again.json()["data"]["title"]["code"] == "validation_not_unique"

    serve(shelf, test)
    assert stored(shelf) == (1, 1)


@pytest.mark.parametrize("editors", [[], [BOB]])
def test_a_batch_takes_back_the_records_before_one_that_is_refused(
    shelf: ProjectHandle, editors: list[str]
) -> None:
    async def test(client: Client) -> None:
        bodies = [
            {"title": "a", "author": ANN, "editors": editors},
            {"title": "b", "author": "missing00000001"},
        ]
        requests = [{"method": "POST", "url": records("books"), "body": body} for body in bodies]
        assert (await client.post("/api/batch", json={"requests": requests})).status_code == 400

    serve(shelf, test)
    assert stored(shelf) == (0, 0)


def test_a_record_cannot_come_to_name_one_that_is_just_being_deleted(shelf: ProjectHandle) -> None:
    deleted, answers = threading.Event(), []

    def name_it() -> None:
        deleted.wait(5)
        try:
            with write_session(shelf, late=True) as session:
                session.writes_once = True
                answers.append(create(session, call(session).collection("books"), title="a", author=ANN))
        except ApiError as error:
            answers.append(error.data["author"].code)
        finally:
            close_thread()

    naming = threading.Thread(target=name_it)
    naming.start()
    with write_session(shelf) as session:
        delete_record(call(session), call(session).collection("authors"), ANN)
        deleted.set()
        # Long enough for the other to stand waiting.
        time.sleep(0.3)
    naming.join(5)
    assert answers == ["validation_missing_rel_records"]
    assert stored(shelf) == (0, 0)
