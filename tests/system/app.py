"""What an app's server-side script does, in the few calls that the system tests need."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.server import OWNER, PASSWORD, Server

TIMEOUT = 30


@dataclass
class App:
    """A project's API as its owner sees it, signed in as superuser. ``url`` is the project's base URL."""

    url: str
    token: str = ""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=TIMEOUT))

    def sign_in(self) -> App:
        body = {"identity": OWNER, "password": PASSWORD}
        self.token = self.call("POST", "/api/collections/_superusers/auth-with-password", body)["token"]
        return self

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.token} if self.token else {}

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of a good answer; fails on any other."""
        answer = self.http.request(method, self.url + path, json=body, headers=self.headers, **options)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def create_collection(self, name: str, *fields: dict[str, Any], **options: Any) -> dict[str, Any]:
        """A collection that everyone may do everything with, unless ``options`` has other rules."""
        rules = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
        body = {"name": name, "type": "base", **rules, "fields": list(fields), **options}
        made: dict[str, Any] = self.call("POST", "/api/collections", body)
        return made

    def create(self, collection: str, **values: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.call("POST", f"/api/collections/{collection}/records", values)
        return made

    def records(self, collection: str, **more: str) -> list[dict[str, Any]]:
        """All records, by id; ``more`` is added to the query."""
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            query = {"page": page, "perPage": 1000, "sort": "id", "skipTotal": 1, **more}
            items = self.call("GET", f"/api/collections/{collection}/records", params=query)["items"]
            found += items
            if len(items) < 1000:
                return found
            page += 1


@contextmanager
def project_rows(server: Server, ref: str) -> Iterator[Any]:
    """``rows(sql)`` on the project's own database, past the server (which may be down)."""
    script = f"from projects.models import Project; print(Project.objects.get(ref={ref!r}).uid)"
    uid = server.manage("shell", "-v", "0", "-c", script).split()[-1]
    if "MBAAS_DATABASE_URL" in server.extra:
        from tests.services import POSTGRES_VARIABLE, environment_url

        with psycopg.connect(environment_url(POSTGRES_VARIABLE), autocommit=True) as connection:
            connection.execute(f'SET ROLE "p_{uid}"')
            connection.execute(f'SET search_path TO "p_{uid}"')
            yield lambda sql: connection.execute(sql).fetchall()
        return
    # Not a connection of this process: the file is the server's, and looked at only while it rests.
    import sqlite3

    path = next(Path(server.environment["MBAAS_DATA_DIR"]).glob(f"projects/*/{uid}/data.sqlite3"))
    connection = sqlite3.connect(path)
    try:
        yield lambda sql: connection.execute(sql).fetchall()
    finally:
        connection.close()


async def sse_events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The events of a stream as ``{"id", "event", "data"}``, data parsed; ends when the server ends it."""
    event: dict[str, Any] = {}
    async for line in response.aiter_lines():
        if not line:
            if "data" in event:
                yield event
            event = {}
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name:
            event[name] = json.loads(value) if name == "data" else value
