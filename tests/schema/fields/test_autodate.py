"""What autodate fields accept, refuse and store: each line was observed of the wire contract's server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema.fields.tables import option_errors, wire

OPTIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"onUpdate": True},
        {"hidden": False, "onCreate": False, "onUpdate": True, "presentable": False, "system": False},
    ),
]


@pytest.mark.parametrize(("sent", "shown"), OPTIONS)
def test_options_are_shown_as(sent: dict[str, Any], shown: dict[str, Any]) -> None:
    assert wire("autodate", sent) == shown


OPTIONS_REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {},
        {
            "onCreate": {
                "code": "validation_required",
                "message": "Either onCreate or onUpdate must be enabled.",
            },
            "onUpdate": {
                "code": "validation_required",
                "message": "Either onCreate or onUpdate must be enabled.",
            },
        },
    ),
    (
        {"onCreate": False, "onUpdate": False},
        {
            "onCreate": {
                "code": "validation_required",
                "message": "Either onCreate or onUpdate must be enabled.",
            },
            "onUpdate": {
                "code": "validation_required",
                "message": "Either onCreate or onUpdate must be enabled.",
            },
        },
    ),
]


@pytest.mark.parametrize(("sent", "errors"), OPTIONS_REFUSED)
def test_options_are_refused_with(sent: dict[str, Any], errors: dict[str, Any]) -> None:
    assert option_errors("autodate", sent) == errors
