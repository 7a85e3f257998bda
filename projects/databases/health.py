"""What an operator wants to know of a placement: can it be reached, does its login suffice, what lies there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings

from projects.databases.aliases import sqlite_path
from projects.databases.placements import PlacementInfo, placement_info
from projects.databases.postgresql.pools import role_name

CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class PlacementHealth:
    """``problems``: what keeps projects from living there. ``max_connections`` is 0 on SQLite."""

    version: str
    problems: tuple[str, ...]
    max_connections: int
    missing: tuple[str, ...]


def check_placement(name: str, uids: tuple[str, ...]) -> PlacementHealth:
    """Look at the placement; ``missing`` are those of ``uids`` (projects that live there) without a database.

    Raises UnknownPlacementError, SecretUnreadableError, psycopg.Error (not reachable, refused).
    """
    info = placement_info(name)
    return _postgresql(info, uids) if info.engine == "postgresql" else _sqlite(uids)


def _sqlite(uids: tuple[str, ...]) -> PlacementHealth:
    import sqlite3

    problems = []
    if sqlite3.sqlite_version_info < (3, 38):
        problems.append(f"SQLite {sqlite3.sqlite_version} is too old; 3.38 is needed")
    folder = Path(settings.MBAAS_DATA_DIR) / "projects"
    if folder.exists() and not folder.is_dir():
        problems.append(f"{folder} is not a folder")
    missing = tuple(uid for uid in uids if not sqlite_path(uid).exists())
    return PlacementHealth(f"SQLite {sqlite3.sqlite_version}", tuple(problems), 0, missing)


def _postgresql(info: PlacementInfo, uids: tuple[str, ...]) -> PlacementHealth:
    login = info.connection
    with psycopg.connect(
        dbname=login["NAME"],
        user=login["USER"] or None,
        password=login["PASSWORD"] or None,
        host=login["HOST"] or None,
        port=login["PORT"] or None,
        connect_timeout=CONNECT_SECONDS,
        autocommit=True,
    ) as connection:
        version = connection.info.server_version
        row = connection.execute(
            "SELECT rolcreaterole OR rolsuper,"
            " has_database_privilege(current_database(), 'CREATE'),"
            " current_setting('max_connections')::int"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        may_roles, may_schemas, most = row or (False, False, 0)
        there = {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace").fetchall()}
    problems = []
    if version < 140000:
        problems.append(f"PostgreSQL {version // 10000} is too old; 14 is needed")
    if not may_roles:
        problems.append("the login may not create roles (ALTER ROLE … CREATEROLE)")
    if not may_schemas:
        problems.append("the login may not create schemas (GRANT CREATE ON DATABASE …)")
    missing = tuple(uid for uid in uids if role_name(uid) not in there)
    return PlacementHealth(f"PostgreSQL {version // 10000}", tuple(problems), most, missing)
