from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bcrypt
import pytest

from projects.accounts import signin
from projects.accounts.passwords import Match
from projects.databases import read_session, write_session
from projects.errors import ApiError
from projects.schema.fields.registry import field_to_json
from tests.accounts.helpers import (
    ALICE,
    PASSWORD,
    SUPERUSER,
    call_on,
    change,
    change_collection,
    copy_of,
    enter,
    make_collection,
    sign_up,
    who,
)

FAILED = {"status": 400, "message": "Failed to authenticate.", "data": {}}
LOADING = {"status": 400, "message": "An error occurred while loading the submitted data.", "data": {}}
REQUIRED = {"code": "validation_required", "message": "Cannot be blank."}
TOO_LONG = {
    "code": "validation_length_out_of_range",
    "message": "The length must be between 1 and 255.",
    "params": {"max": 255, "min": 1},
}
NOT_A_CHOICE = {"code": "validation_in_invalid", "message": "Must be a valid value."}


def invalid(**fields: Any) -> dict[str, Any]:
    message = "An error occurred while validating the submitted data."
    return {"status": 400, "message": message, "data": fields}


@pytest.fixture
def alice(session: Any) -> Any:
    return sign_up(session)


def _answer(session: Any, body: Any, name: str = "users") -> dict[str, Any]:
    try:
        claim = signin.claim_identity(call_on(session), name, body)
    except ApiError as error:
        return error.as_json()
    return {"claim": claim.record_id} if claim.check().right else FAILED


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, invalid(identity=REQUIRED, password=REQUIRED)),
        ({"identity": ALICE}, invalid(password=REQUIRED)),
        ({"password": "x"}, invalid(identity=REQUIRED)),
        ({"identity": "", "password": ""}, invalid(identity=REQUIRED, password=REQUIRED)),
        ({"identity": "x", "password": None}, invalid(password=REQUIRED)),
        ({"email": ALICE, "password": PASSWORD}, invalid(identity=REQUIRED)),
        ({"identity": "a" * 256, "password": "x"}, invalid(identity=TOO_LONG)),
        ({"identity": "é" * 255, "password": "x"}, invalid(identity=TOO_LONG)),
        ({"identity": "a", "password": "x" * 256}, invalid(password=TOO_LONG)),
        ({"identity": 12, "password": "x"}, LOADING),
        ({"identity": "x", "password": 123}, LOADING),
        ({"identity": "x", "password": ["x"]}, LOADING),
        ({"identity": "x", "password": "y", "identityField": 5}, LOADING),
        (None, LOADING),
        (
            {"identity": ALICE, "password": PASSWORD, "identityField": "name"},
            invalid(identityField=NOT_A_CHOICE),
        ),
        (
            {"identity": "", "password": "", "identityField": "nope"},
            invalid(identity=REQUIRED, password=REQUIRED, identityField=NOT_A_CHOICE),
        ),
        ({"identity": ALICE, "password": "wrong"}, FAILED),
        ({"identity": ALICE, "password": PASSWORD.upper()}, FAILED),
        ({"identity": ALICE.upper(), "password": PASSWORD}, FAILED),
        ({"identity": f" {ALICE} ", "password": PASSWORD}, FAILED),
        ({"identity": "nobody@example.com", "password": PASSWORD}, FAILED),
        ({"identity": "   ", "password": "  "}, FAILED),
        ({"identity": f"{ALICE}\0", "password": PASSWORD}, FAILED),
        ({"identity": "\ud800", "password": PASSWORD}, FAILED),
        ({"identity": "' OR 1=1 --", "password": PASSWORD}, FAILED),
    ],
)
def test_what_is_refused_and_how(session: Any, alice: Any, body: Any, answer: dict[str, Any]) -> None:
    assert _answer(session, body) == answer


@pytest.mark.parametrize(
    "more",
    [{}, {"identityField": "email"}, {"identityField": ""}, {"identityField": None}, {"mfaId": "nope"}],
)
def test_the_right_password_signs_in(session: Any, alice: Any, more: dict[str, Any]) -> None:
    answer = enter(session, **more)
    assert sorted(answer) == ["record", "token"]
    assert who(session, answer["token"]).id == alice["id"] == answer["record"]["id"]


