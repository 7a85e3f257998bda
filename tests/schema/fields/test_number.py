"""What number fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, field, malformed, option_errors, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, ABSENT, 0),
    ({}, None, 0),
    ({}, "", 0),
    ({}, 0, 0),
    ({}, 1, 1),
    ({}, -1.5, -1.5),
    ({}, True, 1),
    ({}, False, 0),
    ({}, [], 0),
    ({}, ["a"], 0),
    ({}, ["a", "b"], 0),
    ({}, {}, 0),
    ({}, {"a": 1}, 0),
    ({}, "12", 12),
    ({}, "12.5", 12.5),
    ({}, " 12 ", 0),
    ({}, "abc", 0),
    ({}, "1e3", 1000),
    ({}, "0x10", 0),
    ({}, "-3", -3),
    ({}, "+3", 3),
    ({}, 1.0, 1),
    ({}, 1.1, 1.1),
    ({}, 0.1, 0.1),
    ({}, 1000.0, 1000),
    ({}, 1e21, 1e21),
    ({}, 1e300, 1e300),
    ({}, 9007199254740993, 9007199254740992),
    ({}, -0.0, 0),
    ({}, "1,5", 0),
    ({"required": True}, 1, 1),
    ({"required": True}, True, 1),
    ({"min": 2, "max": 5}, 0, 0),
    ({"min": 2, "max": 5}, 2, 2),
    ({"min": 2, "max": 5}, 5, 5),
    ({"min": -5, "max": -2}, 0, 0),
    ({"min": -5, "max": -2}, -3, -3),
    ({"min": -5, "max": -2}, ABSENT, 0),
    ({"onlyInt": True}, 1, 1),
    ({"onlyInt": True}, "2", 2),
    ({"onlyInt": True}, 1.0, 1),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("number", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    ({}, "NaN", "validation_not_a_number", "The submitted number is not properly formatted.", None),
    ({}, "Infinity", "validation_not_a_number", "The submitted number is not properly formatted.", None),
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, None, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "", "validation_required", "Cannot be blank.", None),
    ({"required": True}, 0, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "0", "validation_required", "Cannot be blank.", None),
    ({"required": True}, False, "validation_required", "Cannot be blank.", None),
    (
        {"min": 2, "max": 5},
        1,
        "validation_min_number_constraint",
        "Must be greater or equal than 2.",
        {"min": 2},
    ),
    (
        {"min": 2, "max": 5},
        5.1,
        "validation_max_number_constraint",
        "Must be less or equal than 5.",
        {"max": 5},
    ),
    (
        {"min": 2, "max": 5},
        6,
        "validation_max_number_constraint",
        "Must be less or equal than 5.",
        {"max": 5},
    ),
    (
        {"min": 2, "max": 5},
        "1",
        "validation_min_number_constraint",
        "Must be greater or equal than 2.",
        {"min": 2},
    ),
    ({"onlyInt": True}, 1.5, "validation_only_int_constraint", "Decimal numbers are not allowed.", None),
    ({"onlyInt": True}, "1.5", "validation_only_int_constraint", "Decimal numbers are not allowed.", None),
    ({"onlyInt": True}, 1e20, "validation_only_int_constraint", "Decimal numbers are not allowed.", None),
    (
        {"onlyInt": True, "min": 3},
        1.5,
        "validation_only_int_constraint",
        "Decimal numbers are not allowed.",
        None,
    ),
    (
        {"onlyInt": True, "min": 3},
        2,
        "validation_min_number_constraint",
        "Must be greater or equal than 3.",
        {"min": 3},
    ),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("number", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"min": 0, "max": 0},
        {
            "help": "",
            "hidden": False,
            "max": 0,
            "min": 0,
            "onlyInt": False,
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
    (
        {"min": 3, "max": 3},
        {
            "help": "",
            "hidden": False,
            "max": 3,
            "min": 3,
            "onlyInt": False,
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("number", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"min": 5, "max": 3},
        {
            "max": {
                "code": "validation_min_number_constraint",
                "message": "Must be greater or equal than 5.",
                "params": {"min": 5},
            }
        },
    ),
    (
        {"min": 1.5, "onlyInt": True},
        {"min": {"code": "validation_only_int_constraint", "message": "Decimal numbers are not allowed."}},
    ),
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("number", sent) == errors


MALFORMED: list[dict[str, Any]] = [
    {"min": "a"},
]


@pytest.mark.parametrize("sent", MALFORMED)
def test_options_of_the_wrong_json_type_are_malformed(sent: dict[str, Any]) -> None:
    assert malformed("number", sent)


def test_changes_by_plus_and_minus() -> None:
    made = field("number", {})
    assert made.modify(10, "+", "5") == 15
    assert made.modify(10, "-", 2.5) == 7.5
    assert made.modify(10, "+", "abc") == 10
    assert made.modify(0.1, "+", 0.9) == 1
