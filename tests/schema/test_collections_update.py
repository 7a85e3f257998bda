from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.schema import (
    CollectionSchema,
    collection_to_json,
    load_schema,
    schema_version,
    update_collection,
)
from projects.schema.dates import parse_date
from tests.schema.helpers import (
    USERS_ID,
    change,
    columns_of,
    errors,
    indexes_of,
    make,
    put,
    records,
    rule_of_fields,
    values,
)

A: dict[str, Any] = {"id": "fa", "name": "a", "type": "text"}
N: dict[str, Any] = {"id": "fn", "name": "n", "type": "number"}
S: dict[str, Any] = {"id": "fs", "name": "s", "type": "select", "values": ["x", "y", "z"], "maxSelect": 3}


@pytest.fixture
def posts(session: Session) -> CollectionSchema:
    """Fields a, n and s with an index on a, and one record."""
    made = make(session, "posts", A, N, S, indexes=["CREATE INDEX idx_a ON posts (a)"])
    put(session, made, id="record000000001", a="hello", n=5, s=["x", "y"])
    return made


def refusal(session: Session, name: str, data: dict[str, Any], confirm: bool = False) -> ApiError:
    """The answer to an update that must be refused, and must leave everything as it was."""
    version, collections = schema_version(session), load_schema(session).collections
    before = {made.name: columns_of(session, made.table) for made in collections if made.has_table}
    with pytest.raises(ApiError) as caught:
        update_collection(session, name, data, validate_rule=rule_of_fields, confirm=confirm)
    assert schema_version(session) == version
    assert load_schema(session).collections == collections
    assert before == {made.name: columns_of(session, made.table) for made in collections if made.has_table}
    return caught.value


def codes(tree: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value["code"] if isinstance(value.get("code"), str) else codes(value)
        for key, value in tree.items()
    }


# --- renames ------------------------------------------------------------------------------------------


def test_a_renamed_field_keeps_its_data_and_its_index(session: Session, posts: CollectionSchema) -> None:
    made = change(session, "posts", fields=[{**A, "name": "title"}, N, S])
    assert values(session, "posts", "title") == ["hello"]
    assert columns_of(session, "posts") == {"id", "title", "n", "s"}
    assert made.indexes == ("CREATE INDEX `idx_a` ON `posts` (`title`)",)
    assert indexes_of(session, "posts") == {"idx_a"}


def test_names_can_be_swapped(session: Session) -> None:
    made = make(
        session, "t", A, {"id": "fb", "name": "b", "type": "text"}, {"id": "fc", "name": "c", "type": "text"}
    )
    put(session, made, a="A", b="B", c="C")
    change(session, "t", fields=[{**A, "name": "b"}, {"id": "fb", "name": "c", "type": "text"},
                                 {"id": "fc", "name": "a", "type": "text"}])  # fmt: skip
    (record,) = records(session, "t")
    assert (record["b"], record["c"], record["a"]) == ("A", "B", "C")


def test_a_change_of_case_is_a_rename(session: Session, posts: CollectionSchema) -> None:
    change(session, "posts", name="Posts", fields=[{**A, "name": "A"}, N, S])
    assert values(session, "posts", "A") == ["hello"]
    assert columns_of(session, "Posts") == {"id", "A", "n", "s"}


def test_a_renamed_field_may_leave_its_name_to_a_new_one(session: Session, posts: CollectionSchema) -> None:
    made = change(session, "posts", fields=[{**A, "name": "title"}, {"name": "a", "type": "bool"}, N, S])
    (record,) = records(session, "posts")
    assert (record["title"], record["a"]) == ("hello", False)
    assert made.field_by_name["a"].id != "fa"


def test_a_new_field_never_takes_the_id_of_a_renamed_one(session: Session) -> None:
    made = make(session, "t", {"name": "a", "type": "text"})
    put(session, made, a="kept")
    derived = made.field_by_name["a"].id
    made = change(
        session, "t", fields=[{"id": derived, "name": "b", "type": "text"}, {"name": "a", "type": "text"}]
    )
    assert made.field_by_name["b"].id == derived != made.field_by_name["a"].id
    assert (values(session, "t", "b"), values(session, "t", "a")) == (["kept"], [""])


