from __future__ import annotations

from typing import Any

import pytest

from projects.accounts.refresh import auth_refresh
from projects.accounts.tokens import issue_token
from projects.errors import ApiError
from tests.accounts.helpers import (
    SUPERUSER,
    call_on,
    change,
    change_collection,
    make_collection,
    sign_up,
    token_of,
    who,
)

pytestmark = pytest.mark.usefixtures("db")

GUESTS = {"status": 401, "message": "The request requires valid record authorization token.", "data": {}}


def refresh(session: Any, token: str, name: str = "users", **query: str) -> dict[str, Any]:
    try:
        return auth_refresh(call_on(session, who(session, token), query=query), name, token)
    except ApiError as error:
        return error.as_json()


@pytest.fixture
def alice(session: Any) -> Any:
    return sign_up(session)


def test_a_valid_token_gives_a_new_one_and_the_record(session: Any, alice: Any) -> None:
    answer = refresh(session, token_of(session))
    assert who(session, answer["token"]).id == alice["id"] == answer["record"]["id"]
    assert answer["record"]["email"] == alice["email"]


@pytest.mark.parametrize("name", ["users", "_pb_users_auth_", "USERS"])
def test_the_collection_may_be_named_in_any_way(session: Any, alice: Any, name: str) -> None:
    assert refresh(session, token_of(session), name)["token"]


def test_a_token_that_is_not_refreshable_comes_back_as_it_is(session: Any, alice: Any) -> None:
    users = call_on(session).collection("users")
    token = issue_token(session.project, users, alice, refreshable=False, seconds=5)
    assert refresh(session, token)["token"] == token


@pytest.mark.parametrize("token", ["", "bad", "sk_nope", "a.b.c"])
@pytest.mark.parametrize("name", ["users", "_superusers", "_authOrigins"])
def test_guests_are_refused(session: Any, token: str, name: str) -> None:
    assert refresh(session, token, name) == GUESTS


def test_an_unknown_collection_is_not_found_for_anybody(session: Any, alice: Any) -> None:
    answer = {"status": 404, "message": "Missing or invalid collection context.", "data": {}}
    assert refresh(session, "", "nope") == answer == refresh(session, token_of(session), "nope")


@pytest.mark.parametrize("name", ["members", "_superusers", "_authOrigins"])
def test_a_token_of_another_collection_is_refused(session: Any, alice: Any, name: str) -> None:
    make_collection(session, "members")
    message = "The request requires auth record from users collection."
    assert refresh(session, token_of(session), name) == {"status": 403, "message": message, "data": {}}


def test_who_may_no_longer_sign_in_gets_no_new_token(session: Any, alice: Any) -> None:
    change_collection(session, "users", authRule="verified = false")
    token = token_of(session)
    change(call_on(session, SUPERUSER), "users", alice["id"], {"verified": True})
    assert refresh(session, token)["status"] == 403


def test_a_rotated_token_key_ends_the_right_to_refresh(session: Any, alice: Any) -> None:
    token = token_of(session)
    change(call_on(session, SUPERUSER), "users", alice["id"], {"email": "new@example.com"})
    assert refresh(session, token) == GUESTS


def test_fields_picks_from_the_answer(session: Any, alice: Any) -> None:
    assert refresh(session, token_of(session), fields="record.id") == {"record": {"id": alice["id"]}}
