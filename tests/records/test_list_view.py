"""List and view: what a caller sees, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.records.list import list_records
from projects.records.view import view_record
from tests.records.support import call, collection, create, guest, number, relation, text, user


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["items"]]


@pytest.fixture
def posts(session: Session) -> Any:
    made = collection(
        session,
        "posts",
        text("author"),
        {"name": "public", "type": "bool"},
        number("n"),
        text("hidden", hidden=True),
        listRule="author = @request.auth.id || public = true",
        viewRule="author = @request.auth.id || public = true",
    )
    for n in range(1, 8):
        create(session, made, author="useralice000001" if n % 2 else "userbob00000001", public=n > 5, n=n)
    return made


def numbers(answer: dict[str, Any]) -> list[int]:
    return [item["n"] for item in answer["items"]]


def test_each_caller_lists_what_the_rule_lets_through(session: Session, posts: Any) -> None:
    assert numbers(list_records(guest(session), "posts", {"sort": "n"})) == [6, 7]
    assert numbers(list_records(call(session, user()), "posts", {"sort": "n"})) == [1, 3, 5, 6, 7]
    assert numbers(list_records(call(session), "posts", {"sort": "n"})) == [1, 2, 3, 4, 5, 6, 7]


def test_a_filter_narrows_and_never_widens(session: Session, posts: Any) -> None:
    asked = {"filter": "n > 0 || id != ''", "sort": "n"}
    assert numbers(list_records(guest(session), "posts", asked)) == [6, 7]
    assert numbers(list_records(guest(session), "posts", {"filter": "n = 1"})) == []


@pytest.mark.parametrize("injected", ["1=1) || (1=1", "n > 0) // ", "' OR 1=1 --", "n > 0; DROP TABLE posts"])
def test_a_filter_cannot_break_out_of_its_parentheses(session: Session, posts: Any, injected: str) -> None:
    with pytest.raises(ApiError) as error:
        list_records(guest(session), "posts", {"filter": injected, "sort": "n"})
    assert error.value.status == 400
    assert len(list_records(call(session), "posts", {})["items"]) == 7


@pytest.mark.parametrize("params", [{"filter": "hidden = ''"}, {"sort": "hidden"}, {"filter": "nope = 1"}])
def test_hidden_and_unknown_fields_cannot_be_asked_for(
    session: Session, posts: Any, params: dict[str, str]
) -> None:
    with pytest.raises(ApiError) as error:
        list_records(guest(session), "posts", params)
    assert error.value.status == 400


@pytest.mark.parametrize("params", [{"filter": "@request.auth.id = ''"}, {"sort": "@collection.users.id"}])
def test_a_clients_filter_reads_neither_request_nor_collections(
    session: Session, posts: Any, params: dict[str, str]
) -> None:
    with pytest.raises(ApiError) as error:
        list_records(guest(session), "posts", params)
    assert error.value.status == 403


@pytest.mark.parametrize(
    ("params", "found", "page", "size", "total", "pages"),
    [
        ({}, 7, 1, 30, 7, 1),
        ({"perPage": "3"}, 3, 1, 3, 7, 3),
        ({"perPage": "3", "page": "3"}, 1, 3, 3, 7, 3),
        ({"perPage": "3", "page": "4"}, 0, 4, 3, 7, 3),
        ({"perPage": "-1", "page": "0"}, 7, 1, 30, 7, 1),
        ({"perPage": "5000"}, 7, 1, 1000, 7, 1),
        ({"perPage": "2", "skipTotal": "1"}, 2, 1, 2, -1, -1),
        ({"filter": "n > 100"}, 0, 1, 30, 0, 0),
    ],
)
def test_pages(
    session: Session,
    posts: Any,
    params: dict[str, str],
    found: int,
    page: int,
    size: int,
    total: int,
    pages: int,
) -> None:
    answer = list_records(call(session), "posts", params)
    assert len(answer["items"]) == found
    assert (answer["page"], answer["perPage"]) == (page, size)
    assert (answer["totalItems"], answer["totalPages"]) == (total, pages)


@pytest.mark.parametrize("params", [{"page": "x"}, {"perPage": "1.5"}, {"skipTotal": "maybe"}, {"page": "١"}])
def test_what_is_no_number_is_refused(session: Session, posts: Any, params: dict[str, str]) -> None:
    with pytest.raises(ApiError) as error:
        list_records(call(session), "posts", params)
    assert error.value.status == 400


def test_without_a_sort_records_come_in_the_order_of_their_creation(session: Session) -> None:
    made = collection(session, "things", number("n"))
    given = ["zzzzzzzzzzzzzzz", "aaaaaaaaaaaaaaa", "mmmmmmmmmmmmmmm"]
    for record_id in given:
        create(session, made, id=record_id)
    assert ids(list_records(guest(session), "things", {})) == given
    assert ids(list_records(guest(session), "things", {"sort": "-@rowid"})) == given[::-1]


def test_hidden_fields_are_for_superusers(session: Session, posts: Any) -> None:
    public = list_records(guest(session), "posts", {})["items"][0]
    assert "hidden" not in public
    assert "hidden" in list_records(call(session), "posts", {})["items"][0]


def test_view_hides_what_its_rule_refuses(session: Session, posts: Any) -> None:
    everything = list_records(call(session), "posts", {"sort": "n"})["items"]
    bobs, public = everything[1]["id"], everything[6]["id"]
    assert view_record(guest(session), "posts", public, {})["n"] == 7
    for caller in (guest(session), call(session, user())):
        with pytest.raises(ApiError) as error:
            view_record(caller, "posts", bobs, {})
        assert error.value.status == 404


@pytest.mark.parametrize("operation", ["list", "view"])
def test_null_rules_are_for_superusers_only(session: Session, operation: str) -> None:
    secret = collection(session, "secret", text("a"), listRule=None, viewRule=None)
    record = create(session, secret, a="x")
    with pytest.raises(ApiError) as error:
        if operation == "list":
            list_records(guest(session), "secret", {})
        else:
            view_record(guest(session), "secret", record["id"], {})
    assert error.value.status == 403


def test_expand_obeys_the_related_view_rule(session: Session) -> None:
    authors = collection(
        session, "authors", text("name"), text("phone", hidden=True), viewRule="name = 'open'"
    )
    books = collection(session, "books", relation("author", authors))
    seen = create(session, books, author=create(session, authors, name="open", phone="1")["id"])
    unseen = create(session, books, author=create(session, authors, name="closed")["id"])
    shown = view_record(guest(session), "books", seen["id"], {"expand": "author"})
    assert shown["expand"]["author"]["name"] == "open"
    assert "phone" not in shown["expand"]["author"]
    assert view_record(guest(session), "books", unseen["id"], {"expand": "author"})["expand"] == {}
    assert "author" in view_record(call(session), "books", unseen["id"], {"expand": "author"})["expand"]


def test_expand_shows_nothing_of_a_collection_that_only_superusers_view(session: Session) -> None:
    authors = collection(session, "authors", text("name"), viewRule=None)
    books = collection(session, "books", relation("author", authors))
    book = create(session, books, author=create(session, authors, name="x")["id"])
    assert "expand" not in view_record(guest(session), "books", book["id"], {"expand": "author"})
    assert "author" in view_record(call(session), "books", book["id"], {"expand": "author"})["expand"]


def test_expand_goes_down_level_by_level(session: Session) -> None:
    towns = collection(session, "towns", text("name"))
    authors = collection(session, "authors", relation("town", towns))
    books = collection(session, "books", relation("author", authors))
    town = create(session, towns, name="Bern")
    book = create(session, books, author=create(session, authors, town=town["id"])["id"])
    shown = view_record(guest(session), "books", book["id"], {"expand": "author.town"})
    assert shown["expand"]["author"]["expand"]["town"]["name"] == "Bern"


@pytest.mark.parametrize("path", ["nope", "title", "author.nope", "a.b.c.d.e.f.g.h"])
def test_an_expand_that_is_none_is_left_out(session: Session, path: str) -> None:
    authors = collection(session, "authors", text("name"))
    books = collection(session, "books", text("title"), relation("author", authors))
    book = create(session, books, author=create(session, authors, name="x")["id"])
    assert "expand" not in view_record(guest(session), "books", book["id"], {"expand": path})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("title", {"title": "Hello <b>World</b>"}),
        ("title:excerpt(5)", {"title": "Hello"}),
        ("title:excerpt(5,true)", {"title": "Hello..."}),
        ("data.a", {"data": {"a": {"b": 1}}}),
        ("data.a.b,nope", {"data": {"a": {"b": 1}}}),
        ("nope", {}),
    ],
)
def test_fields_pick(session: Session, fields: str, expected: dict[str, Any]) -> None:
    made = collection(session, "things", text("title"), {"name": "data", "type": "json"})
    record = create(session, made, title="Hello <b>World</b>", data={"a": {"b": 1}, "c": 2})
    assert view_record(guest(session), "things", record["id"], {"fields": fields}) == expected


@pytest.mark.parametrize("fields", ["title:excerpt()", "title:excerpt(x)", "title:nope(1)"])
def test_fields_with_an_unknown_modifier_are_refused(session: Session, fields: str) -> None:
    made = collection(session, "things", text("title"))
    record = create(session, made, title="x")
    with pytest.raises(ApiError) as error:
        view_record(guest(session), "things", record["id"], {"fields": fields})
    assert error.value.status == 400
