"""The table: scenarios, one file per subject."""

from __future__ import annotations

from typing import Final

from tests.oracle.scenarios import collections_create, collections_fields, collections_rules
from tests.oracle.table import Scenario

_SUBJECTS: Final = (collections_create, collections_fields, collections_rules)

SCENARIOS: Final[tuple[Scenario, ...]] = tuple(
    scenario for subject in _SUBJECTS for scenario in subject.SCENARIOS
)
