"""What password fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from projects.schema.fields.password import PasswordHash
from tests.schema.fields.tables import ABSENT, field, option_errors, refused, stored, wire

REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    ({}, "x" * 72, "validation_max_text_constraint", "Must be less than 71 character(s).", None),
    ({"min": 4, "max": 6}, "abc", "validation_min_text_constraint", "Must be at least 4 character(s).", None),
    (
        {"min": 4, "max": 6},
        "abcdefg",
        "validation_max_text_constraint",
        "Must be less than 6 character(s).",
        None,
    ),
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "", "validation_required", "Cannot be blank.", None),
    ({"pattern": "^[a-z]+$"}, "ABC", "validation_invalid_format", "Invalid value format.", None),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("password", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"max": 71},
        {
            "cost": 0,
            "help": "",
            "hidden": False,
            "max": 71,
            "min": 0,
            "pattern": "",
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
    (
        {"cost": 10},
        {
            "cost": 10,
            "help": "",
            "hidden": False,
            "max": 0,
            "min": 0,
            "pattern": "",
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("password", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"min": -1},
        {
            "min": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 1.",
                "params": {"threshold": 1},
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
        {"max": 80},
        {
            "max": {
                "code": "validation_max_less_equal_than_required",
                "message": "Must be no greater than 71.",
                "params": {"threshold": 71},
            }
        },
    ),
    (
        {"max": 72},
        {
            "max": {
                "code": "validation_max_less_equal_than_required",
                "message": "Must be no greater than 71.",
                "params": {"threshold": 71},
            }
        },
    ),
    (
        {"cost": 3},
        {
            "cost": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 4.",
                "params": {"threshold": 4},
            }
        },
    ),
    (
        {"cost": 32},
        {
            "cost": {
                "code": "validation_max_less_equal_than_required",
                "message": "Must be no greater than 31.",
                "params": {"threshold": 31},
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
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("password", sent) == errors


@pytest.mark.parametrize(
    ("options", "sent"),
    [({}, ""), ({}, "abc"), ({}, 12), ({"min": 4, "max": 6}, "abcd"), ({"pattern": "^[a-z]+$"}, "abc")],
)
def test_a_password_is_accepted(options: dict[str, Any], sent: Any) -> None:
    assert stored("password", options, sent) == str(sent)


def test_more_bytes_than_bcrypt_reads_are_refused() -> None:
    assert stored("password", {}, "é" * 36) == "é" * 36
    assert refused("password", {}, "é" * 37) == ("validation_invalid_value", "Invalid value.", None)


def test_plain_text_never_reaches_the_database() -> None:
    made = field("password", {})
    with pytest.raises(TypeError, match="hashed"):
        made.to_db("secret", "sqlite")
    assert made.to_db(PasswordHash("$2b$x"), "sqlite") == "$2b$x"


def test_a_stored_hash_is_not_checked_as_if_it_were_a_password() -> None:
    made = field("password", {"max": 6})
    made.validate(made.normalize(made.from_db("$2b$" + "x" * 60, "sqlite")))
