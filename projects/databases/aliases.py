"""One Django database alias per project, made when it is first used.

``settings.DATABASES`` is a ProjectDatabases: a dict that answers any ``project:<placement>:<uid>``
alias without holding it. Registering every project would cost each request a walk over all of them
(Django's request signals visit each known alias).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

PREFIX = "project:"

_DEFAULTS: dict[str, Any] = {
    "ATOMIC_REQUESTS": False,
    "AUTOCOMMIT": True,
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": False,
    "TIME_ZONE": None,
    "USER": "",
    "PASSWORD": "",
    "HOST": "",
    "PORT": "",
    "TEST": {"CHARSET": None, "COLLATION": None, "MIGRATE": True, "MIRROR": None, "NAME": None},
}


def split_alias(alias: str) -> tuple[str, str]:
    """``(placement, project uid)`` of a project's alias."""
    _, placement, uid = alias.split(":", 2)
    return placement, uid


def is_project_alias(alias: object) -> bool:
    return isinstance(alias, str) and alias.startswith(PREFIX)


class ProjectDatabases(dict[str, Any]):
    """``DATABASES`` with the projects' aliases computed on demand."""

    def __contains__(self, alias: object) -> bool:
        return is_project_alias(alias) or super().__contains__(alias)

    def __missing__(self, alias: str) -> dict[str, Any]:
        if not is_project_alias(alias):
            raise KeyError(alias)
        # Imported late: settings are being read when this module is.
        from projects.databases.placements import placement_info

        placement, uid = split_alias(alias)
        info = placement_info(placement)
        if info.engine == "sqlite":
            return {**_DEFAULTS, **sqlite_config(sqlite_path(uid))}
        return {**_DEFAULTS, "ENGINE": "projects.databases.postgresql", **info.connection, "OPTIONS": {}}


def project_folder(uid: str) -> Path:
    """Where a project's local data lives: ``<data>/projects/<first two of uid>/<uid>``.

    The extra level keeps folders short with many thousands of projects.
    """
    from django.conf import settings

    return Path(settings.MBAAS_DATA_DIR) / "projects" / uid[-2:] / uid


def sqlite_path(uid: str) -> Path:
    return project_folder(uid) / "data.sqlite3"


def sqlite_config(path: Path) -> dict[str, Any]:
    """Django's settings for a project's SQLite file, which must exist (``mode=rw`` never makes an empty one)."""
    from django.conf import settings

    pragmas = (
        "PRAGMA journal_mode=WAL",
        f"PRAGMA synchronous={settings.MBAAS_SQLITE_SYNCHRONOUS}",
        "PRAGMA foreign_keys=OFF",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA cache_size=-8000",
        "PRAGMA journal_size_limit=67108864",
        # 16 MB: pages that many writes touch are carried over, and waited for, four times more seldom than by default.
        "PRAGMA wal_autocheckpoint=4000",
        "PRAGMA trusted_schema=OFF",
    )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"{path.as_uri()}?mode=rw",
        "OPTIONS": {
            "timeout": settings.MBAAS_SQLITE_BUSY_TIMEOUT,
            "transaction_mode": "IMMEDIATE",
            "init_command": ";".join(pragmas),
            "cached_statements": 256,
            # Values are read by field type; SQLite's own guess by column type would run twice.
            "detect_types": 0,
        },
    }
