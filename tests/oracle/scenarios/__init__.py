"""The table: scenarios, one file per subject."""

from __future__ import annotations

from typing import Final

from tests.oracle.scenarios import (
    auth,
    collections_create,
    collections_fields,
    collections_rules,
    collections_update,
    errors,
    expand_back,
    files,
    filters,
    realtime,
    records_batch,
    records_create,
    records_list,
    records_shape,
    records_update,
    records_values,
    related_rows,
    rules,
    superusers,
    users,
    views,
)
from tests.oracle.table import Scenario

_SUBJECTS: Final = (
    collections_create,
    collections_fields,
    collections_rules,
    collections_update,
    records_values,
    records_create,
    records_update,
    records_list,
    records_shape,
    expand_back,
    records_batch,
    filters,
    rules,
    related_rows,
    auth,
    users,
    superusers,
    realtime,
    errors,
    files,
    views,
)

SCENARIOS: Final[tuple[Scenario, ...]] = tuple(
    scenario for subject in _SUBJECTS for scenario in subject.SCENARIOS
)
