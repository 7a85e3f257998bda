"""A dry run says what an import would do, and does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.schema import load_schema, schema_version
from projects.schema.exporting import export_collections
from projects.schema.import_diff import import_diff
from projects.schema.importing import import_collections, plan_import
from tests.schema.helpers import any_rule, make, put, rule_of_fields

A = {"id": "fa", "name": "a", "type": "text"}
B = {"id": "fb", "name": "b", "type": "text"}


def dry_run(session: Session, *collections: dict[str, Any], **rest: Any) -> dict[str, Any]:
    version, before = schema_version(session), load_schema(session).collections
    data = {"collections": list(collections), **rest}
    diff = import_diff(session, plan_import(session, data, validate_rule=any_rule))
    assert (schema_version(session), load_schema(session).collections) == (version, before)
    return diff


def test_what_is_the_same_is_not_told(session: Session) -> None:
    make(session, "old", A)
    exported = export_collections(session)["collections"]
    assert dry_run(session, *exported, deleteMissing=True) == {
        "collections": [],
        "confirmationRequired": False,
    }


def test_an_export_holds_no_secret_and_brings_everything_back(session: Session) -> None:
    make(session, "old", A, B, indexes=["CREATE INDEX idx_a ON old (a)"], listRule="")
    exported = export_collections(session)
    assert "secret" not in str(exported) and "created" not in exported["collections"][0]
    import_collections(
        session, {"collections": exported["collections"][:-1], "deleteMissing": True}, validate_rule=any_rule
    )
    assert load_schema(session).get("old") is None
    import_collections(session, exported, validate_rule=any_rule)
    assert export_collections(session) == exported


def test_new_changed_and_missing_collections_are_told_with_what_changes(session: Session) -> None:
    old = make(session, "old", A, B, indexes=["CREATE INDEX idx_a ON old (a)"])
    make(session, "gone")
    changed = {
        "id": old.id, "name": "renamed", "listRule": "", "indexes": ["CREATE INDEX idx_c ON renamed (c)"],
        "fields": [{**A, "name": "c", "max": 5}, {"name": "d", "type": "bool"}],
    }  # fmt: skip
    diff = dry_run(session, {"name": "fresh", "fields": [A]}, changed, {"name": "users"}, deleteMissing=True)
    fresh, old_entry, *_, gone = diff["collections"]
    assert (fresh["name"], fresh["change"]) == ("fresh", "create")
    assert fresh["fields"] == {"added": ["id", "a"]}
    assert (old_entry["name"], old_entry["change"]) == ("old", "update")
    assert old_entry["options"]["name"] == {"before": "old", "after": "renamed"}
    assert old_entry["options"]["listRule"] == {"before": None, "after": ""}
    assert old_entry["fields"]["added"] == ["d"] and old_entry["fields"]["removed"] == ["b"]
    assert old_entry["fields"]["renamed"] == {"a": "c"}
    assert old_entry["fields"]["changed"] == {"c": {"max": {"before": 0, "after": 5}}}
    assert len(old_entry["indexes"]["added"]) == len(old_entry["indexes"]["removed"]) == 1
    assert (gone["name"], gone["change"], gone["lost"]) == ("gone", "delete", {})
    assert diff["confirmationRequired"] is False


def test_values_that_would_be_lost_are_told(session: Session) -> None:
    put(session, make(session, "old", A, B), b="x")
    put(session, make(session, "gone"), id="record000000001")
    diff = dry_run(session, {"name": "old", "fields": [A]}, {"name": "users"}, deleteMissing=True)
    lost = {entry["name"]: entry["lost"] for entry in diff["collections"] if entry["lost"]}
    assert set(lost) == {"old", "gone"} and set(lost["old"]) == {"b"} and set(lost["gone"]) == {"gone"}
    assert lost["old"]["b"]["code"] == "confirmation_required"
    assert diff["confirmationRequired"] is True


def test_a_dry_run_refuses_what_the_import_would_refuse(session: Session) -> None:
    for data in (
        {"collections": []},
        {"collections": [{"name": "a b"}]},
        {"collections": [{"name": "x", "listRule": "nope"}]},
        {
            "collections": [
                {"name": "x", "fields": [{"name": "r", "type": "relation", "collectionId": "nope"}]}
            ]
        },
    ):
        with pytest.raises(ApiError) as caught:
            plan_import(session, data, validate_rule=rule_of_fields)
        assert caught.value.status == 400


def test_a_dry_run_refuses_to_take_away_what_others_point_to(session: Session) -> None:
    target = make(session, "target")
    pointing = {"name": "r", "type": "relation", "collectionId": target.id}
    make(session, "holder", pointing)
    with pytest.raises(ApiError, match="Failed to import"):
        dry_run(session, {"name": "holder", "fields": [pointing]}, {"name": "users"}, deleteMissing=True)
