"""What geoPoint fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, ABSENT, {"lon": 0, "lat": 0}),
    ({}, None, {"lon": 0, "lat": 0}),
    ({}, "", {"lon": 0, "lat": 0}),
    ({}, 0, {"lon": 0, "lat": 0}),
    ({}, 1, {"lon": 0, "lat": 0}),
    ({}, -1.5, {"lon": 0, "lat": 0}),
    ({}, True, {"lon": 0, "lat": 0}),
    ({}, False, {"lon": 0, "lat": 0}),
    ({}, [], {"lon": 0, "lat": 0}),
    ({}, ["a"], {"lon": 0, "lat": 0}),
    ({}, ["a", "b"], {"lon": 0, "lat": 0}),
    ({}, {}, {"lon": 0, "lat": 0}),
    ({}, {"a": 1}, {"lon": 0, "lat": 0}),
    ({}, {"lon": 1, "lat": 2}, {"lon": 1, "lat": 2}),
    ({}, {"lon": 1}, {"lon": 1, "lat": 0}),
    ({}, {"lat": 2}, {"lon": 0, "lat": 2}),
    ({}, {"lon": "1.5", "lat": "2"}, {"lon": 0, "lat": 0}),
    ({}, {"lon": 180, "lat": 90}, {"lon": 180, "lat": 90}),
    ({}, {"lon": 1, "lat": 2, "x": 3}, {"lon": 1, "lat": 2}),
    ({}, {"lng": 1, "lat": 2}, {"lon": 0, "lat": 2}),
    ({}, '{"lon":1,"lat":2}', {"lon": 1, "lat": 2}),
    ({}, [1, 2], {"lon": 0, "lat": 0}),
    ({}, "1,2", {"lon": 0, "lat": 0}),
    ({}, {"lon": "a", "lat": 1}, {"lon": 0, "lat": 1}),
    ({}, {"lon": None, "lat": None}, {"lon": 0, "lat": 0}),
    ({}, {"lon": 1.123456789, "lat": -0.5}, {"lon": 1.123456789, "lat": -0.5}),
    ({"required": True}, {"lon": 1, "lat": 0}, {"lon": 1, "lat": 0}),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("geoPoint", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    (
        {},
        {"lon": 181, "lat": 2},
        "validation_invalid_longitude",
        "Longitude must be between -180 and 180 degrees.",
        None,
    ),
    (
        {},
        {"lon": -180.1, "lat": 2},
        "validation_invalid_longitude",
        "Longitude must be between -180 and 180 degrees.",
        None,
    ),
    (
        {},
        {"lon": 1, "lat": 91},
        "validation_invalid_latitude",
        "Latitude must be between -90 and 90 degrees.",
        None,
    ),
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, None, "validation_required", "Cannot be blank.", None),
    ({"required": True}, {"lon": 0, "lat": 0}, "validation_required", "Cannot be blank.", None),
    ({"required": True}, {}, "validation_required", "Cannot be blank.", None),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("geoPoint", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"required": True},
        {"help": "", "hidden": False, "presentable": False, "required": True, "system": False},
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("geoPoint", sent) == shown
