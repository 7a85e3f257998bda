"""What email fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, malformed, option_errors, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, "", ""),
    ({}, "a@b.co", "a@b.co"),
    ({}, "A@B.CO", "A@B.CO"),
    ({}, "a@b.c", "a@b.c"),
    ({}, "é@b.co", "é@b.co"),
    ({}, "a@é.co", "a@é.co"),
    ({}, "a+b@c.co", "a+b@c.co"),
    ({}, "x" * 250 + "@b.co", "x" * 250 + "@b.co"),
    ({}, "a@" + "b" * 250 + ".co", "a@" + "b" * 250 + ".co"),
    ({}, None, ""),
    ({}, [], ""),
    ({"onlyDomains": ["a.com"]}, "x@a.com", "x@a.com"),
    ({"exceptDomains": ["a.com"]}, "x@b.com", "x@b.com"),
    ({"exceptDomains": ["a.com"]}, "x@sub.a.com", "x@sub.a.com"),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("email", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    ({}, " a@b.co ", "validation_is_email", "Must be a valid email address.", None),
    ({}, "a", "validation_is_email", "Must be a valid email address.", None),
    ({}, "a@b", "validation_is_email", "Must be a valid email address.", None),
    ({}, "a@localhost", "validation_is_email", "Must be a valid email address.", None),
    ({}, "a b@c.co", "validation_is_email", "Must be a valid email address.", None),
    ({}, "a@b..co", "validation_is_email", "Must be a valid email address.", None),
    ({}, 12, "validation_is_email", "Must be a valid email address.", None),
    ({}, True, "validation_is_email", "Must be a valid email address.", None),
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "", "validation_required", "Cannot be blank.", None),
    ({"required": True}, None, "validation_required", "Cannot be blank.", None),
    (
        {"onlyDomains": ["a.com"]},
        "x@b.com",
        "validation_email_domain_not_allowed",
        "Email domain is not allowed.",
        None,
    ),
    (
        {"onlyDomains": ["a.com"]},
        "x@sub.a.com",
        "validation_email_domain_not_allowed",
        "Email domain is not allowed.",
        None,
    ),
    (
        {"onlyDomains": ["a.com"]},
        "x@A.com",
        "validation_email_domain_not_allowed",
        "Email domain is not allowed.",
        None,
    ),
    (
        {"exceptDomains": ["a.com"]},
        "x@a.com",
        "validation_email_domain_not_allowed",
        "Email domain is not allowed.",
        None,
    ),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("email", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"onlyDomains": ["a.com"]},
        {
            "exceptDomains": None,
            "help": "",
            "hidden": False,
            "onlyDomains": ["a.com"],
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
    (
        {"onlyDomains": []},
        {
            "exceptDomains": None,
            "help": "",
            "hidden": False,
            "onlyDomains": [],
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("email", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"onlyDomains": ["a.com"], "exceptDomains": ["b.com"]},
        {
            "exceptDomains": {"code": "validation_empty", "message": "Must be blank."},
            "onlyDomains": {"code": "validation_empty", "message": "Must be blank."},
        },
    ),
    (
        {"onlyDomains": ["a b"]},
        {"onlyDomains": {"0": {"code": "validation_is_domain", "message": "Must be a valid domain."}}},
    ),
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("email", sent) == errors


MALFORMED: list[dict[str, Any]] = [
    {"onlyDomains": "a.com"},
]


@pytest.mark.parametrize("sent", MALFORMED)
def test_options_of_the_wrong_json_type_are_malformed(sent: dict[str, Any]) -> None:
    assert malformed("email", sent)
