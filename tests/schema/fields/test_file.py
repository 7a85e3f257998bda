"""What file fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from projects.schema.fields.file import FileField, NewFile, Upload
from tests.schema.fields.tables import ABSENT, as_json, field, malformed, option_errors, refused, stored, wire

TEXT_ONLY = {"maxSelect": 3, "maxSize": 1000, "mimeTypes": ["image/png", "text/plain"]}


def new(name: str = "a_0123456789.txt", size: int = 5, kind: str = "text/plain") -> NewFile:
    return NewFile(name, Upload("key", "a.txt", size, kind, "0" * 64))


@pytest.mark.parametrize(
    ("options", "sent", "kept"),
    [
        ({}, ABSENT, ""),
        ({}, None, ""),
        ({}, {"a": 1}, ""),
        ({}, ["a.txt", "b.txt"], "b.txt"),
        ({"maxSelect": 1}, "a.txt", "a.txt"),
        ({"maxSelect": 2}, ABSENT, []),
        ({"maxSelect": 2}, None, []),
        ({"maxSelect": 2}, "", []),
        ({"maxSelect": 2}, "a.txt", ["a.txt"]),
        ({"maxSelect": 2}, ["a.txt", "a.txt", ""], ["a.txt"]),
        ({"maxSelect": 2}, '["a.txt","b.txt"]', ["a.txt", "b.txt"]),
    ],
)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("file", options, sent)) == as_json(kept)


@pytest.mark.parametrize(
    ("options", "sent", "code", "message", "params"),
    [
        ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
        (
            TEXT_ONLY, ["a", "b", "c", "d"], "validation_too_many_files", "The maximum allowed files is 3.",
            {"maxSelect": 3},
        ),
        (
            TEXT_ONLY, [new(size=1001)], "validation_file_size_limit",
            "Failed to upload a.txt - the maximum allowed file size is 1000 bytes.",
            {"file": "a.txt", "maxSize": 1000},
        ),
        (
            {}, new(size=5 * 1024 * 1024 + 1), "validation_file_size_limit",
            "Failed to upload a.txt - the maximum allowed file size is 5242880 bytes.",
            {"file": "a.txt", "maxSize": 5242880},
        ),
        (
            TEXT_ONLY, [new(kind="application/pdf")], "validation_invalid_mime_type",
            '"a_0123456789.txt" mime type must be one of: image/png, text/plain.', None,
        ),
    ],
)  # fmt: skip
def test_a_value_is_refused(options: dict[str, Any], sent: Any, code: str, message: str, params: Any) -> None:
    assert refused("file", options, sent) == (code, message, params)


@pytest.mark.parametrize(
    ("found", "allowed", "fits"),
    [
        ("image/jpeg", "image/jpg", True),
        ("image/jpeg", "IMAGE/JPEG", True),
        ("text/plain", "text/plain; charset=utf-8", True),
        ("text/javascript", "application/javascript", True),
        ("text/html", "text/plain", False),
        ("image/svg+xml", "text/xml", False),
        ("image/png", "image/*", False),
    ],
)
def test_a_type_may_go_by_another_name_but_not_by_a_wider_one(found: str, allowed: str, fits: bool) -> None:
    options = {"mimeTypes": [allowed]}
    if fits:
        assert stored("file", options, new(kind=found)) == "a_0123456789.txt"
    else:
        assert refused("file", options, new(kind=found))[0] == "validation_invalid_mime_type"


def test_names_that_the_record_does_not_have_are_found() -> None:
    many = field("file", {"maxSelect": 3})
    assert isinstance(many, FileField)
    assert many.unknown_files(["own.txt", new()], ["own.txt"]) is None
    error = many.unknown_files(["own.txt", "x.txt", "y.txt"], ["own.txt"])
    assert error is not None
    assert error.as_json() == {
        "code": "validation_invalid_file",
        "message": "Invalid new files: [x.txt y.txt].",
        "params": {"invalidFiles": ["x.txt", "y.txt"]},
    }


def test_modifiers_append_prepend_and_remove() -> None:
    many = field("file", {"maxSelect": 3})
    assert many.modify(["a", "b"], "+", "c") == ["a", "b", "c"]
    assert many.modify(["a", "b"], "prefix+", [new("c")]) == ["c", "a", "b"]
    assert many.modify(["a", "b"], "-", ["a", "x"]) == ["b"]
    assert isinstance(many.modify([], "+", [new()])[0], NewFile)


def test_the_options_of_the_wire_contract() -> None:
    common = {"system": False, "hidden": False, "presentable": False, "required": False, "help": ""}
    defaults = {"maxSize": 0, "maxSelect": 0, "mimeTypes": None, "thumbs": None, "protected": False}
    assert wire("file", {}) == {**common, **defaults}
    given = {
        "maxSize": 2**53 - 1, "maxSelect": 2, "mimeTypes": ["nope", ""], "protected": True,
        "thumbs": ["", "0x20f", "20x0", "10x10t", "1x1b", "010x1", "00x0", "99999999999x1", "1x1", "1x1"],
    }  # fmt: skip
    assert wire("file", given) == {**common, **given}


@pytest.mark.parametrize(
    ("options", "name", "code"),
    [
        ({"maxSize": -1}, "maxSize", "validation_min_greater_equal_than_required"),
        ({"maxSize": 2**53}, "maxSize", "validation_max_less_equal_than_required"),
        ({"maxSelect": -1}, "maxSelect", "validation_min_greater_equal_than_required"),
        ({"maxSelect": 2**53}, "maxSelect", "validation_max_less_equal_than_required"),
    ],
)
def test_an_option_is_refused(options: dict[str, Any], name: str, code: str) -> None:
    assert option_errors("file", options)[name]["code"] == code


def test_thumbs_are_sizes() -> None:
    wrong, nothing = "validation_match_invalid", "validation_not_in_invalid"
    errors = option_errors("file", {"thumbs": ["1x1", "x", "0x0", "0x0t", "10x10x", "10X10", "-1x1", " 1x1"]})
    assert {at: error["code"] for at, error in errors["thumbs"].items()} == {
        "1": wrong, "2": nothing, "3": nothing, "4": wrong, "5": wrong, "6": wrong, "7": wrong,
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [{"maxSelect": "3"}, {"thumbs": "1x1"}, {"mimeTypes": [1]}, {"protected": "x"}, {"maxSize": 1.5}],
)
def test_json_of_the_wrong_type_is_malformed(options: dict[str, Any]) -> None:
    assert malformed("file", options)
