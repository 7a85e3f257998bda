"""What relation fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, option_errors, refused, stored, wire

OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"collectionId": "_pb_users_auth_", "minSelect": 1, "maxSelect": 1, "cascadeDelete": True},
        {
            "cascadeDelete": True,
            "collectionId": "_pb_users_auth_",
            "help": "",
            "hidden": False,
            "maxSelect": 1,
            "minSelect": 1,
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("relation", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"collectionId": {"code": "validation_required", "message": "Cannot be blank."}}),
    ({"collectionId": ""}, {"collectionId": {"code": "validation_required", "message": "Cannot be blank."}}),
    (
        {"collectionId": "nope"},
        {
            "collectionId": {
                "code": "validation_field_relation_missing_collection",
                "message": "The relation collection doesn't exist.",
            }
        },
    ),
    (
        {"collectionId": "users"},
        {
            "collectionId": {
                "code": "validation_field_relation_missing_collection",
                "message": "The relation collection doesn't exist.",
            }
        },
    ),
    (
        {"collectionId": "_pb_users_auth_", "minSelect": 3, "maxSelect": 2},
        {
            "maxSelect": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 3.",
                "params": {"threshold": 3},
            }
        },
    ),
    (
        {"collectionId": "_pb_users_auth_", "minSelect": -1},
        {
            "minSelect": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 0.",
                "params": {"threshold": 0},
            }
        },
    ),
    (
        {"collectionId": "_pb_users_auth_", "maxSelect": -1},
        {
            "maxSelect": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 0.",
                "params": {"threshold": 0},
            }
        },
    ),
    (
        {"collectionId": "_pb_users_auth_", "minSelect": 2},
        {"maxSelect": {"code": "validation_required", "message": "Cannot be blank."}},
    ),
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("relation", sent) == errors


@pytest.mark.parametrize(
    ("options", "sent", "kept"),
    [
        ({}, ABSENT, ""),
        ({}, "x1", "x1"),
        ({}, ["x1", "x2"], "x2"),
        ({}, 12, "12"),
        ({}, {}, ""),
        ({"maxSelect": 2}, ABSENT, []),
        ({"maxSelect": 2}, "x1", ["x1"]),
        ({"maxSelect": 2}, ["x1", "x1", ""], ["x1"]),
        ({"maxSelect": 2}, '["x1","x2"]', ["x1", "x2"]),
        ({"maxSelect": 3, "minSelect": 2}, [], []),
    ],
)
def test_references_are_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert stored("relation", {"collectionId": "_pb_users_auth_", **options}, sent) == kept


@pytest.mark.parametrize(
    ("options", "sent", "code"),
    [
        ({"required": True}, "", "validation_required"),
        ({"maxSelect": 2}, ["1", "2", "3"], "validation_too_many_values"),
        ({"maxSelect": 3, "minSelect": 2}, ["1"], "validation_not_enough_values"),
        ({"maxSelect": 2}, ["a\0b"], "validation_missing_rel_records"),
    ],
)
def test_references_are_refused_with(options: dict[str, Any], sent: Any, code: str) -> None:
    assert refused("relation", {"collectionId": "_pb_users_auth_", **options}, sent)[0] == code
