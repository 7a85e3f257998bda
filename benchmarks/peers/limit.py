"""The hand-written handler of ``benchmarks.limit`` as a peer."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import dataset
from benchmarks.limit import postgresql, sqlite
from benchmarks.limit.records import SELECTED, new_id
from benchmarks.limit.tokens import issue
from benchmarks.peers.rest import Filled, RestPeer
from benchmarks.process import Process
from benchmarks.scratch import ROOT
from tests.services import free_port

_COLLECTIONS = (dataset.SEEN, dataset.WRITTEN)


@contextmanager
def limit(folder: Path, *, postgres: str = "", records: int = dataset.RECORDS) -> Iterator[RestPeer]:
    """The handler filled with the data set, while the block runs; on PostgreSQL at ``postgres`` if given."""
    folder.mkdir(parents=True, exist_ok=True)
    users = [(new_id(), secrets.token_hex(25)) for _ in range(dataset.USERS)]
    notes = list(_rows([user for user, _ in users], records))
    people = [(user, key, dataset.email(i), f"User {i}") for i, (user, key) in enumerate(users)]
    if postgres:
        where = _fill_postgresql(postgres, people, notes)
    else:
        where = _fill_sqlite(folder / "data.sqlite3", people, notes)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = Process(
        [
            sys.executable,
            "-m",
            "benchmarks.limit.app",
            "postgresql" if postgres else "sqlite",
            where,
            str(port),
        ],
        health=f"{url}/api/health",
        cwd=ROOT,
        log=folder / "server.log",
    )
    try:
        reader, key = users[dataset.READER]
        seen = [row[0] for row in notes if row[4] or row[3] == reader]
        yield RestPeer("hand-written", "", process, url, Filled(reader, issue(reader, key), seen))
    finally:
        process.stop()


def _rows(users: list[str], count: int) -> Iterator[tuple[Any, ...]]:
    for note in dataset.notes(count):
        at = (
            f"2026-01-01 {note.number // 3600 % 24:02}:{note.number // 60 % 60:02}:{note.number % 60:02}.000Z"
        )
        author = users[note.author]
        yield (new_id(), note.title, note.body, author, note.public, note.number, at, at)


def _fill_sqlite(path: Path, people: list[Any], notes: list[Any]) -> str:
    connection = sqlite.connect(path)
    connection.executescript(sqlite.SCHEMA)
    for name in _COLLECTIONS:
        connection.executescript(sqlite.COLLECTION_SCHEMA.format(name))
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO users VALUES (?, ?, ?, ?)", people)
    marks = ", ".join("?" * len(notes[0]))
    connection.executemany(f"INSERT INTO {dataset.SEEN} ({SELECTED}) VALUES ({marks})", notes)
    connection.execute("COMMIT")
    connection.close()
    return str(path)


def _fill_postgresql(url: str, people: list[Any], notes: list[Any]) -> str:
    schema = f"limit_{secrets.token_hex(4)}"
    url = f"{url}?options=-csearch_path%3D{schema}"
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(postgresql.SCHEMA)
        for name in _COLLECTIONS:
            connection.execute(postgresql.COLLECTION_SCHEMA.format(name))
        cursor = connection.cursor()
        cursor.executemany("INSERT INTO users VALUES (%s, %s, %s, %s)", people)
        with cursor.copy(f"COPY {dataset.SEEN} ({SELECTED}) FROM STDIN") as copy:
            for row in notes:
                copy.write_row(row)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return url
