"""What date fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, ABSENT, ""),
    ({}, None, ""),
    ({}, "", ""),
    ({}, "2022-01-02", "2022-01-02T00:00:00.000Z"),
    ({}, "2022-01-02 10:11:12", "2022-01-02T10:11:12.000Z"),
    ({}, "2022-01-02 10:11:12Z", "2022-01-02T10:11:12.000Z"),
    ({}, "2022-01-02 10:11:12.123Z", "2022-01-02T10:11:12.123Z"),
    ({}, "2022-01-02 10:11:12.123456Z", "2022-01-02T10:11:12.123Z"),
    ({}, "2022-01-02T10:11:12Z", "2022-01-02T10:11:12.000Z"),
    ({}, "2022-01-02T10:11:12.5+02:00", "2022-01-02T08:11:12.500Z"),
    ({}, "2022-01-02 10:11:12 +0200", "2022-01-02T08:11:12.000Z"),
    ({}, "2022-01-02T10:11:12", "2022-01-02T10:11:12.000Z"),
    ({}, "2022-01-02 10:11", ""),
    ({}, "2022-01-02T10:11Z", ""),
    ({}, "2022-1-2", ""),
    ({}, "2022-01", ""),
    ({}, "2022", ""),
    ({}, "10:11", ""),
    ({}, "01/02/2022", ""),
    ({}, "Mon, 02 Jan 2006 15:04:05 MST", "2006-01-02T15:04:05.000Z"),
    ({}, "Mon Jan 2 15:04:05 2006", "2006-01-02T15:04:05.000Z"),
    ({}, "02 Jan 2006", "2006-01-02T00:00:00.000Z"),
    ({}, "2022-13-01", ""),
    ({}, "2022-02-30", ""),
    ({}, "abc", ""),
    ({}, "0000-00-00", ""),
    ({}, "0001-01-01 00:00:00.000Z", ""),
    ({}, "9999-12-31 23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ({}, "10000-01-01", ""),
    ({}, 0, ""),
    ({}, 1, ""),
    ({}, 1641118272, ""),
    ({}, 1641118272123, ""),
    ({}, 1641118272.5, ""),
    ({}, -1, ""),
    ({}, "1641118272", ""),
    ({}, True, ""),
    ({}, False, ""),
    ({}, [], ""),
    ({}, {}, ""),
    ({}, ["2022-01-02"], ""),
    ({}, "2022-01-02 10:11:12.9999Z", "2022-01-02T10:11:12.999Z"),
    ({}, " 2022-01-02 ", ""),
    ({}, "2022-01-02 24:00:00Z", ""),
    ({"required": True}, "2022-01-02", "2022-01-02T00:00:00.000Z"),
    ({"min": "2022-01-02", "max": "2022-01-04"}, "", ""),
    ({"min": "2022-01-02", "max": "2022-01-04"}, "2022-01-02", "2022-01-02T00:00:00.000Z"),
    ({"min": "2022-01-02", "max": "2022-01-04"}, "2022-01-04", "2022-01-04T00:00:00.000Z"),
    ({"min": "2022-01-02", "max": "2022-01-04"}, "abc", ""),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("date", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "", "validation_required", "Cannot be blank.", None),
    ({"required": True}, "abc", "validation_required", "Cannot be blank.", None),
    (
        {"min": "2022-01-02", "max": "2022-01-04"},
        "2022-01-01",
        "validation_min_greater_equal_than_required",
        "Must be no less than 2022-01-02 00:00:00 +0000 UTC.",
        {"threshold": "2022-01-02T00:00:00Z"},
    ),
    (
        {"min": "2022-01-02", "max": "2022-01-04"},
        "2022-01-04 00:00:01Z",
        "validation_max_less_equal_than_required",
        "Must be no greater than 2022-01-04 00:00:00 +0000 UTC.",
        {"threshold": "2022-01-04T00:00:00Z"},
    ),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("date", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"min": "abc"},
        {
            "help": "",
            "hidden": False,
            "max": "",
            "min": "",
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
    (
        {"min": "2022-01-02", "max": "2022-01-01"},
        {
            "help": "",
            "hidden": False,
            "max": "2022-01-01T00:00:00.000Z",
            "min": "2022-01-02T00:00:00.000Z",
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
    (
        {"min": "2022-01-02", "max": "2022-01-02"},
        {
            "help": "",
            "hidden": False,
            "max": "2022-01-02T00:00:00.000Z",
            "min": "2022-01-02T00:00:00.000Z",
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
    (
        {"min": "2022-01-02 10:00:00Z", "max": "2022-01-03T10:00:00.123+02:00"},
        {
            "help": "",
            "hidden": False,
            "max": "2022-01-03T08:00:00.123Z",
            "min": "2022-01-02T10:00:00.000Z",
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("date", sent) == shown
