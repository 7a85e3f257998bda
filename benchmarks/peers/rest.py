"""Servers that speak the records API: PocketBase, ours, and the hand-written handler."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from benchmarks import dataset
from benchmarks.client import Client, in_parallel
from benchmarks.process import Process
from benchmarks.wrk import Requests


@dataclass(frozen=True, slots=True)
class Filled:
    """The reader's id and token, and the ids of records that the reader may see."""

    reader: str
    token: str
    seen: list[str]


# A filter may have 200 expressions.
MOST_COMPARISONS = 190


def slow_filter_texts(count: int) -> list[str]:
    """Distinct texts that stand in no record, at most MOST_COMPARISONS."""
    return [f"{a}{b}" for a in "0123456789" for b in "0123456789abcdefghi"][:count]


@dataclass
class RestPeer:
    """``url`` is the base of the API, without a slash at the end."""

    name: str
    version: str
    process: Process
    url: str
    filled: Filled
    # E-mail and password of a superuser, where there is one.
    admin: tuple[str, str] = ("", "")
    _local: threading.local = field(default_factory=threading.local, init=False, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.filled.token}

    def get(self) -> Requests:
        base = self._path(dataset.SEEN)
        return self._requests([(f"{base}/{record}", "") for record in self.filled.seen])

    def page(self, *, total: bool, rank_above: str = "") -> Requests:
        target = f"{self._path(dataset.SEEN)}?perPage=30&sort=-created"
        if not total:
            target += "&skipTotal=1"
        if rank_above:
            target += f"&filter={quote('rank>-')}{rank_above}"
        return self._requests([(target, "")])

    def create(self) -> Requests:
        bodies = [orjson.dumps(self._new(note)).decode() for note in dataset.notes(500)]
        return self._requests([(self._path(dataset.WRITTEN), body) for body in bodies], "POST")

    def change_one(self) -> None:
        note = next(dataset.notes(1))
        self._client()("POST", f"/api/collections/{dataset.SEEN}/records", self._new(note))

    def slow_query(self, comparisons: int) -> None:
        text = "||".join(f"body~'{one}'" for one in slow_filter_texts(comparisons))
        query = f"perPage=1&skipTotal=1&filter={quote(text)}"
        found = self._client()("GET", f"/api/collections/{dataset.SEEN}/records?{query}")
        assert not found["items"]

    def sign_in(self, user: int) -> None:
        body = {"identity": dataset.email(user), "password": dataset.password(user)}
        client = Client(self.url)
        assert client("POST", "/api/collections/users/auth-with-password", body)["token"]
        client.close()

    def superuser(self) -> str:
        """A superuser's token."""
        return superuser_token(self.url, *self.admin)

    def _new(self, note: dataset.Note) -> dict[str, Any]:
        return record_body(note, self.filled.reader)

    def _client(self) -> Client:
        if not hasattr(self._local, "client"):
            self._local.client = Client(self.url, self.headers)
        client: Client = self._local.client
        return client

    def _path(self, collection: str) -> str:
        return f"{urlsplit(self.url).path}/api/collections/{collection}/records"

    def _requests(self, targets: list[tuple[str, str]], method: str = "GET") -> Requests:
        headers = self.headers | ({"Content-Type": "application/json"} if method != "GET" else {})
        parts = urlsplit(self.url)
        return Requests(f"{parts.scheme}://{parts.netloc}", targets, method, headers)


def record_body(note: dataset.Note, author: str) -> dict[str, Any]:
    return {
        "title": note.title,
        "body": note.body,
        "author": author,
        "public": note.public,
        "rank": note.number,
    }


def superuser_token(url: str, email: str, password: str) -> str:
    body = {"identity": email, "password": password}
    token = Client(url)("POST", "/api/collections/_superusers/auth-with-password", body)["token"]
    return str(token)


def make_users(url: str, token: str, count: int, *, first: int = 0, passwords: bool = True) -> list[str]:
    """Users ``first``… over the API; their ids. Without ``passwords`` of their own they share one."""

    def one(client: Client, user: int) -> str:
        text = dataset.password(user if passwords else 0)
        body = {
            "email": dataset.email(user), "password": text, "passwordConfirm": text,
            "verified": True, "name": f"User {user}",
        }  # fmt: skip
        return str(client("POST", "/api/collections/users/records", body)["id"])

    return in_parallel(one, range(first, first + count), url=url, headers={"Authorization": token}, threads=4)


def user_tokens(url: str, token: str, users: list[str]) -> list[str]:
    """A token of each user, by impersonation: signing in would hash a password for each."""

    def one(client: Client, user: str) -> str:
        return str(
            client("POST", f"/api/collections/users/impersonate/{user}", {"duration": 86_400})["token"]
        )

    return in_parallel(one, users, url=url, headers={"Authorization": token}, threads=4)


def make_collections(url: str, token: str) -> None:
    client = Client(url, {"Authorization": token})
    users_id = client("GET", "/api/collections/users")["id"]
    for name in (dataset.SEEN, dataset.WRITTEN):
        client("POST", "/api/collections", dataset.collection(name, users_id))


def fill(url: str, token: str, *, records: int = dataset.RECORDS, users: int = dataset.USERS) -> Filled:
    """Collections, users and records over the API, as a superuser."""
    make_collections(url, token)
    ids = make_users(url, token, users)

    def one(client: Client, note: dataset.Note) -> str:
        body = record_body(note, ids[note.author])
        return str(client("POST", f"/api/collections/{dataset.SEEN}/records", body)["id"])

    all_notes = list(dataset.notes(records))
    made = in_parallel(one, all_notes, url=url, headers={"Authorization": token})
    reader = ids[dataset.READER]
    seen = [record for record, note in zip(made, all_notes, strict=True) if note.seen_by_reader]
    return Filled(reader, user_tokens(url, token, [reader])[0], seen)