def test_the_answer_is_the_owners_view_of_the_record(session: Any, alice: Any) -> None:
    record = enter(session)["record"]
    assert record["email"] == ALICE and record["emailVisibility"] is False
    assert record["collectionName"] == "users" and record["collectionId"] == "_pb_users_auth_"
    assert not {"password", "tokenKey"} & set(record)


def test_fields_picks_from_the_whole_answer(session: Any, alice: Any) -> None:
    answer = enter(session, query={"fields": "token,record.id", "expand": "nope"})
    assert answer["record"] == {"id": alice["id"]} and answer["token"]
    assert enter(session, query={"fields": "record.email"}) == {"record": {"email": ALICE}}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "Missing or invalid collection context."),
        ("_authOrigins", "Missing or invalid auth collection context."),
    ],
)
def test_a_collection_that_nobody_signs_in_to_is_not_found(session: Any, name: str, message: str) -> None:
    assert _answer(session, None, name) == {"status": 404, "message": message, "data": {}}


def test_where_passwords_are_switched_off_the_body_is_not_even_read(session: Any, alice: Any) -> None:
    change_collection(session, "users", passwordAuth={"enabled": False})
    message = "The collection is not configured to allow password authentication."
    assert _answer(session, None) == {"status": 403, "message": message, "data": {}}


def _with_names(session: Any, *order: str) -> None:
    change_collection(
        session,
        "users",
        fields=[
            *(field_to_json(field) for field in call_on(session).collection("users").fields),
            {"name": "username", "type": "text"},
            {"name": "nick", "type": "text"},
        ],
        indexes=[
            *call_on(session).collection("users").indexes,
            "CREATE UNIQUE INDEX idx_u ON users (username) WHERE username != ''",
            "CREATE UNIQUE INDEX idx_n ON users (nick COLLATE NOCASE) WHERE nick != ''",
        ],
        passwordAuth={"enabled": True, "identityFields": list(order)},
    )
    sign_up(session, username="alice", nick="Ali")
    sign_up(
        session,
        "bob@example.com",
        username=ALICE,
        nick="BOBBY",
        password="bobs own 1",
        passwordConfirm="bobs own 1",
    )
    sign_up(session, "carol@example.com", username="carol@work.example.com")


@pytest.mark.parametrize(
    ("identity", "password", "field", "who_is_it"),
    [
        ("alice", PASSWORD, "", ALICE),
        ("ALICE", PASSWORD, "", None),
        ("alice", PASSWORD, "email", None),
        ("alice", PASSWORD, "username", ALICE),
        ("ALI", PASSWORD, "", ALICE),
        ("bobby", "bobs own 1", "nick", "bob@example.com"),
        # The e-mail goes first for what looks like one, and who was found first is whose password counts.
        (ALICE, PASSWORD, "", ALICE),
        (ALICE, "bobs own 1", "", None),
        (ALICE, "bobs own 1", "username", "bob@example.com"),
        ("carol@work.example.com", PASSWORD, "", "carol@example.com"),
        ("", PASSWORD, "username", None),
    ],
)
def test_identities_are_looked_up_as_their_index_compares_them(
    session: Any, identity: str, password: str, field: str, who_is_it: str | None
) -> None:
    _with_names(session, "nick", "username", "email")
    answer = enter(session, identity, password, identityField=field)
    assert answer.get("record", {}).get("email") == who_is_it


def test_an_email_index_that_ignores_case_lets_any_case_in(session: Any, alice: Any) -> None:
    indexes = [
        text.replace("(`email`)", "(`email` COLLATE NOCASE)")
        for text in call_on(session).collection("users").indexes
    ]
    change_collection(session, "users", indexes=indexes)
    assert enter(session, ALICE.upper())["record"]["id"] == alice["id"]


def test_unknown_and_wrong_take_the_same_work(
    session: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks: list[str] = []

    def counting(password: str, encoded: str, *args: Any, **kwargs: Any) -> bool:
        checks.append(encoded.partition("$")[0])
        return False

    monkeypatch.setattr("projects.accounts.passwords.check_password", counting)
    for identity in (ALICE, "nobody@example.com", "\0", "\ud800"):
        enter(session, identity, "wrong")
    assert len(checks) == 4 and len(set(checks)) == 1


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ("", 200),
        (None, 403),
        ("verified = true", 403),
        ("verified = false", 200),
        ("@request.context = 'password'", 200),
    ],
)
def test_the_auth_rule_decides_after_the_password(
    session: Any, alice: Any, rule: str | None, status: int
) -> None:
    change_collection(session, "users", authRule=rule)
    answer = enter(session)
    assert answer.get("status", 200) == status
    if status == 403:
        assert answer["message"] == "The request doesn't satisfy the collection requirements to authenticate."
        assert enter(session, password="wrong") == FAILED
        assert enter(session, principal=SUPERUSER)["token"]


