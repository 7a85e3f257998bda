"""Several processes, one Redis: changes and submissions cross, and nobody misses one in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from projects.context import ProjectHandle
from projects.realtime import codec, redis_bus, redis_link, redis_outgoing
from projects.realtime.codec import decode, encode_change, encode_gap
from projects.realtime.hub import NODE_LENGTH, random_text
from projects.realtime.redis_bus import RedisBus
from projects.realtime.submission import Submission
from projects.records.events import ChangeEvent
from projects.schema.fields.password import PasswordHash
from tests.realtime.proxy import Proxy
from tests.realtime.support import (
    Listener,
    Stage,
    insert,
    make_user,
    number,
    run,
    stage,
    status_of,
    text,
    until,
)
from tests.services import ServiceMissingError, on_ci, redis


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    try:
        with redis() as url:
            yield url
    except ServiceMissingError as missing:
        if on_ci():
            raise
        pytest.skip(str(missing))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_link, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(redis_link, "LONGEST_PAUSE", 0.05)


def bus(url: str) -> RedisBus:
    return RedisBus(url, random_text(NODE_LENGTH))


@asynccontextmanager
async def two(project: ProjectHandle, url: str, second_url: str = "") -> AsyncIterator[tuple[Stage, Stage]]:
    """Two processes' hubs on one project. Commits are the first one's."""
    async with (
        stage(project, bus=bus(url)) as here,
        stage(project, bus=bus(second_url or url), hears_commits=False) as there,
    ):
        yield here, there


async def hears(listener: Listener, *actions: str) -> None:
    """The next events are these."""
    heard: list[str] = []

    def enough() -> bool:
        heard.extend(listener.actions())
        return len(heard) >= len(actions)

    await until(enough)
    assert heard == list(actions)


def test_a_change_reaches_the_clients_of_every_process_once_and_in_order(
    project: ProjectHandle, redis_url: str
) -> None:
    async def scenario() -> None:
        async with two(project, redis_url) as (here, there):
            posts = await here.collection("posts", number("n"))
            listeners = [await here.connect("posts/*"), await there.connect("posts/*")]
            for n in range(100):
                await here.write_only(lambda call, n=n: insert(call, posts, n=n))
            for listener in listeners:
                await until(lambda one=listener: one.transport.sent.count(b"\n\n") >= 100)
            await asyncio.sleep(0.05)
            for listener in listeners:
                assert [record["n"] for _, _, record in listener.heard()] == list(range(100))

    run(scenario())


def test_a_client_is_reached_through_whichever_process_is_asked(
    project: ProjectHandle, redis_url: str
) -> None:
    async def scenario() -> None:
        async with two(project, redis_url) as (here, there):
            posts = await here.collection("posts", listRule="@request.auth.id != ''")
            alice, bob = await make_user(here, "alice"), await make_user(here, "bob")
            listener = await there.connect()
            submission = Submission(listener.client.id, ("posts/*",))
            assert await status_of(here.hub.submit(project, submission, alice)) == 204
            await here.create(posts)
            await hears(listener, "create")
            assert await status_of(here.hub.submit(project, submission, bob)) == 403
            assert await status_of(here.hub.submit(project, submission, "")) == 403
            unknown = Submission(there.bus.node + "x" * 30, ())
            assert await status_of(here.hub.submit(project, unknown, alice)) == 404
            for node in ("y" * NODE_LENGTH, "*", "a b\r\nc", "é" * 10, ""):
                assert await status_of(here.hub.submit(project, Submission(node, ()), alice)) == 404, node

    run(scenario())


def test_a_client_of_another_project_is_not_found_across_processes_either(
    make_project: Any, redis_url: str
) -> None:
    one, other = make_project("first"), make_project("second")

    async def scenario() -> None:
        async with two(one, redis_url) as (here, there):
            listener = await there.connect("x")
            submission = Submission(listener.client.id, ("x",))
            assert await status_of(here.hub.submit(other, submission, "superuser")) == 404

    run(scenario())


def test_a_user_signed_out_by_one_process_is_a_guest_in_the_others(
    project: ProjectHandle, redis_url: str
) -> None:
    async def scenario() -> None:
        async with two(project, redis_url) as (here, there):
            posts = await here.collection("posts", listRule="@request.auth.id != ''")
            notes = await here.collection("notes")
            alice = await make_user(here, "alice")
            listener = await there.connect("posts/*", "notes/*", who=alice)
            await here.create(posts)
            await hears(listener, "create")
            from tests.realtime.support import users_of

            await here.update(await users_of(here), alice.split()[0], tokenKey="another")
            await here.create(posts)
            # Only this one.
            await here.create(notes)
            await until(lambda: b"event:notes" in listener.transport.sent)
            assert [name for name, _, _ in listener.heard()] == ["notes/*"]

    run(scenario())


def test_a_change_too_large_for_a_message_is_read_by_who_needs_it(
    project: ProjectHandle, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "MAX_BYTES", 10_000)

    async def scenario() -> None:
        async with two(project, redis_url) as (here, there):
            posts = await here.collection("posts", text("title", max=100_000), number("n"), listRule="n < 5")
            listener = await there.connect("posts/*")
            record = await here.create(posts, title="x" * 20_000, n=1)
            await hears(listener, "create")
            await here.update(posts, record["id"], n=9)
            await hears(listener, "delete")
            await here.update(posts, record["id"], n=2)
            await hears(listener, "create")
            await here.delete(posts, record["id"])
            await hears(listener, "delete")

    run(scenario())


def test_clients_connect_anew_when_the_link_breaks_and_are_taken_again_when_it_is_back(
    project: ProjectHandle, redis_url: str
) -> None:
    async def scenario() -> None:
        async with Proxy(redis_url) as line, two(project, redis_url, line.url) as (here, there):
            posts = await here.collection("posts")
            safe, cut_off = await here.connect("posts/*"), await there.connect("posts/*")
            await line.close()
            await until(lambda: cut_off.transport.finished)
            assert not safe.ended
            # Who cannot hear of every change takes no clients.
            assert await status_of(there.connect()) == 503
            await here.create(posts)
            await line.open()
            await until(there.bus._linked.is_set)  # type: ignore[attr-defined]
            again = await there.connect("posts/*")
            await here.create(posts)
            await hears(again, "create")
            assert safe.ended is False

    run(scenario())


class ScriptedLink:
    """A subscription that hears what it was told to; None: nothing came for SILENCE_SECONDS."""

    def __init__(self, *messages: dict[str, Any] | None) -> None:
        self.messages = list(messages)
        self.pings = 0

    async def get_message(self, **_: Any) -> dict[str, Any] | None:
        if not self.messages:
            raise EOFError
        return self.messages.pop(0)

    async def ping(self) -> None:
        self.pings += 1


PONG = {"type": "pong", "channel": None, "data": b""}


@pytest.mark.parametrize(
    ("messages", "pings", "end"),
    [
        ((None, PONG, None, PONG), 2, EOFError),
        ((None, None), 1, TimeoutError),
        ((PONG, None, PONG, None, None), 2, TimeoutError),
    ],
)
def test_a_quiet_line_is_asked_for_a_sign_of_life_and_a_silent_one_given_up(
    messages: tuple[Any, ...], pings: int, end: type[Exception]
) -> None:
    async def scenario() -> None:
        link = ScriptedLink(*messages)
        with pytest.raises(end):
            await bus("redis://127.0.0.1:1/0")._listen(link)  # type: ignore[arg-type]
        assert link.pings == pings

    run(scenario())


def test_a_line_that_has_gone_silent_is_noticed(
    project: ProjectHandle, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_bus, "SILENCE_SECONDS", 0.2)

    async def scenario() -> None:
        async with Proxy(redis_url) as line, two(project, redis_url, line.url) as (_, there):
            listener = await there.connect("posts/*")
            line.silence()
            await until(lambda: listener.ended)

    run(scenario())


def test_changes_made_while_redis_is_away_are_told_when_it_is_back(
    project: ProjectHandle, redis_url: str
) -> None:
    async def scenario() -> None:
        async with Proxy(redis_url) as line, two(project, line.url, redis_url) as (here, there):
            posts = await here.collection("posts", number("n"))
            listener = await there.connect("posts/*")
            await here.create(posts, n=0)
            await hears(listener, "create")
            await line.close()
            for n in range(1, 6):
                await here.write_only(lambda call, n=n: insert(call, posts, n=n))
            await asyncio.sleep(0.05)
            assert listener.heard() == []
            await line.open()
            await until(lambda: listener.transport.sent.count(b"\n\n") == 6)
            assert [record["n"] for _, _, record in listener.heard()] == [1, 2, 3, 4, 5]
            assert not listener.ended

    run(scenario())


def test_a_line_that_was_silent_for_a_while_repeats_nothing(
    project: ProjectHandle, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process tells again what Redis did not confirm; Redis had it already."""
    monkeypatch.setattr(redis_bus, "ANSWER_SECONDS", 0.1)

    async def scenario() -> None:
        async with Proxy(redis_url) as line, two(project, line.url, redis_url) as (here, there):
            posts = await here.collection("posts", number("n"))
            listener = await there.connect("posts/*")
            await here.create(posts, n=0)
            await hears(listener, "create")
            line.silence()
            for n in range(1, 4):
                await here.write_only(lambda call, n=n: insert(call, posts, n=n))
            await asyncio.sleep(0.4)
            line.resume()
            await until(lambda: listener.transport.sent.count(b"\n\n") >= 4)
            await asyncio.sleep(0.3)
            assert [record["n"] for _, _, record in listener.heard()] == [1, 2, 3]
            assert not listener.ended

    run(scenario())


