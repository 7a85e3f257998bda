"""Who a client is bound to, and what happens when that user changes."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.loop_reads import ElsewhereError
from projects.principal import GUEST, Principal
from projects.realtime.submission import Submission
from projects.schema.collection import ProjectSchema
from tests.realtime.support import (
    LIMITS,
    SUPERUSER,
    by_name,
    change,
    make_user,
    run,
    stage,
    status_of,
    text,
    until,
    users_of,
)


def test_a_client_is_bound_to_the_first_user_that_submits(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            alice, bob = await make_user(s, "alice"), await make_user(s, "bob")
            listener = await s.connect()
            for who, status in [
                ("", 204),
                (alice, 204),
                (alice, 204),
                (bob, 403),
                ("", 403),
                ("nonsense", 403),
                ("superuser", 403),
                (alice, 204),
            ]:
                assert await status_of(listener.subscribe("x", who=who)) == status, who
            superuser = await s.connect("x", who="superuser")
            assert await status_of(superuser.subscribe("x", who=alice)) == 403
            assert await status_of(superuser.subscribe("x")) == 403

    run(scenario())


def test_a_refused_submission_changes_nothing(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", listRule="@request.auth.id != ''")
            alice, bob = await make_user(s, "alice"), await make_user(s, "bob")
            listener = await s.connect("posts/*", who=alice)
            assert await status_of(listener.subscribe("other", who=bob)) == 403
            await s.create(posts)
            assert listener.actions() == ["create"]

    run(scenario())


def test_an_unknown_client_and_one_that_has_left_are_not_found(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            listener = await s.connect("x")
            for client_id in (
                "",
                "nope",
                s.bus.node + "x" * 30,
                listener.client.id[:-1],
                listener.client.id + "x",
            ):
                submission = Submission(client_id, ("x",))
                assert await status_of(s.hub.submit(project, submission, "")) == 404, client_id
            s.hub.disconnect(listener.client)
            assert await status_of(listener.subscribe("x")) == 404

    run(scenario())


def test_a_client_of_another_project_is_not_found(make_project: Any) -> None:
    one, other = make_project("first"), make_project("second")

    async def scenario() -> None:
        async with stage(one) as s:
            listener = await s.connect("x")
            submission = Submission(listener.client.id, ("x",))
            assert await status_of(s.hub.submit(other, submission, "superuser")) == 404
            assert await status_of(s.hub.submit(one, submission, "")) == 204

    run(scenario())


def test_a_submission_replaces_the_topics(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts")
            listener = await s.connect("posts/*")
            await listener.subscribe("posts")
            await s.create(posts)
            assert [name for name, _, _ in listener.heard()] == ["posts"]
            await listener.subscribe()
            await s.create(posts)
            assert listener.actions() == []

    run(scenario())


def test_a_rule_reads_the_user_as_it_is_now(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            users = await users_of(s)
            posts = await s.collection("posts", text("team"), listRule="team = @request.auth.name")
            alice = await make_user(s, "alice", id="alice0000000000")
            first, second = await s.connect("posts/*", who=alice), await s.connect("posts/*", who=alice)
            await s.update(users, "alice0000000000", name="red")
            for team, heard in [("alice", []), ("red", ["create"])]:
                await s.create(posts, team=team)
                assert first.actions() == second.actions() == heard, team

    run(scenario())


def test_a_rule_that_sql_decides_reads_the_user_as_it_is_now(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            users = await users_of(s)
            teams = await s.collection("teams", text("name"))
            await s.create(teams, id="red000000000000", name="red")
            relation = {"name": "team", "type": "relation", "collectionId": teams.id, "maxSelect": 1}
            posts = await s.collection("posts", relation, listRule="team.name = @request.auth.name")
            alice = await make_user(s, "alice", id="alice0000000000")
            first, second = await s.connect("posts/*", who=alice), await s.connect("posts/*", who=alice)
            await s.create(posts, team="red000000000000")
            assert first.actions() == second.actions() == []
            await s.update(users, "alice0000000000", name="red")
            await s.create(posts, team="red000000000000")
            assert first.actions() == second.actions() == ["create"]

    run(scenario())


@pytest.mark.parametrize("ending", ["token key", "deletion", "collection"])
def test_who_is_signed_out_or_deleted_is_a_guest_at_once(project: ProjectHandle, ending: str) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            people = await s.collection("people", text("name"), type="auth", listRule="id = @request.auth.id")
            posts = await s.collection("posts", listRule="@request.auth.id != ''")
            open_to_all = await s.collection("notes")

            record = await s.create(people, email="a@example.com", tokenKey="one")
            s.hub._resolve = lambda *_: Principal("user", people.id, "people", record)
            listener = await s.connect("posts/*", "notes/*", "people/*", who="alice")
            await s.create(posts)
            assert listener.actions() == ["create"]
            if ending == "token key":
                await s.update(people, record["id"], tokenKey="two")
                # Of the change itself it hears nothing any more.
                assert listener.actions() == []
            elif ending == "deletion":
                await s.delete(people, record["id"])
                # Its own deletion is the last that it hears.
                assert listener.actions() == ["delete"]
            else:
                from projects.schema.operations import delete_collection

                await s.write(lambda call: delete_collection(call.session, "people", confirm=True))
            await s.create(posts)
            assert listener.actions() == []
            await s.create(open_to_all)
            assert listener.actions() == ["create"]
            # Bound to nobody, it may be bound again.
            s.hub._resolve = lambda *_: GUEST
            assert await status_of(listener.subscribe("posts/*")) == 204

    run(scenario())


def test_a_new_token_key_ends_every_client_of_the_user_and_no_others(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            users = await users_of(s)
            posts = await s.collection("posts", listRule="@request.auth.id != ''")
            alice, bob = await make_user(s, "alice"), await make_user(s, "bob")
            hers = [await s.connect("posts/*", who=alice) for _ in range(3)]
            his = await s.connect("posts/*", who=bob)
            await s.update(users, alice.split()[0], tokenKey="another")
            await s.create(posts)
            assert [listener.actions() for listener in hers] == [[], [], []]
            assert his.actions() == ["create"]

    run(scenario())


def test_a_user_who_is_signed_out_while_subscribing_is_not_bound(project: ProjectHandle) -> None:
    """The token was good when it was looked at; before the client is bound the token key changes."""

    async def scenario() -> None:
        looked = 0

        def resolve(session: Session, schema: ProjectSchema, authorization: str) -> Principal:
            nonlocal looked
            if threading.get_ident() == main:
                raise ElsewhereError  # what waits must not run on the event loop
            looked += 1
            found = by_name(session, schema, authorization)
            if looked == 1 and found.record:
                loop.call_soon_threadsafe(held.set)
                # Keeps what it found until the change has been heard of.
                asyncio.run_coroutine_threadsafe(changed.wait(), loop).result(5)
            return found

        loop, held, changed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        main = threading.get_ident()
        async with stage(project) as s:
            users = await users_of(s)
            alice = await make_user(s, "alice")
            posts = await s.collection("posts", listRule="@request.auth.id != ''")
            s.hub._resolve = resolve
            # Somebody has the topic already, and the schema is known: nothing but the user has to be looked up.
            await s.connect("posts/*", who="nobody")
            await s.create(posts)
            looked = 0
            listener = await s.connect()
            submitting = asyncio.create_task(listener.subscribe("posts/*", who=alice))
            await held.wait()
            user_id = alice.split()[0]
            await s.write_only(lambda call: change(call, users, user_id, tokenKey="another"))
            changed.set()
            await submitting
            assert looked == 2
            assert listener.client.principal == GUEST
            await s.create(posts)
            assert listener.actions() == []

    run(scenario())


def test_a_later_submission_is_not_undone_by_an_earlier_one_that_took_longer(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            listener = await s.connect()
            hub = s.hub._projects[project.uid]
            prepare = hub.prepare
            first_may_go = asyncio.Event()

            async def slow_once(find: Any, topics: Any) -> Any:
                if topics[0].text == "first":
                    await first_may_go.wait()
                return await prepare(find, topics)

            hub.prepare = slow_once  # type: ignore[method-assign]
            first = asyncio.create_task(listener.subscribe("first"))
            await asyncio.sleep(0)
            await listener.subscribe("second")
            first_may_go.set()
            await first
            assert list(listener.client.topics) == ["second"]

    run(scenario())


def test_a_superuser_whose_right_ended_is_disconnected(project: ProjectHandle) -> None:
    async def scenario() -> None:
        rights = {"superuser"}

        def resolve(session: Session, schema: ProjectSchema, authorization: str) -> Principal:
            return SUPERUSER if authorization in rights else GUEST

        async with stage(project, resolve=resolve) as s:
            listener, guest = await s.connect("x", who="superuser"), await s.connect("x")
            await s.hub.recheck_superusers()
            assert not listener.ended
            rights.clear()
            await s.hub.recheck_superusers()
            assert listener.ended and not guest.ended

    run(scenario())


def test_the_upkeep_checks_superusers_by_itself(project: ProjectHandle) -> None:
    async def scenario() -> None:
        rights = {"superuser"}

        def resolve(session: Session, schema: ProjectSchema, authorization: str) -> Principal:
            return SUPERUSER if authorization in rights else GUEST

        limits = replace(LIMITS, recheck_seconds=0.02)
        async with stage(project, resolve=resolve, limits=limits) as s:
            upkeep = asyncio.create_task(s.hub.keep_up())
            listener = await s.connect("x", who="superuser")
            rights.clear()
            await until(lambda: listener.ended)
            upkeep.cancel()

    run(scenario())
