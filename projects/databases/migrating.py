"""Project databases at the version of the code: made from a template, brought up at their first use.

The system tables of a project come from Django migrations. Running them takes 150–280 ms, so they run
once per version: into a template file on SQLite, into a recorded script on PostgreSQL. A new project
copies the template or runs the script. ``_params.migrations`` names the version a database stands at.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import os
import pkgutil
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections

from projects.context import ProjectHandle, use_project
from projects.databases.aliases import project_folder, sqlite_path
from projects.databases.postgresql.pools import role_name
from projects.databases.router import PROJECT_APPS

MARK = "migrations"
_TEMPLATE_UID = "template"


class DatabaseMissingError(RuntimeError):
    """The project's database file or schema is not there."""


@cache
def fingerprint() -> str:
    """Names the set of migrations that this code brings; it changes with every new one."""
    names = []
    for label in sorted(PROJECT_APPS):
        package = importlib.import_module(f"{apps.get_app_config(label).name}.migrations")
        names += [f"{label}.{m.name}" for m in pkgutil.iter_modules(package.__path__)]
    return hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()[:16]


_current: set[str] = set()
_current_lock = threading.Lock()


def ensure_migrated(project: ProjectHandle) -> None:
    """Bring the project's database to this code's version unless this process knows that it is.

    Raises DatabaseMissingError when there is none.
    """
    if project.alias not in _current:
        migrate_database(project)


def forget_migrated(project: ProjectHandle) -> None:
    with _current_lock:
        _current.discard(project.alias)


def migrate_database(project: ProjectHandle) -> bool:
    """Run the migrations the project's database lacks; says whether there were any.

    Safe from several processes at once: one migrates, the others wait. Raises DatabaseMissingError.
    """
    if project.engine == "sqlite" and not sqlite_path(project.uid).exists():
        raise DatabaseMissingError(f"the database of project {project.ref!r} is missing")
    with use_project(project):
        connection = connections[project.alias]
        try:
            changed = False
            if _mark(connection) != fingerprint():
                with _exclusive(project, connection):
                    if _mark(connection) != fingerprint():
                        _run_migrations(project.alias)
                        _set_mark(connection)
                        changed = True
        finally:
            connection.close()
            del connections[project.alias]
    with _current_lock:
        _current.add(project.alias)
    return changed


def create_database(project: ProjectHandle) -> None:
    """Make the project's empty database: system tables, nothing else. Leaves nothing when it fails."""
    if project.engine == "sqlite":
        _create_sqlite(project)
    else:
        _create_postgresql(project)
    with _current_lock:
        _current.add(project.alias)


def drop_database(project: ProjectHandle) -> None:
    """Remove the project's database and its local files for good."""
    from projects.databases.session import close_project

    close_project(project)
    forget_migrated(project)
    if project.engine == "postgresql":
        with _placement_connection(project) as connection:
            _drop_postgresql(connection, role_name(project.uid))
    shutil.rmtree(project_folder(project.uid), ignore_errors=True)