def test_a_message_that_cannot_be_read_sends_clients_to_load(project: ProjectHandle, redis_url: str) -> None:
    """As one of another version of the server."""

    async def scenario() -> None:
        async with two(project, redis_url) as (here, there):
            posts = await here.collection("posts")
            assert isinstance(here.bus, RedisBus)
            for message in (b"{bad", b"[]", b'["origin", 1, 2, 3]'):
                listener = await there.connect("posts/*")
                await here.bus._commands.publish(redis_link.PROJECT + project.uid, message)
                await until(lambda one=listener: one.transport.finished)
            again = await there.connect("posts/*")
            await here.create(posts)
            await hears(again, "create")

    run(scenario())


def test_more_changes_than_can_wait_for_redis_send_clients_to_load(
    project: ProjectHandle, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_outgoing, "MAX_OUTGOING", 10)

    async def scenario() -> None:
        async with Proxy(redis_url) as line, two(project, line.url, redis_url) as (here, there):
            posts = await here.collection("posts", number("n"))
            listener = await there.connect("posts/*")
            await here.create(posts)
            await hears(listener, "create")
            await line.close()
            # The last of them is one too many, and nothing comes after it by which the gap would be noticed.
            for n in range(11):
                await here.write_only(lambda call, n=n: insert(call, posts, n=n))
            await line.open()
            await until(lambda: listener.transport.finished)
            # And on it goes.
            again = await there.connect("posts/*")
            await here.create(posts)
            await hears(again, "create")

    run(scenario())


