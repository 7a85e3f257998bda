"""Create: who may, what is refused, what is written."""

from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.records.create import create_record
from projects.records.events import ChangeEvent, listen, unlisten
from projects.records.rows import find
from tests.records.support import call, changes, collection, create, guest, number, relation, text, user


def refused(error: pytest.ExceptionInfo[ApiError], status: int, *fields: str) -> None:
    assert error.value.status == status
    assert set(error.value.data) == set(fields)


def test_the_record_is_stored_and_the_change_log_has_it(session: Session) -> None:
    posts = collection(session, "posts", text("title"), number("n"))
    record = create_record(guest(session), posts, {"title": "Hello", "n": "12"})
    assert (record["title"], record["n"], len(record["id"])) == ("Hello", 12, 15)
    assert find(call(session), posts, record["id"]) == record
    assert changes(session) == [("create", record["id"])]


def test_a_null_rule_is_for_superusers_only(session: Session) -> None:
    posts = collection(session, "posts", text("title"), createRule=None)
    with pytest.raises(ApiError) as error:
        create_record(guest(session), posts, {"title": "x"})
    refused(error, 403)
    with pytest.raises(ApiError) as error:
        create_record(call(session, user()), posts, {"title": "x"})
    refused(error, 403)
    assert create(session, posts, title="x")["title"] == "x"


@pytest.mark.parametrize(
    ("rule", "body", "allowed"),
    [
        ("title = 'yes'", {"title": "yes"}, True),
        ("title = 'yes'", {"title": "no"}, False),
        ("@request.auth.id != ''", {}, True),
        ("@request.auth.id = 'someone'", {}, False),
        ("author = @request.auth.id", {"author": "useralice000001"}, True),
        ("author = @request.auth.id", {"author": "userbob00000001"}, False),
        ("author = @request.auth.id", {}, False),
        ("@request.body.title:isset = false", {}, True),
        ("@request.body.title:isset = false", {"title": "x"}, False),
        ("n > 5 && n < 10", {"n": 7}, True),
        ("n > 5 && n < 10", {"n": 10}, False),
    ],
)
def test_the_rule_decides_on_the_record_as_it_would_be(
    session: Session, rule: str, body: dict[str, Any], allowed: bool
) -> None:
    posts = collection(session, "posts", text("title"), text("author"), number("n"), createRule=rule)
    asking = call(session, user())
    if allowed:
        assert create_record(asking, posts, body)["id"]
        return
    with pytest.raises(ApiError) as error:
        create_record(asking, posts, body)
    refused(error, 400)
    assert changes(session) == []


@pytest.mark.parametrize(("owner", "allowed"), [("useralice000001", True), ("userbob00000001", False)])
def test_a_rule_through_a_relation_sees_the_related_record(
    session: Session, owner: str, allowed: bool
) -> None:
    blogs = collection(session, "blogs", text("owner"))
    blog = create(session, blogs, owner=owner)
    posts = collection(
        session, "posts", text("title"), relation("blog", blogs), createRule="blog.owner = @request.auth.id"
    )
    asking = call(session, user())
    if allowed:
        assert create_record(asking, posts, {"title": "x", "blog": blog["id"]})["id"]
        return
    with pytest.raises(ApiError) as error:
        create_record(asking, posts, {"title": "x", "blog": blog["id"]})
    refused(error, 400)


def test_a_refused_create_says_nothing_of_its_fields(session: Session) -> None:
    posts = collection(session, "posts", text("title", min=5), createRule="title = 'never'")
    with pytest.raises(ApiError) as error:
        create_record(guest(session), posts, {"title": "x"})
    refused(error, 400)


def test_every_wrong_field_is_named_and_nothing_is_written(session: Session) -> None:
    posts = collection(session, "posts", text("title", required=True), number("n", max=3), text("free"))
    with pytest.raises(ApiError) as error:
        create_record(guest(session), posts, {"n": 4, "free": "ok"})
    refused(error, 400, "title", "n")
    assert changes(session) == []
    assert session.rows("SELECT id FROM posts") == []


def test_a_relation_to_a_missing_record_is_refused(session: Session) -> None:
    blogs = collection(session, "blogs", text("name"))
    posts = collection(session, "posts", relation("blog", blogs))
    with pytest.raises(ApiError) as error:
        create_record(guest(session), posts, {"blog": "missing00000000"})
    refused(error, 400, "blog")


def test_a_unique_index_is_answered_by_field_and_the_session_goes_on_from_its_savepoint(
    session: Session,
) -> None:
    posts = collection(
        session, "posts", text("slug"), indexes=["CREATE UNIQUE INDEX idx_posts_slug ON posts (slug)"]
    )
    create_record(guest(session), posts, {"slug": "a"})
    with pytest.raises(ApiError) as error, session.savepoint():
        create_record(guest(session), posts, {"slug": "a"})
    refused(error, 400, "slug")
    create_record(guest(session), posts, {"slug": "b"})
    assert [action for action, _ in changes(session)] == ["create", "create"]


def test_an_id_that_is_taken_is_refused(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    create(session, posts, id="abcabcabcabc123")
    with pytest.raises(ApiError) as error:
        create_record(guest(session), posts, {"id": "abcabcabcabc123"})
    refused(error, 400, "id")


@pytest.mark.parametrize("bad", ["short", "UPPERCASE000000", "way-too-long-for-an-id", "a'; DROP TABLE x"])
def test_an_id_outside_the_pattern_is_refused(session: Session, bad: str) -> None:
    posts = collection(session, "posts", text("title"))
    with pytest.raises(ApiError) as error:
        create_record(guest(session), posts, {"id": bad})
    refused(error, 400, "id")


def test_nul_bytes_are_refused_on_both_engines(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    with pytest.raises(ApiError) as error:
        create_record(guest(session), posts, {"title": "a\x00b"})
    refused(error, 400, "title")


def test_the_change_is_announced_after_the_commit_and_not_before(project: Any) -> None:
    from projects.databases import write_session

    events: list[ChangeEvent] = []
    listen(events.append)
    try:
        with write_session(project) as session:
            posts = collection(session, "posts", text("title"))
            record = create_record(guest(session), posts, {"title": "x"})
            assert events == []
    finally:
        unlisten(events.append)
    assert [(event.action, event.record_id, event.before) for event in events] == [
        ("create", record["id"], None)
    ]
    assert events[0].after == record


def test_a_rolled_back_create_is_never_announced(project: Any) -> None:
    from projects.databases import write_session

    events: list[ChangeEvent] = []
    listen(events.append)
    try:
        with pytest.raises(ValueError), write_session(project) as session:
            posts = collection(session, "posts", text("title"))
            create_record(guest(session), posts, {"title": "x"})
            raise ValueError
    finally:
        unlisten(events.append)
    assert events == []


def test_hidden_fields_are_not_for_clients_to_set_or_to_learn_of(session: Session) -> None:
    posts = collection(session, "posts", text("title"), text("score", hidden=True))
    record = create_record(guest(session), posts, {"title": "x", "score": "high", "score:autogenerate": "a"})
    assert record["score"] == ""
    assert create(session, posts, title="x", score="high")["score"] == "high"
