"""What text fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

import time
from typing import Any

import pytest

from projects.schema.fields.text import TextField
from tests.schema.fields.tables import ABSENT, as_json, field, malformed, option_errors, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, ABSENT, ""),
    ({}, None, ""),
    ({}, "", ""),
    ({}, 0, "0"),
    ({}, 1, "1"),
    ({}, -1.5, "-1.5"),
    ({}, True, "true"),
    ({}, False, "false"),
    ({}, [], ""),
    ({}, ["a"], ""),
    ({}, ["a", "b"], ""),
    ({}, {}, ""),
    ({}, {"a": 1}, ""),
    ({}, "abc", "abc"),
    ({}, " abc ", " abc "),
    ({}, "12", "12"),
    ({}, "é😀", "é😀"),
    ({}, "a\nb", "a\nb"),
    ({}, "<b>x</b>", "<b>x</b>"),
    ({}, "x" * 5000, "x" * 5000),
    ({}, 12345678901234567890, "12345678901234567000"),
    ({}, 1e30, "1000000000000000000000000000000"),
    ({}, 0.1, "0.1"),
    ({}, 1.0, "1"),
    ({"required": True}, " ", " "),
    ({"required": True}, 0, "0"),
    ({"required": True}, False, "false"),
    ({"min": 3, "max": 5}, "", ""),
    ({"min": 3, "max": 5}, "abc", "abc"),
    ({"min": 3, "max": 5}, "abcde", "abcde"),
    ({"min": 3, "max": 5}, "ééé", "ééé"),
    ({"min": 3, "max": 5}, "😀😀😀", "😀😀😀"),
    ({"min": 3, "max": 5}, "ABS", "ABS"),
    ({"min": 3, "max": 5}, ABSENT, ""),
    ({"pattern": "^[a-z]+$"}, "", ""),
    ({"pattern": "^[a-z]+$"}, "abc", "abc"),
    ({"pattern": "[0-9]"}, "a1b", "a1b"),
    ({"max": 6000}, "x" * 5001, "x" * 5001),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("text", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    (
        {},
        "x" * 5001,
        "validation_max_text_constraint",
        "Must be no more than 5000 character(s).",
        {"max": 5000},
    ),
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, None, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "", "validation_required", "Cannot be blank.", None),
    ({"required": True}, [], "validation_required", "Cannot be blank.", None),
    (
        {"min": 3, "max": 5},
        "ab",
        "validation_min_text_constraint",
        "Must be at least 3 character(s).",
        {"min": 3},
    ),
    (
        {"min": 3, "max": 5},
        "abcdef",
        "validation_max_text_constraint",
        "Must be no more than 5 character(s).",
        {"max": 5},
    ),
    (
        {"min": 3, "max": 5},
        "éé",
        "validation_min_text_constraint",
        "Must be at least 3 character(s).",
        {"min": 3},
    ),
    ({"pattern": "^[a-z]+$"}, "aB1", "validation_invalid_format", "Invalid value format.", None),
    ({"pattern": "^[a-z]+$"}, " abc", "validation_invalid_format", "Invalid value format.", None),
    ({"pattern": "[0-9]"}, "x", "validation_invalid_format", "Invalid value format.", None),
    (
        {"min": 3, "pattern": "^[a-z]+$", "required": True},
        "",
        "validation_required",
        "Cannot be blank.",
        None,
    ),
    (
        {"min": 3, "pattern": "^[a-z]+$", "required": True},
        "A",
        "validation_min_text_constraint",
        "Must be at least 3 character(s).",
        {"min": 3},
    ),
    (
        {"min": 3, "pattern": "^[a-z]+$", "required": True},
        "ab",
        "validation_min_text_constraint",
        "Must be at least 3 character(s).",
        {"min": 3},
    ),
    (
        {"min": 3, "pattern": "^[a-z]+$", "required": True},
        "ABC",
        "validation_invalid_format",
        "Invalid value format.",
        None,
    ),
    (
        {"max": 6000},
        "x" * 6001,
        "validation_max_text_constraint",
        "Must be no more than 6000 character(s).",
        {"max": 6000},
    ),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("text", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"autogeneratePattern": "abc.*"},
        {
            "autogeneratePattern": "abc.*",
            "help": "",
            "hidden": False,
            "max": 0,
            "min": 0,
            "pattern": "",
            "presentable": False,
            "primaryKey": False,
            "required": False,
            "system": False,
        },
    ),
    (
        {"hidden": True, "presentable": True, "required": True},
        {
            "autogeneratePattern": "",
            "help": "",
            "hidden": True,
            "max": 0,
            "min": 0,
            "pattern": "",
            "presentable": True,
            "primaryKey": False,
            "required": True,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("text", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"min": -1},
        {
            "min": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 0.",
                "params": {"threshold": 0},
            }
        },
    ),
    (
        {"min": 5, "max": 3},
        {
            "max": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 5.",
                "params": {"threshold": 5},
            }
        },
    ),
    (
        {"max": -1},
        {
            "max": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 0.",
                "params": {"threshold": 0},
            }
        },
    ),
    (
        {"pattern": "["},
        {
            "pattern": {
                "code": "validation_invalid_regex",
                "message": "Error parsing regexp: missing closing ]: `[`.",
            }
        },
    ),
    (
        {"pattern": "(?=a)"},
        {
            "pattern": {
                "code": "validation_invalid_regex",
                "message": "Error parsing regexp: invalid or unsupported Perl syntax: `(?=`.",
            }
        },
    ),
    (
        {"autogeneratePattern": "["},
        {
            "autogeneratePattern": {
                "code": "validation_invalid_regex",
                "message": "Error parsing regexp: missing closing ]: `[`.",
            }
        },
    ),
    (
        {"max": 9007199254740994},
        {
            "max": {
                "code": "validation_max_less_equal_than_required",
                "message": "Must be no greater than 9007199254740991.",
                "params": {"threshold": 9007199254740991},
            }
        },
    ),
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("text", sent) == errors


MALFORMED: list[dict[str, Any]] = [
    {"min": 1.5},
    {"min": "x"},
    {"required": "yes"},
]


@pytest.mark.parametrize("sent", MALFORMED)
def test_options_of_the_wrong_json_type_are_malformed(sent: dict[str, Any]) -> None:
    assert malformed("text", sent)


def test_a_text_that_an_engine_cannot_hold_is_refused() -> None:
    assert refused("text", {}, "a\0b") == ("validation_invalid_format", "Invalid value format.", None)
    assert refused("text", {}, "a\ud800") == ("validation_invalid_format", "Invalid value format.", None)


def test_a_generated_value_obeys_the_pattern() -> None:
    options = {"autogeneratePattern": "[a-z]{4}-[0-9]{2}", "pattern": "^[a-z]{4}-[0-9]{2}$"}
    made = field("text", options)
    assert isinstance(made, TextField)
    value = made.generated()
    made.validate(value)
    assert value != made.generated()


@pytest.mark.parametrize(
    "options",
    [
        {"autogeneratePattern": "[a-z]{5}", "min": 10},
        {"autogeneratePattern": "[a-z]{5}", "pattern": "^[0-9]+$"},
    ],
)
def test_a_pattern_that_generates_what_the_field_refuses_is_refused(options: dict[str, Any]) -> None:
    error = option_errors("text", options)["autogeneratePattern"]
    assert error["code"] == "validation_invalid_autogenerate_pattern_value"


def test_a_hostile_pattern_answers_in_linear_time() -> None:
    started = time.perf_counter()
    assert refused("text", {"pattern": "(a+)+$", "max": 100_000}, "a" * 50_000 + "!")[0] == (
        "validation_invalid_format"
    )
    assert time.perf_counter() - started < 0.5


def test_a_primary_key_named_otherwise_is_refused() -> None:
    errors = option_errors("text", {"primaryKey": True, "hidden": True})
    assert {key: error["code"] for key, error in errors.items()} == {
        "name": "validation_in_invalid",
        "hidden": "validation_empty",
        "pattern": "validation_required",
        "required": "validation_required",
    }
