"""Collections in a project's database: reading them (cached by version) and writing their metadata."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings

from projects.databases.deadline import prolong_transaction
from projects.schema import search_guard
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.fields.registry import field_from_json, field_to_json

if TYPE_CHECKING:
    from projects.databases import Session

CACHED_SCHEMAS: Final = 1024  # projects (at one version each) whose collections stay in memory

_COLUMNS: Final = (
    "id, name, type, system, fields, indexes, list_rule, view_rule, create_rule, update_rule, delete_rule,"
    " options, created, updated"
)
_PLACES: Final = ", ".join("?" * 14)


class _Cache:
    """Least recently used schemas by (project uid, version); safe between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._schemas: OrderedDict[tuple[str, int], ProjectSchema] = OrderedDict()

    def get(self, key: tuple[str, int]) -> ProjectSchema | None:
        with self._lock:
            schema = self._schemas.get(key)
            if schema is not None:
                self._schemas.move_to_end(key)
            return schema

    def put(self, key: tuple[str, int], schema: ProjectSchema) -> None:
        with self._lock:
            self._schemas[key] = schema
            self._schemas.move_to_end(key)
            while len(self._schemas) > self._size:
                self._schemas.popitem(last=False)


_cache = _Cache(CACHED_SCHEMAS)
# The schema that each project was last read at; what has grown too long begins anew.
_last_seen: dict[str, ProjectSchema] = {}

VERSION: Final = "SELECT value FROM _params WHERE key = 'schema_version'"


def last_seen(uid: str) -> ProjectSchema | None:
    """The project's collections as this process last saw them. They may have changed since."""
    return _last_seen.get(uid)


def forget_last_seen(uid: str) -> None:
    _last_seen.pop(uid, None)


def schema_version(session: Session) -> int:
    """The version of the project's collections as this session sees them; one indexed read."""
    row = session.peek(VERSION)
    return int(row[0]) if row else 0


def load_schema(session: Session) -> ProjectSchema:
    """All collections of the session's project, read only when its version is not in memory."""
    return session.remember("schema", lambda: _load_schema(session))


def _load_schema(session: Session) -> ProjectSchema:
    key = (session.project.uid, schema_version(session))
    schema = _cache.get(key)
    if schema is None:
        schema = ProjectSchema(version=key[1], collections=_read_collections(session))
        _cache.put(key, schema)
    if len(_last_seen) > CACHED_SCHEMAS:
        _last_seen.clear()
    _last_seen[key[0]] = schema
    return schema


def remember_schema(session: Session, schema: ProjectSchema) -> None:
    """Spare ``load_schema`` the look: the session has seen that this is the version it reads."""
    session.remember("schema", lambda: schema)


def lock_schema(session: Session) -> ProjectSchema:
    """The schema, held against other changes until the transaction ends. First step of every change.

    A change of a big table takes longer than other writes may: it has MBAAS_SCHEMA_CHANGE_TIMEOUT_MS.
    """
    prolong_transaction(session, settings.MBAAS_SCHEMA_CHANGE_TIMEOUT_MS)
    search_guard.settle(session)
    if session.engine == "postgresql":
        session.row("SELECT value FROM _params WHERE key = 'schema_version' FOR UPDATE")
        session.forget()
    return load_schema(session)


def raise_version(session: Session) -> int:
    """Give the schema a new version, which it returns. Last step of every change.

    A version is a time in microseconds (but always above the one before): were it counted, a version whose
    transaction rolled back would come again with other contents, and caches keyed by it would lie.
    """
    before = schema_version(session)
    version = max(before + 1, time.time_ns() // 1000)
    statement = (
        "UPDATE _params SET value = ? WHERE key = 'schema_version'"
        if session.row("SELECT 1 FROM _params WHERE key = 'schema_version'")
        else "INSERT INTO _params (value, key) VALUES (?, 'schema_version')"
    )
    session.execute(session.sql(statement), (str(version),))
    session.forget()
    return version


def insert_collection(session: Session, collection: CollectionSchema) -> None:
    session.execute(
        session.sql(f"INSERT INTO _collections ({_COLUMNS}) VALUES ({_PLACES})"), _to_row(collection)
    )


def update_collection_row(session: Session, collection: CollectionSchema) -> None:
    assignments = ", ".join(f"{column.strip()} = ?" for column in _COLUMNS.split(","))
    session.execute(
        session.sql(f"UPDATE _collections SET {assignments} WHERE id = ?"),
        (*_to_row(collection), collection.id),
    )


def delete_collection_row(session: Session, collection_id: str) -> None:
    session.execute(session.sql("DELETE FROM _collections WHERE id = ?"), (collection_id,))


def _read_collections(session: Session) -> tuple[CollectionSchema, ...]:
    rows = session.rows(f"SELECT {_COLUMNS} FROM _collections ORDER BY created, id")
    return tuple(_from_row(row) for row in rows)


def _to_row(collection: CollectionSchema) -> tuple[Any, ...]:
    return (
        collection.id,
        collection.name,
        collection.type,
        int(collection.system),
        orjson.dumps([field_to_json(field) for field in collection.fields]).decode(),
        orjson.dumps(list(collection.indexes)).decode(),
        collection.list_rule,
        collection.view_rule,
        collection.create_rule,
        collection.update_rule,
        collection.delete_rule,
        orjson.dumps(collection.options).decode(),
        collection.created,
        collection.updated,
    )


def _from_row(row: tuple[Any, ...]) -> CollectionSchema:
    return CollectionSchema(
        id=row[0],
        name=row[1],
        type=row[2],
        system=bool(row[3]),
        fields=tuple(field_from_json(data) for data in orjson.loads(row[4])),
        indexes=tuple(orjson.loads(row[5])),
        list_rule=row[6],
        view_rule=row[7],
        create_rule=row[8],
        update_rule=row[9],
        delete_rule=row[10],
        options=orjson.loads(row[11]),
        created=row[12],
        updated=row[13],
    )
