"""What json fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, option_errors, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, ABSENT, None),
    ({}, None, None),
    ({}, "", ""),
    ({}, 0, 0),
    ({}, 1, 1),
    ({}, -1.5, -1.5),
    ({}, True, True),
    ({}, False, False),
    ({}, [], []),
    ({}, ["a"], ["a"]),
    ({}, ["a", "b"], ["a", "b"]),
    ({}, {}, {}),
    ({}, {"a": 1}, {"a": 1}),
    ({}, "abc", "abc"),
    ({}, "12", 12),
    ({}, "true", True),
    ({}, "null", None),
    ({}, '{"a":1}', {"a": 1}),
    ({}, "[1,2]", [1, 2]),
    ({}, "{bad", "{bad"),
    ({}, '"quoted"', "quoted"),
    ({}, {"b": 1, "a": [1, {"c": None}]}, {"a": [1, {"c": None}], "b": 1}),
    ({}, 1.5, 1.5),
    ({}, 1000.0, 1000),
    ({}, 12345678901234567890, 1.2345678901234567e19),
    ({}, " x ", " x "),
    ({"required": True}, 0, 0),
    ({"required": True}, False, False),
    ({"required": True}, 1, 1),
    ({"maxSize": 5}, "12345", 12345),
    ({"maxSize": 5}, 12345, 12345),
    ({"maxSize": 5}, "abc", "abc"),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("json", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    ({}, "a\x00", "validation_invalid_json", "Must be a valid json value.", None),
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, None, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "", "validation_required", "Cannot be blank.", None),
    ({"required": True}, [], "validation_required", "Cannot be blank.", None),
    ({"required": True}, {}, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "null", "validation_required", "Cannot be blank.", None),
    ({"required": True}, "[]", "validation_required", "Cannot be blank.", None),
    ({"required": True}, "{}", "validation_required", "Cannot be blank.", None),
    (
        {"maxSize": 5},
        123456,
        "validation_json_size_limit",
        "The maximum allowed JSON size is 5 bytes.",
        {"maxSize": 5},
    ),
    (
        {"maxSize": 5},
        "abcd",
        "validation_json_size_limit",
        "The maximum allowed JSON size is 5 bytes.",
        {"maxSize": 5},
    ),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("json", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"maxSize": 10},
        {
            "help": "",
            "hidden": False,
            "maxSize": 10,
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("json", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"maxSize": -1},
        {
            "maxSize": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 0.",
                "params": {"threshold": 0},
            }
        },
    ),
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("json", sent) == errors


@pytest.mark.parametrize("value", ["a\0", {"a": "\0"}, {"\0": 1}, ["x", ["\0"]]])
def test_nul_anywhere_in_json_is_refused(value: Any) -> None:
    assert refused("json", {}, value)[0] == "validation_invalid_json"


def test_a_text_that_only_spells_the_escape_of_nul_is_kept() -> None:
    assert stored("json", {}, {"a": "\\u0000"}) == {"a": "\\u0000"}


def test_json_too_deep_to_store_is_refused() -> None:
    deep: Any = 1
    for _ in range(2000):
        deep = [deep]
    assert refused("json", {}, deep)[0] == "validation_invalid_json"
