"""SQL functions that SQLite is given by us: what the filter language and searches compute and SQLite does not (in every
version).

They are pure, so that SQLite may compute them once where their arguments are constant. PostgreSQL does the same in SQL.
"""

from __future__ import annotations

from typing import Any

from projects.geo import geo_distance
from projects.search_rank import search_rank
from projects.strftime import TimeValue, strftime


def _strftime(form: Any, value: TimeValue, *modifiers: Any) -> str | None:
    if not isinstance(form, str) or isinstance(value, bytes):
        return None
    return strftime(form, value, modifiers)


def add_functions(raw: Any) -> None:
    """Give a SQLite connection (the driver's) the functions."""
    raw.create_function("_strftime", -1, _strftime, deterministic=True)
    raw.create_function("_geo_distance", 4, geo_distance, deterministic=True)
    raw.create_function("_search_rank", 3, search_rank, deterministic=True)
