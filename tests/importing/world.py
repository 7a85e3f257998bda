"""A PocketBase with something of everything, made through its own API, and what it answers about it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.files.support import PNG
from tests.oracle.pocketbase import EMAIL, PASSWORD
from tests.oracle.server import Server

USER_PASSWORD = "password-of-old-1"
ODD_ID = "Odd-Id_1"
YEARS = 90_000_000  # seconds; tokens outlive the test


@dataclass
class World:
    """``folder`` is the data folder of the running server, ``backup`` a backup of it.

    ``records`` are all records as PocketBase's API shows them to a superuser, by collection; ``files`` the contents of
    its files by (collection, record, name); ``tokens`` those of users by their e-mail.
    """

    server: Server
    folder: Path
    backup: Path
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


def f(name: str, kind: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **options}


def build(server: Server, folder: Path) -> World:
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        _sign_in(client)
        _make_users(client)
        _make_notes(client)
        _make_odd(client)
        _make_views(client)
        _change_settings(client)
        world = World(server, folder, _back_up(client, folder))
        _look(client, world)
    return world


def ask(client: httpx.Client, method: str, path: str, **options: Any) -> Any:
    answer = client.request(method, path, **options)
    assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


def _sign_in(client: httpx.Client) -> None:
    body = {"identity": EMAIL, "password": PASSWORD}
    entered = ask(client, "POST", "/api/collections/_superusers/auth-with-password", json=body)
    client.headers["Authorization"] = entered["token"]


def _make_users(client: httpx.Client) -> None:
    body = {
        "authToken": {"duration": YEARS},
        "listRule": "@request.auth.id != ''",
        "oauth2": {
            "enabled": True,
            "providers": [{"name": "google", "clientId": "client", "clientSecret": "google-secret"}],
        },
    }
    ask(client, "PATCH", "/api/collections/users", json=body)
    staff = {
        "name": "staff",
        "type": "auth",
        "authRule": "verified = true",
        "manageRule": "@request.auth.boss = true",
        "authToken": {"duration": YEARS},
        "fields": [f("boss", "bool"), f("nick", "text")],
        "indexes": ["CREATE UNIQUE INDEX idx_nick ON staff (nick COLLATE NOCASE) WHERE nick != ''"],
        "passwordAuth": {"enabled": True, "identityFields": ["email", "nick"]},
    }
    ask(client, "POST", "/api/collections", json=staff)
    for collection, values in (
        (
            "users",
            {"id": "user00000000ann", "email": "ann@example.com", "name": "Ann", "emailVisibility": True},
        ),
        ("users", {"id": "user00000000ben", "email": "ben@example.com", "name": "Ben"}),
        ("staff", {"email": "boss@example.com", "nick": "Boss", "boss": True, "verified": True}),
        ("staff", {"email": "new@example.com", "nick": "", "verified": False}),
    ):
        body = {**values, "password": USER_PASSWORD, "passwordConfirm": USER_PASSWORD}
        ask(client, "POST", f"/api/collections/{collection}/records", json=body)
    identity = {
        "collectionRef": "_pb_users_auth_", "recordRef": "user00000000ann", "provider": "google", "providerId": "g-1",
    }  # fmt: skip
    ask(client, "POST", "/api/collections/_externalAuths/records", json=identity)


def _make_notes(client: httpx.Client) -> None:
    notes = {
        "name": "notes",
        "listRule": "open = true || owner = @request.auth.id",
        "viewRule": "@request.auth.id != ''",
        "createRule": "@request.auth.id != '' && @request.body.owner = @request.auth.id",
        "updateRule": None,
        "deleteRule": "owner = @request.auth.id",
        "fields": [
            f("title", "text", required=True, max=200),
            f("n", "number"),
            f("open", "bool"),
            f("mail", "email"),
            f("link", "url"),
            f("body", "editor"),
            f("day", "date"),
            f("one", "select", values=["x", "y"], maxSelect=1),
            f("some", "select", values=["x", "y", "z"], maxSelect=3),
            f("data", "json"),
            f("pic", "file", maxSelect=1, mimeTypes=["image/png"], thumbs=["50x50"]),
            f("docs", "file", maxSelect=5),
            f("private", "file", maxSelect=1, protected=True),
            f("place", "geoPoint"),
            f("pin", "password"),
            f("owner", "relation", collectionId="_pb_users_auth_", maxSelect=1, cascadeDelete=True),
            f("made", "autodate", onCreate=True),
            f("touched", "autodate", onCreate=True, onUpdate=True),
        ],
        "indexes": [
            "CREATE INDEX `idx_day` ON `notes` (`day` DESC, `title`)",
            "CREATE UNIQUE INDEX idx_title ON notes (title) WHERE open = true",
        ],
    }
    made = ask(client, "POST", "/api/collections", json=notes)
    linked = f("related", "relation", collectionId=made["id"], maxSelect=10)
    ask(client, "PATCH", "/api/collections/notes", json={"fields": [*made["fields"], linked]})
    values = {
        "id": "note0000000000a", "title": "First", "n": "1.5", "open": "true", "mail": "x@example.com",
        "link": "https://example.com", "body": "<b>bold</b>", "day": "2024-02-29 10:00:00.123Z", "one": "x",
        "some": ["z", "x"], "data": '{"a":[1,"2",null],"b":{"c":"\\u00e4"}}', "place": '{"lon":1.5,"lat":-2}',
        "pin": "pin-of-note-1", "owner": "user00000000ann",
    }  # fmt: skip
    files = [
        ("pic", ("Sommer Ferien.PNG", PNG, "image/png")),
        ("docs", ("a.txt", b"text of a")),
        ("docs", ("b.txt", b"text of b, longer")),
        ("private", ("secret.txt", b"for my eyes")),
    ]
    ask(client, "POST", "/api/collections/notes/records", data=values, files=files)
    for number, data in enumerate((5, -0.5, "str", "5", [1, {"x": None}], None, True, "", {}, [])):
        body = {
            "id": f"note0000000010{number}", "title": f"json {number}", "data": data, "open": number % 2 == 0,
            "related": ["note0000000000a"] if number else ["note0000000000a", "note00000000zzz"][:1],
        }  # fmt: skip
        ask(client, "POST", "/api/collections/notes/records", json=body)
    ask(
        client,
        "PATCH",
        "/api/collections/notes/records/note0000000000a",
        json={"related": ["note00000000101"]},
    )


def _make_odd(client: httpx.Client) -> None:
    """Records from a time when the collection's ids had another form, and fields a different one."""
    loose = f(
        "id", "text", primaryKey=True, required=True, system=True, min=1, max=50, pattern="^[A-Za-z0-9_-]+$"
    )
    made = ask(
        client,
        "POST",
        "/api/collections",
        json={"name": "odd", "fields": [loose, f("v", "text"), f("f", "file")]},
    )
    ask(
        client,
        "POST",
        "/api/collections/odd/records",
        data={"id": ODD_ID, "v": "much too long for today"},
        files=[("f", ("odd.txt", b"odd"))],
    )
    fields = [
        {**one, "min": 15, "max": 15, "pattern": "^[a-z0-9]+$"} if one["name"] == "id" else one
        for one in made["fields"]
    ]
    fields = [{**one, "max": 3} if one["name"] == "v" else one for one in fields]
    ask(client, "PATCH", "/api/collections/odd", json={"fields": fields})


