"""What bool fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, ABSENT, False),
    ({}, None, False),
    ({}, "", False),
    ({}, 0, False),
    ({}, 1, True),
    ({}, -1.5, True),
    ({}, True, True),
    ({}, False, False),
    ({}, [], False),
    ({}, ["a"], False),
    ({}, ["a", "b"], False),
    ({}, {}, False),
    ({}, {"a": 1}, False),
    ({}, "true", True),
    ({}, "false", False),
    ({}, "TRUE", True),
    ({}, "True", True),
    ({}, "t", True),
    ({}, "f", False),
    ({}, "T", True),
    ({}, "1", True),
    ({}, "0", False),
    ({}, "yes", False),
    ({}, "no", False),
    ({}, "on", False),
    ({}, "abc", False),
    ({"required": True}, True, True),
    ({"required": True}, 1, True),
    ({"required": True}, "true", True),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("bool", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, None, "validation_required", "Cannot be blank.", None),
    ({"required": True}, False, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "false", "validation_required", "Cannot be blank.", None),
    ({"required": True}, 0, "validation_required", "Cannot be blank.", None),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("bool", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"required": True},
        {"help": "", "hidden": False, "presentable": False, "required": True, "system": False},
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("bool", sent) == shown
