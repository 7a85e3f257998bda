"""The comparison itself: it lets pass what must differ, and nothing else."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.oracle.compare import differences
from tests.oracle.normalise import normalise
from tests.oracle.play import Answer, Played
from tests.oracle.sse import Event
from tests.oracle.table import Json, MissingCaptureError, Request, Scenario, Step, fill

GET = Request(name="a request", method="GET", path="/api/collections/notes/records/chosen000000id1")


def shown(body: Json, *, step: Step = GET, words: dict[str, str] | None = None) -> Json:
    """The body of one answer, normalised."""
    scenario = Scenario("one", "", (step,))
    return normalise(scenario, Played((Answer(200, {}, body),), words or {}))[0]["body"]


def now(shape: str = "%Y-%m-%d %H:%M:%S.%f") -> str:
    return datetime.now(UTC).strftime(shape)[:-3] + "Z"


def token(expires_in: float, **claims: Json) -> str:
    parts = ({"alg": "HS256"}, {**claims, "exp": int(time.time() + expires_in)})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*coded, "signature"))


def test_ids_that_a_server_makes_are_numbered_as_they_come() -> None:
    assert shown(["aaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbb", "aaaaaaaaaaaaaaa"]) == ["<id:1>", "<id:2>", "<id:1>"]


def test_ids_that_were_captured_carry_their_name() -> None:
    assert shown({"id": "aaaaaaaaaaaaaaa"}, words={"aaaaaaaaaaaaaaa": "<alice>"}) == {"id": "<alice>"}


def test_ids_that_the_table_chose_stay() -> None:
    assert shown({"id": "chosen000000id1"}) == {"id": "chosen000000id1"}


def test_a_time_of_this_run_is_now() -> None:
    assert shown(now()) == "<now>"


def test_a_time_in_another_notation_is_a_difference() -> None:
    assert shown(now("%d.%m.%Y %H:%M:%S.%f")) != "<now>"


def test_our_notation_of_times_is_evened_out() -> None:
    assert shown(now("%Y-%m-%dT%H:%M:%S.%f")) == "<now>"


def test_a_time_of_another_day_stays() -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S.000Z")
    assert shown(yesterday) == yesterday


@pytest.mark.parametrize(
    "other",
    [
        token(3600, id="bbbbbbbbbbbbbbb", type="file"),
        token(7200, id="bbbbbbbbbbbbbbb", type="auth"),
        token(3600, type="auth", id="bbbbbbbbbbbbbbb"),
    ],
    ids=["another claim", "another end", "another order"],
)
def test_tokens_differ_by_their_claims(other: str) -> None:
    same = shown(token(3600, id="aaaaaaaaaaaaaaa", type="auth"))
    assert same == shown(token(3590, id="bbbbbbbbbbbbbbb", type="auth"))
    assert same != shown(other)


def test_a_masked_value_may_be_anything_but_must_be_there() -> None:
    masked = Request(name="a request", method="GET", path="/", mask=("items.*.id",))
    assert shown({"items": [{"id": 1}, {"id": 2}]}, step=masked) == {
        "items": [{"id": "<masked>"}, {"id": "<masked>"}]
    }
    assert shown({"items": [{}]}, step=masked) == {"items": [{}]}


def test_events_of_one_change_have_no_order_but_changes_have() -> None:
    def event(topic: str, action: str) -> Event:
        return Event(("id", "event", "data"), "x", topic, {"action": action, "record": {"id": "r"}})

    def topics(*events: Event) -> list[str]:
        scenario = Scenario("one", "", (GET,))
        answers = normalise(scenario, Played((Answer(events=events),), {}))
        return [f"{shown['topic']} {shown['data']['action']}" for shown in answers[0]["events"]]

    first, second, third = event("a", "create"), event("b", "create"), event("a", "delete")
    assert topics(second, first, third) == topics(first, second, third)
    assert topics(third, first) != topics(first, third)


@pytest.mark.parametrize(("theirs", "ours"), [(1, 1.0), (1, True), (None, ""), ([], {}), ("1", 1), (0, None)])
def test_values_of_different_types_differ(theirs: Json, ours: Json) -> None:
    assert [one.at for one in differences({"a": theirs}, {"a": ours})] == ["a"]


def test_missing_and_extra_things_are_named_by_their_place() -> None:
    found = differences({"items": [{"a": 1}, {"b": 2}]}, {"items": [{"a": 1, "c": 3}]})
    assert [one.at for one in found] == ["items.0.c", "items.1"]


def test_captures_are_filled_in_everywhere() -> None:
    body = {"owner": "$alice", "$alice": ["x $alice"], "pattern": "^[a-z]+$", "n": 1}
    assert fill(body, {"alice": "a1"}) == {"owner": "a1", "a1": ["x a1"], "pattern": "^[a-z]+$", "n": 1}


def test_a_capture_that_is_missing_is_a_fault_of_the_table() -> None:
    with pytest.raises(MissingCaptureError):
        fill("/records/$nobody", {})
