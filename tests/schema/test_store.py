from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.schema import load_schema, schema_version
from projects.schema.store import _Cache
from tests.schema.helpers import change, make


def test_every_change_gives_the_schema_a_higher_version(project: ProjectHandle) -> None:
    seen = []
    for step in (
        lambda session: make(session, "posts"),
        lambda session: change(session, "posts", listRule=""),
        lambda session: change(session, "posts"),
    ):
        with write_session(project) as session:
            step(session)
            seen.append(schema_version(session))
    assert seen == sorted(set(seen))


def test_a_version_is_read_from_memory_once_it_was_loaded(project: ProjectHandle) -> None:
    with read_session(project) as session:
        first = load_schema(session)
    with read_session(project) as session:
        assert load_schema(session) is first
    with write_session(project) as session:
        make(session, "posts")
    with read_session(project) as session:
        assert load_schema(session) is not first
        assert load_schema(session).get("posts") is not None


def test_a_change_that_was_rolled_back_leaves_no_trace_in_memory(project: ProjectHandle) -> None:
    class GivenUpError(Exception):
        pass

    with pytest.raises(GivenUpError), write_session(project) as session:
        make(session, "never")
        assert load_schema(session).get("never") is not None
        raise GivenUpError
    with write_session(project) as session:
        make(session, "posts")
    with read_session(project) as session:
        schema = load_schema(session)
        assert schema.get("never") is None
        assert schema.get("posts") is not None


def test_projects_do_not_see_each_others_collections(make_project: Callable[..., Any]) -> None:
    one, other = make_project("one"), make_project("other")
    with write_session(one) as session:
        make(session, "posts", {"name": "a", "type": "text"})
    with write_session(other) as session:
        assert load_schema(session).get("posts") is None
        make(session, "posts", {"name": "b", "type": "number"})
    with read_session(one) as session:
        posts = load_schema(session).get("posts")
        assert posts is not None
        assert list(posts.field_by_name) == ["id", "a"]


def test_what_was_stored_is_what_is_loaded(project: ProjectHandle) -> None:
    with write_session(project) as session:
        made = make(
            session,
            "posts",
            {"name": "a", "type": "text", "max": 5, "help": "é"},
            {"name": "s", "type": "select", "values": ["x", "y"], "maxSelect": 2},
            listRule="",
            viewRule="id != ''",
            indexes=["CREATE INDEX i ON posts (a)"],
        )
    with read_session(project) as session:
        assert load_schema(session).get("posts") == made
        assert load_schema(session).get("POSTS") == made
        assert load_schema(session).get(made.id) == made


def test_memory_for_schemas_is_bounded() -> None:
    cache = _Cache(2)
    schemas: list[Any] = [object(), object(), object()]
    cache.put(("a", 1), schemas[0])
    cache.put(("b", 1), schemas[1])
    assert cache.get(("a", 1)) is schemas[0]
    cache.put(("c", 1), schemas[2])
    assert cache.get(("b", 1)) is None
    assert cache.get(("a", 1)) is schemas[0]
