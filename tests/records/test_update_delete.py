"""Update and delete: who may, what follows, what the log says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.records.delete import delete_record
from projects.records.rows import find
from projects.records.update import update_record
from tests.records.support import call, changes, collection, create, guest, number, relation, text, user


def status_of(error: pytest.ExceptionInfo[ApiError]) -> int:
    return error.value.status


def test_only_what_the_body_names_changes(session: Session) -> None:
    posts = collection(session, "posts", text("title"), number("n"))
    record = create(session, posts, title="a", n=1)
    updated = update_record(guest(session), posts, record["id"], {"n": 2})
    assert (updated["title"], updated["n"]) == ("a", 2)
    assert find(call(session), posts, record["id"]) == updated


def test_the_log_holds_the_record_as_it_was(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="before")
    update_record(guest(session), posts, record["id"], {"title": "after"})
    row = session.row("SELECT before FROM _changes WHERE action = 'update'")
    assert row is not None
    assert orjson.loads(row[0])["title"] == "before"


@pytest.mark.parametrize(
    ("rule", "body", "allowed"),
    [
        ("author = @request.auth.id", {"title": "x"}, True),
        ("author != @request.auth.id", {"title": "x"}, False),
        # The rule reads the stored record; what is asked for is @request.body.
        ("title = 'old'", {"title": "new"}, True),
        ("title = 'new'", {"title": "new"}, False),
        ("@request.body.title = 'new'", {"title": "new"}, True),
        ("@request.body.title = 'new'", {"title": "other"}, False),
        ("@request.body.author:isset = false", {"author": "userbob00000001"}, False),
        ("@request.body.author:changed = false", {"author": "useralice000001"}, True),
        ("@request.body.author:changed = false", {"author": "userbob00000001"}, False),
    ],
)
def test_the_rule_decides(session: Session, rule: str, body: dict[str, Any], allowed: bool) -> None:
    posts = collection(session, "posts", text("title"), text("author"), updateRule=rule)
    record = create(session, posts, title="old", author="useralice000001")
    asking = call(session, user())
    if allowed:
        assert update_record(asking, posts, record["id"], body)
        return
    with pytest.raises(ApiError) as error:
        update_record(asking, posts, record["id"], body)
    assert status_of(error) == 404
    assert find(call(session), posts, record["id"]) == record


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_null_rules_are_for_superusers_only(session: Session, operation: str) -> None:
    posts = collection(session, "posts", text("title"), updateRule=None, deleteRule=None)
    record = create(session, posts, title="x")
    with pytest.raises(ApiError) as error:
        if operation == "update":
            update_record(call(session, user()), posts, record["id"], {})
        else:
            delete_record(call(session, user()), posts, record["id"])
    assert status_of(error) == 403


@pytest.mark.parametrize("operation", ["update", "delete"])
def test_a_record_that_is_not_there_is_404(session: Session, operation: str) -> None:
    posts = collection(session, "posts", text("title"))
    with pytest.raises(ApiError) as error:
        if operation == "update":
            update_record(guest(session), posts, "missing00000000", {})
        else:
            delete_record(guest(session), posts, "missing00000000")
    assert status_of(error) == 404


def test_the_id_never_changes(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="x")
    with pytest.raises(ApiError) as error:
        update_record(guest(session), posts, record["id"], {"id": "another00000000"})
    assert error.value.status == 400
    assert set(error.value.data) == {"id"}


def test_number_modifiers_count_from_the_stored_value(session: Session) -> None:
    posts = collection(session, "posts", number("n"))
    record = create(session, posts, n=5)
    for _ in range(3):
        update_record(guest(session), posts, record["id"], {"n+": 2})
    assert update_record(guest(session), posts, record["id"], {"n-": 1})["n"] == 10


def test_autodate_follows_every_update_and_no_client(session: Session) -> None:
    stamp = {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True}
    posts = collection(session, "posts", text("title"), stamp)
    record = create(session, posts, title="x")
    updated = update_record(guest(session), posts, record["id"], {"updated": "2001-01-01 00:00:00Z"})
    assert updated["updated"] >= record["updated"] > "2026"


def test_a_deleted_record_is_gone_and_logged_whole(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="bye")
    delete_record(guest(session), posts, record["id"])
    assert find(call(session), posts, record["id"]) is None
    row = session.row("SELECT before FROM _changes WHERE action = 'delete'")
    assert row is not None
    assert orjson.loads(row[0]) == record


@pytest.mark.parametrize(("rule", "allowed"), [("title = 'mine'", True), ("title != 'mine'", False)])
def test_the_delete_rule_decides(session: Session, rule: str, allowed: bool) -> None:
    posts = collection(session, "posts", text("title"), deleteRule=rule)
    record = create(session, posts, title="mine")
    if allowed:
        delete_record(guest(session), posts, record["id"])
        return
    with pytest.raises(ApiError) as error:
        delete_record(guest(session), posts, record["id"])
    assert status_of(error) == 404
    assert find(call(session), posts, record["id"]) == record


def test_deleting_empties_relations_that_may_be_empty(session: Session) -> None:
    blogs = collection(session, "blogs", text("name"))
    posts = collection(session, "posts", relation("blog", blogs), relation("more", blogs, maxSelect=3))
    one, two = create(session, blogs, name="one"), create(session, blogs, name="two")
    post = create(session, posts, blog=one["id"], more=[one["id"], two["id"]])
    delete_record(guest(session), blogs, one["id"])
    left = find(call(session), posts, post["id"])
    assert left is not None
    assert (left["blog"], left["more"]) == ("", [two["id"]])
    assert ("update", post["id"]) in changes(session)


def test_deleting_cascades_where_the_relation_says_so(session: Session) -> None:
    blogs = collection(session, "blogs", text("name"))
    posts = collection(session, "posts", relation("blog", blogs, cascadeDelete=True))
    comments = collection(session, "comments", relation("post", posts, cascadeDelete=True, required=True))
    blog = create(session, blogs, name="x")
    post = create(session, posts, blog=blog["id"])
    comment = create(session, comments, post=post["id"])
    delete_record(guest(session), blogs, blog["id"])
    for where, record in ((blogs, blog), (posts, post), (comments, comment)):
        assert find(call(session), where, record["id"]) is None
        assert ("delete", record["id"]) in changes(session)


def test_a_cascade_in_a_circle_ends(session: Session) -> None:
    from projects.rules import validate_rule
    from projects.schema.operations import update_collection
    from projects.schema.serialize import collection_to_json

    nodes = collection(session, "nodes", text("name"))
    fields = collection_to_json(nodes)["fields"]
    nodes = update_collection(
        session,
        "nodes",
        {"fields": [*fields, relation("next", nodes, cascadeDelete=True)]},
        validate_rule=validate_rule,
    )
    one = create(session, nodes, name="one")
    two = create(session, nodes, name="two", next=one["id"])
    update_record(call(session), nodes, one["id"], {"next": two["id"]})
    delete_record(guest(session), nodes, one["id"])
    assert session.rows("SELECT id FROM nodes") == []


def test_a_required_relation_refuses_the_deletion_and_nothing_is_gone(session: Session) -> None:
    blogs = collection(session, "blogs", text("name"))
    posts = collection(session, "posts", relation("blog", blogs, required=True))
    blog = create(session, blogs, name="x")
    post = create(session, posts, blog=blog["id"])
    before = changes(session)
    with pytest.raises(ApiError) as error, session.savepoint():
        delete_record(guest(session), blogs, blog["id"])
    assert status_of(error) == 400
    assert find(call(session), blogs, blog["id"]) == blog
    assert find(call(session), posts, post["id"]) == post
    assert changes(session) == before
