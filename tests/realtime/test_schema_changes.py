"""A change of the schema counts from the next event on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from projects.context import ProjectHandle
from projects.records.events import ChangeEvent, listen, unlisten
from projects.schema.operations import delete_collection
from tests.realtime.support import boolean, insert, number, run, stage, text, topic


@pytest.mark.parametrize(
    ("before", "after", "heard"),
    [(None, "", (0, 1)), ("", None, (1, 0)), ("n > 5", "n < 5", (0, 1)), ("n < 5", "n > 5", (1, 0))],
)
def test_a_new_rule_counts_from_the_next_event_on(
    project: ProjectHandle, before: str | None, after: str | None, heard: tuple[int, int]
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"), listRule=before)
            listener = await s.connect("posts/*")
            await s.create(posts, n=1)
            assert len(listener.actions()) == heard[0]
            await s.alter("posts", listRule=after)
            await s.create(posts, n=1)
            assert len(listener.actions()) == heard[1]

    run(scenario())


def test_topics_follow_names(project: ProjectHandle) -> None:
    """After a rename the old name is nobody's, the new one and the id are."""

    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts")
            listener = await s.connect("posts/*", "articles/*", f"{posts.id}/*")
            renamed = await s.alter("posts", name="articles")
            await s.create(renamed)
            assert {name for name, _, _ in listener.heard()} == {"articles/*", f"{posts.id}/*"}
            # A new collection of the old name has the topic again, under its own rule.
            secret = await s.collection("posts", listRule=None)
            await s.create(secret)
            assert listener.heard() == []

    run(scenario())


def test_one_may_subscribe_to_a_collection_that_comes_later(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            listener = await s.connect("later/*", topic("later/*", {"filter": "n > 1"}))
            later = await s.collection("later", number("n"))
            await s.create(later, n=2)
            assert listener.actions() == ["create", "create"]

    run(scenario())


def test_a_field_that_becomes_hidden_is_hidden_from_the_next_event_on(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title", id="text1"))
            listener = await s.connect("posts/*", topic("posts/*", {"filter": "title = 'x'"}))
            await s.create(posts, title="x")
            assert [record["title"] for _, _, record in listener.heard()] == ["x", "x"]
            fields = [{"id": "text1", "name": "title", "type": "text", "hidden": True}]
            id_field = next(field for field in posts.fields if field.name == "id")
            changed = await s.alter("posts", fields=[id_field.as_json(), *fields])
            await s.create(changed, title="x")
            [(name, _, record)] = listener.heard()
            assert name == "posts/*" and "title" not in record

    run(scenario())


def test_an_event_of_an_older_schema_is_told_under_todays(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title"))
            held: list[ChangeEvent] = []
            listen(held.append)
            await s.create(posts, title="x")
            unlisten(held.append)
            id_field, title = posts.field_by_name["id"], posts.field_by_name["title"]
            altered = await s.alter(
                "posts", fields=[id_field.as_json(), title.as_json(), number("n"), boolean("b")]
            )
            listener = await s.connect("posts/*")
            await s.create(altered, title="y", n=3)
            assert [record["n"] for _, _, record in listener.heard()] == [3]
            s.hub.receive(held)
            await s.settle()
            [(_, _, record)] = listener.heard()
            assert (record["title"], record["n"], record["b"]) == ("x", 0, False)
            assert not listener.ended

    run(scenario())


def test_events_of_a_collection_that_has_gone_are_dropped(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts")
            notes = await s.collection("notes")
            listener = await s.connect("posts/*", "notes/*", who="superuser")
            held: list[ChangeEvent] = []
            listen(held.append)
            await s.create(posts)
            unlisten(held.append)
            await s.write(lambda call: delete_collection(call.session, "posts", confirm=True))
            await s.create(notes)
            listener.heard()
            s.hub.receive(held)
            await s.settle()
            assert listener.heard() == [] and not listener.ended

    run(scenario())


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_a_change_that_came_without_its_images_is_read(project: ProjectHandle, action: str) -> None:
    """As one does that is too large for the bus between processes."""

    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"), listRule="n < 5")
            held: list[ChangeEvent] = []
            listen(held.append)
            record = await s.create(posts, n=1)
            if action == "update":
                await s.update(posts, record["id"], n=2)
            elif action == "delete":
                await s.delete(posts, record["id"])
            unlisten(held.append)
            listener = await s.connect("posts/*")
            s.hub.receive([replace(held[-1], before=None, after=None)])
            await s.settle()
            [(_, heard, seen)] = listener.heard()
            assert (heard, seen["n"]) == (action, {"create": 1, "update": 2, "delete": 1}[action])

    run(scenario())


def test_a_change_without_images_of_a_record_that_has_gone_since_is_left_to_its_deletion(
    project: ProjectHandle,
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"))
            held: list[ChangeEvent] = []
            listen(held.append)

            def work(call: object) -> str:
                return str(insert(call, posts, n=1)["id"])  # type: ignore[arg-type]

            record_id = await s.write(work)
            await s.update(posts, record_id, n=2)
            await s.delete(posts, record_id)
            unlisten(held.append)
            listener = await s.connect("posts/*")
            s.hub.receive([replace(one, before=None, after=None) for one in held])
            await s.settle()
            assert listener.actions() == ["delete"]

    run(scenario())
