"""Builds collections and calls for the tests of the record operations."""

from __future__ import annotations

from typing import Any

from projects.databases import Session
from projects.principal import GUEST, Principal, RequestInfo
from projects.records.call import Call
from projects.records.create import create_record
from projects.rules import validate_rule
from projects.schema.collection import CollectionSchema
from projects.schema.operations import create_collection
from projects.schema.store import load_schema

SUPERUSER = Principal("superuser")
OPEN = {f"{action}Rule": "" for action in ("list", "view", "create", "update", "delete")}


def call(session: Session, principal: Principal = SUPERUSER, **request: Any) -> Call:
    return Call(session, load_schema(session), RequestInfo(principal=principal, **request))


def guest(session: Session, **request: Any) -> Call:
    return call(session, GUEST, **request)


def collection(session: Session, name: str, *fields: dict[str, Any], **options: Any) -> CollectionSchema:
    """A base collection, open to everyone unless ``options`` say otherwise."""
    data = {"name": name, "type": "base", "fields": list(fields), **OPEN, **options}
    return create_collection(session, data, validate_rule=validate_rule)


def text(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "text", **options}


def number(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "number", **options}


def relation(name: str, to: CollectionSchema, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "relation", "collectionId": to.id, "maxSelect": 1, **options}


def create(session: Session, into: CollectionSchema, **body: Any) -> dict[str, Any]:
    return create_record(call(session), into, body)


def user(record_id: str = "useralice000001", **values: Any) -> Principal:
    """A signed-in end user of ``users`` that needs no row."""
    record = {"id": record_id, "email": "alice@example.com", "verified": False, **values}
    return Principal("user", "_pb_users_auth_", "users", record)


def changes(session: Session) -> list[tuple[str, str]]:
    """The change log as (action, record id), oldest first."""
    return [(row[0], row[1]) for row in session.rows("SELECT action, record FROM _changes ORDER BY seq")]
