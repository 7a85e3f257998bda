"""Signing in over HTTP: the routes, through lanes and threads, inside a project."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from starlette.routing import Router

from projects.accounts import service_keys, superusers
from projects.api import auth, records
from projects.context import ProjectHandle, use_project
from projects.control.actor import COMMAND
from projects.control.keys import create_key
from projects.databases import write_session
from projects.databases.lanes import stop_lanes
from projects.models import AuditEntry, Project
from tests.accounts.helpers import ALICE, PASSWORD, change_collection, join, person, sign_up
from tests.hosting import host

Client = httpx.AsyncClient
SIGN_IN = "/api/collections/users/auth-with-password"
FAILED = {"status": 400, "message": "Failed to authenticate.", "data": {}}
NEW = {"password": "a new one 2", "passwordConfirm": "a new one 2"}


@pytest.fixture(autouse=True)
def _quiet(settings: Any, transactional_db: None) -> Iterator[None]:
    settings.MBAAS_SIGN_IN_REFUSAL_MS = 0
    superusers._cache.forget()
    service_keys._cache.forget()
    yield
    stop_lanes(5)


def client_of(project: ProjectHandle) -> Client:
    """A client of the project's routes, called inside the project as the server does."""
    router = Router([*auth.routes, *records.routes], redirect_slashes=False)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with use_project(project):
            await router(scope, receive, send)

    return Client(transport=httpx.ASGITransport(app, client=("192.0.2.1", 1)), base_url="http://test")


