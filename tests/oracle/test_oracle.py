"""Every request of the table gets the same answer from us as from PocketBase."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.oracle.compare import differences
from tests.oracle.differences import DIFFERENCES, Allowed
from tests.oracle.normalise import Pair
from tests.oracle.scenarios import SCENARIOS
from tests.oracle.table import Request

# The first case builds PocketBase and starts both servers.
pytestmark = [pytest.mark.oracle, pytest.mark.timeout(600)]

CASES = {
    f"{scenario.key} / {step.name}": (scenario.key, number)
    for scenario in SCENARIOS
    for number, step in enumerate(scenario.steps)
}
GIVEN = {
    f"{scenario.key} / {step.name}"
    for scenario in SCENARIOS
    for step in scenario.steps
    if isinstance(step, Request) and step.given
}


@pytest.mark.parametrize("case", CASES)
def test_answers_as_pocketbase_does(case: str, played: Callable[[str], Pair]) -> None:
    key, number = CASES[case]
    theirs, ours = (answers[number] for answers in played(key))
    assert "problem" not in theirs, f"the table is wrong: {theirs['problem']}"
    assert case not in GIVEN or theirs["status"] < 300, f"the table is wrong: {theirs['body']}"
    found = differences(theirs, ours)
    allowed = DIFFERENCES.get(case, ())
    meant = {entry: [one for one in found if _covers(entry, one.at)] for entry in allowed}
    faults = [one for one in found if not any(one in ones for ones in meant.values())]
    gone = [f"  {entry.at}: {entry.why}" for entry, ones in meant.items() if not ones]
    assert not faults, "\n".join([f"{len(faults)} differences:", *map(str, faults)])
    assert not gone, "\n".join(["take out of differences.py, it no longer occurs:", *gone])


def test_every_listed_difference_is_about_a_request_of_the_table() -> None:
    assert set(DIFFERENCES) <= set(CASES)


def _covers(entry: Allowed, at: str) -> bool:
    return at == entry.at or at.startswith(f"{entry.at}.")
