"""What editor fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, option_errors, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, ABSENT, ""),
    ({}, "", ""),
    ({}, "<p>x</p>", "<p>x</p>"),
    ({}, "<script>alert(1)</script>", "<script>alert(1)</script>"),
    ({}, 12, "12"),
    ({}, None, ""),
    ({}, [], ""),
    ({}, "<p></p>", "<p></p>"),
    ({"required": True}, "<p></p>", "<p></p>"),
    ({"maxSize": 5}, "12345", "12345"),
    ({"maxSize": 5}, "éé", "éé"),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("editor", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    ({"required": True}, "", "validation_required", "Cannot be blank.", None),
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    (
        {"maxSize": 5},
        "123456",
        "validation_content_size_limit",
        "The maximum allowed content size is 5 bytes.",
        {"maxSize": 5},
    ),
    (
        {"maxSize": 5},
        "ééé",
        "validation_content_size_limit",
        "The maximum allowed content size is 5 bytes.",
        {"maxSize": 5},
    ),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("editor", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"maxSize": 100, "convertURLs": True},
        {
            "convertURLs": True,
            "help": "",
            "hidden": False,
            "maxSize": 100,
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("editor", sent) == shown


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
    assert option_errors("editor", sent) == errors
