"""Sign-up and changes of one's own account through the Records API's operations."""

from __future__ import annotations

from typing import Any

import pytest

from projects.accounts.passwords import do_password_work, matches
from projects.errors import ApiError
from projects.principal import GUEST, Principal
from projects.records.auth_fields import UnhashedPasswords
from projects.records.create import create_record
from projects.records.update import update_record
from projects.records.visible import visible
from tests.accounts.helpers import (
    ALICE,
    PASSWORD,
    SUPERUSER,
    call_on,
    change,
    change_collection,
    create,
    enter,
    make_collection,
    sign_up,
    token_of,
    who,
)

REQUIRED = "validation_required"
MISMATCH = "validation_values_mismatch"
NEW = {"password": "a new one 2", "passwordConfirm": "a new one 2"}


def codes(function: Any, *args: Any) -> dict[str, str]:
    """The code of each field's error; empty when there is none."""
    try:
        function(*args)
    except ApiError as error:
        if error.status != 400 or error.message not in (
            "Failed to create record.",
            "Failed to update record.",
        ):
            raise
        return {name: one["code"] for name, one in error.as_json()["data"].items()}
    return {}


@pytest.fixture(params=["guest", "superuser"])
def asker(request: pytest.FixtureRequest) -> Principal:
    return GUEST if request.param == "guest" else SUPERUSER


@pytest.fixture
def alice(session: Any) -> Any:
    for rule in ("listRule", "viewRule", "updateRule"):
        change_collection(session, "users", **{rule: ""})
    change_collection(session, "users", manageRule="@request.auth.name = 'Boss'")
    return sign_up(session, name="Alice")


@pytest.fixture
def boss(session: Any, alice: Any) -> Principal:
    return as_user(session, sign_up(session, "boss@example.com", name="Boss"))


def as_user(session: Any, record: Any) -> Principal:
    return Principal("user", "_pb_users_auth_", "users", record)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"password": REQUIRED, "passwordConfirm": REQUIRED}),
        ({"email": ALICE}, {"password": REQUIRED, "passwordConfirm": REQUIRED}),
        ({"email": ALICE, "password": PASSWORD}, {"passwordConfirm": REQUIRED}),
        ({"email": ALICE, "password": PASSWORD, "passwordConfirm": "x"}, {"passwordConfirm": MISMATCH}),
        ({"email": ALICE, "passwordConfirm": PASSWORD}, {"password": REQUIRED, "passwordConfirm": MISMATCH}),
        # The fields' own checks come only when the form is in order.
        ({"email": "bad", "password": "short", "passwordConfirm": "x"}, {"passwordConfirm": MISMATCH}),
        (
            {"email": "bad", "password": "short", "passwordConfirm": "short"},
            {"email": "validation_is_email", "password": "validation_min_text_constraint"},
        ),
        ({"email": "", "password": PASSWORD, "passwordConfirm": PASSWORD}, {"email": REQUIRED}),
        (
            {"email": ALICE, "password": "x" * 72, "passwordConfirm": "x" * 72},
            {"password": "validation_max_text_constraint"},
        ),
        (
            {"email": ALICE, "password": [PASSWORD], "passwordConfirm": [PASSWORD]},
            {"password": REQUIRED, "passwordConfirm": REQUIRED},
        ),
        ({"email": ALICE, "password": 12345678, "passwordConfirm": "12345678"}, {}),
        ({"email": ALICE, "password": PASSWORD, "passwordConfirm": PASSWORD, "oldPassword": "x"}, {}),
    ],
)
def test_what_a_new_account_needs(
    session: Any, asker: Principal, body: Any, expected: dict[str, str]
) -> None:
    assert codes(create, call_on(session, asker), "users", body) == expected


def test_an_email_has_one_account(session: Any, alice: Any) -> None:
    body = {"email": ALICE, "password": PASSWORD, "passwordConfirm": PASSWORD}
    assert codes(create, call_on(session), "users", body) == {"email": "validation_not_unique"}


