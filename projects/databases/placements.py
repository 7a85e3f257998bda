"""Where projects live: the registered servers, as the serving path sees them.

A placement is a row of the control plane. Its connection settings change so seldom, and are asked for
so often, that they are read once per process and dropped when the row is saved.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from projects.context import Engine


class UnknownPlacementError(LookupError):
    """No placement of that name is registered."""


@dataclass(frozen=True, slots=True)
class PlacementInfo:
    """``connection`` holds Django's NAME, USER, PASSWORD, HOST and PORT; empty for SQLite."""

    name: str
    engine: Engine
    connection: dict[str, Any] = field(default_factory=dict)


_known: dict[str, PlacementInfo] = {}
_lock = threading.Lock()


def placement_info(name: str) -> PlacementInfo:
    """The placement called ``name``. Raises UnknownPlacementError."""
    info = _known.get(name)
    if info is None:
        with _lock:
            info = _known.get(name) or _read(name)
            _known[name] = info
    return info


def forget_placement(name: str) -> None:
    """Called when a placement's row changed: the next use reads it anew and opens a new pool."""
    from projects.databases.postgresql.pools import close_pool  # settings import this module

    _known.pop(name, None)
    close_pool(name)


def _read(name: str) -> PlacementInfo:
    import dj_database_url

    from projects.models import Placement

    try:
        row = Placement.objects.using("default").get(name=name)
    except Placement.DoesNotExist:
        raise UnknownPlacementError(f"no placement is called {name!r}") from None
    if row.engine == "sqlite":
        return PlacementInfo(name, "sqlite")
    parsed = dj_database_url.parse(row.url)
    keys = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    return PlacementInfo(name, "postgresql", {key: parsed.get(key, "") for key in keys})