def _make_views(client: httpx.Client) -> None:
    view = {
        "name": "shown", "type": "view", "listRule": "", "viewRule": "n >= 0",
        "viewQuery": "SELECT id, title, n, pic, owner FROM notes WHERE n >= 0",
    }  # fmt: skip
    ask(client, "POST", "/api/collections", json=view)
    above = {
        "name": "above", "type": "view", "listRule": "@request.auth.id != ''",
        "viewQuery": "SELECT s.id, s.title, u.name AS who FROM shown s LEFT JOIN users u ON u.id = s.owner",
    }  # fmt: skip
    ask(client, "POST", "/api/collections", json=above)


def _change_settings(client: httpx.Client) -> None:
    rules = [{"label": "*:auth", "maxRequests": 7, "duration": 11, "audience": "@guest"}]
    body = {
        "meta": {"appName": "Corner shop", "appURL": "https://shop.example.com"},
        "batch": {"enabled": True, "maxRequests": 77, "timeout": 9, "maxBodySize": 100000},
        "rateLimits": {"enabled": True, "rules": rules, "excludedIPs": ["192.0.2.9"]},
        "smtp": {"enabled": True, "host": "mail.example.com", "username": "u", "password": "smtp-secret"},
    }
    ask(client, "PATCH", "/api/settings", json=body)


def _back_up(client: httpx.Client, folder: Path) -> Path:
    ask(client, "POST", "/api/backups", json={"name": "all.zip"})
    path = folder / "backups" / "all.zip"
    for _ in range(100):
        if path.exists():
            return path
        time.sleep(0.05)
    raise AssertionError("PocketBase made no backup")


def _look(client: httpx.Client, world: World) -> None:
    listed = ask(client, "GET", "/api/collections", params={"perPage": 100})
    world.collections = {one["name"]: one for one in listed["items"]}
    token = ask(client, "POST", "/api/files/token")["token"]
    for name, collection in world.collections.items():
        if name.startswith("_"):
            continue
        path = f"/api/collections/{name}/records"
        order = {} if collection["type"] == "view" else {"sort": "@rowid"}
        world.records[name] = ask(client, "GET", path, params={"perPage": 500, **order})["items"]
        if collection["type"] == "view":
            continue
        kinds = [one["name"] for one in collection["fields"] if one["type"] == "file"]
        for record in world.records[name]:
            for file in [file for kind in kinds for file in _names(record[kind])]:
                where = (name, record["id"], file)
                answer = client.get("/api/files/" + "/".join(where), params={"token": token})
                assert answer.status_code == 200, where
                world.files[where] = answer.content
    for email, collection in (("ann@example.com", "users"), ("boss@example.com", "staff")):
        body = {"identity": email, "password": USER_PASSWORD}
        path = f"/api/collections/{collection}/auth-with-password"
        with httpx.Client(base_url=world.server.base_url) as other:
            world.tokens[email] = ask(other, "POST", path, json=body)["token"]


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) and value else list(value or ())
