"""Rules are evaluated once per group, and what everyone sees alike is serialised once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.principal import Principal
from projects.realtime import conditions, rendering
from projects.records import access
from projects.rules import Predicate
from tests.realtime.support import Listener, Stage, run, stage, text

SUBSCRIBERS = 2000


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often rules were tested and records made visible."""
    counts: Counter[str] = Counter()
    bind, present, row = Predicate.bind, rendering.present_one, access.row_satisfies

    def counting_bind(self: Predicate, request: Any, now: Any) -> Any:
        test = bind(self, request, now)

        def counting_test(record: Any) -> bool:
            counts["tests"] += 1
            return test(record)

        return counting_test

    def counting_present(*args: Any) -> Any:
        counts["presented"] += 1
        return present(*args)

    def counting_row(*args: Any) -> bool:
        counts["sql"] += 1
        return row(*args)

    monkeypatch.setattr(Predicate, "bind", counting_bind)
    monkeypatch.setattr(rendering, "present_one", counting_present)
    monkeypatch.setattr(access, "row_satisfies", counting_row)
    monkeypatch.setattr(conditions, "row_satisfies", counting_row)
    return counts


async def crowd(s: Stage, topic: str, people: int) -> list[Listener]:
    """SUBSCRIBERS clients of that many different users."""

    def resolve(_session: Any, _schema: Any, who: str) -> Principal:
        number = int(who) % people
        record = {"id": f"user{number}", "team": f"team{number % 2}", "tokenKey": "k"}
        return Principal("user", "_pb_users_auth_", "users", record)

    s.hub._resolve = resolve
    return [await s.connect(topic, who=str(number)) for number in range(SUBSCRIBERS)]


@pytest.mark.parametrize(
    ("rule", "people", "tests"),
    [
        # (rule, how many different users, how often one record is tested)
        ("", 2000, 0),
        ("public = true", 2000, 1),
        ("public = true && @request.auth.id != ''", 10, 10),
        ("public = true || owner = @request.auth.id", 2000, 2000),
        ("public = true || team = @request.auth.team", 2000, 2),
    ],
)
def test_a_rule_is_evaluated_once_for_all_whom_it_cannot_tell_apart(
    project: ProjectHandle, counted: Counter[str], rule: str, people: int, tests: int
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            public = {"name": "public", "type": "bool"}
            await s.alter("users", fields=[*(await fields_of(s, "users")), text("team")])
            posts = await s.collection("posts", public, text("owner"), text("team"), listRule=rule)
            listeners = await crowd(s, "posts/*", people)
            await s.create(posts, public=True)
            assert all(listener.actions() == ["create"] for listener in listeners)
            assert counted["tests"] == tests
            assert counted["presented"] == 1
            # Before and after: once each.
            counted.clear()
            await s.write(lambda call: _touch(call, posts))
            assert counted["tests"] == 2 * tests
            assert counted["presented"] == 1

    run(scenario())


def test_a_rule_that_sql_decides_is_asked_once_for_each_user(
    project: ProjectHandle, counted: Counter[str]
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", {"name": "active", "type": "bool"})
            await s.create(orgs, id="active000000000", active=True)
            relation = {"name": "org", "type": "relation", "collectionId": orgs.id, "maxSelect": 1}
            posts = await s.collection("posts", relation, listRule="org.active = true")
            listeners = await crowd(s, "posts/*", 7)
            await s.create(posts, org="active000000000")
            assert all(listener.actions() == ["create"] for listener in listeners)
            assert counted["sql"] == 7

    run(scenario())


def test_what_the_same_people_hear_is_the_same_object(project: ProjectHandle) -> None:
    """Two thousand subscribers share one frame."""

    async def scenario() -> None:
        async with stage(project) as s:
            # Each of them a group of its own.
            posts = await s.collection("posts", text("title"), listRule="@request.auth.id != title")
            listeners = await crowd(s, "posts/*", 2000)
            written: set[int] = set()
            frames: list[bytes] = []
            for listener in listeners:

                async def write(data: bytes) -> None:
                    frames.append(data)
                    written.add(id(data))

                listener.transport.write = write  # type: ignore[method-assign]
            await s.create(posts, title="x" * 1000)
            assert len(frames) == SUBSCRIBERS
            assert len(written) == 1

    run(scenario())


def test_a_change_for_nobody_costs_nothing(project: ProjectHandle, counted: Counter[str]) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title"), listRule="title != ''")
            await s.collection("others", text("title"), listRule="title != ''")
            await crowd(s, "others/*", 5)
            await s.create(posts, title="x")
            assert not counted["tests"] and not counted["presented"]

    run(scenario())


async def fields_of(s: Stage, name: str) -> list[dict[str, Any]]:
    from projects.schema.fields.registry import field_to_json
    from projects.schema.store import load_schema

    def read(session: Any) -> list[dict[str, Any]]:
        collection = load_schema(session).get(name)
        assert collection is not None
        return [field_to_json(field) for field in collection.fields]

    return await s.lanes.read(s.project, read)


def _touch(call: Any, posts: Any) -> None:
    from tests.realtime.support import change

    [(record_id,)] = call.session.rows('SELECT id FROM "posts"')
    change(call, posts, record_id)
