"""Each field type's column on both engines: what is written comes back, what was never written is zero."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from projects.databases import Session
from projects.schema import CollectionSchema
from projects.schema.ddl import holds_data
from projects.schema.fields.password import PasswordHash
from projects.schema.fields.registry import field_types
from tests.schema.helpers import USERS_ID, make, put, records

FIELDS: list[dict[str, Any]] = [
    {"name": "text", "type": "text"},
    {"name": "number", "type": "number"},
    {"name": "bool", "type": "bool"},
    {"name": "email", "type": "email"},
    {"name": "url", "type": "url"},
    {"name": "editor", "type": "editor"},
    {"name": "date", "type": "date"},
    {"name": "autodate", "type": "autodate", "onUpdate": True},
    {"name": "select", "type": "select", "values": ["a", "b"]},
    {"name": "selects", "type": "select", "values": ["a", "b"], "maxSelect": 2},
    {"name": "json", "type": "json"},
    {"name": "relation", "type": "relation", "collectionId": USERS_ID},
    {"name": "relations", "type": "relation", "collectionId": USERS_ID, "maxSelect": 2},
    {"name": "geo", "type": "geoPoint"},
    {"name": "password", "type": "password"},
    {"name": "file", "type": "file"},
    {"name": "files", "type": "file", "maxSelect": 2},
]
ZEROS = {
    "text": "", "number": 0, "bool": False, "email": "", "url": "", "editor": "", "date": "", "autodate": "",
    "select": "", "selects": [], "json": None, "relation": "", "relations": [], "geo": {"lon": 0, "lat": 0},
    "password": "", "file": "", "files": [],
}  # fmt: skip


@pytest.fixture
def every(session: Session) -> CollectionSchema:
    """A collection with a field of each type."""
    return make(session, "every", *FIELDS)


def test_every_type_is_tried_here() -> None:
    assert {field["type"] for field in FIELDS} == set(field_types())


def test_a_column_that_nobody_wrote_holds_the_zero_value(session: Session, every: CollectionSchema) -> None:
    session.execute("INSERT INTO every (id) VALUES ('x')")
    (record,) = records(session, "every")
    assert record == {"id": "x", **ZEROS}
    assert orjson.dumps(record) == orjson.dumps({"id": "x", **ZEROS})
    assert not any(holds_data(session, "every", field) for field in every.fields if field.name != "id")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", 'it\'s "é😀" \\ % ? {x}'),
        ("number", 12),
        ("number", -1.5),
        ("number", 0.1),
        ("number", 1e300),
        ("number", 2**53),
        ("number", 1e20),
        ("bool", True),
        ("email", "alice@example.com"),
        ("url", "https://example.com/?a=%20"),
        ("editor", "<p>x</p>"),
        ("date", "2022-01-02T10:11:12.123Z"),
        ("select", "a"),
        ("selects", ["b", "a"]),
        ("json", {"b": [1, None, "x"], "a": "é"}),
        ("json", "text"),
        ("json", "12"),
        ("json", 12),
        ("json", 0.5),
        ("json", True),
        ("json", []),
        ("json", {}),
        ("relation", "x1"),
        ("relations", ["x2", "x1"]),
        ("geo", {"lon": 1.5, "lat": -2}),
        ("geo", {"lon": 0, "lat": 1}),
    ],
)
def test_what_is_written_comes_back(session: Session, every: CollectionSchema, name: str, value: Any) -> None:
    field = every.field_by_name[name]
    insert = session.sql(f'INSERT INTO every (id, "{name}") VALUES (?, ?)')
    session.execute(insert, ("x", field.to_db(value, session.engine)))
    (record,) = records(session, "every")
    assert orjson.dumps(record[name], option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        value, option=orjson.OPT_SORT_KEYS
    )
    assert holds_data(session, "every", field)


def test_a_json_text_that_reads_like_another_value_stays_a_text(
    session: Session, every: CollectionSchema
) -> None:
    for value in ("12", "true", "null", "1e5", '{"a":1}'):
        put_json(session, every, value)
        assert [record["json"] for record in records(session, "every")] == [value]
        session.execute("DELETE FROM every")


def put_json(session: Session, collection: CollectionSchema, value: Any) -> None:
    raw = collection.field_by_name["json"].to_db(value, session.engine)
    session.execute(session.sql("INSERT INTO every (id, json) VALUES ('x', ?)"), (raw,))


def test_a_password_comes_back_as_the_hash_that_it_is(session: Session, every: CollectionSchema) -> None:
    put(session, every, password=PasswordHash("$2b$x"))
    (record,) = records(session, "every")
    assert isinstance(record["password"], PasswordHash)


def test_text_sorts_by_its_bytes(session: Session, every: CollectionSchema) -> None:
    for text in ("b", "B", "a", "é", "Z", "_"):
        put(session, every, text=text)
    found = [row[0] for row in session.rows("SELECT text FROM every ORDER BY text")]
    assert found == sorted(found, key=str.encode) == ["B", "Z", "_", "a", "b", "é"]
