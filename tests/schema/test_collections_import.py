from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.schema import (
    RuleValidator,
    collection_to_json,
    import_collections,
    load_schema,
    schema_version,
    view_collection,
)
from tests.schema.helpers import any_rule, change, columns_of, errors, make, put, rule_of_fields, values

A = {"id": "fa", "name": "a", "type": "text"}
B = {"id": "fb", "name": "b", "type": "text"}


def bring(session: Session, *collections: dict[str, Any], confirm: bool = False, **rest: Any) -> None:
    import_collections(
        session, {"collections": list(collections), **rest}, validate_rule=any_rule, confirm=confirm
    )


def refusal(
    session: Session, data: dict[str, Any], validate_rule: RuleValidator = rule_of_fields
) -> ApiError:
    version, collections = schema_version(session), load_schema(session).collections
    tables = {made.name: columns_of(session, made.table) for made in collections}
    with pytest.raises(ApiError) as caught:
        import_collections(session, data, validate_rule=validate_rule)
    assert schema_version(session) == version
    assert load_schema(session).collections == collections
    assert tables == {made.name: columns_of(session, made.table) for made in collections}
    assert caught.value.status == 400
    return caught.value


def names_of(session: Session, name: str) -> list[str]:
    made = load_schema(session).get(name)
    assert made is not None
    return [field.name for field in made.fields]


def test_new_collections_are_created_and_known_ones_extended(session: Session) -> None:
    make(session, "old", A)
    bring(session, {"name": "new", "fields": [A]}, {"name": "old", "fields": [B]})
    assert names_of(session, "new") == ["id", "a"]
    assert names_of(session, "old") == ["b", "id", "a"]
    assert columns_of(session, "old") == {"id", "a", "b"}


def test_collections_of_one_file_may_point_to_each_other(session: Session) -> None:
    bring(
        session,
        {"id": "ida", "name": "a_c", "fields": [{"name": "r", "type": "relation", "collectionId": "idb"}]},
        {"id": "idb", "name": "b_c", "fields": [{"name": "r", "type": "relation", "collectionId": "ida"}]},
    )
    assert load_schema(session).get("ida") is not None


def test_a_known_id_with_another_name_is_a_rename(session: Session) -> None:
    made = make(session, "old", A)
    put(session, made, a="kept")
    bring(session, {"id": made.id, "name": "renamed", "fields": [{**A, "name": "title"}]})
    assert values(session, "renamed", "title") == ["kept"]


def test_names_may_go_round_in_a_ring(session: Session) -> None:
    one, two = make(session, "one", A), make(session, "two", A)
    gone = make(session, "gone")
    put(session, one, a="1")
    put(session, two, a="2")
    bring(
        session,
        {"id": one.id, "name": "two", "fields": [A]},
        {"id": two.id, "name": "one", "fields": [A]},
        {"id": "another", "name": "gone", "fields": [B]},
        deleteMissing=True,
        confirm=True,
    )
    assert (values(session, "two", "a"), values(session, "one", "a")) == (["1"], ["2"])
    assert load_schema(session).get(gone.id) is None
    assert columns_of(session, "gone") == {"id", "b"}


def test_what_a_file_shows_can_be_brought_back(session: Session) -> None:
    make(session, "posts", A, indexes=["CREATE INDEX i ON posts (a)"], listRule="")
    shown = [collection_to_json(made) for made in load_schema(session).collections]
    bring(session, *shown, deleteMissing=True)
    again = [collection_to_json(made) for made in load_schema(session).collections]
    assert [{**made, "updated": ""} for made in again] == [{**made, "updated": ""} for made in shown]


def test_missing_ones_stay_unless_they_shall_go(session: Session) -> None:
    made = make(session, "old", A, B)
    put(session, make(session, "other"), id="record000000001")
    bring(session, {"id": made.id, "name": "old", "fields": [A]})
    assert names_of(session, "old") == ["a", "id", "b"]
    with pytest.raises(ApiError) as caught:
        bring(session, {"name": "old", "fields": [A]}, deleteMissing=True)
    assert errors(caught.value)["other"]["code"] == "confirmation_required"
    bring(session, {"name": "old", "fields": [A]}, deleteMissing=True, confirm=True)
    assert [made.name for made in load_schema(session).collections if not made.system] == ["old"]
    assert names_of(session, "old") == ["id", "a"]
    assert columns_of(session, "other") == set()