def test_a_message_told_twice_is_heard_once_and_a_gap_is_noticed(
    project: ProjectHandle, redis_url: str
) -> None:
    async def scenario() -> None:
        async with stage(project, bus=bus(redis_url), hears_commits=False) as s:
            posts = await s.collection("posts", number("n"))
            listener = await s.connect("posts/*")
            schema_version = await s.lanes.read(
                project,
                lambda session: int(
                    session.rows("SELECT value FROM _params WHERE key = 'schema_version'")[0][0]
                ),
            )
            assert isinstance(s.bus, RedisBus)

            def tell(number_: int, n: int) -> None:
                record = {"id": f"r{n}", "n": n}
                event = ChangeEvent(project, n, schema_version, posts.id, f"r{n}", "create", None, record)
                s.bus._hear_change(project.uid, encode_change("other", number_, event))  # type: ignore[attr-defined]

            for number_, n in [(7, 0), (8, 1), (8, 1), (7, 0), (9, 2)]:
                tell(number_, n)
            await s.settle()
            assert [record["n"] for _, _, record in listener.heard()] == [0, 1, 2]
            assert not listener.ended
            tell(11, 4)
            assert listener.transport.finished
            again = await s.connect("posts/*")
            s.bus._hear_change(project.uid, encode_gap("other", 12))
            assert again.transport.finished

    run(scenario())


