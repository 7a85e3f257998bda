"""Signing up and signing in with a password; tokens."""

from __future__ import annotations

from tests.oracle.scenarios.building import (
    COLLECTIONS,
    PASSWORD,
    change,
    create,
    delete,
    field,
    listing,
    make,
    people,
    sign_in,
    sign_up,
    view,
)
from tests.oracle.table import Json, Request, Scenario

ALICE = "alice@example.com"
SIGN_IN = f"{COLLECTIONS}/people/auth-with-password"


def account(**values: Json) -> dict[str, Json]:
    return {"email": "new@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD, **values}


def without(*keys: str) -> dict[str, Json]:
    return {key: value for key, value in account().items() if key not in keys}


ACCOUNTS: dict[str, Json] = {
    "nothing": {},
    "only an e-mail address": without("password", "passwordConfirm"),
    "no confirmation": without("passwordConfirm"),
    "another confirmation": account(passwordConfirm="other"),
    "a short password": account(password="short", passwordConfirm="short"),
    "a long password": account(password="x" * 72, passwordConfirm="x" * 72),
    "no e-mail address": without("email"),
    "an empty e-mail address": account(email=""),
    "a wrong e-mail address": account(email="bad"),
    "an e-mail address that is taken": account(email=ALICE),
    "an account that says it is verified": account(verified=True),
    "an account with a token key": account(tokenKey="x" * 40, email="key@example.com"),
    "an account whose address may be seen": account(email="seen@example.com", emailVisibility=True),
    "an account in capitals": account(email="ALICE@example.com"),
}

SUPERUSER_ACCOUNTS: dict[str, Json] = {
    "a verified account": account(email="verified@example.com", verified=True),
    "a short token key": account(email="short@example.com", tokenKey="short"),
    "a token key": account(email="key1@example.com", tokenKey="k" * 40),
    "a token key that is taken": account(email="key2@example.com", tokenKey="k" * 40),
    "an account without a confirmation": without("passwordConfirm"),
}

SIGN_UP = Scenario(
    "auth_sign_up",
    "A record of an auth collection is an account.",
    (
        people(),
        create("a guest signs up", "people", account(email=ALICE, name="Alice"), as_="guest"),
        *(create(says, "people", body, as_="guest") for says, body in ACCOUNTS.items()),
        *(create(f"a superuser makes {says}", "people", body) for says, body in SUPERUSER_ACCOUNTS.items()),
    ),
)


TAKEN_ID = "p00000000taken1"
ID_OF_ANOTHER = Scenario(
    "auth_id_of_another",
    "No two accounts have one id, whatever their collections: rules compare ids alone.",
    (
        people(),
        make("staff", type="auth", createRule=""),
        create("an account of people", "people", account(id=TAKEN_ID), as_="guest"),
        create("one of staff with its id", "staff", account(id=TAKEN_ID), as_="guest"),
        create("the same from a superuser", "staff", account(id=TAKEN_ID)),
        create(
            "the same with a short password", "staff", account(id=TAKEN_ID, password="x", passwordConfirm="x")
        ),
        create("the same with another confirmation", "staff", account(id=TAKEN_ID, passwordConfirm="x")),
        create(
            "the same that says it is verified", "staff", account(id=TAKEN_ID, verified=True), as_="guest"
        ),
        create("one with an id of its own", "staff", account(id="s00000000000own"), as_="guest"),
    ),
)


def signing_in(says: str, body: Json, **more: Json) -> Request:
    return Request(name=says, method="POST", path=SIGN_IN, body=body, **more)


def credentials(**values: Json) -> dict[str, Json]:
    return {"identity": ALICE, "password": PASSWORD, **values}


SIGN_INS: dict[str, Json] = {
    "nothing": {},
    "no password": {"identity": ALICE},
    "no identity": {"password": PASSWORD},
    "both empty": {"identity": "", "password": ""},
    "a password that is null": credentials(password=None),
    "a wrong password": credentials(password="wrong"),
    "the password in capitals": credentials(password=PASSWORD.upper()),
    "an identity that is unknown": credentials(identity="nobody@example.com"),
    "an identity in capitals": credentials(identity=ALICE.upper()),
    "an identity with blanks": credentials(identity=f" {ALICE} "),
    "an identity that is a number": credentials(identity=12),
    "an identity that is too long": credentials(identity="a" * 256),
    "a password that is too long": credentials(password="a" * 256),
    "the identity as e-mail": {"email": ALICE, "password": PASSWORD},
    "the name of the identity field": credentials(identityField="email"),
    "another identity field": credentials(identityField="name"),
    "a name": credentials(identity="Alice"),
}

METHODS = Request(name="the methods", method="GET", path=f"{COLLECTIONS}/people/auth-methods")

WITH_PASSWORD = Scenario(
    "auth_with_password",
    "An identity and a password give a token and the record.",
    (
        people(),
        sign_up("alice"),
        METHODS,
        signing_in("alice signs in", credentials(), save={"alice_token": "token"}),
        *(signing_in(says, body) for says, body in SIGN_INS.items()),
        Request(name="broken JSON", method="POST", path=SIGN_IN, raw=b"{bad"),
        Request(name="an empty body", method="POST", path=SIGN_IN, raw=b""),
        Request(name="an array", method="POST", path=SIGN_IN, raw=b"[]"),
        signing_in("chosen fields", credentials(), query={"fields": "record.id,record.email"}),
        signing_in("signed in already", credentials(), as_="alice"),
        make("plain"),
        *(
            Request(
                name=f"signing in to {collection}",
                method="POST",
                path=f"{COLLECTIONS}/{collection}/auth-with-password",
                body=credentials(),
            )
            for collection in ("plain", "nope")
        ),
        *(
            Request(name=f"methods of {name}", method="GET", path=f"{COLLECTIONS}/{name}/auth-methods")
            for name in ("plain", "nope", "_superusers")
        ),
        change("passwords are switched off", "people", passwordAuth={"enabled": False}),
        signing_in("signing in without passwords", credentials()),
        Request(name="the methods without passwords", method="GET", path=METHODS.path),
    ),
)

IDENTITIES = Scenario(
    "auth_identity_fields",
    "Any unique field can be an identity.",
    (
        make(
            "people",
            field("nick", "text"),
            type="auth",
            indexes=["CREATE UNIQUE INDEX idx_people_nick ON people (nick) WHERE nick != ''"],
            passwordAuth={"enabled": True, "identityFields": ["email", "nick"]},
        ),
        sign_up("alice", nick="ally"),
        METHODS,
        signing_in("by the nickname", credentials(identity="ally")),
        signing_in("by the e-mail address", credentials()),
        signing_in("the nickname in capitals", credentials(identity="ALLY")),
        signing_in("the nickname as an e-mail address", credentials(identity="ally", identityField="email")),
        signing_in("the nickname as a nickname", credentials(identity="ally", identityField="nick")),
    ),
)


def refresh(says: str, collection: str = "people", as_: str = "guest", token: str = "") -> Request:
    headers = {"Authorization": token} if token else {}
    path = f"{COLLECTIONS}/{collection}/auth-refresh"
    return Request(name=says, method="POST", path=path, as_=as_, headers=headers)


UNSIGNED = "eyJhbGciOiJub25lIn0.eyJpZCI6ImFiY2RlZmdoaWprbG1ubyIsInR5cGUiOiJhdXRoIn0."

REFRESH = Scenario(
    "auth_refresh",
    "A token is good for another one of its own collection.",
    (
        people(),
        sign_up("alice"),
        sign_in("alice"),
        refresh("a good token", as_="alice"),
        refresh("a token after Bearer", token="Bearer $alice_token"),
        refresh("a token after bearer", token="bearer $alice_token"),
        refresh("a token after another word", token="Token $alice_token"),
        refresh("no token"),
        refresh("nonsense", token="nonsense"),
        refresh("three parts of nonsense", token="a.b.c"),
        refresh("a token that is not signed", token=UNSIGNED),
        refresh("a token with a changed signature", token="$alice_token-x"),
        refresh("the token of a superuser", as_="superuser"),
        refresh("a token of users for superusers", "_superusers", as_="alice"),
        make("others", type="auth"),
        refresh("a token of another collection", "others", as_="alice"),
        make("plain"),
        refresh("a base collection", "plain", as_="alice"),
        refresh("a collection that is not there", "nope", as_="alice"),
        change("people see themselves", "people", listRule="id = @request.auth.id"),
        listing("a good token in a list", "people", as_="alice"),
        Request(
            name="nonsense counts as no token",
            method="GET",
            path=f"{COLLECTIONS}/people/records",
            headers={"Authorization": "nonsense"},
        ),
        Request(
            name="nonsense on a superuser's route",
            method="GET",
            path=COLLECTIONS,
            headers={"Authorization": "nonsense"},
        ),
        Request(name="a user on a superuser's route", method="GET", path=COLLECTIONS, as_="alice"),
        delete("alice leaves", "people", "$alice", as_="alice"),
        refresh("the token of nobody", as_="alice"),
        view("nobody's record", "people", "$alice", as_="superuser"),
    ),
)

RULE = Scenario(
    "auth_rule",
    "The auth rule says who may sign in; a new rule ends the tokens that were given before.",
    (
        people(),
        sign_up("alice"),
        sign_in("alice"),
        change("only verified people sign in", "people", authRule="verified = true"),
        signing_in("an unverified account", credentials()),
        signing_in("an unverified account with a wrong password", credentials(password="wrong")),
        refresh("a token from before", as_="alice"),
        change("everybody signs in again", "people", authRule=""),
        refresh("the token from before stays dead", as_="alice"),
        sign_in("alice", says="alice signs in again"),
        change("nobody signs in", "people", authRule=None),
        signing_in("signing in where nobody may", credentials()),
        refresh("a token where nobody may sign in", as_="alice"),
    ),
)

SCENARIOS = (SIGN_UP, ID_OF_ANOTHER, WITH_PASSWORD, IDENTITIES, REFRESH, RULE)
