"""Pages by key: every record once, in order, whatever happens meanwhile."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from projects.databases import Session, write_session
from projects.errors import ApiError
from projects.records.delete import delete_record
from projects.records.list import list_records
from projects.records.update import update_record
from projects.schema.operations import create_collection, update_collection
from tests.accounts.helpers import any_rule
from tests.records.support import call, collection, create, guest, number, relation, text, user

SORTS = [
    "",
    "n",
    "-n",
    "-title,n",
    "title,-n",
    "nullable",
    "-nullable,title",
    "flag,-title",
    "-day",
    "author.name",
    "-author.name,title",
    "extra",
    "-extra.a,n",
    "tags",
    "@rowid",
    "-@rowid",
    "-id",
    "title,@rowid",
]


def shelf(session: Session) -> None:
    """Records that share most of their values."""
    authors = collection(session, "authors", text("name", nullable=True))
    people = [create(session, authors, name=name)["id"] for name in ("Ann", "Bob", None)]
    things = collection(
        session,
        "things",
        text("title"),
        number("n"),
        number("nullable", nullable=True),
        {"name": "flag", "type": "bool"},
        {"name": "day", "type": "date"},
        {"name": "extra", "type": "json"},
        {"name": "tags", "type": "select", "values": ["a", "b"], "maxSelect": 2},
        relation("author", authors),
    )
    extras = [None, 1, "x", {"a": 1.5}, {"a": "text"}, [1]]
    for at in range(40):
        create(
            session,
            things,
            title="abc"[at % 3],
            n=[0, 1, 2.5, -3][at % 4],
            nullable=None if at % 3 else at % 2,
            flag=bool(at % 2),
            day="" if at % 5 == 0 else f"2026-01-{at % 3 + 1:02d} 00:00:00.000Z",
            extra=extras[at % 6],
            tags=[["a"], [], ["a", "b"]][at % 3],
            author=["", *people][at % 4],
        )


def pages(
    session: Session,
    name: str = "things",
    size: int = 7,
    between: Callable[[list[dict[str, Any]]], None] = lambda items: None,
    **params: str,
) -> list[dict[str, Any]]:
    """All records, page by page; ``between`` is called with each page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"perPage": str(size), **params, "cursor": cursor}
        answer = list_records(guest(session), name, query)
        assert (answer["page"], answer["perPage"], answer["totalItems"], answer["totalPages"]) == (
            1,
            size,
            -1,
            -1,
        )
        assert len(answer["items"]) == size or answer["nextCursor"] is None
        found += answer["items"]
        cursor = answer["nextCursor"]
        between(answer["items"])
    return found


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("filter_", ["", "n >= 0 && author.name != 'Bob'"])
def test_pages_by_key_are_the_pages_of_the_whole_list(session: Session, sort: str, filter_: str) -> None:
    shelf(session)
    params = {"sort": sort, "filter": filter_}
    # Between records that the sort takes for equal there is an order of its own.
    way = "-" if sort.rpartition(",")[2].startswith("-") else ""
    whole = {**params, "sort": f"{sort},{way}@rowid".lstrip(",")}
    expected = [
        item["id"] for item in list_records(guest(session), "things", {**whole, "perPage": "500"})["items"]
    ]
    assert len(expected) >= 20
    for size in (1, 7, len(expected), 500):
        assert [item["id"] for item in pages(session, size=size, **params)] == expected


@pytest.mark.parametrize("sort", ["", "n", "-title"])
def test_records_that_come_and_go_move_no_others(session: Session, sort: str) -> None:
    shelf(session)
    before = {item["id"] for item in pages(session)}
    things = call(session).collection("things")
    gone: set[str] = set()

    def disturb(items: list[dict[str, Any]]) -> None:
        # The last of a page, which the cursor stands for, and one that was seen.
        for item in (items[-1], items[0]):
            if item["id"] not in gone:
                delete_record(call(session), things, item["id"])
                gone.add(item["id"])
        create(session, things, title="b", n=1)

    found = [
        item["id"]
        for item in itertools.islice(pages(session, between=disturb, sort=sort, filter="n != 1"), 500)
    ]
    kept = {
        item["id"]
        for item in list_records(guest(session), "things", {"perPage": "500", "filter": "n != 1"})["items"]
    }
    assert len(found) == len(set(found))
    assert kept <= set(found) <= before


def cursor(session: Session, caller: Any = None, **params: str) -> str:
    answer = list_records(caller or guest(session), "things", {"perPage": "3", "cursor": "", **params})
    return str(answer["nextCursor"])


def refusal(session: Session, **params: str) -> str:
    with pytest.raises(ApiError) as error:
        list_records(guest(session), "things", {"perPage": "3", **params})
    assert error.value.status == 400
    (found,) = error.value.data.values()
    return str(found.code)  # type: ignore[union-attr]


