from __future__ import annotations

from typing import Any

import pytest

from projects.accounts.auth_methods import auth_methods
from projects.errors import ApiError
from tests.accounts.helpers import call_on, change_collection


@pytest.mark.parametrize("name", ["users", "_superusers"])
def test_a_new_collection_offers_email_and_password(session: Any, name: str) -> None:
    assert auth_methods(call_on(session), name) == {
        "password": {"identityFields": ["email"], "enabled": True},
        "oauth2": {"providers": [], "enabled": False},
        "mfa": {"enabled": False, "duration": 0},
        "otp": {"enabled": False, "duration": 0},
        "authProviders": None,
        "usernamePassword": False,
        "emailPassword": True,
    }


def test_passwords_switched_off_are_not_offered(session: Any) -> None:
    change_collection(session, "users", passwordAuth={"enabled": False})
    answer = auth_methods(call_on(session), "users")
    assert answer["password"] == {"identityFields": [], "enabled": False}
    assert answer["emailPassword"] is False


def test_what_the_server_cannot_do_is_not_offered_whatever_the_options_say(session: Any) -> None:
    change_collection(session, "users", otp={"enabled": True, "duration": 180, "length": 8})
    assert auth_methods(call_on(session), "users")["otp"] == {"enabled": False, "duration": 0}


def test_fields_picks_from_the_answer(session: Any) -> None:
    assert auth_methods(call_on(session, query={"fields": "emailPassword"}), "users") == {
        "emailPassword": True
    }


@pytest.mark.parametrize("name", ["nope", "_authOrigins"])
def test_a_collection_that_nobody_signs_in_to_is_not_found(session: Any, name: str) -> None:
    with pytest.raises(ApiError) as refused:
        auth_methods(call_on(session), name)
    assert refused.value.status == 404