def test_values_that_would_be_lost_want_confirmation(session: Session) -> None:
    made = make(session, "old", A, B)
    put(session, made, b="x")
    data = {"collections": [{"name": "old", "fields": [A]}, {"name": "users"}], "deleteMissing": True}
    assert errors(refusal(session, data, any_rule))["old"]["b"]["code"] == "confirmation_required"
    import_collections(session, {**data, "confirm": True}, validate_rule=any_rule)
    assert columns_of(session, "old") == {"id", "a"}


@pytest.mark.parametrize("data", [{}, {"collections": []}, {"collections": None}])
def test_an_empty_file_is_refused(session: Session, data: dict[str, Any]) -> None:
    error = refusal(session, data)
    assert error.message == "An error occurred while validating the submitted data."
    assert errors(error)["collections"]["code"] == "validation_required"


@pytest.mark.parametrize(
    "data",
    [{"collections": "x"}, {"collections": [1]}, {"collections": [{"name": "q"}], "deleteMissing": "x"}],
)
def test_a_file_of_the_wrong_shape_is_refused(session: Session, data: dict[str, Any]) -> None:
    assert refusal(session, data).message == "An error occurred while loading the submitted data."


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"name": "imp 2"},
            (
                'Data validations failed for collection "imp 2" (pbc_1504210534):\n'
                '{\n  "name": "must be in a valid format"\n}.'
            ),
        ),
        (
            {"name": "imp3", "fields": [{"name": "r", "type": "relation", "collectionId": "nope"}]},
            (
                'Data validations failed for collection "imp3" (pbc_2424783030):\n'
                '{\n  "fields": {\n    "1": {\n      "collectionId": "The relation collection doesn\'t exist."\n'
                "    }\n  }\n}."
            ),
        ),
        (
            {},
            'Data validations failed for collection "" (pbc_3233087073):\n{\n  "name": "cannot be blank"\n}.',
        ),
    ],
)
def test_one_bad_collection_stops_all(session: Session, item: dict[str, Any], message: str) -> None:
    error = refusal(session, {"collections": [{"name": "good", "fields": [A]}, item]})
    assert error.message == "Failed to import collections."
    assert errors(error)["collections"] == {
        "code": "validation_collections_import_failure",
        "message": message,
    }


def test_two_collections_of_one_name_are_refused(session: Session) -> None:
    error = refusal(session, {"collections": [{"id": "x1", "name": "same"}, {"id": "x2", "name": "Same"}]})
    assert "unique" in errors(error)["collections"]["message"]


def test_a_collection_that_a_system_collection_points_to_stays(session: Session) -> None:
    gone = make(session, "gone")
    shown = collection_to_json(view_collection(session, "_mfas"))
    relation = {"name": "r", "type": "relation", "collectionId": gone.id}
    change(session, "_mfas", fields=[*shown["fields"], relation])
    error = refusal(session, {"collections": [{"name": "users"}], "deleteMissing": True}, any_rule)
    assert error.message == "Failed to delete collection probably due to existing reference in _mfas."


def test_a_relation_to_a_collection_that_goes_is_refused(session: Session) -> None:
    gone = make(session, "gone")
    holder = {"name": "holder", "fields": [{"name": "r", "type": "relation", "collectionId": gone.id}]}
    error = refusal(session, {"collections": [{"name": "users"}, holder], "deleteMissing": True}, any_rule)
    assert "doesn't exist" in errors(error)["collections"]["message"]


def test_an_index_that_cannot_be_read_is_told_however_many_collections_come_with_it(session: Session) -> None:
    bad = {"name": "bad", "fields": [A], "indexes": ["\x96"]}
    failure = refusal(session, {"collections": [{"name": "first", "fields": [A]}, bad]})
    assert failure.data["indexes"]["0"].code == "validation_invalid_index_expression"  # type: ignore[union-attr,index]
