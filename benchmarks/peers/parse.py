"""Parse Server from npm, on PostgreSQL. What our rule says is an ACL of each object there."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import psycopg

from benchmarks import dataset
from benchmarks.client import Client, in_parallel
from benchmarks.peers.rest import Filled, slow_filter_texts
from benchmarks.process import Process, ServerError, run
from benchmarks.scratch import scratch
from benchmarks.wrk import Requests
from tests.services import free_port

VERSION = "9.10.0"
# parse-server asks for a release candidate of its router; this is the same code, released.
_PACKAGE = {
    "private": True,
    "type": "module",
    "dependencies": {"parse-server": VERSION, "express": "^5.0.0"},
    "overrides": {"router": "2.2.0"},
}
_SCRIPT = Path(__file__).with_name("parse.mjs")
_CLASSES = {dataset.SEEN: "Note", dataset.WRITTEN: "Entry"}
_BATCH = 50


def installed() -> Path:
    """The folder that Parse Server is installed in, which is done first if need be. Raises ServerError."""
    folder = scratch() / f"parse-server-{VERSION}"
    if not (folder / "installed").exists():
        if shutil.which("npm") is None:
            raise ServerError("Parse Server needs Node.js 20.19 or newer and npm")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_bytes(orjson.dumps(_PACKAGE))
        run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder)
        (folder / "installed").touch()
    shutil.copy(_SCRIPT, folder / "server.mjs")
    return folder


class ParsePeer:
    """``url`` is the API's base, without a slash at the end."""

    name = "Parse Server"
    version = VERSION

    def __init__(self, process: Process, url: str, key: str, filled: Filled) -> None:
        self.process = process
        self.url = url
        self.filled = filled
        self._master = {"X-Parse-Application-Id": "bench", "X-Parse-Master-Key": key}
        self._local = threading.local()

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Parse-Application-Id": "bench", "X-Parse-Session-Token": self.filled.token}

    def get(self) -> Requests:
        return self._requests([(f"/parse/classes/Note/{record}", "") for record in self.filled.seen])

    def page(self, *, total: bool, rank_above: str = "") -> Requests:
        target = "/parse/classes/Note?" + urlencode({"limit": 30, "order": "-createdAt"})
        if total:
            target += "&count=1"
        if rank_above:
            target += f"&where=%7B%22rank%22:%7B%22$gt%22:-{rank_above}%7D%7D"
        return self._requests([(target, "")])

    def create(self) -> Requests:
        bodies = [self._new(note) for note in dataset.notes(500)]
        return self._requests(
            [("/parse/classes/Entry", orjson.dumps(body).decode()) for body in bodies], "POST"
        )

    def change_one(self) -> None:
        self._client()("POST", "/classes/Note", self._new(next(dataset.notes(1))))

    def slow_query(self, comparisons: int) -> None:
        where = {"$or": [{"body": {"$regex": text}} for text in slow_filter_texts(comparisons)]}
        query = urlencode({"limit": 1, "where": orjson.dumps(where).decode()})
        assert not self._client()("GET", f"/classes/Note?{query}")["results"]

    def sign_in(self, user: int) -> None:
        client = Client(self.url, {"X-Parse-Application-Id": "bench"})
        body = {"username": dataset.email(user), "password": dataset.password(user)}
        assert client("POST", "/login", body)["sessionToken"]
        client.close()

    def fill(self, records: int) -> None:
        admin = Client(self.url, self._master)
        for name in _CLASSES.values():
            admin("POST", f"/schemas/{name}", _schema(name))
        app = {"X-Parse-Application-Id": "bench"}
        people = in_parallel(_sign_up, range(dataset.USERS), url=self.url, headers=app, threads=4)
        notes = list(dataset.notes(records))
        slices = [notes[i : i + _BATCH] for i in range(0, len(notes), _BATCH)]

        def one(client: Client, part: list[dataset.Note]) -> list[str]:
            requests = [
                {"method": "POST", "path": "/parse/classes/Note", "body": _body(note, people[note.author][0])}
                for note in part
            ]
            answers = client("POST", "/batch", {"requests": requests})
            return [answer["success"]["objectId"] for answer in answers]

        made = in_parallel(one, slices, url=self.url, headers=self._master, threads=4)
        ids = [record for part in made for record in part]
        seen = [record for record, note in zip(ids, notes, strict=True) if note.seen_by_reader]
        self.filled = Filled(*people[dataset.READER], seen)

    def _new(self, note: dataset.Note) -> dict[str, Any]:
        return _body(note, self.filled.reader)

    def _client(self) -> Client:
        if not hasattr(self._local, "client"):
            self._local.client = Client(self.url, self.headers)
        client: Client = self._local.client
        return client

    def _requests(self, targets: list[tuple[str, str]], method: str = "GET") -> Requests:
        headers = self.headers | ({"Content-Type": "application/json"} if method != "GET" else {})
        parts = urlsplit(self.url)
        return Requests(f"{parts.scheme}://{parts.netloc}", targets, method, headers)


