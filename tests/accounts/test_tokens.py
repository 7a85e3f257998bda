from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest

from projects.accounts.tokens import Claims, encode_token, is_genuine, issue_token, read_claims
from projects.accounts.tokens import _key as key_of
from projects.databases import read_session, write_session
from projects.principal import GUEST
from tests.accounts.helpers import (
    ALICE,
    SUPERUSER,
    call_on,
    change,
    change_collection,
    copy_of,
    make_collection,
    sign_up,
    token_of,
    who,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def alice(session: Any) -> Any:
    return sign_up(session)


@pytest.fixture
def users(session: Any, alice: Any) -> Any:
    return call_on(session).collection("users")


def _part(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_token_names_its_holder_and_ends_when_the_collection_says(
    session: Any, alice: Any, users: Any
) -> None:
    token = issue_token(session.project, users, alice)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    assert abs(claims.pop("exp") - time.time() - 432_000) < 5
    assert claims == {"id": alice["id"], "type": "auth", "collectionId": users.id, "refreshable": True}
    assert token.isascii()
    principal = who(session, token)
    assert (principal.kind, principal.id, principal.collection_name) == ("user", alice["id"], "users")
    assert principal.record is not None and principal.record["email"] == ALICE


@pytest.mark.parametrize(
    ("form", "counts"),
    [
        ("{}", True),
        ("Bearer {}", True),
        ("bearer {}", True),
        ("BEARER {}", True),
        ("Bearer  {}", False),
        ("Token {}", False),
        ("Bearer{}", False),
        ("Bearer Bearer {}", False),
        ("{}x", False),
        ("x{}", False),
        ("{}.", False),
    ],
)
def test_the_header_holds_the_bare_token_or_bearer_and_one_space(
    session: Any, alice: Any, users: Any, form: str, counts: bool
) -> None:
    token = issue_token(session.project, users, alice)
    assert (who(session, form.format(token)) is not GUEST) is counts


def _forgeries(session: Any, alice: Any, users: Any) -> dict[str, str]:
    key = key_of(session.project, users, alice)
    good = {
        "id": alice["id"],
        "type": "auth",
        "collectionId": users.id,
        "refreshable": True,
        "exp": int(time.time()) + 100,
    }

    def signed(with_key: Any = key, algorithm: str = "HS256", **claims: Any) -> str:
        kept = {k: v for k, v in {**good, **claims}.items() if v is not None}
        return jwt.encode(kept, with_key, algorithm)

    def unsigned(header: Any, payload: Any = good) -> str:
        return f"{_part(header)}.{_part(payload)}."

    secret = users.options["authToken"]["secret"]
    head, body, signature = signed().split(".")
    return {
        "good": signed(),
        "expired": signed(exp=int(time.time()) - 1),
        "without an end": signed(exp=None),
        "with an end that is no time": signed(exp="9999999999"),
        "with an end that is no number": unsigned({"alg": "HS256"}, b'{"exp":NaN}'),
        "alg none": unsigned({"alg": "none", "typ": "JWT"}),
        "alg None, signed": unsigned({"alg": "None", "typ": "JWT"}) + signature,
        "alg HS512 with the right key": signed(algorithm="HS512"),
        "alg RS256 in the header of an HMAC": f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{body}.{signature}",
        "key of nothing but the wire's parts": signed(with_key=(alice["tokenKey"] + secret)),
        "empty key": f"{head}.{body}.{_part(hmac.digest(b'', f'{head}.{body}'.encode(), 'sha256'))}",
        "other payload, same signature": f"{head}.{_part({**good, 'id': 'x' * 15})}.{signature}",
        "without a signature": f"{head}.{body}.",
        "of another type": signed(type="file"),
        "without a type": signed(type=None),
        "collection by its name": signed(collectionId="users"),
        "collection that does not exist": signed(collectionId="nope"),
        "collection that is not for signing in": signed(collectionId="pbc_4275539003"),
        "superusers' collection, a user's key": signed(collectionId="pbc_3142635823"),
        "record that does not exist": signed(id="x" * 15),
        "record id of another kind": signed(id=5),
        "record id with NUL": signed(id=alice["id"] + "\0"),
        "record id with a lone surrogate": unsigned({"alg": "HS256"}, b'{"id":"\\ud800"}'),
        "no JSON": f"{head}.{_part(b'nope')}.{signature}",
        "JSON but no object": f"{head}.{_part([1])}.{signature}",
        "brackets without end": f"{head}.{_part(b'[' * 700)}.{signature}",
        "very long": signed(more="x" * 5000),
        "not ASCII": signed() + "é",
        "empty": "",
        "dots": "..",
    }


@pytest.mark.filterwarnings("ignore:The HMAC key")
def test_only_what_the_project_signed_and_has_not_ended_counts(session: Any, alice: Any, users: Any) -> None:
    accepted = {
        name for name, token in _forgeries(session, alice, users).items() if who(session, token) is not GUEST
    }
    assert accepted == {"good"}


def test_nothing_is_looked_up_for_what_cannot_be_a_token(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = call_on(session).schema
    monkeypatch.setattr(type(session), "row", None)
    for text in ("", "abc", "pk_abc", "a.b.c", "Bearer x"):
        from projects.accounts.principals import resolve_principal

        assert resolve_principal(session, schema, text) is GUEST


def test_a_user_costs_one_query(
    session: Any, alice: Any, users: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from projects.accounts.principals import resolve_principal

    token, schema = issue_token(session.project, users, alice), call_on(session).schema
    asked: list[str] = []
    row = type(session).row
    monkeypatch.setattr(
        type(session), "row", lambda self, sql, params=(): asked.append(sql) or row(self, sql, params)
    )
    assert resolve_principal(session, schema, token).id == alice["id"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"password": "another password", "passwordConfirm": "another password"},
        {"email": "new@example.com"},
        {"tokenKey": "t" * 40},
    ],
    ids=["password", "e-mail", "token key"],
)
def test_a_change_of_password_email_or_token_key_ends_every_session(
    session: Any, alice: Any, body: dict[str, Any]
) -> None:
    token = token_of(session)
    change(call_on(session, SUPERUSER), "users", alice["id"], body)
    assert who(session, token) is GUEST


def test_another_change_ends_none(session: Any, alice: Any) -> None:
    token = token_of(session)
    change(call_on(session, SUPERUSER), "users", alice["id"], {"name": "Alice", "verified": True})
    assert who(session, token).id == alice["id"]


def test_a_new_secret_of_the_collection_ends_all_of_its_tokens(session: Any, alice: Any) -> None:
    token = token_of(session)
    change_collection(session, "users", authToken={"duration": 1000, "secret": "s" * 40})
    assert who(session, token) is GUEST
    assert who(session, token_of(session)).id == alice["id"]


@pytest.mark.parametrize(
    ("before", "after", "ends"),
    [
        ("", "verified = true", True),
        ("verified = false", "", True),
        ("verified = false", None, True),
        ("", None, False),
        ("", "", False),
    ],
)
def test_another_auth_rule_ends_every_session_for_good(
    session: Any, alice: Any, before: str | None, after: str | None, ends: bool
) -> None:
    change_collection(session, "users", authRule=before)
    token = token_of(session)
    change_collection(session, "users", authRule=after)
    assert (who(session, token) is GUEST) is ends
    change_collection(session, "users", authRule=before)
    assert (who(session, token) is GUEST) is ends


def test_a_renamed_collection_keeps_its_sessions(session: Any, alice: Any) -> None:
    token = token_of(session)
    change_collection(session, "users", name="people")
    assert who(session, token).collection_name == "people"


def test_a_token_of_one_collection_does_not_name_the_same_id_in_another(session: Any, alice: Any) -> None:
    other = make_collection(session, "members")
    twin = sign_up(session, collection="members", tokenKey=alice["tokenKey"])
    # As it may stand in a database from before ids were kept apart.
    session.execute(session.sql("UPDATE members SET id = ? WHERE id = ?"), (alice["id"], twin["id"]))
    claims = Claims(alice["id"], other.id, refreshable=True)
    users = call_on(session).collection("users")
    assert who(session, encode_token(key_of(session.project, users, alice), claims, 60)) is GUEST


def test_a_token_works_in_its_own_project_alone_even_where_every_row_was_copied(make_project: Any) -> None:
    first, second = make_project("first"), make_project("second")
    with write_session(first) as session:
        alice = sign_up(session)
        token = token_of(session)
    copy_of(first, second)
    with read_session(second) as session:
        copied = who(session, token_of(session)).record
        assert copied is not None and copied["tokenKey"] == alice["tokenKey"] and copied["id"] == alice["id"]
        assert who(session, token) is GUEST
    with read_session(first) as session:
        assert who(session, token).id == alice["id"]


def test_claims_are_read_from_auth_tokens_only() -> None:
    token = encode_token(b"k" * 32, Claims("a", "b", refreshable=False), 60)
    assert read_claims(token) == Claims("a", "b", refreshable=False)
    assert is_genuine(token, b"k" * 32) and not is_genuine(token, b"l" * 32)


def test_a_token_that_counted_ends_with_its_time(
    session: Any, alice: Any, users: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issue_token(session.project, users, alice, seconds=60)
    assert who(session, token).id == alice["id"]
    later = time.time() + 61
    monkeypatch.setattr("projects.accounts.tokens.time.time", lambda: later)
    assert who(session, token) is GUEST


def test_what_is_sent_as_a_token_is_remembered_only_while_it_is_short() -> None:
    from projects.accounts.tokens import _read_claims

    before = _read_claims.cache_info().currsize
    assert all(read_claims("x" * 60_000 + str(i)) is None for i in range(5))
    assert _read_claims.cache_info().currsize == before


def test_a_duration_beyond_the_calendar_is_cut_to_it() -> None:
    token = encode_token(b"k" * 32, Claims("a", "b", refreshable=False), 10**15)
    assert jwt.decode(token, options={"verify_signature": False})["exp"] == 253_402_300_799
    assert is_genuine(token, b"k" * 32)