def test_a_renamed_collection_keeps_records_and_indexes(session: Session, posts: CollectionSchema) -> None:
    made = change(session, "posts", name="articles")
    assert made.id == posts.id
    assert made.indexes == ("CREATE INDEX `idx_a` ON `articles` (`a`)",)
    assert values(session, "articles", "a") == ["hello"]
    assert indexes_of(session, "articles") == {"idx_a"}
    assert load_schema(session).get("posts") is None
    assert columns_of(session, "posts") == set()


def test_a_renamed_auth_collection_keeps_its_unique_indexes(session: Session) -> None:
    made = change(session, "users", name="people")
    assert all(" ON `people` (" in text for text in made.indexes)
    assert indexes_of(session, "people") == {f"idx_tokenKey_{USERS_ID}", f"idx_email_{USERS_ID}"}
    assert len(made.indexes) == 2


# --- what changes, and what does not ------------------------------------------------------------------


def test_nothing_sent_changes_nothing_but_the_time(session: Session, posts: CollectionSchema) -> None:
    before, after = collection_to_json(posts), collection_to_json(change(session, "posts"))
    assert parse_date(before.pop("updated")) <= parse_date(after.pop("updated"))  # type: ignore[operator]
    assert before == after


def test_rules_are_replaced_and_null_is_a_rule(session: Session) -> None:
    make(session, "t", listRule="", viewRule="id != ''")
    made = change(session, "t", listRule=None, createRule="")
    assert (made.list_rule, made.view_rule, made.create_rule) == (None, "id != ''", "")


def test_options_of_a_field_that_are_not_sent_are_the_defaults_again(session: Session) -> None:
    make(session, "t", {**A, "max": 5, "required": True})
    made = change(session, "t", fields=[A])
    assert collection_to_json(made)["fields"][1]["max"] == 0


def test_added_fields_are_zero_in_old_records(session: Session, posts: CollectionSchema) -> None:
    new = [{"name": "b", "type": "bool"}, {"name": "j", "type": "json"}, {"name": "g", "type": "geoPoint"},
           {"name": "r", "type": "relation", "collectionId": USERS_ID, "maxSelect": 5}]  # fmt: skip
    change(session, "posts", fields=[A, N, S, *new])
    (record,) = records(session, "posts")
    assert (record["b"], record["j"], record["g"], record["r"]) == (False, None, {"lon": 0, "lat": 0}, [])


def test_a_relation_to_itself_can_be_added(session: Session, posts: CollectionSchema) -> None:
    made = change(
        session, "posts", fields=[A, N, S, {"name": "parent", "type": "relation", "collectionId": posts.id}]
    )
    assert "parent" in made.field_by_name


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"name": ""}, {"name": "validation_required"}),
        ({"name": "users"}, {"name": "validation_collection_name_exists"}),
        ({"name": "_posts"}, {"name": "validation_collection_name_invalid"}),
        ({"type": "nope"}, {"type": "validation_in_invalid"}),
        ({"type": "auth"}, {"type": "validation_collection_type_change"}),
        ({"system": True}, {"system": "validation_collection_system_flag_change"}),
        ({"listRule": "zzz"}, {"listRule": "validation_invalid_rule"}),
        ({"indexes": ["nope"]}, {"indexes": {"0": "validation_invalid_index_expression"}}),
        ({"fields": [A, {**N, "type": "text"}, S]}, {"fields": {"2": "validation_field_type_change"}}),
        ({"fields": [{"id": "text3208210256", "name": "x", "type": "text"}]}, {"fields": "validation_missing_primary_key"}),
        ({"fields": [{"id": "text3208210256", "name": "id", "type": "bool"}]}, {"fields": "validation_missing_primary_key"}),
        ({"fields": [{"id": "other", "name": "id", "type": "text"}]}, {"fields": "validation_system_field_change"}),
        ({"fields": [{"name": "r", "type": "relation", "collectionId": "no"}]},
         {"fields": {"1": {"collectionId": "validation_field_relation_missing_collection"}}}),
    ],
)  # fmt: skip
def test_a_change_is_refused_with(
    session: Session, posts: CollectionSchema, data: dict[str, Any], complaint: dict[str, Any]
) -> None:
    error = refusal(session, "posts", data, confirm=True)
    assert (error.status, error.message) == (400, "Failed to update collection.")
    assert codes(errors(error)) == complaint


@pytest.mark.parametrize("data", [{"fields": "x"}, {"listRule": 5}, {"indexes": [1]}, {"name": 5}])
def test_json_of_the_wrong_type_is_malformed(
    session: Session, posts: CollectionSchema, data: dict[str, Any]
) -> None:
    error = refusal(session, "posts", data)
    assert (error.status, errors(error)) == (400, {})


