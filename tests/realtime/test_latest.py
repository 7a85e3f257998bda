"""Changes of one record that are heard of in another order than they were committed."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.realtime import latest as latest_module
from projects.realtime.latest import Latest
from projects.records.events import Action, ChangeEvent

PROJECT = ProjectHandle("uid", "demo", "postgresql", "here")
Image = dict[str, Any] | None


def event(seq: int, before: Image, after: Image, record_id: str = "a") -> ChangeEvent:
    action: Action = "create" if before is None else "delete" if after is None else "update"
    return ChangeEvent(PROJECT, seq, 1, "posts", record_id, action, before, after)


def heard(events: list[ChangeEvent]) -> Image:
    """What a subscriber who sees records with ``n`` above zero has in the end, told as the hub tells it."""
    latest, has = Latest(), None

    def seen(image: Any) -> bool:
        return image is not None and image["n"] > 0

    for one in events:
        told = latest.in_order(one)
        if told is None:
            continue
        if seen(told.after):
            has = dict(told.after or {})
        elif seen(told.before):
            has = None
    return has


def test_what_comes_in_order_stays_as_it_is() -> None:
    latest = Latest()
    for one in (event(1, None, {"n": 1}), event(2, {"n": 1}, {"n": 2}), event(5, {"n": 2}, None)):
        assert latest.in_order(one) is one


def states(*values: int | None) -> list[ChangeEvent]:
    """A record's changes from one state to the next; None: it is not there."""
    images: list[Image] = [None if value is None else {"n": value} for value in values]
    return [event(i + 1, images[i], images[i + 1]) for i in range(len(images) - 1)]


@pytest.mark.parametrize(
    "values",
    [
        (None, 1, 2, 3),
        (None, 1, 0, 2),
        (None, 0, 1, 0),
        (None, 1, 0, 0),
        (None, 1, 2, None),
        (None, 1, 0, None),
        (None, 0, 1, None),
        (1, 2, 0, 3),
        (1, 0, 1, None),
    ],
)
def test_in_whatever_order_they_come_a_subscriber_ends_with_what_is_true(
    values: tuple[int | None, ...],
) -> None:
    changes = states(*values)
    last = changes[-1].after
    truth = last if last is not None and last["n"] > 0 else None
    for order in permutations(changes):
        assert heard(list(order)) == truth, [one.seq for one in order]


def test_a_late_change_never_tells_an_older_state() -> None:
    latest = Latest()
    create, update = event(1, None, {"n": 1}), event(2, {"n": 1}, {"n": 2})
    assert latest.in_order(update) is update
    late = latest.in_order(create)
    assert late is not None and late.after == {"n": 2} and late.action == "create"


def test_other_records_are_not_concerned() -> None:
    latest = Latest()
    latest.in_order(event(9, None, {"n": 1}, "b"))
    one = event(1, None, {"n": 1}, "a")
    assert latest.in_order(one) is one


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest_module, "REMEMBERED", 3)
    latest = Latest()
    for number in range(10):
        latest.in_order(event(number, None, {"n": 1}, str(number)))
    assert len(latest._newest) == 3
