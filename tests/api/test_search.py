"""``search=`` over HTTP: who may ask, what is refused, what is documented."""

from __future__ import annotations

from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import write_session
from tests.api.support import Client, records, serve
from tests.records.support import collection, create, number, text

POSTS = records("posts")


@pytest.fixture
def posts(project: ProjectHandle) -> ProjectHandle:
    with write_session(project) as session:
        posts = collection(
            session,
            "posts",
            text("title", searchable=True),
            text("secret", hidden=True),
            number("n"),
            listRule="n < 3",
        )
        for n, title in enumerate(["red and red", "red", "blue", "red"]):
            create(session, posts, title=title, secret="crimson", n=n)
    return project


async def ask(client: Client, query: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    answer = await client.request(method, f"{POSTS}?{query}", json=body)
    return answer.status_code, answer.json()


def test_a_guest_finds_what_it_may_list_by_what_it_may_see(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        status, page = await ask(client, "search=RED&sort=n")
        assert (status, page["totalItems"]) == (200, 2)
        assert [item["n"] for item in page["items"]] == [0, 1]
        assert set(page["items"][0]) == {"id", "collectionId", "collectionName", "title", "n"}
        assert (await ask(client, "search=red&perPage=1&skipTotal=1"))[1]["totalItems"] == -1
        assert (await ask(client, "search=crimson"))[1]["items"] == []
        assert (await ask(client, "search=red&filter=secret='crimson'"))[0] == 400
        assert (await ask(client, "search=red&sort=@rank,secret"))[0] == 400
        assert (await ask(client, "search=red%00%22*&sort=-@rank"))[1]["totalItems"] == 2

    serve(posts, test)


def test_what_cannot_be_searched_says_so(posts: ProjectHandle) -> None:
    with write_session(posts) as session:
        collection(session, "plain", text("title"))

    async def test(client: Client) -> None:
        answer = await client.get(f"{records('plain')}?search=red")
        assert (answer.status_code, answer.json()["data"]["search"]["code"]) == (
            400,
            "validation_not_searchable",
        )
        assert (await client.get(f"{records('plain')}?sort=@rank")).status_code == 400
        assert (await client.get(f"{records('plain')}?search=")).status_code == 200

    serve(posts, test)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_search_does_not_choose_what_is_written_to(posts: ProjectHandle, method: str) -> None:
    async def test(client: Client) -> None:
        status, answer = await ask(client, "filter=n>=0&search=blue", method, {"n": 2})
        assert (status, answer["data"]["search"]["code"]) == (400, "validation_invalid_search")
        assert (await ask(client, "sort=n"))[1]["totalItems"] == 3

    serve(posts, test)