def test_a_rule_may_read_what_was_sent(session: Any, alice: Any) -> None:
    change_collection(session, "users", authRule="@request.body.identity = email && @request.auth.id = ''")
    assert enter(session)["token"]


def test_an_old_hash_is_replaced_at_sign_in_and_nothing_else_changes(session: Any, alice: Any) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    session.execute(session.sql("UPDATE users SET password = ? WHERE id = ?"), (old, alice["id"]))
    before = session.row("SELECT count(*) FROM _changes")
    token = enter(session)["token"]
    (stored,) = session.row(session.sql("SELECT password FROM users WHERE id = ?"), (alice["id"],))
    assert stored != old and not stored.startswith(("bcrypt", "$2"))
    record = who(session, token).record
    assert record is not None and (record["tokenKey"], record["updated"]) == (
        alice["tokenKey"],
        alice["updated"],
    )
    assert session.row("SELECT count(*) FROM _changes") == before
    assert enter(session)["token"]


@pytest.mark.parametrize("what", ["changed", "deleted"])
def test_a_password_checked_before_the_account_changed_does_not_count(
    session: Any, alice: Any, what: str
) -> None:
    claim = signin.claim_identity(call_on(session), "users", {"identity": ALICE, "password": PASSWORD})
    assert claim.check() == Match(right=True)
    if what == "changed":
        new = {"password": "another 123", "passwordConfirm": "another 123"}
        change(call_on(session, SUPERUSER), "users", alice["id"], new)
    else:
        session.execute("DELETE FROM users")
    with pytest.raises(ApiError) as refused:
        signin.sign_in(call_on(session), claim)
    assert refused.value.as_json() == FAILED


def test_an_account_without_a_password_lets_nobody_in(session: Any, alice: Any) -> None:
    session.execute("UPDATE users SET password = ''")
    for password in ("nobody's password", " ", "x"):
        assert enter(session, password=password) == FAILED


def test_a_collection_that_demands_two_factors_is_not_entered_with_one(session: Any, alice: Any) -> None:
    options = dict(call_on(session).collection("users").options)
    options["mfa"] = {"enabled": True, "duration": 600, "rule": ""}
    import orjson

    session.execute(
        session.sql("UPDATE _collections SET options = ? WHERE name = 'users'"),
        (orjson.dumps(options).decode(),),
    )
    session.execute("UPDATE _params SET value = value || '2' WHERE key = 'schema_version'")
    session.forget()
    assert enter(session)["status"] == 403
    assert enter(session, password="wrong") == FAILED


def test_the_same_email_in_two_projects_are_two_accounts(make_project: Callable[..., Any]) -> None:
    first, second = make_project("first"), make_project("second")
    for handle, password in ((first, "of the first 1"), (second, "of the second 2")):
        with write_session(handle) as session:
            sign_up(session, password=password, passwordConfirm=password)
    with read_session(first) as session:
        assert enter(session, password="of the first 1")["token"]
        assert enter(session, password="of the second 2") == FAILED
    with read_session(second) as session:
        assert enter(session, password="of the first 1") == FAILED


def test_two_collections_with_one_email_are_two_accounts(session: Any, alice: Any) -> None:
    make_collection(session, "members")
    assert enter(session, collection="members") == FAILED
    sign_up(session, collection="members", password="another one 1", passwordConfirm="another one 1")
    assert enter(session, collection="members") == FAILED
    assert (
        enter(session, password="another one 1", collection="members")["record"]["collectionName"]
        == "members"
    )


def test_copied_rows_sign_in_to_the_copy_as_itself(make_project: Callable[..., Any]) -> None:
    first, second = make_project("first"), make_project("second")
    with write_session(first) as session:
        sign_up(session)
        token = enter(session)["token"]
    copy_of(first, second)
    with read_session(second) as session:
        assert enter(session)["token"] != token
