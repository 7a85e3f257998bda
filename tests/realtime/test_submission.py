"""What a client may send to subscribe, and what it is told otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from projects.errors import ApiError
from projects.realtime.submission import read_submission

MAX = 1000
REQUIRED = {"code": "validation_required", "message": "Cannot be blank."}
ID_LENGTH = {
    "code": "validation_length_out_of_range",
    "message": "The length must be between 1 and 255.",
    "params": {"min": 1, "max": 255},
}


def too_long(most: int) -> dict[str, Any]:
    message = f"The length must be no more than {most}."
    return {"code": "validation_length_too_long", "message": message, "params": {"min": 0, "max": most}}


@pytest.mark.parametrize(
    ("subscriptions", "topics"),
    [
        (["a", "b"], ("a", "b")),
        (["b", "a", "b"], ("b", "a")),
        ([], ()),
        (None, ()),
        ([None, ""], ("",)),
        (["x" * 2500], ("x" * 2500,)),
        (["a"] * MAX, ("a",)),
    ],
)
def test_topics_are_taken_in_order_and_once(subscriptions: Any, topics: tuple[str, ...]) -> None:
    assert read_submission({"clientId": "c", "subscriptions": subscriptions}, MAX).topics == topics


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({}, {"clientId": REQUIRED}),
        ({"clientId": None}, {"clientId": REQUIRED}),
        ({"clientId": ""}, {"clientId": REQUIRED}),
        ({"clientId": "x" * 256}, {"clientId": ID_LENGTH}),
        # Counted in bytes.
        ({"clientId": "é" * 200}, {"clientId": ID_LENGTH}),
        ({"clientId": "c", "subscriptions": ["a"] * (MAX + 1)}, {"subscriptions": too_long(MAX)}),
        (
            {"clientId": "c", "subscriptions": ["a", "x" * 2501, "é" * 1251]},
            {"subscriptions": {"1": too_long(2500), "2": too_long(2500)}},
        ),
        (
            {"clientId": "", "subscriptions": ["x" * 2501]},
            {"clientId": REQUIRED, "subscriptions": {"0": too_long(2500)}},
        ),
        ({"clientId": 5}, {}),
        ({"clientId": "c", "subscriptions": "posts"}, {}),
        ({"clientId": "c", "subscriptions": {"a": 1}}, {}),
        ({"clientId": "c", "subscriptions": [1]}, {}),
    ],
)
def test_a_submission_that_is_wrong_is_refused_with_its_fields_named(body: Any, data: Any) -> None:
    with pytest.raises(ApiError) as refused:
        read_submission(body, MAX)
    assert refused.value.as_json() == {
        "status": 400,
        "message": "Something went wrong while processing your request.",
        "data": data,
    }