@pytest.mark.parametrize(("verified", "expected"), [(True, {"verified": MISMATCH}), (False, {}), ("yes", {})])
def test_nobody_signs_up_as_verified(session: Any, verified: Any, expected: dict[str, str]) -> None:
    body = {"email": ALICE, "password": PASSWORD, "passwordConfirm": PASSWORD, "verified": verified}
    assert codes(create, call_on(session), "users", body) == expected
    assert codes(create, call_on(session, SUPERUSER), "users", {**body, "email": "b@example.com"}) == {}


def test_a_manager_creates_verified_accounts(session: Any, boss: Principal) -> None:
    body = {"email": "new@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD, "verified": True}
    assert create(call_on(session, boss), "users", body)["verified"] is True


def test_the_stored_password_is_a_hash_of_what_was_sent(session: Any) -> None:
    record = sign_up(session)
    (stored,) = session.row("SELECT password FROM users")
    assert PASSWORD not in stored and matches(PASSWORD, stored).right
    assert record["password"] == stored


def test_neither_password_nor_token_key_is_ever_shown(session: Any, alice: Any) -> None:
    for principal in (GUEST, SUPERUSER, as_user(session, alice)):
        call = call_on(session, principal)
        assert not {"password", "tokenKey"} & set(visible(call, call.collection("users"), alice))


@pytest.mark.parametrize(("asker_", "key"), [("guest", None), ("superuser", "k" * 40)])
def test_the_token_key_is_for_superusers_to_choose(session: Any, asker_: str, key: str | None) -> None:
    principal = GUEST if asker_ == "guest" else SUPERUSER
    body = {"email": ALICE, "password": PASSWORD, "passwordConfirm": PASSWORD, "tokenKey": "k" * 40}
    made = create(call_on(session, principal), "users", body)["tokenKey"]
    assert len(made) >= 30 and (made == "k" * 40) is (key is not None)


def test_a_rule_sees_the_password_that_was_sent_but_never_the_stored_one(session: Any) -> None:
    body = {"email": ALICE, "password": PASSWORD, "passwordConfirm": PASSWORD}
    change_collection(session, "users", createRule="@request.body.password = 'something else'")
    with pytest.raises(ApiError):
        create(call_on(session), "users", body)
    change_collection(session, "users", createRule=f"@request.body.password = '{PASSWORD}'")
    assert create(call_on(session), "users", body)["email"] == ALICE


def test_nothing_is_hashed_for_a_write_that_is_refused(session: Any, alice: Any) -> None:
    call = call_on(session)
    users = call.collection("users")
    with pytest.raises(UnhashedPasswords):
        create_record(call, users, {"email": "n@example.com", **NEW})
    for body in (
        {"email": "bad", **NEW},
        {"email": "n@example.com", "password": "x", "passwordConfirm": "x"},
    ):
        with pytest.raises(ApiError):
            create_record(call, users, body)
    change_collection(session, "users", createRule="name = 'allowed'")
    with pytest.raises(ApiError):
        create_record(
            call_on(session), call_on(session).collection("users"), {"email": "n@example.com", **NEW}
        )
    with pytest.raises(ApiError):
        update_record(call, users, alice["id"], NEW)


def test_hashes_made_for_one_password_store_no_other(session: Any) -> None:
    call = call_on(session)
    users = call.collection("users")
    with pytest.raises(UnhashedPasswords) as first:
        create_record(call, users, {"email": ALICE, **NEW})
    hashed = do_password_work(first.value.work)
    other = {"password": "not that one 3", "passwordConfirm": "not that one 3"}
    with pytest.raises(UnhashedPasswords):
        create_record(call, users, {"email": ALICE, **other}, hashed)
    assert create_record(call, users, {"email": ALICE, **NEW}, hashed)["email"] == ALICE


def test_who_makes_an_account_is_a_sign_up_unless_a_superuser_does(session: Any) -> None:
    for principal, is_sign_up in ((GUEST, True), (SUPERUSER, False)):
        call = call_on(session, principal)
        with pytest.raises(UnhashedPasswords) as needed:
            create_record(call, call.collection("users"), {"email": ALICE, **NEW})
        assert needed.value.work.sign_up is is_sign_up


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "x"}, {}),
        ({"email": "new@example.com"}, {"email": MISMATCH}),
        ({"email": ALICE}, {}),
        ({"email": ALICE.upper()}, {"email": MISMATCH}),
        ({"email": ""}, {"email": MISMATCH}),
        ({"email": None}, {"email": MISMATCH}),
        ({"verified": True}, {"verified": MISMATCH}),
        ({"verified": False}, {}),
        ({"emailVisibility": True}, {}),
        ({"tokenKey": "z" * 40}, {}),
        ({"password": "a new one 2"}, {"oldPassword": REQUIRED, "passwordConfirm": REQUIRED}),
        (NEW, {"oldPassword": REQUIRED}),
        ({**NEW, "oldPassword": "wrong"}, {"oldPassword": "validation_invalid_old_password"}),
        ({**NEW, "oldPassword": PASSWORD, "passwordConfirm": "x"}, {"passwordConfirm": MISMATCH}),
        (
            {"password": "short", "passwordConfirm": "short", "oldPassword": PASSWORD},
            {"password": "validation_min_text_constraint"},
        ),
        ({"oldPassword": PASSWORD}, {"password": REQUIRED, "passwordConfirm": REQUIRED}),
        (
            {"passwordConfirm": PASSWORD},
            {"oldPassword": REQUIRED, "password": REQUIRED, "passwordConfirm": MISMATCH},
        ),
        ({"oldPassword": "", "passwordConfirm": None}, {}),
        ({"password": ""}, {"password": REQUIRED}),
        ({"password": None}, {"password": REQUIRED}),
        (
            {"password": "", "passwordConfirm": "", "oldPassword": "x"},
            {"password": REQUIRED, "passwordConfirm": REQUIRED},
        ),
        (
            {"email": "new@example.com", "verified": True, "password": "p"},
            {"email": MISMATCH, "verified": MISMATCH, "oldPassword": REQUIRED, "passwordConfirm": REQUIRED},
        ),
        ({**NEW, "oldPassword": PASSWORD}, {}),
    ],
)
@pytest.mark.parametrize("by", ["themselves", "a guest whom the rule lets"])
def test_what_somebody_may_change_of_an_account(
    session: Any, alice: Any, body: Any, expected: dict[str, str], by: str
) -> None:
    principal = as_user(session, alice) if by == "themselves" else GUEST
    assert codes(change, call_on(session, principal), "users", alice["id"], body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"email": "new@example.com", "verified": True}, {}),
        ({"email": ""}, {"email": REQUIRED}),
        ({"email": "bad"}, {"email": "validation_is_email"}),
        (NEW, {}),
        ({**NEW, "oldPassword": "wrong"}, {}),
        ({"password": "a new one 2"}, {"passwordConfirm": REQUIRED}),
        ({"oldPassword": "wrong"}, {"password": REQUIRED, "passwordConfirm": REQUIRED}),
        ({"password": "", "passwordConfirm": ""}, {"password": REQUIRED}),
        ({"passwordConfirm": ""}, {}),
    ],
)
@pytest.mark.parametrize("by", ["superuser", "manager"])
def test_a_manager_needs_no_old_password(
    session: Any, alice: Any, boss: Principal, body: Any, expected: dict[str, str], by: str
) -> None:
    principal = SUPERUSER if by == "superuser" else boss
    assert codes(change, call_on(session, principal), "users", alice["id"], body) == expected


