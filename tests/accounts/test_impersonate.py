from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from projects.accounts.impersonate import impersonate
from projects.errors import ApiError
from projects.principal import GUEST, Principal
from tests.accounts.helpers import SUPERUSER, call_on, change_collection, sign_up, who

LOADING = "An error occurred while loading the submitted data."
NOT_FOUND = "The requested resource wasn't found."


@pytest.fixture
def alice(session: Any) -> Any:
    return sign_up(session)


def ask(
    session: Any, record_id: str, body: Any, name: str = "users", principal: Principal = SUPERUSER
) -> dict[str, Any]:
    try:
        return impersonate(call_on(session, principal), name, record_id, body)
    except ApiError as error:
        return error.as_json()


@pytest.mark.parametrize(
    ("body", "seconds"),
    [({}, 432_000), ({"duration": 0}, 432_000), ({"duration": None}, 432_000), ({"duration": 100}, 100)],
)
def test_a_superuser_gets_a_token_of_the_user_that_cannot_be_refreshed(
    session: Any, alice: Any, body: dict[str, Any], seconds: int
) -> None:
    change_collection(session, "users", authRule=None)
    answer = ask(session, alice["id"], body)
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert claims["refreshable"] is False and abs(claims["exp"] - time.time() - seconds) < 5
    assert who(session, answer["token"]).id == alice["id"] == answer["record"]["id"]
    assert who(session, answer["token"]).kind == "user"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, LOADING),
        ({"duration": "5"}, LOADING),
        ({"duration": 1.5}, LOADING),
        ({"duration": True}, LOADING),
        ({"duration": -1}, "An error occurred while validating the submitted data."),
    ],
)
def test_a_duration_is_a_whole_number_from_zero(session: Any, alice: Any, body: Any, message: str) -> None:
    answer = ask(session, alice["id"], body)
    assert (answer["status"], answer["message"]) == (400, message)
    assert ask(session, "nope", body)["message"] == NOT_FOUND


@pytest.mark.parametrize("name", ["nope", "_authOrigins", "users", "_superusers"])
def test_it_is_for_superusers_alone(session: Any, alice: Any, name: str) -> None:
    user = Principal("user", "_pb_users_auth_", "users", alice)
    assert ask(session, alice["id"], {}, name, GUEST)["status"] == 401
    assert ask(session, alice["id"], {}, name, user)["status"] == 403


@pytest.mark.parametrize("record_id", ["nope", "", "x" * 15])
def test_an_unknown_user_is_not_found(session: Any, record_id: str) -> None:
    assert ask(session, record_id, {}) == {"status": 404, "message": NOT_FOUND, "data": {}}


def test_nobody_impersonates_a_superuser(session: Any) -> None:
    assert ask(session, "x" * 15, {}, "_superusers")["status"] == 403
