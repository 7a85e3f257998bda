"""Link tables and indexes of relations follow their fields through every change of the schema."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import Session, write_session
from projects.errors import ApiError
from projects.records.rows import insert
from projects.schema import CollectionSchema, delete_collection, load_schema
from projects.schema.collection import SUPERUSERS
from projects.schema.ddl import quote, relation_exists
from projects.schema.links import link_name, link_table, linked_fields
from projects.schema.record_values import prepare_create
from projects.schema.serialize import collection_to_json
from tests.records.support import call
from tests.schema.helpers import USERS_ID, change, indexes_of, make, values


def relation(name: str = "who", most: int = 1, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "relation", "collectionId": USERS_ID, "maxSelect": most, **options}


def store(session: Session, name: str, **body: Any) -> None:
    found = load_schema(session).get(name)
    assert found is not None
    insert(call(session), found, prepare_create(found, body))


def fields_of(collection: CollectionSchema, **changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The collection's fields as JSON, with options of some changed."""
    return [{**field, **changes.get(field["name"], {})} for field in collection_to_json(collection)["fields"]]


def pairs(session: Session, collection: CollectionSchema, name: str) -> set[tuple[str, str]]:
    (field,) = (field for field in linked_fields(collection) if field.name == name)
    return set(session.rows(f"SELECT record, target FROM {quote(link_table(collection, field))}"))


def own_index(collection: CollectionSchema, name: str) -> str:
    return link_name(collection.id, collection.field_by_name[name].id)


def test_a_single_relation_has_an_index_of_its_own(session: Session) -> None:
    made = make(session, "posts", relation())
    assert indexes_of(session, "posts") == {own_index(made, "who")}


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        ("CREATE INDEX i ON posts (who)", True),
        ("CREATE UNIQUE INDEX i ON posts (who, title)", True),
        ("CREATE INDEX i ON posts (title, who)", False),
        ("CREATE INDEX i ON posts (who) WHERE title != ''", False),
        ("CREATE INDEX i ON posts (lower(who))", False),
        ("CREATE INDEX i ON posts (who COLLATE NOCASE)", False),
    ],
)
def test_no_second_index_is_made_where_the_app_teams_own_serves(
    session: Session, index: str, serves: bool
) -> None:
    title = {"name": "title", "type": "text"}
    made = make(session, "posts", relation(), title, indexes=[index])
    mine = own_index(made, "who")
    assert indexes_of(session, "posts") == ({"i"} if serves else {"i", mine})
    change(session, "posts", indexes=[])
    assert indexes_of(session, "posts") == {mine}
    change(session, "posts", indexes=[index])
    assert indexes_of(session, "posts") == ({"i"} if serves else {"i", mine})


def test_a_rename_of_field_or_collection_moves_no_link(session: Session) -> None:
    made = make(session, "posts", relation(most=3), relation("one"))
    store(session, "posts", id="p1", who=["u1", "u2"])
    index = own_index(made, "one")
    renamed = change(
        session, "posts", name="notes", fields=fields_of(made, who={"name": "people"}, one={"name": "first"})
    )
    assert pairs(session, renamed, "people") == {("p1", "u1"), ("p1", "u2")}
    assert indexes_of(session, "notes") == {index}
    store(session, "notes", id="p2", people=["u3"])
    assert ("p2", "u3") in pairs(session, renamed, "people")


def test_a_relation_that_becomes_many_valued_is_linked_and_back_again(session: Session) -> None:
    made = make(session, "posts", relation())
    store(session, "posts", id="p1", who="u1")
    store(session, "posts", id="p2")
    many = change(session, "posts", fields=fields_of(made, who={"maxSelect": 3}))
    assert pairs(session, many, "who") == {("p1", "u1")}
    assert indexes_of(session, "posts") == set()
    single = change(session, "posts", fields=fields_of(many, who={"maxSelect": 1}))
    assert not relation_exists(session, link_name(many.id, many.field_by_name["who"].id) + "_target")
    assert indexes_of(session, "posts") == {own_index(single, "who")}
    assert values(session, "posts", "who") == ["u1", ""]


def test_a_field_that_goes_takes_its_links_along(session: Session) -> None:
    made = make(session, "posts", relation(most=3), relation("one"))
    change(session, "posts", fields=[f for f in fields_of(made) if f["type"] != "relation"])
    for name in ("who", "one"):
        assert not relation_exists(session, own_index(made, name))
    change(session, "posts", fields=fields_of(made))
    assert relation_exists(session, own_index(made, "who"))


def test_a_collection_that_goes_takes_its_links_along(session: Session) -> None:
    made = make(session, "posts", relation(most=3), relation("one"))
    delete_collection(session, "posts", confirm=True)
    for name in ("who", "one"):
        assert not relation_exists(session, own_index(made, name))


def test_an_index_that_fails_leaves_links_as_they_were(session: Session) -> None:
    made = make(session, "posts", relation(most=3))
    store(session, "posts", id="p1", who=["u1"])
    store(session, "posts", id="p2", who=["u1"])
    changed = fields_of(made, who={"maxSelect": 1})
    with pytest.raises(ApiError), session.savepoint():
        change(session, "posts", fields=changed, indexes=["CREATE UNIQUE INDEX i ON posts (who)"])
    assert pairs(session, made, "who") == {("p1", "u1"), ("p2", "u1")}


def test_fields_of_the_same_id_in_two_collections_have_links_of_their_own(session: Session) -> None:
    one = make(session, "posts", relation(most=3, id="same"))
    two = make(session, "notes", relation(most=3, id="same"))
    store(session, "posts", id="p1", who=["u1"])
    assert pairs(session, one, "who") == {("p1", "u1")}
    assert pairs(session, two, "who") == set()


def test_a_project_from_before_is_brought_along(project: ProjectHandle) -> None:
    """The migration makes what new collections get when they are made."""
    migration = import_module("projects.databases.migrations.0002_links")
    served = "CREATE INDEX `i` ON `posts` (\n  `other`,\n  `one`\n)"
    with write_session(project) as session:
        made = make(session, "posts", relation(most=3), relation("one"), relation("other"), indexes=[served])
        store(session, "posts", id="p1", who=["u1", "u2"])
        store(session, "posts", id="p2")
        before = indexes_of(session, "posts")
        session.execute(f"DROP TABLE {quote(own_index(made, 'who'))}")
        session.execute(f"DROP INDEX {quote(own_index(made, 'one'))}")
        migration.make_links(None, _Editor(project))
        assert pairs(session, made, "who") == {("p1", "u1"), ("p1", "u2")}
        assert indexes_of(session, "posts") == before == {"i", own_index(made, "one")}
        assert SUPERUSERS in {collection.name for collection in load_schema(session).collections}


class _Editor:
    """What a migration needs of Django's schema editor."""

    def __init__(self, project: ProjectHandle) -> None:
        from django.db import connections

        self.connection = connections[project.alias]
