from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from projects.schema import prepare_create, prepare_update, touch_dates, validate_values
from projects.schema.collection import CollectionSchema
from projects.schema.dates import parse_date
from projects.schema.defaults import new_collection
from projects.schema.draft import complete, merge

FIELDS: list[dict[str, Any]] = [
    {"name": "t", "type": "text", "autogeneratePattern": "[a-z]{4}", "max": 8},
    {"name": "n", "type": "number", "max": 50},
    {"name": "s", "type": "select", "values": ["a", "b", "c"], "maxSelect": 3},
    {"name": "s1", "type": "select", "values": ["a", "b", "c"]},
    {"name": "b", "type": "bool"},
    {"name": "r", "type": "text", "required": True},
    {"name": "created", "type": "autodate", "onCreate": True},
    {"name": "updated", "type": "autodate", "onUpdate": True},
]


@pytest.fixture(scope="module")
def posts() -> CollectionSchema:
    return complete(replace(merge(new_collection("base"), {"name": "posts", "fields": FIELDS}), id="posts"))


def test_a_new_record_has_every_field(posts: CollectionSchema) -> None:
    values = prepare_create(posts, {})
    assert list(values) == ["id", "t", "n", "s", "s1", "b", "r", "created", "updated"]
    assert re.fullmatch("[a-z0-9]{15}", values["id"])
    assert re.fullmatch("[a-z]{4}", values["t"])
    assert (values["n"], values["s"], values["s1"], values["b"], values["r"]) == (0, [], "", False, "")


def test_autodates_are_the_servers_alone(posts: CollectionSchema) -> None:
    sent = {"created": "2020-01-01", "updated": "2020-01-01"}
    values = prepare_create(posts, sent)
    assert parse_date(values["created"])
    assert not values["created"].startswith("2020")
    assert values["updated"] == ""
    assert prepare_update(posts, values, sent) == {}
    assert list(touch_dates(posts)) == ["updated"]


def test_a_client_may_choose_the_id(posts: CollectionSchema) -> None:
    assert prepare_create(posts, {"id": "abcdefghijklmno"})["id"] == "abcdefghijklmno"
    for blank in ("", None, []):
        assert len(prepare_create(posts, {"id": blank})["id"]) == 15


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        ({"n": "12.5"}, "n", 12.5),
        ({"n+": 5}, "n", 5),
        ({"n": 2, "n+": 5}, "n", 7),
        ({"n-": "3"}, "n", -3),
        ({"n+": "abc"}, "n", 0),
        ({"+n": 5}, "n", 0),
        ({"s+": "a"}, "s", ["a"]),
        ({"s": ["a"], "s+": ["b"]}, "s", ["a", "b"]),
        ({"s": ["a"], "+s": ["b", "c"]}, "s", ["b", "c", "a"]),
        ({"s": ["a", "b"], "s-": "a"}, "s", ["b"]),
        ({"s+": ["a"], "+s": ["b"], "s-": ["a"]}, "s", ["b"]),
        ({"s1": "a", "s1+": "b"}, "s1", "b"),
        ({"s1": "a", "+s1": "b"}, "s1", "a"),
        ({"s1": "a", "s1-": "a"}, "s1", ""),
        ({"b+": True}, "b", False),
        ({"t": "x"}, "t", "x"),
    ],
)
def test_a_body_says(posts: CollectionSchema, body: dict[str, Any], name: str, value: Any) -> None:
    assert prepare_create(posts, body)[name] == value


def test_a_text_is_generated_on_demand_after_a_prefix(posts: CollectionSchema) -> None:
    assert re.fullmatch("pre-[a-z]{4}", prepare_create(posts, {"t:autogenerate": "pre-"})["t"])
    assert re.fullmatch("[a-z]{4}", prepare_create(posts, {"t": "x", "t:autogenerate": ""})["t"])
    old = {"t": "old"}
    assert re.fullmatch("[a-z]{4}", prepare_update(posts, old, {"t:autogenerate": ""})["t"])
    assert prepare_update(posts, old, {"t": ""}) == {"t": ""}


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({}, {}),
        ({"unknown": 1}, {}),
        ({"n": 1}, {"n": 1}),
        ({"n+": 5, "n-": 2}, {"n": 13}),
        ({"n": 1, "n+": 5}, {"n": 6}),
        ({"s+": ["b", "a"]}, {"s": ["a", "b"]}),
        ({"+s": ["c"]}, {"s": ["c", "a"]}),
        ({"s-": ["zzz"]}, {"s": ["a"]}),
        ({"s+": None}, {"s": ["a"]}),
        ({"s": None}, {"s": []}),
    ],
)
def test_an_update_names_what_changes(
    posts: CollectionSchema, body: dict[str, Any], changed: dict[str, Any]
) -> None:
    old = {**prepare_create(posts, {}), "n": 10, "s": ["a"]}
    assert prepare_update(posts, old, body) == changed


def test_every_wrong_field_is_reported(posts: CollectionSchema) -> None:
    values = prepare_create(posts, {"id": "short", "n": 51, "s": ["zzz"], "t": "too long by far"})
    found = validate_values(posts, values)
    assert {name: error.code for name, error in found.items()} == {
        "id": "validation_min_text_constraint",
        "t": "validation_max_text_constraint",
        "n": "validation_max_number_constraint",
        "s": "validation_invalid_value",
        "r": "validation_required",
    }


def test_only_changed_fields_are_checked_when_asked(posts: CollectionSchema) -> None:
    assert list(validate_values(posts, {"n": 51, "r": ""}, changed=["n"])) == ["n"]
    assert list(validate_values(posts, {"n": 51})) == ["n"]


def test_the_id_of_a_record_stays(posts: CollectionSchema) -> None:
    old = prepare_create(posts, {"r": "x"})
    changed = prepare_update(posts, old, {"id": "abcdefghijklmno"})
    assert validate_values(posts, changed, old=old)["id"].code == "validation_pk_change"
    assert validate_values(posts, prepare_update(posts, old, {"id": old["id"]}), old=old) == {}