def test_what_is_no_cursor_of_ours_is_refused(session: Session) -> None:
    shelf(session)
    real = cursor(session, sort="n")
    raw = base64.urlsafe_b64decode(real + "==")
    forged = [
        "x",
        "é",
        "=",
        "AAAA",
        real[:-2],
        real + "A",
        "A" * 5000,
        "%00",
        base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode(),
        base64.urlsafe_b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode(),
        base64.urlsafe_b64encode(raw[:16]).decode(),
        base64.urlsafe_b64encode(b'["x",1,2]').decode(),
    ]
    for one in forged:
        assert refusal(session, cursor=one, sort="n") == "validation_invalid_cursor", one
    assert list_records(guest(session), "things", {"perPage": "3", "cursor": real, "sort": "n"})["items"]


def test_a_cursor_is_for_its_sort_and_its_collection_as_it_was(session: Session) -> None:
    shelf(session)
    real = cursor(session, sort="n")
    for sort in ("", "-n", "n,title", "title", "nullable"):
        assert refusal(session, cursor=real, sort=sort) == "validation_invalid_cursor", sort
    assert refusal(session, cursor=real, sort="n", page="2") == "validation_invalid_cursor"
    assert refusal(session, cursor="", sort="@random") == "validation_invalid_sort"
    assert refusal(session, cursor="", sort="n,-@random") == "validation_invalid_sort"
    # Who asks and what for may change: a cursor opens nothing.
    assert list_records(guest(session), "things", {"cursor": real, "sort": "n", "filter": "n > 1"})["items"]
    things = call(session).collection("things")
    collection(session, "other")
    assert list_records(guest(session), "things", {"cursor": real, "sort": "n"})["items"]
    session.execute(session.sql("UPDATE _collections SET updated = '' WHERE id = ?"), (things.id,))
    update_collection(session, things.id, {"listRule": ""}, validate_rule=any_rule)
    assert refusal(session, cursor=real, sort="n") == "validation_invalid_cursor"


def test_a_cursor_shows_nothing_that_the_rule_hides(session: Session) -> None:
    posts = collection(session, "things", text("owner"), number("n"), listRule="owner = @request.auth.id")
    alice, bob = user(), user("userbob00000000")
    for n in range(10):
        create(session, posts, owner=(alice if n % 2 else bob).id, n=n)
    of_alice = cursor(session, call(session, alice), sort="n", perPage="2")
    seen = list_records(call(session, bob), "things", {"cursor": of_alice, "sort": "n"})["items"]
    assert [item["n"] for item in seen] == [4, 6, 8]
    assert list_records(guest(session), "things", {"cursor": of_alice, "sort": "n"})["items"] == []


def test_a_cursor_tells_nothing_of_the_values_that_it_stands_for(session: Session) -> None:
    things = collection(session, "things", text("title"))
    for at in range(3):
        create(session, things, title=f"readable {at}")
    made = cursor(session, sort="title", perPage="1")
    assert cursor(session, sort="title", perPage="1") == made
    assert b"readable" not in base64.urlsafe_b64decode(made + "==")


def test_a_cursor_of_one_project_is_none_in_another(make_project: Any) -> None:
    made = []
    for ref in ("first", "second"):
        with write_session(make_project(ref)) as session:
            things = collection(session, "things", text("title"), id="things000000001")
            session.execute("UPDATE _collections SET updated = '2026-01-01T00:00:00.000Z'")
            for _ in range(3):
                create(session, things, title="x")
            made.append(cursor(session, sort="title", perPage="1"))
            if ref == "second":
                assert refusal(session, cursor=made[0], sort="title") == "validation_invalid_cursor"


def test_values_too_long_for_an_address_are_said_to_be(session: Session) -> None:
    things = collection(session, "things", text("title", max=10_000))
    for at in range(4):
        create(session, things, title=f"{at}" * 5000)
    assert refusal(session, cursor="", sort="title") == "validation_invalid_sort"
    assert len(pages(session, size=2)) == 4


def test_views_have_pages_by_key_too(session: Session) -> None:
    shelf(session)
    create_collection(
        session,
        {"name": "seen", "type": "view", "listRule": "", "viewQuery": "SELECT id, title, n FROM things"},
        validate_rule=any_rule,
    )
    for sort in ("", "n", "-title,n"):
        found = pages(session, "seen", sort=sort)
        assert len({item["id"] for item in found}) == len(found) == 40
    assert [item["title"] for item in pages(session, "seen", sort="title")] == sorted("abc" * 13 + "a")


def test_a_record_that_moves_on_may_be_met_again_but_none_is_lost(session: Session) -> None:
    shelf(session)
    things = call(session).collection("things")
    moved: list[str] = []

    def move(items: list[dict[str, Any]]) -> None:
        if items and len(moved) < 3:
            update_record(call(session), things, items[0]["id"], {"n": 100})
            moved.append(items[0]["id"])

    found = [item["id"] for item in pages(session, between=move, sort="n")]
    assert len(set(found)) == 40
    assert sorted(found.count(one) for one in set(found)) == [1] * 37 + [2] * 3