def _create_sqlite(project: ProjectHandle) -> None:
    folder = project_folder(project.uid)
    folder.mkdir(parents=True, exist_ok=False)
    try:
        shutil.copyfile(_sqlite_template(), sqlite_path(project.uid))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _sqlite_template() -> Path:
    """The template file of this version, made by the first process that needs it."""
    path = Path(settings.MBAAS_DATA_DIR) / "templates" / f"{fingerprint()}.sqlite3"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    # Built under another name and renamed when complete: a crash leaves no half template.
    uid = f"{_TEMPLATE_UID}{os.getpid()}{threading.get_ident()}"
    project = ProjectHandle(uid=uid, ref=_TEMPLATE_UID, engine="sqlite", placement="local")
    folder = project_folder(uid)
    folder.mkdir(parents=True)
    try:
        sqlite_path(uid).touch()
        migrate_database(project)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as copy:
            copy.write(sqlite_path(uid).read_bytes())
            copy.flush()
            os.fsync(copy.fileno())
        os.replace(copy.name, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        forget_migrated(project)
    return path


def _create_postgresql(project: ProjectHandle) -> None:
    name = role_name(project.uid)
    folder = project_folder(project.uid)
    folder.mkdir(parents=True, exist_ok=False)
    try:
        with _placement_connection(project) as connection:
            try:
                with connection.transaction():
                    connection.execute(f'CREATE ROLE "{name}" NOLOGIN NOINHERIT')
                    connection.execute(f'GRANT "{name}" TO CURRENT_USER')
                    connection.execute(f'CREATE SCHEMA "{name}" AUTHORIZATION "{name}"')
                # Committed first: collecting the script opens a connection as the new role.
                script = _postgresql_script(project.alias)
                with connection.transaction():
                    connection.execute(f'SET LOCAL ROLE "{name}"')
                    connection.execute(f'SET LOCAL search_path TO "{name}"')
                    connection.execute(script)
            except BaseException:
                _drop_postgresql(connection, name)
                raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _drop_postgresql(connection: Any, name: str) -> None:
    """Remove a project's schema and role, as far as they are there."""
    connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
        connection.execute(f'DROP OWNED BY "{name}"')
        connection.execute(f'DROP ROLE "{name}"')


_script: dict[str, str] = {}


def _postgresql_script(alias: str) -> str:
    """All migrations as one script of statements, collected once per process."""
    if "script" not in _script:
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connections[alias])
        try:
            plan = executor.migration_plan(_targets(executor), clean_start=True)
            statements = [s for s in executor.loader.collect_sql(plan) if s not in ("BEGIN;", "COMMIT;")]
        finally:
            connections[alias].close()
            del connections[alias]
        # Django records what was applied; the script must do it too, or the next migration would start over.
        statements.append(
            "CREATE TABLE django_migrations (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
            " app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied timestamptz NOT NULL);"
        )
        for migration, _ in plan:
            statements.append(
                "INSERT INTO django_migrations (app, name, applied)"
                f" VALUES ('{migration.app_label}', '{migration.name}', now());"
            )
        statements.append(f"INSERT INTO _params (key, value) VALUES ('{MARK}', '{fingerprint()}');")
        _script["script"] = "\n".join(statements)
    return _script["script"]


def _targets(executor: Any) -> list[tuple[str, str]]:
    return [node for node in executor.loader.graph.leaf_nodes() if node[0] in PROJECT_APPS]


def _run_migrations(alias: str) -> None:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections[alias])
    executor.migrate(_targets(executor))


def _mark(connection: Any) -> str | None:
    """The version a database says it has; None when it has no system tables yet."""
    with connection.cursor() as cursor:
        if "_params" not in connection.introspection.table_names(cursor):
            return None
        cursor.execute("SELECT value FROM _params WHERE key = %s", [MARK])
        row = cursor.fetchone()
    return row[0] if row else None


def _set_mark(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO _params (key, value) VALUES (%s, %s)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [MARK, fingerprint()],
        )


@contextmanager
def _exclusive(project: ProjectHandle, connection: Any) -> Iterator[None]:
    """One migration of a project at a time, across processes."""
    if project.engine == "sqlite":
        with open(project_folder(project.uid) / "migrate.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    key = int.from_bytes(hashlib.sha256(project.uid.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [key])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@contextmanager
def _placement_connection(project: ProjectHandle) -> Iterator[Any]:
    """A connection of its own to the project's placement, as the login that may make schemas and roles."""
    import psycopg

    from projects.databases.placements import placement_info

    info = placement_info(project.placement).connection
    with psycopg.connect(
        dbname=info["NAME"],
        user=info["USER"],
        password=info["PASSWORD"],
        host=info["HOST"],
        port=info["PORT"],
        autocommit=True,
    ) as connection:
        yield connection
