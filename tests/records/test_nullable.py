"""Nullable fields: null is stored and answered where there is no value."""

from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError, FieldError
from projects.records.access import satisfies
from projects.records.create import create_record
from projects.records.delete import delete_record
from projects.records.list import list_records
from projects.records.update import update_record
from projects.records.view import view_record
from projects.rules import validate_rule
from projects.schema.operations import update_collection
from projects.schema.serialize import collection_to_json
from tests.records.support import call, collection, create, guest, number, relation, text

# A nullable field of each kind, a value, and the value that is the type's nothing.
KINDS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "text": ({}, "x", ""),
    "number": ({}, 1.5, 0),
    "bool": ({}, True, False),
    "email": ({}, "a@example.com", ""),
    "url": ({}, "https://example.com", ""),
    "editor": ({}, "<p>x</p>", ""),
    "date": ({}, "2026-01-02T03:04:05.000Z", ""),
    "select": ({"values": ["a", "b"]}, "a", ""),
    "geoPoint": ({}, {"lon": 1, "lat": 2}, {"lon": 0, "lat": 0}),
    "file": ({}, "", ""),
}


def fields(nullable: bool = True) -> list[dict[str, Any]]:
    return [
        {"name": f"f_{kind}", "type": kind, "nullable": nullable, **options}
        for kind, (options, _, _) in KINDS.items()
    ]


def test_what_has_no_value_is_null_and_what_has_one_is_not(session: Session) -> None:
    things = collection(session, "things", *fields())
    absent = create_record(guest(session), things, {})
    null = create_record(guest(session), things, {f"f_{kind}": None for kind in KINDS})
    zero = create_record(guest(session), things, {f"f_{kind}": zero for kind, (_, _, zero) in KINDS.items()})
    value = create_record(guest(session), things, {f"f_{kind}": v for kind, (_, v, _) in KINDS.items()})
    for record, at in ((absent, None), (null, None), (value, 1), (zero, 2)):
        shown = view_record(guest(session), "things", record["id"], {})
        for kind, sample in KINDS.items():
            expected = None if at is None else sample[at]
            assert shown[f"f_{kind}"] == expected, kind
            assert type(shown[f"f_{kind}"]) is type(expected), kind
    emptied = update_record(guest(session), things, value["id"], {f"f_{kind}": None for kind in KINDS})
    assert all(emptied[f"f_{kind}"] is None for kind in KINDS)
    assert view_record(guest(session), "things", value["id"], {})["f_number"] is None


def test_a_required_field_is_not_null_and_numbers_count_from_nothing(session: Session) -> None:
    things = collection(
        session, "things", text("a", nullable=True, required=True), number("n", nullable=True)
    )
    for body in ({}, {"a": None}):
        with pytest.raises(ApiError) as error:
            create_record(guest(session), things, body)
        assert error.value.data["a"].code == "validation_required"  # type: ignore[union-attr]
    record = create(session, things, a="x")
    assert update_record(guest(session), things, record["id"], {"n+": 3})["n"] == 3


def test_a_deleted_relation_becomes_null(session: Session) -> None:
    authors = collection(session, "authors", text("name"))
    posts = collection(session, "posts", relation("author", authors, nullable=True))
    author = create(session, authors, name="Ann")
    post = create(session, posts, author=author["id"])
    assert create(session, posts)["author"] is None
    delete_record(call(session), authors, author["id"])
    assert view_record(guest(session), "posts", post["id"], {"expand": "author"})["author"] is None


@pytest.mark.parametrize(
    "field",
    [
        {"name": "a", "type": "select", "values": ["x", "y"], "maxSelect": 2},
        {"name": "a", "type": "relation", "collectionId": "_pb_users_auth_", "maxSelect": 2},
        {"name": "id", "type": "text", "system": True},
    ],
)
def test_lists_and_ids_are_never_null(session: Session, field: dict[str, Any]) -> None:
    if field["name"] == "id":
        made = collection(session, "things", {**field, "nullable": True})
        assert "nullable" not in collection_to_json(made)["fields"][0]
        return
    with pytest.raises(ApiError) as error:
        collection(session, "things", {**field, "nullable": True})
    (found,) = error.value.data["fields"].values()  # type: ignore[union-attr]
    assert found == {"nullable": FieldError("validation_invalid_nullable", "The field cannot be null.")}


def test_only_a_nullable_field_says_whether_it_is(session: Session) -> None:
    made = collection(session, "things", text("a"), text("b", nullable=True))
    shown = {field["name"]: field.get("nullable") for field in collection_to_json(made)["fields"]}
    assert shown == {"id": None, "a": None, "b": True}


FILTERS = [
    f"{name} {sign} {operand}"
    for name in ("f_text", "f_number", "f_bool", "f_date", "f_select")
    for sign in ("=", "!=", ">", "<=", "~", "!~")
    for operand in ("null", "''", "'a'", "0", "1.5", "true", "f_other", "f_number")
]


