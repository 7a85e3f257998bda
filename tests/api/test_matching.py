"""Update and delete by filter: each record under its rule, bounded, all or nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from tests.accounts.helpers import change_collection
from tests.api.support import Client, records, serve, signed_in
from tests.records.support import call, changes, collection, create, number, relation, text

POSTS = records("posts")


def make(project: ProjectHandle, **options: Any) -> ProjectHandle:
    with write_session(project) as session:
        posts = collection(
            session,
            "posts",
            text("title", required=True),
            number("n", max=100),
            text("owner"),
            text("secret", hidden=True),
            **options,
        )
        for n in range(6):
            create(session, posts, id=f"record{n:09d}", title=f"t{n}", n=n, owner="ann" if n % 2 else "bob")
    return project


@pytest.fixture
def posts(project: ProjectHandle) -> ProjectHandle:
    return make(project)


def state(project: ProjectHandle) -> dict[str, Any]:
    with read_session(project) as session:
        return dict(session.rows("SELECT title, n FROM posts ORDER BY title"))


async def send(client: Client, method: str, query: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    answer = await client.request(method, f"{POSTS}?{query}", json=body, headers=headers)
    return answer.status_code, answer.json()


def test_what_matches_is_changed_or_deleted_and_counted(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        assert await send(client, "PATCH", "filter=n>3", {"n+": 10}) == (200, {"count": 2})
        assert await send(client, "PATCH", "filter=title='none'", {"n": 1}) == (200, {"count": 0})
        assert await send(client, "DELETE", "filter=n<2||owner='nobody'") == (200, {"count": 2})

    serve(posts, test)
    assert state(posts) == {"t2": 2, "t3": 3, "t4": 14, "t5": 15}
    with read_session(posts) as session:
        assert [action for action, _ in changes(session)][6:] == ["update"] * 2 + ["delete"] * 2


@pytest.mark.parametrize(
    ("rules", "changed"),
    [
        ({"updateRule": "owner = 'ann'", "deleteRule": "owner = 'ann'"}, ["t1", "t3", "t5"]),
        # Who may not see a record does not change it either.
        ({"listRule": "n < 2 // the first ones"}, ["t0", "t1"]),
        ({"listRule": "n < 3", "updateRule": "n > 0 // not", "deleteRule": "n > 0"}, ["t1", "t2"]),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_the_caller_may_not_change_or_see_is_passed_over(
    project: ProjectHandle, method: str, rules: Any, changed: list[str]
) -> None:
    make(project, **rules)
    before = {f"t{n}": n for n in range(6)}

    async def test(client: Client) -> None:
        assert await send(client, method, "filter=n>=0", {"n": 50}) == (200, {"count": len(changed)})

    serve(project, test)
    rest = {title: n for title, n in before.items() if title not in changed}
    assert state(project) == (rest if method == "DELETE" else {**before, **dict.fromkeys(changed, 50)})


def test_a_rule_about_the_body_is_asked_of_each_record(project: ProjectHandle) -> None:
    make(project, updateRule="@request.body.n < 8 && owner = 'ann'")

    async def test(client: Client) -> None:
        assert await send(client, "PATCH", "filter=n>=0", {"n+": 4}) == (200, {"count": 2})

    serve(project, test)
    assert state(project) == {"t0": 0, "t1": 5, "t2": 2, "t3": 7, "t4": 4, "t5": 5}


@pytest.mark.parametrize("closed", ["listRule", "updateRule", "deleteRule"])
def test_null_rules_are_for_superusers_only(project: ProjectHandle, closed: str) -> None:
    make(project, **{closed: None})

    async def test(client: Client) -> None:
        for method, rules in (("PATCH", ("listRule", "updateRule")), ("DELETE", ("listRule", "deleteRule"))):
            status, _ = await send(client, method, "filter=n>100", {"n": 1})
            assert status == (403 if closed in rules else 200)

    serve(project, test)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404),
        ("limit=5", 404),
        ("filter=", 400),
        ("filter=%20", 400),
        ("filter=n>", 400),
        ("filter=unknown=1", 400),
        ("filter=secret='x'", 400),
        ("filter=@request.auth.id=''", 403),
        ("filter=n>0&limit=0", 400),
        ("filter=n>0&limit=-1", 400),
        ("filter=n>0&limit=x", 400),
        ("filter=n>0&limit=1001", 400),
        ("filter=n>0&limit=99999999999999999999", 400),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_is_no_filter_or_limit_changes_nothing(
    posts: ProjectHandle, method: str, query: str, status: int
) -> None:
    async def test(client: Client) -> None:
        assert (await send(client, method, query, {"n": 1}))[0] == status

    serve(posts, test)
    assert state(posts) == {f"t{n}": n for n in range(6)}


def test_too_many_are_refused_and_done_in_portions(posts: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_FILTERED_WRITES_MAX = 4

    async def test(client: Client) -> None:
        for method in ("PATCH", "DELETE"):
            status, body = await send(client, method, "filter=n>=0", {"n": 1})
            assert status == 400 and body["data"]["filter"]["code"] == "validation_too_many_records"
            assert body["data"]["filter"]["params"] == {"max": 4}
        counts = [(await send(client, "DELETE", "filter=n>=0&limit=4"))[1]["count"] for _ in range(3)]
        assert counts == [4, 2, 0]

    serve(posts, test)


def test_one_record_that_does_not_take_the_values_undoes_all(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        status, body = await send(client, "PATCH", "filter=n>2", {"n+": 96})
        assert (status, body["message"]) == (400, "Failed to update record record000000005.")
        assert body["data"]["n"]["code"] == "validation_max_number_constraint"

    serve(posts, test)
    assert state(posts) == {f"t{n}": n for n in range(6)}


def test_what_points_to_the_deleted_follows_or_refuses(posts: ProjectHandle) -> None:
    with write_session(posts) as session:
        to = call(session).collection("posts")
        cascading = collection(session, "cascading", relation("of", to, cascadeDelete=True))
        needing = collection(session, "needing", relation("of", to, required=True))
        for n in range(3):
            create(session, cascading, of=f"record{n:09d}")
        create(session, needing, of="record000000005")

    async def test(client: Client) -> None:
        status, body = await send(client, "DELETE", "filter=n>=0")
        assert status == 400 and "required relation" in body["message"]
        assert await send(client, "DELETE", "filter=n<5") == (200, {"count": 5})

    serve(posts, test)
    with read_session(posts) as session:
        assert session.rows("SELECT COUNT(*) FROM cascading") == [(0,)]


def test_sent_again_with_its_key_it_is_done_once(posts: ProjectHandle) -> None:
    key = {"Idempotency-Key": "once"}

    async def test(client: Client) -> None:
        for _ in range(3):
            assert await send(client, "PATCH", "filter=n<50", {"n+": 1}, **key) == (200, {"count": 6})

    serve(posts, test)
    assert state(posts)["t0"] == 1


def test_passwords_are_not_changed_by_filter(project: ProjectHandle) -> None:
    with write_session(project) as session:
        change_collection(session, "users", listRule="", updateRule="", manageRule="id != ''")
        for name in ("a", "b"):
            signed_in(session, f"{name}@example.com")

    async def test(client: Client) -> None:
        new = {"password": "changed 12345", "passwordConfirm": "changed 12345"}
        answer = await client.patch(f"{records('users')}?filter=id!=''", json=new)
        assert answer.status_code == 400 and answer.json()["message"] == "Passwords are changed one by one."
        superusers = await client.delete(f"{records('_superusers')}?filter=id!=''")
        assert superusers.status_code == 403

    serve(project, test)


def test_records_that_change_meanwhile_are_changed_once(posts: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        answers = await asyncio.gather(
            *(send(client, "PATCH", "filter=owner!='done'", {"owner": "done", "n+": 10}) for _ in range(10))
        )
        assert sum(body["count"] for _, body in answers) == 6

    serve(posts, test)
    assert state(posts) == {f"t{n}": n + 10 for n in range(6)}