def _sign_up(client: Client, user: int) -> tuple[str, str]:
    body = {"username": dataset.email(user), "password": dataset.password(user), "email": dataset.email(user)}
    answer = client("POST", "/users", body)
    return answer["objectId"], answer["sessionToken"]


def _body(note: dataset.Note, author: str) -> dict[str, Any]:
    readers: dict[str, Any] = {author: {"read": True, "write": True}}
    if note.public:
        readers["*"] = {"read": True}
    pointer = {"__type": "Pointer", "className": "_User", "objectId": author}
    return {
        "title": note.title, "body": note.body, "author": pointer, "public": note.public, "rank": note.number,
        "ACL": readers,
    }  # fmt: skip


def _schema(name: str) -> dict[str, Any]:
    return {
        "className": name,
        "fields": {
            "title": {"type": "String", "required": True},
            "body": {"type": "String"},
            "author": {"type": "Pointer", "targetClass": "_User"},
            "public": {"type": "Boolean"},
            "rank": {"type": "Number"},
        },
        "classLevelPermissions": {
            "find": {"requiresAuthentication": True},
            "get": {"requiresAuthentication": True},
            "count": {"requiresAuthentication": True},
            "create": {"requiresAuthentication": True},
            "update": {"requiresAuthentication": True},
            "delete": {"requiresAuthentication": True},
        },
    }


def _add_indexes(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute('CREATE INDEX bench_session_token ON "_Session" ("sessionToken")')
        for name in _CLASSES.values():
            connection.execute(f'CREATE INDEX "bench_{name}_created" ON "{name}" ("createdAt")')
            connection.execute(f'CREATE INDEX "bench_{name}_author" ON "{name}" ("author")')
        connection.execute("ANALYZE")


def _own_database(url: str) -> str:
    name = f"parse_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def parse_server(folder: Path, *, postgres: str, records: int = dataset.RECORDS) -> Iterator[ParsePeer]:
    """Parse Server filled with the data set, while the block runs. Raises ServerError."""
    home = installed()
    folder.mkdir(parents=True, exist_ok=True)
    database, port, key = _own_database(postgres), free_port(), secrets.token_hex(16)
    url = f"http://127.0.0.1:{port}/parse"
    process = Process(
        ["node", str(home / "server.mjs")],
        health=f"{url}/health",
        cwd=folder,
        log=folder / "server.log",
        env={
            **os.environ,
            "NODE_ENV": "production",
            "PORT": str(port),
            "DATABASE_URI": database,
            "MASTER_KEY": key,
            "PARSE_SERVER_LOGS_FOLDER": str(folder / "logs"),
        },
    )
    try:
        peer = ParsePeer(process, url, key, Filled("", "", []))
        peer.fill(records)
        _add_indexes(database)
        yield peer
    finally:
        process.stop()
