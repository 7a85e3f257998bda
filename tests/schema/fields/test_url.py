"""What url fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import ABSENT, as_json, option_errors, refused, stored, wire

STORED: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, "", ""),
    ({}, "http://a.co", "http://a.co"),
    ({}, "https://a.co/x?y=1#z", "https://a.co/x?y=1#z"),
    ({}, "ftp://a.co", "ftp://a.co"),
    ({}, "a.co", "a.co"),
    ({}, "www.a.co", "www.a.co"),
    ({}, "http://localhost", "http://localhost"),
    ({}, "http://localhost:8080", "http://localhost:8080"),
    ({}, "http://127.0.0.1", "http://127.0.0.1"),
    ({}, "mailto:a@b.co", "mailto:a@b.co"),
    ({}, "http://é.co", "http://é.co"),
    ({}, None, ""),
    ({"onlyDomains": ["a.com"]}, "http://a.com", "http://a.com"),
    ({"exceptDomains": ["a.com"]}, "http://b.com", "http://b.com"),
]


@pytest.mark.parametrize(("options", "sent", "kept"), STORED)
def test_a_value_is_stored_as(options: dict[str, Any], sent: Any, kept: Any) -> None:
    assert as_json(stored("url", options, sent)) == as_json(kept)


REFUSED: list[tuple[dict[str, Any], Any, str, str, dict[str, Any] | None]] = [
    ({}, "http://", "validation_invalid_url", "Must be a valid url.", None),
    ({}, "javascript:alert(1)", "validation_invalid_url", "Must be a valid url.", None),
    ({}, "/rel", "validation_invalid_url", "Must be a valid url.", None),
    ({}, "//a.co", "validation_invalid_url", "Must be a valid url.", None),
    ({}, "http://a b.co", "validation_invalid_url", "Must be a valid url.", None),
    ({}, " http://a.co ", "validation_invalid_url", "Must be a valid url.", None),
    ({}, 12, "validation_invalid_url", "Must be a valid url.", None),
    ({}, True, "validation_invalid_url", "Must be a valid url.", None),
    ({}, "data:text/plain,x", "validation_invalid_url", "Must be a valid url.", None),
    ({}, "x://y", "validation_invalid_url", "Must be a valid url.", None),
    ({"required": True}, ABSENT, "validation_required", "Cannot be blank.", None),
    ({"required": True}, "", "validation_required", "Cannot be blank.", None),
    (
        {"onlyDomains": ["a.com"]},
        "http://b.com",
        "validation_url_domain_not_allowed",
        "Url domain is not allowed.",
        None,
    ),
    (
        {"onlyDomains": ["a.com"]},
        "http://sub.a.com",
        "validation_url_domain_not_allowed",
        "Url domain is not allowed.",
        None,
    ),
    (
        {"onlyDomains": ["a.com"]},
        "https://a.com:99/x",
        "validation_url_domain_not_allowed",
        "Url domain is not allowed.",
        None,
    ),
    (
        {"exceptDomains": ["a.com"]},
        "http://a.com",
        "validation_url_domain_not_allowed",
        "Url domain is not allowed.",
        None,
    ),
]


@pytest.mark.parametrize(("options", "sent", "code", "message", "params"), REFUSED)
def test_a_value_is_refused_with(
    options: dict[str, Any], sent: Any, code: str, message: str, params: dict[str, Any] | None
) -> None:
    assert refused("url", options, sent) == (code, message, params)


OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"exceptDomains": [""]},
        {
            "exceptDomains": [""],
            "help": "",
            "hidden": False,
            "onlyDomains": None,
            "presentable": False,
            "required": False,
            "system": False,
        },
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("url", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"onlyDomains": ["http://a"]},
        {"onlyDomains": {"0": {"code": "validation_is_domain", "message": "Must be a valid domain."}}},
    ),
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("url", sent) == errors