@pytest.mark.parametrize(("name", "data"), [("nope", {}), ("posts", {"id": "other"}), ("posts", {"id": ""})])
def test_what_cannot_be_found_is_404(
    session: Session, posts: CollectionSchema, name: str, data: dict[str, Any]
) -> None:
    assert refusal(session, name, data).status == 404


def test_the_target_of_a_relation_cannot_be_changed(session: Session) -> None:
    make(session, "t", {"id": "fr", "name": "r", "type": "relation", "collectionId": USERS_ID})
    other = make(session, "other")
    error = refusal(
        session, "t", {"fields": [{"id": "fr", "name": "r", "type": "relation", "collectionId": other.id}]}
    )
    assert codes(errors(error)) == {"fields": {"1": {"collectionId": "validation_field_relation_change"}}}


def test_a_field_that_the_rules_use_cannot_go(session: Session) -> None:
    make(session, "t", A, listRule="a")
    assert codes(errors(refusal(session, "t", {"fields": []}))) == {"listRule": "validation_invalid_rule"}


def test_a_field_that_an_index_uses_cannot_go(session: Session, posts: CollectionSchema) -> None:
    error = refusal(session, "posts", {"fields": [N, S]}, confirm=True)
    message = "Failed to create index idx_a - SQL logic error: no such column: a (1)."
    assert errors(error)["indexes"]["0"]["message"] == message
    change(session, "posts", confirm=True, fields=[N, S], indexes=[])
    assert columns_of(session, "posts") == {"id", "n", "s"}


# --- what would lose data -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"type": "text"}, "x"),
        ({"type": "number"}, -1),
        ({"type": "bool"}, True),
        ({"type": "date"}, "2022-01-01"),
        ({"type": "json"}, 0),
        ({"type": "geoPoint"}, {"lon": 1, "lat": 0}),
        ({"type": "select", "values": ["x", "y"]}, "x"),
        ({"type": "select", "values": ["x", "y"], "maxSelect": 2}, ["x"]),
        ({"type": "relation", "collectionId": USERS_ID}, "x"),
    ],
)
def test_dropping_a_field_with_values_wants_confirmation(
    session: Session, field: dict[str, Any], value: Any
) -> None:
    made = make(session, "t", {"name": "gone", **field}, N)
    put(session, made, gone=None)
    put(session, made, gone=value)
    error = refusal(session, "t", {"fields": [N]})
    assert error.status == 400
    assert codes(errors(error)) == {"gone": "confirmation_required"}
    change(session, "t", confirm=True, fields=[N])
    assert columns_of(session, "t") == {"id", "n"}


def test_dropping_a_field_without_values_wants_none(session: Session) -> None:
    made = make(session, "t", A, N)
    put(session, made, n=1)
    change(session, "t", fields=[N])
    assert columns_of(session, "t") == {"id", "n"}


def test_confirmation_may_stand_in_the_body(session: Session, posts: CollectionSchema) -> None:
    refusal(session, "posts", {"fields": [A, S], "confirm": "yes"})
    change(session, "posts", fields=[A, S], confirm=True)
    assert columns_of(session, "posts") == {"id", "a", "s"}


def test_a_field_of_the_same_name_but_another_id_is_another_field(
    session: Session, posts: CollectionSchema
) -> None:
    data = {"fields": [A, {"id": "new", "name": "n", "type": "text"}, S]}
    assert codes(errors(refusal(session, "posts", data))) == {"n": "confirmation_required"}
    change(session, "posts", confirm=True, **data)
    assert values(session, "posts", "n") == [""]


def test_from_many_values_to_one_the_last_stays_once_confirmed(
    session: Session, posts: CollectionSchema
) -> None:
    put(session, posts, id="record000000002", s=[])
    put(session, posts, id="record000000003", s=["z"])
    data = {"fields": [A, N, {**S, "maxSelect": 1}]}
    assert codes(errors(refusal(session, "posts", data))) == {"s": "confirmation_required"}
    change(session, "posts", confirm=True, **data)
    assert values(session, "posts", "s") == ["y", "", "z"]


