"""Idempotency-Key: a write that is sent again is done once and answered as the first time."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from projects.api import record_writes
from projects.context import ProjectHandle
from projects.databases import close_thread, read_session, write_session
from projects.records.events import ChangeEvent, listen, unlisten
from tests.api.support import Client, records, serve, signed_in
from tests.records.support import changes, collection, number, text

POSTS = records("posts")
ID = "record000000001"
KEY = {"Idempotency-Key": "2f1c3a52-8a0e-4b8e-9d5b-6b6d6a1f0c11"}


@pytest.fixture
def posts(project: ProjectHandle) -> ProjectHandle:
    with write_session(project) as session:
        collection(session, "posts", text("title", required=True), number("n"))
    return project


@pytest.fixture
def heard() -> Iterator[list[ChangeEvent]]:
    events: list[ChangeEvent] = []
    listen(events.append)
    yield events
    unlisten(events.append)


def rows(project: ProjectHandle, sql: str) -> list[Any]:
    with read_session(project) as session:
        return session.rows(sql)


def count(project: ProjectHandle) -> int:
    return int(rows(project, "SELECT COUNT(*) FROM posts")[0][0])


async def same_again(client: Client, method: str, url: str, **options: Any) -> Any:
    """Send a request twice with one key; the second answer is the first one's copy."""
    headers = {**KEY, **options.pop("headers", {})}
    first = await client.request(method, url, headers=headers, **options)
    assert first.status_code < 300 and "idempotency-replayed" not in first.headers, first.text
    again = await client.request(method, url, headers=headers, **options)
    assert again.headers.pop("idempotency-replayed") == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers == first.headers
    return first


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", POSTS, {"title": "new"}),
        ("POST", f"{POSTS}?fields=id", {"title": "new"}),
        ("PATCH", f"{POSTS}/{ID}", {"n+": 5}),
        ("DELETE", f"{POSTS}/{ID}", None),
        ("POST", "/api/batch", {"requests": [{"method": "POST", "url": POSTS, "body": {"title": "new"}}]}),
    ],
)
def test_a_write_that_is_sent_again_is_done_once(
    posts: ProjectHandle, heard: list[ChangeEvent], method: str, url: str, body: Any
) -> None:
    async def test(client: Client) -> None:
        await client.post(POSTS, json={"id": ID, "title": "first"})
        await same_again(client, method, url, json=body)

    serve(posts, test)
    assert len(heard) == 2
    with read_session(posts) as session:
        assert len(changes(session)) == 2


def test_a_form_sent_again_with_another_boundary_is_the_same_request(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        await same_again(client, "POST", POSTS, files={"title": (None, "new")})

    serve(posts, test)
    assert count(posts) == 1


def test_without_a_key_every_request_is_a_new_one(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        for _ in range(2):
            assert (await client.post(POSTS, json={"title": "new"})).status_code == 200

    serve(posts, test)
    assert count(posts) == 2
    assert rows(posts, "SELECT * FROM _answers") == []


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", POSTS, {"title": "other"}),
        ("POST", f"{POSTS}?fields=id", {"title": "new"}),
        ("POST", records("more"), {"title": "new"}),
        ("PATCH", f"{POSTS}/{ID}", {"title": "new"}),
        ("DELETE", f"{POSTS}/{ID}", None),
        ("POST", "/api/batch", {"requests": [{"method": "POST", "url": POSTS, "body": {"title": "new"}}]}),
    ],
)
def test_a_key_that_comes_with_another_request_is_refused(
    posts: ProjectHandle, method: str, url: str, body: Any
) -> None:
    with write_session(posts) as session:
        collection(session, "more", text("title"))

    async def test(client: Client) -> None:
        await client.post(POSTS, json={"id": ID, "title": "first"})
        await client.post(POSTS, json={"title": "new"}, headers=KEY)
        other = await client.request(method, url, json=body, headers=KEY)
        assert other.status_code == 422
        message = "This Idempotency-Key was used for another request. Every request needs a key of its own."
        assert other.json() == {"status": 422, "message": message, "data": {}}

    serve(posts, test)
    assert count(posts) == 2


