"""Entity tags: what a client has is not sent again, what it read is not overwritten unseen."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import close_thread, read_session, write_session
from projects.records.update import update_record
from tests.accounts.helpers import change_collection
from tests.api.support import Client, records, serve, signed_in
from tests.records.support import call, collection, create, number, relation, text

POSTS = records("posts")
ID = "record000000001"
ONE = f"{POSTS}/{ID}"


@pytest.fixture
def posts(project: ProjectHandle) -> ProjectHandle:
    with write_session(project) as session:
        authors = collection(session, "authors", text("name"))
        made = collection(
            session,
            "posts",
            text("title", min=2),
            number("n"),
            text("secret", hidden=True),
            relation("author", authors),
            indexes=["CREATE UNIQUE INDEX one ON posts (title) WHERE title != ''"],
        )
        author = create(session, authors, id="author000000001", name="Ann")
        create(session, made, id=ID, title="aa", author=author["id"])
    return project


def change_hidden(project: ProjectHandle) -> None:
    with write_session(project) as session:
        asked = call(session)
        update_record(asked, asked.collection("posts"), ID, {"secret": "changed"})
    close_thread()


async def tag_of(client: Client, url: str = ONE) -> str:
    return str((await client.get(url)).headers["etag"])


def test_an_answer_that_the_client_has_is_not_sent_again(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        for url in (ONE, f"{ONE}?expand=author", f"{ONE}?fields=title", POSTS, f"{POSTS}?filter=n=0"):
            first = await client.get(url)
            tag = first.headers["etag"]
            assert tag.startswith('"') and tag.endswith('"')
            for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
                again = await client.get(url, headers={"If-None-Match": known})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            other = await client.get(url, headers={"If-None-Match": '"other"'})
            assert (other.status_code, other.json()) == (200, first.json())
        for url in (ONE, f"{ONE}?expand=author", POSTS):
            tag = await tag_of(client, url)
            await client.patch(ONE, json={"n+": 1})
            again = await client.get(url, headers={"If-None-Match": tag})
            assert again.status_code == 200 and again.headers["etag"] != tag

    serve(posts, test)


def test_writes_answer_the_tag_that_a_view_would(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        created = await client.post(POSTS, json={"title": "new"})
        url = f"{POSTS}/{created.json()['id']}"
        assert created.headers["etag"] == await tag_of(client, url)
        changed = await client.patch(url, json={"n": 5})
        assert changed.headers["etag"] == await tag_of(client, url) != created.headers["etag"]
        picked = await client.patch(f"{url}?fields=id", json={"n": 6})
        assert picked.headers["etag"] == await tag_of(client, url)

    serve(posts, test)


@pytest.mark.parametrize("shape", ["", "?expand=author", "?fields=id,title", "?expand=author&fields=id"])
def test_a_write_that_names_what_it_read_is_done_only_on_that(posts: ProjectHandle, shape: str) -> None:
    async def test(client: Client) -> None:
        stale = await tag_of(client, ONE + shape)
        first = await client.patch(ONE, json={"n": 1}, headers={"If-Match": stale})
        assert first.status_code == 200
        for method, body in (("PATCH", {"n": 2}), ("PATCH", {"n": "no number"}), ("DELETE", None)):
            late = await client.request(method, ONE, json=body, headers={"If-Match": stale})
            expected = {"status": 412, "message": "The record has changed since you read it.", "data": {}}
            assert (late.status_code, late.json()) == (412, expected)
        assert (await client.get(ONE)).json()["n"] == 1
        fresh = await tag_of(client, ONE + shape)
        for known in (f"W/{fresh}", f'"other", {fresh}', "*", f'{fresh[:-1]}-gzip"'):
            done = await client.patch(ONE, json={}, headers={"If-Match": known})
            assert done.status_code == 200
        assert (await client.delete(ONE, headers={"If-Match": fresh})).status_code == 204

    serve(posts, test)


def test_what_is_not_there_or_hidden_is_not_found_whatever_is_matched(posts: ProjectHandle) -> None:
    with write_session(posts) as session:
        closed = collection(session, "closed", text("title"), updateRule="n = 1", fields=[number("n")])
        create(session, closed, id=ID)

    async def test(client: Client) -> None:
        for url in (f"{POSTS}/missing00000000", f"{records('closed')}/{ID}"):
            for tag in ("*", '"x"'):
                assert (await client.patch(url, json={}, headers={"If-Match": tag})).status_code == 404

    serve(posts, test)


def test_a_change_of_what_the_reader_cannot_see_changes_no_tag(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        tag = await tag_of(client)
        await asyncio.to_thread(change_hidden, posts)
        assert await tag_of(client) == tag
        assert (await client.patch(ONE, json={"n": 1}, headers={"If-Match": tag})).status_code == 200

    serve(posts, test)


def test_readers_who_see_different_things_have_different_tags(project: ProjectHandle) -> None:
    with write_session(project) as session:
        alice, token = signed_in(session, "alice@example.com")
        change_collection(session, "users", viewRule="", updateRule="")
    url = f"{records('users')}/{alice}"

    async def test(client: Client) -> None:
        own = await client.get(url, headers={"Authorization": token})
        assert own.json()["email"] and "email" not in (await client.get(url)).json()
        assert own.headers["etag"] != await tag_of(client, url)
        changed = await client.patch(
            url, json={"name": "A"}, headers={"Authorization": token, "If-Match": own.headers["etag"]}
        )
        assert changed.status_code == 200
        assert (
            changed.headers["etag"]
            == (await client.get(url, headers={"Authorization": token})).headers["etag"]
        )

    serve(project, test)


def test_of_writers_that_read_the_same_one_wins(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        tag = await tag_of(client)
        answers = await asyncio.gather(
            *(client.patch(ONE, json={"n+": 1}, headers={"If-Match": tag}) for _ in range(20))
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
        assert (await client.get(ONE)).json()["n"] == 1

    serve(posts, test)


def test_parts_of_a_batch_name_what_they_read_too(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        tag = await tag_of(client)
        part = {"method": "PATCH", "url": ONE, "body": {"n+": 1}, "headers": {"If-Match": tag}}
        assert (await client.post("/api/batch", json={"requests": [part]})).status_code == 200
        late = await client.post("/api/batch", json={"requests": [part]})
        assert late.json()["data"]["requests"]["0"]["response"]["status"] == 412
        for record_id in (ID, "missing00000000"):
            part = {**part, "method": "PUT", "url": POSTS, "body": {"id": record_id}}
            late = await client.post("/api/batch", json={"requests": [part]})
            assert late.json()["data"]["requests"]["0"]["response"]["status"] == 412
        deletion = {"method": "DELETE", "url": ONE, "headers": {"if-match": tag}}
        late = await client.post("/api/batch", json={"requests": [deletion]})
        assert late.json()["data"]["requests"]["0"]["response"]["status"] == 412

    serve(posts, test)


def test_increments_of_fifty_writers_at_once_all_count(posts: ProjectHandle) -> None:
    def part(sign: str, by: int) -> Any:
        return {"method": "PATCH", "url": ONE, "body": {f"n{sign}": by}}

    async def test(client: Client) -> None:
        single = [client.patch(ONE, json={"n+": 3}) for _ in range(50)]
        batches = [
            client.post("/api/batch", json={"requests": [part("+", 2), part("-", 1)]}) for _ in range(50)
        ]
        answers = await asyncio.gather(*single, *batches)
        assert {answer.status_code for answer in answers} == {200}

    serve(posts, test)
    with read_session(posts) as session:
        assert session.rows("SELECT n FROM posts") == [(200,)]


def test_batches_that_change_the_same_records_in_opposite_orders_all_succeed(posts: ProjectHandle) -> None:
    ids = [f"record{number:09d}" for number in range(1, 7)]
    with write_session(posts) as session:
        for record_id in ids[1:]:
            create(session, call(session).collection("posts"), id=record_id)

    async def test(client: Client) -> None:
        orders = [ids if turn % 2 else ids[::-1] for turn in range(30)]
        bodies = [
            {"requests": [{"method": "PATCH", "url": f"{POSTS}/{one}", "body": {"n+": 1}} for one in order]}
            for order in orders
        ]
        answers = await asyncio.gather(*(client.post("/api/batch", json=body) for body in bodies))
        assert {answer.status_code for answer in answers} == {200}

    serve(posts, test)
    with read_session(posts) as session:
        assert session.rows("SELECT n FROM posts") == [(30,)] * 6
