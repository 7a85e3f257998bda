"""A project's own database: where it is, making, opening, migrating and removing it.

``read_session`` and ``write_session`` are the only ways to a project's data. The names are loaded
when first used: settings import this package before Django is set up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from projects.databases.migrating import (
        DatabaseMissingError,
        create_database,
        drop_database,
        ensure_migrated,
        migrate_database,
    )
    from projects.databases.session import Session, close_project, close_thread, read_session, write_session

_HOME = {
    "DatabaseMissingError": "migrating",
    "create_database": "migrating",
    "drop_database": "migrating",
    "ensure_migrated": "migrating",
    "migrate_database": "migrating",
    "Session": "session",
    "close_project": "session",
    "close_thread": "session",
    "read_session": "session",
    "write_session": "session",
}

__all__ = [
    "DatabaseMissingError",
    "Session",
    "close_project",
    "close_thread",
    "create_database",
    "drop_database",
    "ensure_migrated",
    "migrate_database",
    "read_session",
    "write_session",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
