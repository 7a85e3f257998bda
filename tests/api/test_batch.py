"""Batch: all of it or nothing, each part under its own rule, bounded in every way."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from projects.accounts import passwords
from projects.api import record_writes
from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.records.events import ChangeEvent, listen, unlisten
from tests.api.support import Client, records, serve, signed_in
from tests.records.support import changes, collection, number, text

POSTS = records("posts")
ID = "record000000001"
FAILED_PART = {"status": 400, "message": "Something went wrong while processing your request.", "data": {}}


def post(url: str = POSTS, **body: Any) -> dict[str, Any]:
    return {"method": "POST", "url": url, "body": body}


def patch(record_id: str, **body: Any) -> dict[str, Any]:
    return {"method": "PATCH", "url": f"{POSTS}/{record_id}", "body": body}


def put(**body: Any) -> dict[str, Any]:
    return {"method": "PUT", "url": POSTS, "body": body}


async def send(client: Client, *requests: Any, token: str = "", **options: Any) -> tuple[int, Any]:
    headers = {"Authorization": token, **options.pop("headers", {})}
    answer = await client.post("/api/batch", json={"requests": list(requests)}, headers=headers, **options)
    return answer.status_code, answer.json()


def failure(body: Any, at: int = 0) -> Any:
    """What the part that failed would have been answered alone."""
    assert body["status"] == 400 and body["message"] == "Batch transaction failed."
    assert list(body["data"]["requests"]) == [str(at)]
    found = body["data"]["requests"][str(at)]
    assert found["code"] == "batch_request_failed"
    assert found["message"] == "Batch request failed."
    return found["response"]


def make_posts(project: ProjectHandle, **options: Any) -> None:
    with write_session(project) as session:
        collection(session, "posts", text("title", required=True), number("n"), **options)


def titles(project: ProjectHandle) -> list[str]:
    with read_session(project) as session:
        return sorted(row[0] for row in session.rows("SELECT title FROM posts"))


@pytest.fixture
def posts(project: ProjectHandle) -> ProjectHandle:
    make_posts(project)
    return project


def test_parts_are_done_in_order_and_see_each_other(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        status, answers = await send(
            client,
            post(id=ID, title="a", n=1),
            patch(ID, **{"n+": 2}),
            put(id=ID, title="b"),
            put(id="record000000002", title="c"),
            put(title="d"),
            {"method": "DELETE", "url": f"{POSTS}/{ID}"},
            {"method": "POST", "url": f"{POSTS}?fields=title", "body": {"title": "e"}},
        )
        assert status == 200
        assert [answer["status"] for answer in answers] == [200] * 5 + [204, 200]
        bodies = [answer["body"] for answer in answers]
        assert [body["n"] for body in bodies[:3]] == [1, 3, 3]
        assert bodies[2]["title"] == "b"
        assert bodies[3]["id"] == "record000000002"
        assert bodies[5] is None
        assert bodies[6] == {"title": "e"}

    serve(posts, test)
    assert titles(posts) == ["c", "d", "e"]


def test_one_that_fails_undoes_all_and_nothing_is_announced(posts: ProjectHandle) -> None:
    heard: list[ChangeEvent] = []
    listen(heard.append)

    async def test(client: Client) -> None:
        await client.post(POSTS, json={"title": "before", "id": ID})
        heard.clear()
        status, body = await send(
            client, post(title="a"), patch(ID, title="changed"), post(n=1), post(title="never")
        )
        assert status == 400
        response = failure(body, at=2)
        assert response["message"] == "Failed to create record."
        assert response["data"]["title"]["code"] == "validation_required"
        assert heard == []
        assert (await send(client, post(title="after")))[0] == 200
        assert [event.action for event in heard] == ["create"]

    try:
        serve(posts, test)
    finally:
        unlisten(heard.append)
    assert titles(posts) == ["after", "before"]
    with read_session(posts) as session:
        assert len(changes(session)) == 2


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(records("locked")), 403),
        (post(records("nope")), 404),
        (post(records("_superusers"), email="a@b.co"), 403),
        (patch("missing00000000"), 404),
        ({"method": "DELETE", "url": f"{POSTS}/missing00000000"}, 404),
        (post(records("owned"), title="x"), 400),
    ],
)
def test_each_part_is_under_its_own_rule(posts: ProjectHandle, request_: Any, status: int) -> None:
    with write_session(posts) as session:
        collection(session, "locked", text("title"), createRule=None)
        collection(session, "owned", text("title"), createRule="@request.auth.id != ''")

    async def test(client: Client) -> None:
        code, body = await send(client, post(title="fine"), request_)
        assert code == 400
        assert failure(body, at=1)["status"] == status

    serve(posts, test)
    assert titles(posts) == []


def test_an_upsert_is_under_the_rule_of_what_it_turns_out_to_be(project: ProjectHandle) -> None:
    make_posts(project, createRule="@request.method = 'POST'", updateRule="title = 'mine'")

    async def test(client: Client) -> None:
        assert (await send(client, put(id=ID, title="theirs")))[0] == 200
        status, body = await send(client, put(id=ID, title="stolen"))
        assert status == 400
        assert failure(body)["status"] == 404

    serve(project, test)
    assert titles(project) == ["theirs"]


def test_rules_read_a_parts_own_query_headers_and_method(project: ProjectHandle) -> None:
    rule = (
        "@request.context = 'batch' && @request.method = 'POST' && @request.query.key = 'open'"
        " && @request.headers.x_key = 'part' && @request.headers.x_outer = 'outer'"
    )
    make_posts(project, createRule=rule)
    part = {**post(f"{POSTS}?key=open", title="a"), "headers": {"X-Key": "part"}}
    outer = {"X-Key": "replaced", "X-Outer": "outer"}

    async def test(client: Client) -> None:
        assert (await send(client, part, headers=outer))[0] == 200
        assert (await send(client, {**part, "headers": {}}, headers=outer))[0] == 400
        assert (await send(client, {**part, "url": POSTS}, headers=outer))[0] == 400

    serve(project, test)


def test_who_asks_is_decided_for_the_batch_and_no_part_changes_it(project: ProjectHandle) -> None:
    make_posts(project, createRule="@request.auth.id != ''")
    with write_session(project) as session:
        _, token = signed_in(session, "alice@example.com")
    asking = {**post(title="a"), "headers": {"Authorization": token}}

    async def test(client: Client) -> None:
        status, body = await send(client, asking)
        assert status == 400 and failure(body)["status"] == 400
        assert (await send(client, {**asking, "headers": {"authorization": ""}}, token=token))[0] == 200

    serve(project, test)


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "GET", "url": POSTS},
        post("/api/nope"),
        post(f"/p/another{POSTS}", title="a"),
        post(f"http://test{POSTS}", title="a"),
        post(POSTS[1:], title="a"),
        post(f"{POSTS}/", title="a"),
        post(f"{POSTS}/{ID}", title="a"),
        post("/api/batch", requests=[]),
        post("/api/collections", name="x", type="base"),
        post("/api/collections/users/auth-with-password", identity="a", password="b"),
        {"method": "PUT", "url": f"{POSTS}/{ID}", "body": {"title": "a"}},
        {"method": "PATCH", "url": POSTS, "body": {"title": "a"}},
        {"method": "DELETE", "url": POSTS},
    ],
)
def test_nothing_but_writes_of_records_can_be_a_part(posts: ProjectHandle, request_: Any) -> None:
    async def test(client: Client) -> None:
        status, body = await send(client, post(title="a"), request_)
        assert status == 400
        assert failure(body, at=1) == FAILED_PART

    serve(posts, test)
    assert titles(posts) == []


def test_addresses_may_have_the_projects_prefix_and_be_escaped(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        parts = [post(f"/p/demo{POSTS}", title="a"), post("/api/collections/po%73ts/records", title="b")]
        assert (await send(client, *parts))[0] == 200

    serve(posts, test)
    assert titles(posts) == ["a", "b"]


REQUIRED = {"code": "validation_required", "message": "Cannot be blank."}
UNKNOWN = {"code": "validation_in_invalid", "message": "Must be a valid value."}


def too_long(most: int) -> dict[str, Any]:
    message = f"The length must be no more than {most}."
    return {"code": "validation_length_too_long", "message": message, "params": {"max": most, "min": 0}}


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, REQUIRED),
        ({"requests": None}, REQUIRED),
        ({"requests": []}, REQUIRED),
        ({"requests": [post(title="a")] * 51}, too_long(50)),
        ({"requests": [{"url": POSTS}]}, {"0": {"method": REQUIRED}}),
        ({"requests": [post(), {"method": "x"}]}, {"1": {"method": UNKNOWN, "url": REQUIRED}}),
        ({"requests": [{"method": "post", "url": POSTS}]}, {"0": {"method": UNKNOWN}}),
        ({"requests": [post(f"{POSTS}?{'x' * 2000}")]}, {"0": {"url": too_long(2000)}}),
    ],
)
def test_what_is_wrong_with_a_batch_is_said_by_request(posts: ProjectHandle, body: Any, errors: Any) -> None:
    async def test(client: Client) -> None:
        answer = await client.post("/api/batch", json=body)
        expected = {"status": 400, "message": "Invalid batch request data.", "data": {"requests": errors}}
        assert answer.json() == expected

    serve(posts, test)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"requests": "x"}',
        b'{"requests": {"0": {}}}',
        b'{"requests": [null]}',
        b'{"requests": ["x"]}',
        b'{"requests": [{"method": "POST", "url": 1}]}',
        b'{"requests": [{"method": "POST", "url": "/", "body": "x"}]}',
        b'{"requests": [{"method": "POST", "url": "/", "body": []}, 1]}',
        b'{"requests": [{"method": "POST", "url": "/", "headers": {"a": 1}}]}',
        b'{"requests": [{"method": "POST", "url": "/", "headers": ["a"]}]}',
    ],
)
def test_a_body_that_is_no_batch_is_refused(posts: ProjectHandle, body: bytes) -> None:
    async def test(client: Client) -> None:
        answer = await client.post("/api/batch", content=body, headers={"content-type": "application/json"})
        expected = {"status": 400, "message": "Failed to read the submitted batch data.", "data": {}}
        assert answer.json() == expected

    serve(posts, test)


def test_the_json_part_of_a_form_holds_the_requests(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        payload = json.dumps({"requests": [post(title="a")]})
        answer = await client.post("/api/batch", files={"@jsonPayload": (None, payload)})
        assert answer.status_code == 200, answer.text

    serve(posts, test)
    assert titles(posts) == ["a"]


def with_setting(project: ProjectHandle, name: str, value: Any) -> ProjectHandle:
    return replace(project, settings=((name, value),))


def test_a_project_sets_its_own_limits(posts: ProjectHandle) -> None:
    async def two(client: Client) -> None:
        status, body = await send(client, post(title="a"), post(title="b"), post(title="c"))
        assert status == 400 and body["data"]["requests"] == too_long(2)
        assert (await send(client, post(title="x" * 2000)))[0] == 413

    async def none(client: Client) -> None:
        status, body = await send(client, post(title="a"))
        assert (status, body["message"]) == (403, "Batch requests are not allowed.")

    serve(with_setting(posts, "batch", {"maxRequests": 2, "maxBodySize": 1000}), two)
    serve(with_setting(posts, "batch", {"enabled": False}), none)
    assert titles(posts) == []


def test_each_part_counts_for_rate_limits_and_the_batch_for_its_path(posts: ProjectHandle) -> None:
    rules = [
        {"label": "posts:create", "maxRequests": 3, "duration": 60},
        {"label": "/api/batch", "maxRequests": 4, "duration": 60},
    ]
    limited = with_setting(posts, "rateLimits", {"enabled": True, "rules": rules})

    async def test(client: Client) -> None:
        assert (await send(client, post(title="a"), put(id=ID, title="b")))[0] == 200
        # An upsert of what is there is no creation.
        assert (await send(client, put(id=ID, title="b"), post(title="c")))[0] == 200
        status, body = await send(client, put(id=ID, title="lost"), put(title="lost"))
        assert status == 400
        assert failure(body, at=1) == {"status": 429, "message": "Too Many Requests.", "data": {}}
        assert (await client.post(POSTS, json={"title": "lost"})).status_code == 429
        assert (await send(client, put(id=ID, title="b")))[0] == 200
        assert (await send(client, put(id=ID, title="b")))[0] == 429

    serve(limited, test)
    assert titles(posts) == ["a", "b", "c"]


def user(number: int, **values: Any) -> dict[str, Any]:
    password = f"a long password {number}"
    body = {"email": f"u{number}@example.com", "password": password, "passwordConfirm": password, **values}
    return post(records("users"), **body)


def test_passwords_are_hashed_where_no_database_waits_and_only_for_what_can_succeed(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    real = passwords.hash_password

    def noted(plain: str) -> Any:
        threads.append(threading.current_thread().name)
        return real(plain)

    monkeypatch.setattr(passwords, "hash_password", noted)
    with write_session(project) as session:
        alice, token = signed_in(session, "alice@example.com")
    threads.clear()
    own = f"{records('users')}/{alice}"
    new = {"password": "changed 12345", "passwordConfirm": "changed 12345"}

    async def test(client: Client) -> None:
        assert (await send(client, user(1), user(2), user(3, email="no e-mail")))[0] == 400
        assert threads == []
        assert (await send(client, *(user(number) for number in range(5))))[0] == 200
        assert len(threads) == 5 and all(name.startswith("password") for name in threads)
        change = {"method": "PATCH", "url": own, "body": {**new, "oldPassword": "wrong"}}
        status, body = await send(client, user(6), change, token=token)
        assert status == 400
        assert failure(body, at=1)["data"]["oldPassword"]["code"] == "validation_invalid_old_password"
        change["body"]["oldPassword"] = "correct horse 1"
        assert (await send(client, user(6), change, token=token))[0] == 200
        entered = await client.post(
            "/api/collections/users/auth-with-password",
            json={"identity": "u6@example.com", "password": "a long password 6"},
        )
        assert entered.status_code == 200

    serve(project, test)


def test_sign_ups_in_a_batch_are_limited_one_by_one(project: ProjectHandle) -> None:
    rules = [{"label": "users:signUp", "maxRequests": 2, "duration": 60}]
    limited = with_setting(project, "rateLimits", {"enabled": True, "rules": rules})

    async def test(client: Client) -> None:
        answer = await client.post("/api/batch", json={"requests": [user(1), user(2), user(3)]})
        assert failure(answer.json(), at=2)["status"] == 429
        assert int(answer.headers["retry-after"]) > 0

    serve(limited, test)


def test_a_batch_that_takes_too_long_is_undone_and_others_go_on(
    posts: ProjectHandle, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MBAAS_BATCH_TIMEOUT_MS = 100
    real = record_writes.create_record

    def slowly(*args: Any) -> Any:
        time.sleep(0.03)
        return real(*args)

    monkeypatch.setattr(record_writes, "create_record", slowly)

    async def test(client: Client) -> None:
        began = time.monotonic()
        slow = asyncio.create_task(send(client, *(post(title=f"t{n}") for n in range(50))))
        await asyncio.sleep(0.01)
        other = await client.post(POSTS, json={"title": "other"})
        assert other.status_code == 200
        status, body = await slow
        assert (status, body["message"]) == (503, "The request took too long and was stopped.")
        assert time.monotonic() - began < 1

    serve(posts, test)
    assert titles(posts) == ["other"]


def test_of_batches_that_want_the_same_unique_value_one_wins_whole(project: ProjectHandle) -> None:
    make_posts(project, indexes=["CREATE UNIQUE INDEX one_title ON posts (title)"])

    async def test(client: Client) -> None:
        batches = [
            (post(title=f"first {n}"), post(title="wanted"), post(title=f"last {n}")) for n in range(20)
        ]
        answers = await asyncio.gather(*(send(client, *parts) for parts in batches))
        assert sorted(status for status, _ in answers) == [200] + [400] * 19
        for status, body in answers:
            if status == 400:
                error = failure(body, at=1)["data"]["title"]
                assert error["code"] == "validation_not_unique"

    serve(project, test)
    found = titles(project)
    number = found[0].removeprefix("first ")
    assert found == [f"first {number}", f"last {number}", "wanted"]


def test_upserts_of_one_new_id_at_once_all_succeed(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        answers = await asyncio.gather(
            *(send(client, put(id=ID, title=f"t{n}", **{"n+": 1})) for n in range(20))
        )
        assert [status for status, _ in answers] == [200] * 20

    serve(posts, test)
    with read_session(posts) as session:
        assert session.rows("SELECT n FROM posts") == [(20,)]