def test_from_one_value_to_many_and_back_loses_nothing(session: Session) -> None:
    made = make(session, "t", {**S, "maxSelect": 1}, indexes=["CREATE INDEX idx_s ON t (s)"])
    put(session, made, id="record000000001", s="x")
    put(session, made, id="record000000002")
    change(session, "t", fields=[S])
    assert values(session, "t", "s") == [["x"], []]
    assert indexes_of(session, "t") == {"idx_s"}
    change(session, "t", fields=[{**S, "name": "renamed", "maxSelect": 0}])
    assert values(session, "t", "renamed") == ["x", ""]
    assert indexes_of(session, "t") == {"idx_s"}


def test_values_that_are_no_longer_offered_stay(session: Session, posts: CollectionSchema) -> None:
    change(session, "posts", fields=[A, N, {**S, "values": ["q", "r", "s"]}])
    assert values(session, "posts", "s") == [["x", "y"]]


# --- indexes ------------------------------------------------------------------------------------------


def test_indexes_are_added_changed_and_dropped(session: Session, posts: CollectionSchema) -> None:
    change(
        session, "posts", indexes=["CREATE INDEX idx_a ON posts (a DESC)", "CREATE INDEX idx_n ON posts (n)"]
    )
    assert indexes_of(session, "posts") == {"idx_a", "idx_n"}
    change(session, "posts", indexes=["CREATE INDEX idx_n ON posts (n)"])
    assert indexes_of(session, "posts") == {"idx_n"}
    change(session, "posts", indexes=[])
    assert indexes_of(session, "posts") == set()


def test_a_unique_index_over_duplicates_is_refused(session: Session, posts: CollectionSchema) -> None:
    put(session, posts, a="hello")
    data = {
        "indexes": [
            "CREATE INDEX ok ON posts (n)",
            "CREATE UNIQUE INDEX uq ON posts (a, n)",
            "CREATE UNIQUE INDEX uqa ON posts (a)",
        ]
    }
    error = refusal(session, "posts", data)
    assert errors(error)["indexes"] == {
        "2": {
            "code": "validation_invalid_index_expression",
            "message": "Failed to create index uqa - constraint failed: UNIQUE constraint failed: posts.a (2067).",
        }
    }
    assert indexes_of(session, "posts") == {"idx_a"}


def test_an_auth_collection_keeps_its_fields_and_unique_indexes(session: Session) -> None:
    made = change(session, "users", fields=[], indexes=[])
    assert [field.name for field in made.fields] == [
        "id", "password", "tokenKey", "email", "emailVisibility", "verified",
    ]  # fmt: skip
    assert indexes_of(session, "users") == {f"idx_tokenKey_{USERS_ID}", f"idx_email_{USERS_ID}"}


# --- system collections -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("_mfas", {"name": "x"}, {"name": "validation_collection_system_name_change"}),
        ("_mfas", {"listRule": ""}, {"listRule": "validation_collection_system_rule_change"}),
        ("_mfas", {"system": False}, {"system": "validation_collection_system_flag_change"}),
        ("_mfas", {"fields": []}, {"fields": "validation_system_field_change"}),
        ("_superusers", {"listRule": ""}, {"listRule": "validation_collection_system_rule_change"}),
        ("_superusers", {"authRule": "id"}, {"authRule": "validation_collection_system_rule_change"}),
        ("_superusers", {"mfa": {"enabled": True}}, {"mfa": {"enabled": "validation_mfa_not_enough_auths"}}),
    ],
)
def test_a_system_collection_refuses(
    session: Session, name: str, data: dict[str, Any], complaint: dict[str, Any]
) -> None:
    found = codes(errors(refusal(session, name, data)))
    assert {key: found[key] for key in complaint} == complaint


def test_superusers_have_no_fields_but_their_own(session: Session) -> None:
    shown = collection_to_json(next(c for c in load_schema(session).collections if not c.has_table))
    error = refusal(session, "_superusers", {"fields": [*shown["fields"], A]})
    assert codes(errors(error)) == {"fields": "validation_system_field_change"}
    assert (
        change(session, "_superusers", authToken={"duration": 86401}).options["authToken"]["duration"]
        == 86401
    )


def test_superusers_always_sign_in_with_their_password(session: Session) -> None:
    made = change(session, "_superusers", passwordAuth={"enabled": False})
    assert made.options["passwordAuth"]["enabled"] is True


def test_fields_marked_system_stay_until_they_are_not(session: Session) -> None:
    make(session, "t", {**A, "system": True})
    for fields in ([], [{**A, "name": "b"}]):
        error = refusal(session, "t", {"fields": fields})
        assert codes(errors(error)) == {"fields": "validation_system_field_change"}
    change(session, "t", fields=[A])
    change(session, "t", fields=[])
