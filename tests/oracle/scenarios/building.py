"""Short ways to write the requests that most scenarios are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.oracle.table import Json, Request

COLLECTIONS: Final = "/api/collections"
PASSWORD: Final = "password-1"
OPEN: Final = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")

# Rules under which everybody sees everybody, and changes only oneself.
PEOPLE: Final = OPEN | {"updateRule": "id = @request.auth.id", "deleteRule": "id = @request.auth.id"}


def given(*steps: Request) -> tuple[Request, ...]:
    """Steps that only make the state of a scenario: the table is wrong where PocketBase refuses one."""
    return tuple(replace(step, given=True) for step in steps)


def field(name: str, kind: str, **options: Json) -> dict[str, Json]:
    """One field of a collection as the API takes it."""
    return {"name": name, "type": kind, **options}


def make(name: str, *fields: dict[str, Json], **options: Json) -> Request:
    """A superuser makes a collection; its id is captured under ``<name>_collection``."""
    return Request(
        name=f"the collection {name} is made",
        method="POST",
        path=COLLECTIONS,
        as_="superuser",
        body={"name": name, "fields": list(fields), **options},
        save={f"{name}_collection": "id"},
    )


def change(says: str, collection: str, **options: Json) -> Request:
    """A superuser changes a collection."""
    return Request(
        name=says, method="PATCH", path=f"{COLLECTIONS}/{collection}", as_="superuser", body=options
    )


def create(says: str, collection: str, body: Json, as_: str = "superuser", **more: Any) -> Request:
    """A record is created."""
    return Request(name=says, method="POST", path=records(collection), as_=as_, body=body, **more)


def view(says: str, collection: str, record: str, as_: str = "guest", **query: str) -> Request:
    """One record is read."""
    return Request(name=says, method="GET", path=f"{records(collection)}/{record}", as_=as_, query=query)


def listing(says: str, collection: str, as_: str = "guest", **query: str) -> Request:
    """Records are listed."""
    return Request(name=says, method="GET", path=records(collection), as_=as_, query=query)


def update(
    says: str, collection: str, record: str, body: Json, as_: str = "superuser", **more: Any
) -> Request:
    """A record is changed."""
    path = f"{records(collection)}/{record}"
    return Request(name=says, method="PATCH", path=path, as_=as_, body=body, **more)


def delete(says: str, collection: str, record: str, as_: str = "superuser") -> Request:
    """A record is deleted."""
    return Request(name=says, method="DELETE", path=f"{records(collection)}/{record}", as_=as_)


def sign_up(name: str, collection: str = "people", **values: Json) -> Request:
    """A superuser makes the user ``name``, whose id is captured under that name."""
    body = {
        "email": f"{name}@example.com",
        "password": PASSWORD,
        "passwordConfirm": PASSWORD,
        "name": name.title(),
        **values,
    }
    return create(f"{name} gets an account", collection, body, save={name: "id"})


def sign_in(name: str, collection: str = "people", says: str = "", password: str = PASSWORD) -> Request:
    """The user ``name`` signs in; from here on ``as_=name`` works."""
    return Request(
        name=says or f"{name} signs in",
        method="POST",
        path=f"{COLLECTIONS}/{collection}/auth-with-password",
        body={"identity": f"{name}@example.com", "password": password},
        save={f"{name}_token": "token"},
    )


def people(**options: Json) -> Request:
    """An auth collection with a name."""
    return make("people", field("name", "text"), type="auth", **(PEOPLE | options))


def records(collection: str) -> str:
    """The path of a collection's records."""
    return f"{COLLECTIONS}/{collection}/records"