def serve(project: ProjectHandle, test: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        async with client_of(project) as client:
            await test(client)

    asyncio.run(run())


@pytest.fixture
def alice(hosted_project: ProjectHandle) -> Any:
    with write_session(hosted_project) as session:
        return sign_up(session)


async def sign_in(
    client: Client, identity: str = ALICE, password: str = PASSWORD, name: str = "users"
) -> Any:
    body = {"identity": identity, "password": password}
    return await client.post(f"/api/collections/{name}/auth-with-password", json=body)


def test_sign_up_sign_in_refresh_and_change_of_password(hosted_project: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        body = {"email": ALICE, "password": PASSWORD, "passwordConfirm": PASSWORD}
        made = await client.post("/api/collections/users/records", json=body)
        assert made.status_code == 200 and "email" not in made.json(), made.text
        answer = (await sign_in(client)).json()
        assert answer["record"]["id"] == made.json()["id"]
        holder = {"Authorization": answer["token"]}
        refreshed = await client.post("/api/collections/users/auth-refresh", headers=holder)
        assert refreshed.status_code == 200 and refreshed.json()["record"]["email"] == ALICE
        record = f"/api/collections/users/records/{made.json()['id']}"
        assert (await client.get(record, headers=holder)).json()["email"] == ALICE
        wrong = await client.patch(record, json={**NEW, "oldPassword": "wrong"}, headers=holder)
        assert wrong.json()["data"]["oldPassword"]["code"] == "validation_invalid_old_password"
        changed = await client.patch(record, json={**NEW, "oldPassword": PASSWORD}, headers=holder)
        assert changed.status_code == 200, changed.text
        assert (await client.post("/api/collections/users/auth-refresh", headers=holder)).status_code == 401
        assert (await sign_in(client)).json() == FAILED
        assert (await sign_in(client, password=NEW["password"])).status_code == 200

    serve(hosted_project, test)


@pytest.mark.parametrize(
    ("content", "kind", "status", "message"),
    [
        (b"", "application/json", 400, "An error occurred while validating the submitted data."),
        (b"null", "application/json", 400, "An error occurred while validating the submitted data."),
        (b"{bad", "application/json", 400, "An error occurred while loading the submitted data."),
        (b"[]", "application/json", 400, "An error occurred while loading the submitted data."),
        (b'"x"', "application/json", 400, "An error occurred while loading the submitted data."),
        (
            b'{"identity":"\xff","password":"x"}',
            "application/json",
            400,
            "An error occurred while loading the submitted data.",
        ),
        (b"identity=x", "text/plain", 400, "Unsupported Content-Type."),
        (
            b"identity=alice%40example.com&password=wrong",
            "application/x-www-form-urlencoded",
            400,
            FAILED["message"],
        ),
        (b"identity=alice%40example.com&password=12345678", "application/x-www-form-urlencoded", 200, None),
        (
            b'{"identity":"alice@example.com","password":"12345678"}',
            "application/json; charset=utf-8",
            200,
            None,
        ),
        (
            b'{"identity":"alice@example.com","password":12345678}',
            "application/json",
            400,
            "An error occurred while loading the submitted data.",
        ),
    ],
)
def test_bodies_are_json_or_forms(
    hosted_project: ProjectHandle, content: bytes, kind: str, status: int, message: str | None
) -> None:
    with write_session(hosted_project) as session:
        sign_up(session, password="12345678", passwordConfirm="12345678")

    async def test(client: Client) -> None:
        answer = await client.post(SIGN_IN, content=content, headers={"content-type": kind})
        assert (answer.status_code, answer.json().get("message")) == (status, message)

    serve(hosted_project, test)


def test_a_multipart_form_signs_in(hosted_project: ProjectHandle, alice: Any) -> None:
    async def test(client: Client) -> None:
        fields = {"identity": (None, ALICE), "password": (None, PASSWORD)}
        assert (await client.post(SIGN_IN, files=fields)).status_code == 200

    serve(hosted_project, test)


def test_broken_bodies_say_nothing_before_the_collection_does(hosted_project: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        for name, status in (("nope", 404), ("_authOrigins", 404), ("users", 400)):
            answer = await client.post(
                f"/api/collections/{name}/auth-with-password",
                content=b"{bad",
                headers={"content-type": "application/json"},
            )
            assert answer.status_code == status

    serve(hosted_project, test)


@pytest.mark.parametrize("path", ["request-otp", "auth-with-otp", "auth-with-oauth2"])
def test_a_way_that_is_switched_off_says_so(hosted_project: ProjectHandle, path: str) -> None:
    async def test(client: Client) -> None:
        way = "OAuth2" if path.endswith("oauth2") else "OTP"
        answer = await client.post(f"/api/collections/users/{path}", content=b"{bad")
        message = f"The collection is not configured to allow {way} authentication."
        assert answer.json() == {"status": 403, "message": message, "data": {}}
        for name in ("nope", "_authOrigins"):
            assert (await client.post(f"/api/collections/{name}/{path}", json={})).status_code == 404

    serve(hosted_project, test)


def test_the_wait_grows_and_says_so_alike_for_known_and_unknown(
    hosted_project: ProjectHandle, alice: Any
) -> None:
    async def test(client: Client) -> None:
        for identity in (ALICE, "nobody@example.com"):
            answers = [await sign_in(client, identity, "wrong") for _ in range(7)]
            assert [one.status_code for one in answers] == [400] * 6 + [429]
            assert answers[-1].json() == {"status": 429, "message": "Too Many Requests.", "data": {}}
            assert answers[-1].headers["retry-after"] == "2"
        assert (await sign_in(client)).status_code == 429

    serve(hosted_project, test)


def test_a_throttle_and_a_token_of_one_project_say_nothing_in_another(
    make_project: Any, transactional_db: None
) -> None:
    first, second = make_project("first"), make_project("second")
    for handle in (first, second):
        with write_session(handle) as session:
            sign_up(session)

    async def test() -> None:
        async with client_of(first) as one, client_of(second) as two:
            for _ in range(7):
                await sign_in(one, password="wrong")
            assert (await sign_in(one)).status_code == 429
            holder = {"Authorization": (await sign_in(two)).json()["token"]}
            refresh = "/api/collections/users/auth-refresh"
            assert (await two.post(refresh, headers=holder)).status_code == 200
            assert (await one.post(refresh, headers=holder)).status_code == 401

    asyncio.run(test())


def test_a_console_password_is_not_guessed_project_by_project(
    make_project: Any, transactional_db: None, settings: Any
) -> None:
    cache.clear()
    settings.MBAAS_CONSOLE_SIGN_IN_LIMIT = 4
    handles = [make_project(f"p{i}") for i in range(3)]
    user = person()
    for handle in handles:
        host(handle)
        join(handle, user)

    async def test() -> None:
        codes = []
        for handle in handles:
            async with client_of(handle) as client:
                right = await sign_in(client, "owner@example.com", name="_superusers")
                codes.append(right.status_code)
                for _ in range(2):
                    wrong = await sign_in(client, "owner@example.com", "wrong", "_superusers")
                    codes.append(wrong.status_code)
        assert codes == [200, 400, 400, 200, 400, 400, 200, 400, 400]
        async with client_of(handles[0]) as client:
            codes = [
                (await sign_in(client, "owner@example.com", "wrong", "_superusers")).status_code
                for _ in range(3)
            ]
        assert codes == [400, 400, 429]
        async with client_of(handles[1]) as client:
            assert (await sign_in(client, "owner@example.com", name="_superusers")).status_code == 429

    asyncio.run(test())
    cache.clear()


def test_guesses_at_an_old_password_are_throttled_too(hosted_project: ProjectHandle, alice: Any) -> None:
    with write_session(hosted_project) as session:
        change_collection(session, "users", updateRule="")

    async def test(client: Client) -> None:
        record = f"/api/collections/users/records/{alice['id']}"
        tries = [await client.patch(record, json={**NEW, "oldPassword": f"guess {i}"}) for i in range(7)]
        assert [one.status_code for one in tries] == [400] * 6 + [429]
        assert (await client.patch(record, json={**NEW, "oldPassword": PASSWORD})).status_code == 429

    serve(hosted_project, test)


def test_sign_ups_of_one_address_are_limited_and_superusers_are_not(hosted_project: ProjectHandle) -> None:
    strict = {"enabled": True, "rules": [{"label": "*:signUp", "duration": 600, "maxRequests": 2}]}
    limited = replace(hosted_project, settings=(("rateLimits", strict),))
    key = create_key(COMMAND, Project.objects.get(), kind="service").text

    async def test(client: Client) -> None:
        async def make(i: int, **headers: str) -> int:
            body = {"email": f"a{i}@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD}
            return (
                await client.post("/api/collections/users/records", json=body, headers=headers)
            ).status_code

        # What is refused anyway is no sign-up.
        for _ in range(5):
            assert (
                await client.post("/api/collections/users/records", json={"email": "bad"})
            ).status_code == 400
        assert [await make(i) for i in range(4)] == [200, 200, 429, 429]
        assert await make(9, Authorization=key) == 200

    serve(limited, test)


def test_a_refusal_is_never_quicker_than_the_slowest_hash(
    hosted_project: ProjectHandle, alice: Any, settings: Any
) -> None:
    settings.MBAAS_SIGN_IN_REFUSAL_MS = 150

    async def test(client: Client) -> None:
        for identity in (ALICE, "nobody@example.com"):
            began = time.monotonic()
            assert (await sign_in(client, identity, "wrong")).json() == FAILED
            assert time.monotonic() - began >= 0.15

    serve(hosted_project, test)


def test_an_imported_hash_is_upgraded_in_a_write_of_its_own(
    hosted_project: ProjectHandle, alice: Any
) -> None:
    import bcrypt

    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    with write_session(hosted_project) as session:
        session.execute(session.sql("UPDATE users SET password = ?"), (old,))

    async def test(client: Client) -> None:
        assert (await sign_in(client)).status_code == 200
        assert (await sign_in(client)).status_code == 200

    serve(hosted_project, test)
    with write_session(hosted_project) as session:
        assert not str(session.row("SELECT password FROM users")).startswith("('$2")


def test_a_member_signs_in_as_superuser_and_it_is_audited(hosted_project: ProjectHandle) -> None:
    join(hosted_project, person())

    async def test(client: Client) -> None:
        answer = await sign_in(client, "owner@example.com", name="_superusers")
        assert answer.status_code == 200, answer.text
        holder = {"Authorization": answer.json()["token"]}
        listed = await client.get("/api/collections/_superusers/records", headers=holder)
        assert [one["email"] for one in listed.json()["items"]] == ["owner@example.com"]
        record = f"/api/collections/_superusers/records/{answer.json()['record']['id']}"
        assert (await client.get(record, headers=holder)).json() == listed.json()["items"][0]
        for method, path in (
            ("POST", "/api/collections/_superusers/records"),
            ("PATCH", record),
            ("DELETE", record),
        ):
            refused = await client.request(method, path, json={}, headers=holder)
            assert refused.status_code == 400 and "members" in refused.json()["message"]
            assert (await client.request(method, path, json={})).status_code == 403
        made = await client.post(
            "/api/collections/users/records",
            json={"email": ALICE, "password": PASSWORD, "passwordConfirm": PASSWORD, "verified": True},
            headers=holder,
        )
        assert made.json()["verified"] is True and made.json()["email"] == ALICE
        path = f"/api/collections/users/impersonate/{made.json()['id']}"
        assert (await client.post(path, json={"duration": 60}, headers=holder)).status_code == 200
        assert (await client.post(path, json={"duration": 60})).status_code == 401

    serve(hosted_project, test)
    entry = AuditEntry.objects.get(action="person.signed_in")
    assert entry.actor == "owner@example.com" and hosted_project.ref in entry.details["how"]
    assert entry.ip == "192.0.2.1"


def test_no_answer_and_no_log_holds_a_password_or_a_hash(
    hosted_project: ProjectHandle, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    texts: list[str] = []

    async def test(client: Client) -> None:
        body = {"email": ALICE, "password": PASSWORD, "passwordConfirm": PASSWORD}
        answers = [
            await client.post("/api/collections/users/records", json=body),
            await client.post("/api/collections/users/records", json=body),
            await sign_in(client),
            await sign_in(client, password="wrong " + PASSWORD),
        ]
        texts.extend(answer.text for answer in answers)

    serve(hosted_project, test)
    with write_session(hosted_project) as session:
        row = session.row('SELECT password, "tokenKey" FROM users')
    assert row is not None
    shown = "".join(texts) + caplog.text + "".join(capsys.readouterr())
    assert all(secret not in shown for secret in (PASSWORD, *row))
