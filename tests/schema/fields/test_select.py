"""What select fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, field, malformed, option_errors, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({"values": ["a", "b", "1"], "maxSelect": 1}, ABSENT, ""),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, None, ""),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, "", ""),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, 1, "1"),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, [], ""),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, ["a"], "a"),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, ["a", "b"], "b"),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, {}, ""),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, {"a": 1}, ""),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, "b", "b"),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, ["b"], "b"),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, ["a", "b"], "b"),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, 1, "1"),
    ({"values": ["a", "b", "1"], "maxSelect": 1}, '["a"]', "a"),
    ({"values": ["a", "b"]}, ABSENT, ""),
    ({"values": ["a", "b"]}, "a", "a"),
    ({"values": ["a", "b"]}, ["a", "b"], "b"),
    ({"values": ["a", "b"], "required": True}, "a", "a"),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, ABSENT, []),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, None, []),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, "", []),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, 1, ["1"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, [], []),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, ["a"], ["a"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, ["a", "b"], ["a", "b"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, {}, []),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, {"a": 1}, []),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, "b", ["b"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, ["a", "a"], ["a"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, ["b", "a"], ["b", "a"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, [1], ["1"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, [None], []),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, ["a", ""], ["a"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, '["a","b"]', ["a", "b"]),
    ({"values": ["a", "b", "c", "1"], "maxSelect": 2}, [["a"]], []),
    ({"values": ["a", "b"], "maxSelect": 2, "required": True}, ["a"], ["a"]),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("select", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        0,
        "validation_invalid_value",
        "Invalid value 0.",
        {"value": "0"},
    ),
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        -1.5,
        "validation_invalid_value",
        "Invalid value -1.5.",
        {"value": "-1.5"},
    ),
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        True,
        "validation_invalid_value",
        "Invalid value true.",
        {"value": "true"},
    ),
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        False,
        "validation_invalid_value",
        "Invalid value false.",
        {"value": "false"},
    ),
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        "c",
        "validation_invalid_value",
        "Invalid value c.",
        {"value": "c"},
    ),
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        "A",
        "validation_invalid_value",
        "Invalid value A.",
        {"value": "A"},
    ),
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        ["a", "c"],
        "validation_invalid_value",
        "Invalid value c.",
        {"value": "c"},
    ),
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        ["c"],
        "validation_invalid_value",
        "Invalid value c.",
        {"value": "c"},
    ),
    (
        {"values": ["a", "b", "1"], "maxSelect": 1},
        "a,b",
        "validation_invalid_value",
        "Invalid value a,b.",
        {"value": "a,b"},
    ),
    ({"values": ["a", "b"], "required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"values": ["a", "b"], "required": True}, "", "validation_required", "Cannot be blank.", None),
    ({"values": ["a", "b"], "required": True}, None, "validation_required", "Cannot be blank.", None),
    (
        {"values": ["a", "b"], "required": True},
        "c",
        "validation_invalid_value",
        "Invalid value c.",
        {"value": "c"},
    ),
    ({"values": ["a", "b"], "required": True}, [], "validation_required", "Cannot be blank.", None),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        0,
        "validation_invalid_value",
        "Invalid value 0.",
        {"value": "0"},
    ),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        -1.5,
        "validation_invalid_value",
        "Invalid value -1.5.",
        {"value": "-1.5"},
    ),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        True,
        "validation_invalid_value",
        "Invalid value true.",
        {"value": "true"},
    ),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        False,
        "validation_invalid_value",
        "Invalid value false.",
        {"value": "false"},
    ),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        "d",
        "validation_invalid_value",
        "Invalid value d.",
        {"value": "d"},
    ),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        ["a", "b", "c"],
        "validation_too_many_values",
        "Select no more than 2.",
        {"maxSelect": 2},
    ),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        ["a", "d"],
        "validation_invalid_value",
        "Invalid value d.",
        {"value": "d"},
    ),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        ["d"],
        "validation_invalid_value",
        "Invalid value d.",
        {"value": "d"},
    ),
    (
        {"values": ["a", "b", "c", "1"], "maxSelect": 2},
        "a,b",
        "validation_invalid_value",
        "Invalid value a,b.",
        {"value": "a,b"},
    ),
    (
        {"values": ["a", "b"], "maxSelect": 2, "required": True},
        ABSENT,
        "validation_required",
        "Cannot be blank.",
        None,
    ),
    (
        {"values": ["a", "b"], "maxSelect": 2, "required": True},
        [],
        "validation_required",
        "Cannot be blank.",
        None,
    ),
    (
        {"values": ["a", "b"], "maxSelect": 2, "required": True},
        "",
        "validation_required",
        "Cannot be blank.",
        None,
    ),
    (
        {"values": ["a", "b"], "maxSelect": 2, "required": True},
        None,
        "validation_required",
        "Cannot be blank.",
        None,
    ),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("select", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"values": ["a", "a"]},
        {
            "help": "",
            "hidden": False,
            "maxSelect": 0,
            "presentable": False,
            "required": False,
            "system": False,
            "values": ["a", "a"],
        },
    ),
    (
        {"values": ["a", ""]},
        {
            "help": "",
            "hidden": False,
            "maxSelect": 0,
            "presentable": False,
            "required": False,
            "system": False,
            "values": ["a", ""],
        },
    ),
    (
        {"values": ["a", "b"], "maxSelect": 2},
        {
            "help": "",
            "hidden": False,
            "maxSelect": 2,
            "presentable": False,
            "required": False,
            "system": False,
            "values": ["a", "b"],
        },
    ),
    (
        {"values": ["a", "b"], "maxSelect": 1},
        {
            "help": "",
            "hidden": False,
            "maxSelect": 1,
            "presentable": False,
            "required": False,
            "system": False,
            "values": ["a", "b"],
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("select", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"values": {"code": "validation_required", "message": "Cannot be blank."}}),
    ({"values": []}, {"values": {"code": "validation_required", "message": "Cannot be blank."}}),
    (
        {"values": ["a"], "maxSelect": 2},
        {
            "maxSelect": {
                "code": "validation_max_less_equal_than_required",
                "message": "Must be no greater than 1.",
                "params": {"threshold": 1},
            }
        },
    ),
    (
        {"values": ["a", "b"], "maxSelect": -1},
        {
            "maxSelect": {
                "code": "validation_min_greater_equal_than_required",
                "message": "Must be no less than 0.",
                "params": {"threshold": 0},
            }
        },
    ),
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("select", sent) == errors


MALFORMED: list[dict[str, Any]] = [
    {"values": [1, 2]},
    {"values": "a,b"},
]


@pytest.mark.parametrize("sent", MALFORMED)
def test_options_of_the_wrong_json_type_are_malformed(sent: dict[str, Any]) -> None:
    assert malformed("select", sent)


def test_values_are_appended_prepended_and_removed() -> None:
    many = field("select", {"values": ["a", "b", "c"], "maxSelect": 3})
    assert many.modify(["a"], "+", ["b", "a"]) == ["a", "b"]
    assert many.modify(["a", "b"], "prefix+", "c") == ["c", "a", "b"]
    assert many.modify(["a", "b"], "-", ["a", "zzz"]) == ["b"]
    one = field("select", {"values": ["a", "b"]})
    assert one.modify("a", "+", "b") == "b"
    assert one.modify("a", "prefix+", "b") == "a"
    assert one.modify("a", "-", "a") == ""
