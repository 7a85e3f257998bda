from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.schema import collection_to_json, load_schema
from tests.schema.helpers import change, errors, make


def users_json(session: Session) -> dict[str, Any]:
    users = load_schema(session).get("users")
    assert users is not None
    return collection_to_json(users)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({"authToken": {"duration": 9}}, {"authToken": {"duration": "Must be no less than 10."}}),
        ({"fileToken": {"duration": -5}}, {"fileToken": {"duration": "Must be no less than 10."}}),
        ({"authToken": {"duration": 0}}, {"authToken": {"duration": "Cannot be blank."}}),
        (
            {"verificationToken": {"duration": 94_670_857}},
            {"verificationToken": {"duration": "Must be no greater than 94670856."}},
        ),
        (
            {"authToken": {"secret": "short"}},
            {"authToken": {"secret": "The length must be between 30 and 255."}},
        ),
        ({"fileToken": {"secret": ""}}, {"fileToken": {"secret": "Cannot be blank."}}),
        (
            {"passwordAuth": {"identityFields": ["name"]}},
            {"passwordAuth": {"identityFields": "The field name doesn't have a UNIQUE constraint."}},
        ),
        (
            {"passwordAuth": {"identityFields": ["nope"]}},
            {"passwordAuth": {"identityFields": "Invalid or missing field nope."}},
        ),
        (
            {"passwordAuth": {"identityFields": ["email", ""]}},
            {"passwordAuth": {"identityFields": "Invalid or missing field."}},
        ),
        ({"passwordAuth": {"identityFields": []}}, {"passwordAuth": {"identityFields": "Cannot be blank."}}),
        (
            {"mfa": {"enabled": True}},
            {"mfa": {"enabled": "MFA requires at least 2 auth methods to be enabled."}},
        ),
        (
            {"mfa": {"enabled": True, "duration": 86_401}, "otp": {"enabled": True}},
            {"mfa": {"duration": "Must be no greater than 86400."}},
        ),
        (
            {"otp": {"enabled": True, "length": 3, "duration": 5}},
            {"otp": {"duration": "Must be no less than 10.", "length": "Must be no less than 4."}},
        ),
        (
            {"otp": {"enabled": True, "length": 0, "duration": 0}},
            {"otp": {"duration": "Cannot be blank.", "length": "Cannot be blank."}},
        ),
        (
            {"otp": {"emailTemplate": {"subject": ""}}},
            {"otp": {"emailTemplate": {"subject": "Cannot be blank."}}},
        ),
        (
            {"verificationTemplate": {"subject": "", "body": ""}},
            {"verificationTemplate": {"subject": "Cannot be blank.", "body": "Cannot be blank."}},
        ),
        (
            {"authAlert": {"enabled": False, "emailTemplate": {"body": ""}}},
            {"authAlert": {"emailTemplate": {"body": "Cannot be blank."}}},
        ),
        (
            {
                "oauth2": {
                    "enabled": True,
                    "providers": [{"name": "nope"}, {"clientId": "a", "clientSecret": "b"}],
                }
            },
            {
                "oauth2": {
                    "providers": {
                        "0": {
                            "name": "Invalid or missing provider with name nope.",
                            "clientId": "Cannot be blank.",
                            "clientSecret": "Cannot be blank.",
                        },
                        "1": {"name": "Cannot be blank."},
                    }
                }
            },
        ),
        (
            {
                "oauth2": {
                    "enabled": True,
                    "providers": [{"name": "google", "clientId": "a", "clientSecret": "b"}] * 2,
                }
            },
            {"oauth2": {"providers": {"1": {"name": "The provider google is already registered."}}}},
        ),
    ],
)
def test_options_are_refused_with(session: Session, sent: dict[str, Any], found: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        change(session, "users", **sent)
    assert messages(errors(caught.value)) == found


def messages(tree: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value["message"] if isinstance(value.get("message"), str) else messages(value)
        for key, value in tree.items()
    }


@pytest.mark.parametrize(
    "sent",
    [
        {"otp": {"enabled": False, "length": 0, "duration": 0}},
        {"mfa": {"enabled": False, "duration": 1, "rule": "whatever"}},
        {"passwordAuth": {"enabled": False, "identityFields": []}},
        {"oauth2": {"enabled": False, "providers": [{"name": "nope"}]}},
        {"authToken": {"duration": 94_670_856}},
        {"otp": {"enabled": True, "length": 4, "duration": 10}, "mfa": {"enabled": True}},
        {"authToken": None, "authAlert": None},
        {"authRule": None, "manageRule": "id = 'x'"},
    ],
)
def test_what_is_switched_off_is_not_checked(session: Session, sent: dict[str, Any]) -> None:
    change(session, "users", **sent)


def test_objects_are_merged_key_by_key(session: Session) -> None:
    before = users_json(session)
    change(session, "users", passwordAuth={"enabled": False}, verificationTemplate={"subject": "Welcome"})
    after = users_json(session)
    assert after["passwordAuth"] == {"enabled": False, "identityFields": ["email"]}
    assert after["verificationTemplate"] == {
        "subject": "Welcome",
        "body": before["verificationTemplate"]["body"],
    }


def test_an_identity_field_needs_a_unique_index_of_its_own(session: Session) -> None:
    make(session, "members", {"name": "handle", "type": "text"}, type="auth")
    for text in ("CREATE UNIQUE INDEX u ON m (handle, email)", "CREATE INDEX u ON m (handle)",
                 "CREATE UNIQUE INDEX u ON m (handle) WHERE verified = 1"):  # fmt: skip
        with pytest.raises(ApiError):
            change(session, "members", indexes=[text], passwordAuth={"identityFields": ["handle"]})
    text = "CREATE UNIQUE INDEX u ON members (handle) WHERE handle != ''"
    made = change(session, "members", indexes=[text], passwordAuth={"identityFields": ["handle", "email"]})
    assert made.options["passwordAuth"]["identityFields"] == ["handle", "email"]


def test_secrets_that_are_not_sent_again_stay(session: Session) -> None:
    google = {"name": "google", "clientId": "a", "clientSecret": "hidden", "extra": {"x": 1}, "bogus": 1}
    change(session, "users", oauth2={"enabled": True, "providers": [google]})
    made = change(session, "users", oauth2={"providers": [{"name": "google", "clientId": "b"}]})
    assert made.options["oauth2"]["providers"][0]["clientSecret"] == "hidden"
    assert users_json(session)["oauth2"]["providers"] == [
        {"pkce": None, "name": "google", "clientId": "b", "authURL": "", "tokenURL": "", "userInfoURL": "",
         "displayName": "", "extra": {"x": 1}}
    ]  # fmt: skip
    secret = made.options["authToken"]["secret"]
    assert change(session, "users", authToken={"duration": 60}).options["authToken"]["secret"] == secret


def test_a_new_token_secret_is_taken_over(session: Session) -> None:
    made = change(session, "users", authToken={"secret": "x" * 40})
    assert made.options["authToken"]["secret"] == "x" * 40


def test_values_of_a_provider_go_only_to_fields_that_exist(session: Session) -> None:
    change(session, "users", oauth2={"mappedFields": {"name": "nope", "id": "verified"}})
    assert users_json(session)["oauth2"]["mappedFields"] == {
        "id": "verified", "name": "", "username": "", "avatarURL": "avatar",
    }  # fmt: skip


def test_a_base_collection_has_no_auth_options(session: Session) -> None:
    made = make(session, "t", authRule="x", otp={"enabled": True})
    assert "otp" not in collection_to_json(made)
    assert made.options == {}