def test_a_process_that_does_not_answer_is_not_waited_for(
    project: ProjectHandle, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_bus, "ANSWER_SECONDS", 0.1)

    async def scenario() -> None:
        async with two(project, redis_url) as (here, there):
            listener = await there.connect()

            async def never(*_: Any) -> None:
                await asyncio.Event().wait()

            there.hub.submit_here = never  # type: ignore[method-assign]
            submission = Submission(listener.client.id, ())
            assert await status_of(here.hub.submit(project, submission, "")) == 503

    run(scenario())


def test_a_submission_is_refused_while_redis_is_away(project: ProjectHandle, redis_url: str) -> None:
    async def scenario() -> None:
        async with Proxy(redis_url) as line, two(project, line.url, redis_url) as (here, there):
            listener = await there.connect()
            await line.close()
            assert await status_of(here.hub.submit(project, Submission(listener.client.id, ()), "")) == 503

    run(scenario())


def test_a_server_starts_without_redis_and_takes_clients_when_it_comes(
    project: ProjectHandle, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_bus, "CONNECT_SECONDS", 0.2)

    async def scenario() -> None:
        async with Proxy(redis_url) as line:
            await line.close()
            async with stage(project, bus=bus(line.url)) as s:
                assert await status_of(s.connect()) == 503
                await line.open()
                await until(s.bus._linked.is_set)  # type: ignore[attr-defined]
                listener = await s.connect("posts/*")
                posts = await s.collection("posts")
                await s.create(posts)
                await hears(listener, "create")

    run(scenario())


def test_what_was_committed_last_is_told_before_the_process_ends(
    project: ProjectHandle, redis_url: str
) -> None:
    async def scenario() -> None:
        async with stage(project, bus=bus(redis_url), hears_commits=False) as there:
            async with stage(project, bus=bus(redis_url)) as here:
                posts = await here.collection("posts", number("n"))
                listener = await there.connect("posts/*")
                for n in range(50):
                    await here.write_only(lambda call, n=n: insert(call, posts, n=n))
            await until(lambda: listener.transport.sent.count(b"\n\n") == 50)

    run(scenario())


def test_a_project_that_is_not_watched_any_more_is_not_heard(project: ProjectHandle, redis_url: str) -> None:
    async def scenario() -> None:
        async with two(project, redis_url) as (here, there):
            posts = await here.collection("posts")
            listener = await there.connect("posts/*")
            there.hub.disconnect(listener.client)
            await there.bus.unwatch(project.uid)
            heard: list[Any] = []
            assert isinstance(there.bus, RedisBus)
            there.bus._hear_change = lambda *args: heard.append(args)  # type: ignore[method-assign]
            await here.create(posts)
            await asyncio.sleep(0.05)
            assert heard == []
            # Watched anew for the next client.
            del there.bus._hear_change
            again = await there.connect("posts/*")
            await here.create(posts)
            await hears(again, "create")

    run(scenario())


def test_a_password_does_not_leave_the_process() -> None:
    project = ProjectHandle("uid", "demo", "sqlite", "local")
    record = {
        "id": "a",
        "password": PasswordHash("$argon2$secret"),
        "tokenKey": "k",
        "geo": {"lon": 1.5, "lat": 0},
    }
    event = ChangeEvent(project, 3, 2, "users", "a", "update", record, {**record, "n": None, "tags": ["x"]})
    message = encode_change("origin", 5, event)
    assert b"secret" not in message
    origin, number_, decoded = decode(message, project)
    assert (origin, number_) == ("origin", 5)
    assert decoded == ChangeEvent(
        project, 3, 2, "users", "a", "update",
        {**record, "password": ""}, {**record, "password": "", "n": None, "tags": ["x"]},
    )  # fmt: skip


def test_a_gap_is_told_as_one() -> None:
    assert orjson.loads(encode_gap("origin", 4)) == ["origin", 4]
    assert decode(encode_gap("origin", 4), ProjectHandle("uid", "demo", "sqlite", "local"))[2] is None