def test_a_new_password_signs_in_and_the_old_one_does_not(session: Any, alice: Any) -> None:
    token = token_of(session)
    change(call_on(session, who(session, token)), "users", alice["id"], {**NEW, "oldPassword": PASSWORD})
    assert who(session, token) is GUEST
    assert enter(session)["status"] == 400
    assert enter(session, password=NEW["password"])["token"]


def test_the_same_password_again_ends_the_sessions_too(session: Any, alice: Any) -> None:
    token = token_of(session)
    again = {"password": PASSWORD, "passwordConfirm": PASSWORD, "oldPassword": PASSWORD}
    change(call_on(session, who(session, token)), "users", alice["id"], again)
    assert who(session, token) is GUEST


@pytest.mark.parametrize("by", ["themselves", "manager"])
def test_only_superusers_set_a_token_key(session: Any, alice: Any, boss: Principal, by: str) -> None:
    principal = as_user(session, alice) if by == "themselves" else boss
    assert (
        change(call_on(session, principal), "users", alice["id"], {"tokenKey": "z" * 40})["tokenKey"]
        == alice["tokenKey"]
    )
    assert (
        change(call_on(session, SUPERUSER), "users", alice["id"], {"tokenKey": "z" * 40})["tokenKey"]
        == "z" * 40
    )


