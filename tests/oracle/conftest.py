"""Both servers, started once; each scenario played once on both."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.oracle.normalise import Pair, normalise
from tests.oracle.ours import ROOT, mbaas
from tests.oracle.play import Player
from tests.oracle.pocketbase import NoBinaryError, pocketbase
from tests.oracle.scenarios import SCENARIOS
from tests.services import skip_or_fail


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Pair]]:
    """Plays the scenario of a key when it is first asked for, and remembers."""
    if not (ROOT / "manage.py").exists():
        pytest.skip("there is no server of ours to compare with")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per request would drown a failure
    scenarios = {scenario.key: scenario for scenario in SCENARIOS}
    try:
        theirs = pocketbase(tmp_path_factory.mktemp("pocketbase"))
        ours = mbaas(tmp_path_factory.mktemp("mbaas"))
        with theirs as model, ours as server, Player(model) as first, Player(server) as second:

            @cache
            def play(key: str) -> Pair:
                scenario = scenarios[key]
                there = first.play(scenario)
                here = second.play(scenario, like=there)
                return normalise(scenario, there), normalise(scenario, here)

            yield play
    except NoBinaryError as missing:
        skip_or_fail(str(missing))
