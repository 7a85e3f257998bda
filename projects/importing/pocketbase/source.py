"""Reading a PocketBase: its collections as wire JSON, its records row by row, its settings."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from projects.importing.pocketbase.errors import SourceError
from projects.importing.pocketbase.snapshot import UNREADABLE, snapshot_of_backup, snapshot_of_folder
from projects.importing.pocketbase.stored import BackupFiles, FolderFiles, SourceFiles

Json = dict[str, Any]

_RULES: Final = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
_HEAD: Final = ("id", "system", "type", "name", "fields", "indexes", *_RULES, "options", "created")
_TOO_OLD: Final = (
    "It was made by a PocketBase older than 0.23, which kept collections in another form. Start that folder once with a"
    " newer PocketBase, which brings it up to date, then import it."
)


@dataclass(frozen=True)
class Source:
    """A PocketBase at one moment. ``identity`` is the same for every look at the same installation."""

    identity: str
    collections: tuple[Json, ...]
    settings: Json | None
    files: SourceFiles
    _raw: sqlite3.Connection

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns; none when there is no such table."""
        return [row[1] for row in self._raw.execute(f"PRAGMA table_info({_quoted(table)})")]

    def count(self, table: str) -> int:
        row = self._raw.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()
        return int(row[0])

    def rows(self, table: str, columns: Sequence[str], size: int) -> Iterator[list[tuple[Any, ...]]]:
        """All rows in the order of their creation, ``size`` at a time. Text that is no UTF-8 has U+FFFD in it."""
        names = ", ".join(map(_quoted, columns))
        with closing(self._raw.execute(f"SELECT {names} FROM {_quoted(table)} ORDER BY rowid")) as cursor:
            while rows := cursor.fetchmany(size):
                yield rows


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The PocketBase whose data folder, or backup, is at ``path``. Raises SourceError."""
    if path.is_dir():
        with snapshot_of_folder(path) as database, _reading(database) as raw:
            yield _source(raw, FolderFiles(path))
        return
    try:
        archive = zipfile.ZipFile(path)
    except UNREADABLE as error:
        raise SourceError(f"{path} is neither a folder nor a backup that can be read: {error}.") from error
    with archive, snapshot_of_backup(archive) as database, _reading(database) as raw:
        yield _source(raw, BackupFiles(archive))


@contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(database)) as raw:
        raw.text_factory = _as_text
        try:
            # Somebody else's schema: it runs nothing of ours, and what is damaged is found before anything is taken.
            raw.execute("PRAGMA trusted_schema = OFF")
            raw.execute("PRAGMA query_only = ON")
            found = raw.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            raise SourceError(f"The database cannot be read: {error}.") from error
        if found != ("ok",):
            raise SourceError(f"The database is damaged: {found[0]}.")
        yield raw


def _as_text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _source(raw: sqlite3.Connection, files: SourceFiles) -> Source:
    columns = {row[1] for row in raw.execute("PRAGMA table_info(_collections)")}
    if not columns:
        raise SourceError("The database is none of PocketBase's: it has no collections.")
    if not columns.issuperset(_HEAD):
        raise SourceError(_TOO_OLD)
    try:
        names = ", ".join(map(_quoted, _HEAD))
        rows = raw.execute(f"SELECT {names} FROM _collections ORDER BY created, rowid").fetchall()
        collections = tuple(_collection(dict(zip(_HEAD, row, strict=True))) for row in rows)
    except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
        raise SourceError(f"The collections cannot be read: {error}.") from error
    return Source(_identity(collections), collections, _settings(raw), files, raw)


def _collection(row: Json) -> Json:
    """The collection as the API would show it, with its secrets."""
    options = json.loads(row.pop("options") or "{}")
    head = {**row, "fields": json.loads(row["fields"]), "indexes": json.loads(row["indexes"])}
    return {**options, **head, "system": bool(row["system"])}


def _identity(collections: Sequence[Json]) -> str:
    """A digest of the secret that an installation makes for its superusers when it is new."""
    found = [one for one in collections if one["name"] == "_superusers" or one["system"]]
    secrets = sorted(str((one.get("authToken") or {}).get("secret", "")) for one in found)
    return hashlib.sha256("\n".join(secrets).encode()).hexdigest()


def _settings(raw: sqlite3.Connection) -> Json | None:
    """None when there are none, or they are encrypted (PocketBase's ``--encryptionEnv``)."""
    try:
        row = raw.execute("SELECT value FROM _params WHERE id = 'settings'").fetchone()
        found = json.loads(row[0]) if row else None
    except (sqlite3.Error, ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