def test_a_password_that_was_proved_for_another_hash_proves_nothing(session: Any, alice: Any) -> None:
    body = {**NEW, "oldPassword": PASSWORD}
    call = call_on(session, as_user(session, alice))
    users = call.collection("users")
    with pytest.raises(UnhashedPasswords) as needed:
        update_record(call, users, alice["id"], body)
    hashed = do_password_work(needed.value.work)
    other = {"password": "set meanwhile 3", "passwordConfirm": "set meanwhile 3"}
    change(call_on(session, SUPERUSER), "users", alice["id"], other)
    assert codes(update_record, call, users, alice["id"], body, hashed) == {
        "oldPassword": "validation_invalid_old_password"
    }
    bobs = sign_up(session, "bob@example.com")
    assert codes(update_record, call_on(session), users, bobs["id"], body, hashed) == {
        "oldPassword": "validation_invalid_old_password"
    }


def test_a_password_field_of_any_collection_is_hashed(session: Any) -> None:
    make_collection(session, "doors", {"name": "code", "type": "password"}, type="base")
    change_collection(session, "doors", createRule="", updateRule="")
    record = create(call_on(session), "doors", {"code": "1234"})
    assert matches("1234", record["code"]).right
    changed = change(call_on(session), "doors", record["id"], {"code": "9876"})
    assert matches("9876", changed["code"]).right
    assert change(call_on(session), "doors", record["id"], {"code": ""})["code"] == ""


def test_hidden_fields_are_written_by_superusers_alone(session: Any) -> None:
    make_collection(
        session,
        "notes",
        {"name": "secret", "type": "text", "hidden": True},
        {"name": "n", "type": "number", "hidden": True},
        type="base",
        createRule="",
        updateRule="",
    )
    record = create(call_on(session), "notes", {"secret": "x", "n+": 5, "secret:autogenerate": "y"})
    assert (record["secret"], record["n"]) == ("", 0)
    assert create(call_on(session, SUPERUSER), "notes", {"secret": "x"})["secret"] == "x"
    assert change(call_on(session), "notes", record["id"], {"secret": "x", "n+": 5})["n"] == 0
    assert change(call_on(session, SUPERUSER), "notes", record["id"], {"n+": 5})["n"] == 5


def test_no_account_takes_the_id_of_one_in_another_collection(session: Any, asker: Principal) -> None:
    """Rules compare ``@request.auth.id`` alone: it would pass for the other."""
    make_collection(session, "staff", createRule="")
    taken = sign_up(session)["id"]
    body = {"email": "eve@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD}
    found = codes(create, call_on(session, asker), "staff", {**body, "id": taken})
    assert found == {"id": "validation_invalid_auth_id"}
    assert codes(create, call_on(session, asker), "staff", {**body, "id": "s00000000000own"}) == {}
