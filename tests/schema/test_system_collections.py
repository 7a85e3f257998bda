"""The collections of a new project against what the wire contract's server shows (observed.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from projects.databases import Session
from projects.schema import collection_to_json, list_collections, load_schema, scaffolds_json
from projects.schema.dates import parse_date
from tests.schema.helpers import columns_of, indexes_of

OBSERVED = json.loads((Path(__file__).parent / "observed.json").read_text())


def undated(collection: dict[str, Any]) -> dict[str, Any]:
    assert parse_date(collection["created"])
    assert parse_date(collection["updated"])
    return {**collection, "created": "", "updated": ""}


def test_a_new_project_has_the_collections_of_the_wire_contract(session: Session) -> None:
    shown = [undated(collection_to_json(collection)) for collection in list_collections(session)]
    assert shown == OBSERVED["collections"]


def test_keys_come_in_the_order_of_the_wire_contract(session: Session) -> None:
    shown = [list(collection_to_json(collection)) for collection in list_collections(session)]
    assert shown == [list(collection) for collection in OBSERVED["collections"]]


@pytest.mark.parametrize("kind", ["base", "auth"])
def test_a_scaffold_is_that_of_the_wire_contract(kind: str) -> None:
    shown, wanted = scaffolds_json()[kind], OBSERVED["scaffolds"][kind]
    if kind == "auth":
        # Their names hold random letters.
        assert [text.partition(" ON ")[2] for text in shown["indexes"]] == [
            text.partition(" ON ")[2] for text in wanted["indexes"]
        ]
        shown["indexes"] = wanted["indexes"]
    assert shown == wanted


def test_secrets_are_stored_and_never_shown(session: Session) -> None:
    users = load_schema(session).get("users")
    assert users is not None
    secrets = {users.options[name]["secret"] for name in users.options if name.endswith("Token")}
    assert len(secrets) == 5
    shown = json.dumps(collection_to_json(users))
    assert "secret" not in shown.lower()
    assert not any(secret in shown for secret in secrets)


def test_every_system_collection_but_superusers_has_its_table(session: Session) -> None:
    for collection in list_collections(session):
        columns = columns_of(session, collection.table)
        if collection.name == "_superusers":
            assert not collection.has_table
            assert columns == set()
        else:
            assert columns == {field.name for field in collection.fields}
            assert len(indexes_of(session, collection.table)) == len(collection.indexes)


def test_an_email_is_unique_where_it_is_not_empty(session: Session) -> None:
    insert = session.sql('INSERT INTO users (id, email, "tokenKey") VALUES (?, ?, ?)')
    session.execute(insert, ("1", "", "k1"))
    session.execute(insert, ("2", "", "k2"))
    session.execute(insert, ("3", "alice@example.com", "k3"))
    for email, key in (("alice@example.com", "k4"), ("", "k1")):
        with pytest.raises(Exception, match=r"(?i)unique"), session.savepoint():
            session.execute(insert, ("4", email, key))