def test_rules_and_filters_tell_null_from_values_alike_in_sql_and_in_python(session: Session) -> None:
    things = collection(session, "things", *fields(), text("f_other", nullable=True))
    create(session, things)
    create(session, things, **{f"f_{kind}": value for kind, (_, value, _) in KINDS.items()}, f_other="a")
    create(session, things, **{f"f_{kind}": zero for kind, (_, _, zero) in KINDS.items()}, f_other="")
    stored = list_records(guest(session), "things", {})["items"]
    for rule in FILTERS:
        found = {item["id"] for item in list_records(guest(session), "things", {"filter": rule})["items"]}
        in_python = {item["id"] for item in stored if satisfies(call(session), things, rule, item)}
        assert found == in_python, rule
    for rule in ("f_number = null", "f_text = ''", "f_date = null", "f_bool = null"):
        assert list_records(guest(session), "things", {"filter": rule})["totalItems"] >= 1, rule
    assert list_records(guest(session), "things", {"filter": "f_number = 0"})["totalItems"] == 1


def test_null_comes_first_and_last_when_turned_round(session: Session) -> None:
    things = collection(session, "things", text("a", nullable=True), number("n", nullable=True))
    for a, n in (("b", 2), (None, None), ("a", 0), ("", -1)):
        create(session, things, a=a, n=n)

    def order(sort: str) -> list[Any]:
        return [
            item[sort.strip("-")] for item in list_records(guest(session), "things", {"sort": sort})["items"]
        ]

    assert order("a") == [None, "", "a", "b"]
    assert order("-a") == ["b", "a", "", None]
    assert order("n") == [None, -1, 0, 2]
    assert order("-n") == [2, 0, -1, None]


def change(session: Session, name: str, *of: dict[str, Any], confirm: bool = False, **more: Any) -> Any:
    """The collection's fields with some options changed; fields keep their ids."""
    before = collection_to_json(call(session).collection(name))
    options = {one["name"]: one for one in of}
    body = {
        "fields": [{**field, **options.get(field["name"], {})} for field in before["fields"]],
        **more,
    }
    return update_collection(session, name, body, validate_rule=validate_rule, confirm=confirm)


def test_a_field_becomes_nullable_and_back_with_its_values_and_indexes(session: Session) -> None:
    authors = collection(session, "authors", text("name"))
    things = collection(
        session,
        "things",
        *fields(nullable=False),
        relation("r", authors),
        indexes=["CREATE UNIQUE INDEX one_text ON things (f_text)"],
    )
    author = create(session, authors)
    first = create(session, things, **{f"f_{kind}": v for kind, (_, v, _) in KINDS.items()}, r=author["id"])
    zero = create(session, things)
    before = [view_record(guest(session), "things", one["id"], {}) for one in (first, zero)]
    names = [*(f"f_{kind}" for kind in KINDS), "r"]

    things = change(session, "things", *({"name": name, "nullable": True} for name in names))
    assert [view_record(guest(session), "things", one["id"], {}) for one in (first, zero)] == before
    null = create(session, things)
    assert all(null[name] is None for name in names)
    with pytest.raises(ApiError), session.savepoint():
        create(session, things, f_text="x")

    back = [{"name": name, "nullable": False} for name in names]
    with pytest.raises(ApiError) as error:
        change(session, "things", *back)
    assert set(error.value.data) == set(names)
    # Null becomes the empty text, which is there already: the index refuses two of them.
    update_record(call(session), things, zero["id"], {"f_text": "other"})
    things = change(session, "things", *back, confirm=True)
    assert view_record(guest(session), "things", first["id"], {}) == before[0]
    emptied = view_record(guest(session), "things", null["id"], {})
    assert {name: emptied[name] for name in names} == {name: before[1][name] for name in names}
    with pytest.raises(ApiError), session.savepoint():
        create(session, things, f_text="x")
    delete_record(call(session), authors, author["id"])
    assert view_record(guest(session), "things", first["id"], {})["r"] == ""


def test_one_value_that_may_be_null_becomes_a_list_and_back(session: Session) -> None:
    choice = {"name": "s", "type": "select", "values": ["a", "b"], "nullable": True}
    things = collection(session, "things", choice)
    null, one = create(session, things), create(session, things, s="a")
    change(session, "things", {"name": "s", "maxSelect": 2, "nullable": False})
    shown = [view_record(guest(session), "things", record["id"], {})["s"] for record in (null, one)]
    assert shown == [[], ["a"]]
    change(session, "things", {"name": "s", "maxSelect": 1, "nullable": True})
    shown = [view_record(guest(session), "things", record["id"], {})["s"] for record in (null, one)]
    assert shown == [None, "a"]