def test_a_refused_write_is_tried_anew_under_the_same_key(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        for body in ({"n": 1}, {"title": "", "n": 2}):
            refused = await client.post(POSTS, json=body, headers=KEY)
            assert refused.status_code == 400 and "idempotency-replayed" not in refused.headers
        await same_again(client, "POST", POSTS, json={"title": "at last"})

    serve(posts, test)
    assert count(posts) == 1


def test_each_caller_has_keys_of_their_own(posts: ProjectHandle) -> None:
    with write_session(posts) as session:
        alice = signed_in(session, "alice@example.com")[1]
        bob = signed_in(session, "bob@example.com")[1]

    async def test(client: Client) -> None:
        ids = set()
        for token in (alice, bob, ""):
            answer = await same_again(
                client, "POST", POSTS, json={"title": "new"}, headers={"Authorization": token}
            )
            ids.add(answer.json()["id"])
        assert len(ids) == 3

    serve(posts, test)


@pytest.mark.parametrize("key", ["x" * 256, "tab\tin it"])
def test_a_key_that_is_none_is_refused(posts: ProjectHandle, key: str) -> None:
    async def test(client: Client) -> None:
        answer = await client.post(POSTS, json={"title": "new"}, headers={"Idempotency-Key": key})
        assert answer.status_code == 400 and "Idempotency-Key" in answer.json()["message"]

    serve(posts, test)
    assert count(posts) == 0


def test_an_answer_is_given_again_for_a_day_and_then_forgotten(posts: ProjectHandle) -> None:
    def age(seconds: int) -> None:
        with write_session(posts) as session:
            session.execute(session.sql("UPDATE _answers SET created = created - ?"), (seconds,))
        close_thread()

    async def test(client: Client) -> None:
        async def send(key: str = KEY["Idempotency-Key"]) -> Any:
            return await client.post(POSTS, json={"title": "new"}, headers={"Idempotency-Key": key})

        first = await send()
        await asyncio.to_thread(age, 86_400 - 60)
        assert (await send()).json() == first.json()
        await asyncio.to_thread(age, 61)
        renewed = await send()
        assert renewed.json()["id"] != first.json()["id"]
        assert (await send()).json() == renewed.json()
        await asyncio.to_thread(age, 86_401)
        await send("another")

    serve(posts, test)
    # A later write took along what nobody asks for any more.
    assert len(rows(posts, "SELECT key FROM _answers")) == 1


def test_what_is_sent_again_while_the_first_is_at_work_is_never_done_twice(
    posts: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = record_writes.create_record

    def slowly(*args: Any) -> Any:
        time.sleep(0.05)
        return real(*args)

    monkeypatch.setattr(record_writes, "create_record", slowly)

    async def test(client: Client) -> None:
        answers = await asyncio.gather(
            *(client.post(POSTS, json={"title": "new"}, headers=KEY) for _ in range(10))
        )
        done = [answer for answer in answers if answer.status_code == 200]
        assert len({answer.json()["id"] for answer in done}) == 1
        for answer in answers:
            if answer.status_code != 200:
                assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
                assert posts.engine == "postgresql", "a SQLite project's writes wait for each other"
        assert (await client.post(POSTS, json={"title": "new"}, headers=KEY)).json() == done[0].json()

    serve(posts, test)
    assert count(posts) == 1


def test_the_key_of_a_batch_is_the_batchs_and_its_errors_are_no_parts(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        part = {"method": "POST", "url": POSTS, "body": {"title": "a"}, "headers": KEY}
        twice = await client.post("/api/batch", json={"requests": [part, part]})
        assert twice.status_code == 200
        first = await client.post("/api/batch", json={"requests": [part]}, headers=KEY)
        assert first.status_code == 200
        other = await client.post("/api/batch", json={"requests": [part, part]}, headers=KEY)
        assert (other.status_code, other.json()["data"]) == (422, {})

    serve(posts, test)
    assert count(posts) == 3


def test_a_password_is_hashed_once_and_found_nowhere_in_what_is_kept(project: ProjectHandle) -> None:
    body = {"email": "a@example.com", "password": "a long password", "passwordConfirm": "a long password"}

    async def test(client: Client) -> None:
        await same_again(client, "POST", records("users"), json=body)

    serve(project, test)
    assert "a long password" not in json.dumps(rows(project, "SELECT * FROM _answers"))


def test_a_new_secret_makes_no_repeated_request_another_one(posts: ProjectHandle, settings: Any) -> None:
    async def test(client: Client) -> None:
        first = await client.post(POSTS, json={"title": "new"}, headers=KEY)
        settings.MBAAS_SECRET_KEYS = ["a new one", *settings.MBAAS_SECRET_KEYS]
        assert (await client.post(POSTS, json={"title": "new"}, headers=KEY)).json() == first.json()

    serve(posts, test)


def test_a_key_says_nothing_in_another_project(make_project: Any) -> None:
    made = [make_project("first"), make_project("second")]
    for handle in made:
        with write_session(handle) as session:
            collection(session, "posts", text("title"))

    async def test(client: Client) -> None:
        answer = await client.post(POSTS, json={"title": "new"}, headers=KEY)
        assert answer.status_code == 200 and "idempotency-replayed" not in answer.headers

    for handle in made:
        serve(handle, test)


def test_a_file_sent_again_is_known_by_its_content(project: ProjectHandle) -> None:
    with write_session(project) as session:
        collection(session, "docs", {"name": "file", "type": "file", "maxSelect": 1})

    def files(content: bytes) -> Any:
        return {"file": ("a.txt", content, "text/plain")}

    async def test(client: Client) -> None:
        await same_again(client, "POST", records("docs"), files=files(b"the same"))
        other = await client.post(records("docs"), files=files(b"another!"), headers=KEY)
        assert other.status_code == 422

    serve(project, test)
