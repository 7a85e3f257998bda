"""What a deletion takes along, leaves behind, or is refused for. The answers are those of a real PocketBase."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.records.delete import delete_all, delete_record, delete_records
from projects.records.events import ChangeEvent, listen, unlisten
from projects.records.rows import find
from projects.records.update import update_record
from projects.schema import CollectionSchema
from projects.schema.ddl import quote
from projects.schema.links import link_table, linked_fields
from tests.records.support import call, changes, collection, create, guest, relation, text

GONE = object()


def linked(session: Session, made: CollectionSchema) -> set[tuple[str, str]]:
    (field,) = linked_fields(made)
    return set(session.rows(f"SELECT record, target FROM {quote(link_table(made, field))}"))


def test_links_follow_what_a_record_names(session: Session) -> None:
    tags = collection(session, "tags", text("name"))
    posts = collection(session, "posts", text("title"), relation("tags", tags, maxSelect=5))
    a, b, c = (create(session, tags)["id"] for _ in range(3))
    post = create(session, posts, tags=[a, b, a])["id"]
    assert linked(session, posts) == {(post, a), (post, b)}
    update_record(guest(session), posts, post, {"tags+": [c], "title": "x"})
    update_record(guest(session), posts, post, {"tags-": [a]})
    assert linked(session, posts) == {(post, b), (post, c)}
    update_record(guest(session), posts, post, {"title": "y"})
    assert linked(session, posts) == {(post, b), (post, c)}
    update_record(guest(session), posts, post, {"tags": []})
    assert linked(session, posts) == set()
    update_record(guest(session), posts, post, {"tags": [c]})
    delete_record(guest(session), posts, post)
    assert linked(session, posts) == set()


# most, cascadeDelete, required, how many it names; what is left of them when the first is deleted.
REFERENCES = [
    (1, False, False, 1, 0),
    (1, False, True, 1, None),
    (1, True, False, 1, GONE),
    (1, True, True, 1, GONE),
    (3, False, False, 1, 0),
    (3, False, False, 2, 1),
    (3, False, True, 1, None),
    (3, False, True, 2, 1),
    (3, True, False, 1, GONE),
    (3, True, False, 3, 2),
    (3, True, True, 1, GONE),
    (3, True, True, 2, 1),
]


@pytest.mark.parametrize(("most", "cascade", "required", "named", "left"), REFERENCES)
def test_a_reference_is_emptied_or_cascades_or_refuses(
    session: Session, most: int, cascade: bool, required: bool, named: int, left: Any
) -> None:
    blogs = collection(session, "blogs", text("name"))
    options = {"maxSelect": most, "cascadeDelete": cascade, "required": required}
    # Of a name of its own: drivers keep statements prepared for the columns a table had.
    name = "blog" if most == 1 else "blogs"
    posts = collection(session, "posts", relation(name, blogs, **options))
    ids = [create(session, blogs)["id"] for _ in range(named)]
    post = create(session, posts, **{name: ids if most > 1 else ids[0]})
    if left is None:
        with pytest.raises(ApiError) as error:
            delete_record(guest(session), blogs, ids[0])
        assert error.value.status == 400
        assert find(call(session), blogs, ids[0]) is not None
        return
    delete_record(guest(session), blogs, ids[0])
    after = find(call(session), posts, post["id"])
    if left is GONE:
        assert after is None
    else:
        assert after is not None
        assert after[name] == (ids[1:] if most > 1 else "")
        assert len(ids[1:]) == left


def test_a_list_that_the_same_deletion_empties_cascades(session: Session) -> None:
    tags = collection(session, "tags", text("name"))
    posts = collection(session, "posts", relation("tags", tags, maxSelect=3, cascadeDelete=True))
    one, two, three = (create(session, tags) for _ in range(3))
    emptied = create(session, posts, tags=[one["id"], two["id"]])
    kept = create(session, posts, tags=[one["id"], three["id"], two["id"]])
    delete_records(call(session), tags, [one, two])
    assert find(call(session), posts, emptied["id"]) is None
    left = find(call(session), posts, kept["id"])
    assert left is not None
    assert left["tags"] == [three["id"]]
    assert changes(session).count(("update", kept["id"])) == 1


def test_a_required_reference_from_a_record_that_goes_anyway_refuses_nothing(session: Session) -> None:
    blogs = collection(session, "blogs", text("name"))
    posts = collection(session, "posts", relation("blog", blogs, cascadeDelete=True))
    comments = collection(
        session,
        "comments",
        relation("blog", blogs, required=True),
        relation("post", posts, cascadeDelete=True),
    )
    blog = create(session, blogs)["id"]
    post = create(session, posts, blog=blog)["id"]
    comment = create(session, comments, blog=blog, post=post)["id"]
    delete_record(guest(session), blogs, blog)
    assert find(call(session), comments, comment) is None


def test_a_reference_deep_in_the_cascade_refuses_all_of_it(session: Session) -> None:
    blogs = collection(session, "blogs", text("name"))
    posts = collection(session, "posts", relation("blogs", blogs, maxSelect=2, cascadeDelete=True))
    marks = collection(session, "marks", relation("post", posts, required=True))
    blog = create(session, blogs)["id"]
    post = create(session, posts, blogs=[blog])["id"]
    create(session, marks, post=post)
    before = changes(session)
    with pytest.raises(ApiError) as error:
        delete_record(guest(session), blogs, blog)
    assert error.value.status == 400
    assert find(call(session), blogs, blog) is not None
    assert find(call(session), posts, post) is not None
    assert linked(session, posts) == {(post, blog)}
    assert changes(session) == before


def test_every_record_of_a_large_cascade_has_its_log_entry_and_its_event(session: Session) -> None:
    blogs = collection(session, "blogs", text("name"))
    posts = collection(session, "posts", text("title"), relation("blog", blogs, cascadeDelete=True))
    blog = create(session, blogs)["id"]
    rows = [(f"post{number:011d}", f"title {number}", blog) for number in range(2500)]
    session.execute_many(session.sql("INSERT INTO posts (id, title, blog) VALUES (?, ?, ?)"), rows)
    session.take_after_commit()
    heard: list[ChangeEvent] = []
    delete_record(guest(session), blogs, blog)
    listen(heard.append)
    try:
        for announce in session.take_after_commit():
            announce()
    finally:
        unlisten(heard.append)
    logged = session.rows(
        "SELECT seq, record, before FROM _changes WHERE action = 'delete' AND collection = "
        f"'{posts.id}' ORDER BY seq"
    )
    assert [(row[1], orjson.loads(row[2])["title"]) for row in logged] == [(i, t) for i, t, _ in rows]
    told = {event.record_id: event for event in heard if event.collection_id == posts.id}
    assert {(event.seq, event.record_id) for event in told.values()} == {(row[0], row[1]) for row in logged}
    assert all(event.before and event.before["blog"] == blog for event in told.values())
    # The next write goes on counting.
    assert create(session, blogs)["id"]
    assert [row[0] for row in session.rows("SELECT count(*) FROM _changes")] == [len(heard) + 2]


def test_deleting_all_of_a_collection_that_names_itself(session: Session) -> None:
    from projects.rules import validate_rule
    from projects.schema.operations import update_collection
    from projects.schema.serialize import collection_to_json

    nodes = collection(session, "nodes", text("name"))
    fields = collection_to_json(nodes)["fields"]
    fields.append(relation("next", nodes, maxSelect=3, required=False))
    nodes = update_collection(session, "nodes", {"fields": fields}, validate_rule=validate_rule)
    one = create(session, nodes)["id"]
    two = create(session, nodes, next=[one])["id"]
    update_record(call(session), nodes, one, {"next": [two, one]})
    delete_all(call(session), nodes)
    assert session.rows("SELECT id FROM nodes") == []
    assert linked(session, nodes) == set()
    assert sorted(changes(session)[-2:]) == sorted([("delete", one), ("delete", two)])
