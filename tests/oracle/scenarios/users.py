"""Accounts as their owners, others, managers and superusers see and change them."""

from __future__ import annotations

from tests.oracle.scenarios.auth import refresh
from tests.oracle.scenarios.building import (
    COLLECTIONS,
    PASSWORD,
    change,
    create,
    delete,
    listing,
    people,
    sign_in,
    sign_up,
    update,
    view,
)
from tests.oracle.table import Json, Request, Scenario

NEW = "password-2"


def passwords(new: str = NEW, **values: Json) -> dict[str, Json]:
    return {"password": new, "passwordConfirm": new, **values}


def flow(says: str, action: str, body: Json, as_: str = "guest") -> Request:
    return Request(name=says, method="POST", path=f"{COLLECTIONS}/people/{action}", as_=as_, body=body)


EVERYBODY = (
    people(),
    sign_up("alice"),
    sign_up("bob"),
    sign_up("carol", emailVisibility=True),
    sign_in("alice"),
    sign_in("bob"),
)

VISIBLE = Scenario(
    "users_visibility",
    "An e-mail address is shown to its owner, to superusers, and to all when its owner says so.",
    (
        *EVERYBODY,
        *(
            listing(f"the list as {who}", "people", who, sort="name")
            for who in ("guest", "alice", "superuser")
        ),
        view("another's record", "people", "$bob", "alice"),
        view("one's own record", "people", "$alice", "alice"),
        listing("a hidden address cannot be guessed", "people", filter="email = 'bob@example.com'"),
        listing("not even one's own", "people", "alice", filter="email = 'alice@example.com'"),
        listing("one that may be seen is found", "people", filter="email ~ 'carol'", fields="name,email"),
        listing("a superuser finds it", "people", "superuser", filter="email ~ 'bob@'", fields="name,email"),
        listing("the token key cannot be guessed", "people", filter="tokenKey != ''"),
        listing("nor can the password", "people", filter="password != ''"),
        listing("verified can be asked for", "people", filter="verified = true"),
        listing("emailVisibility too", "people", filter="emailVisibility = true", fields="name"),
        listing(
            "a superuser asks for token keys", "people", "superuser", filter="tokenKey != ''", fields="id"
        ),
        listing(
            "token keys are not chosen", "people", "superuser", fields="name,tokenKey,password", sort="name"
        ),
    ),
)

OWN_CHANGES: dict[str, Json] = {
    "a name": {"name": "Alice 2"},
    "an e-mail address": {"email": "new@example.com"},
    "the same e-mail address": {"email": "alice@example.com"},
    "no e-mail address": {"email": ""},
    "being verified": {"verified": True},
    "not being verified": {"verified": False},
    "being seen": {"emailVisibility": True},
    "a token key, in vain": {"tokenKey": "z" * 40},
    "a password alone": {"password": NEW},
    "a password without the old one": passwords(),
    "a password with a wrong old one": passwords(oldPassword="wrong"),
    "a password with another confirmation": {
        "password": NEW,
        "passwordConfirm": "x",
        "oldPassword": PASSWORD,
    },
    "a short password": passwords("short", oldPassword=PASSWORD),
    "the old password alone": {"oldPassword": PASSWORD},
    "a confirmation alone": {"passwordConfirm": PASSWORD},
    "an empty password": {"password": ""},
}

OWN = Scenario(
    "users_change_themselves",
    "What owners may change of their account.",
    (
        *EVERYBODY,
        *(update(says, "people", "$alice", body, "alice") for says, body in OWN_CHANGES.items()),
        refresh("the token is still good", as_="alice"),
        update("another's account", "people", "$alice", {"name": "Hacked"}, "bob"),
        update("a password with the old one", "people", "$alice", passwords(oldPassword=PASSWORD), "alice"),
        refresh("the token from before is dead", as_="alice"),
        view("it counts as none", "people", "$bob", "alice"),
        sign_in("alice", says="the old password is dead"),
        sign_in("alice", says="the new password works", password=NEW),
        refresh("the new token works", as_="alice"),
        delete("another's account is not deleted", "people", "$alice", "bob"),
        delete("one's own is", "people", "$alice", "alice"),
        refresh("its token is dead", as_="alice"),
    ),
)

BY_SUPERUSER = Scenario(
    "users_changed_by_superusers",
    "A superuser changes what owners may not, and that ends their sessions.",
    (
        *EVERYBODY,
        update("being verified", "people", "$alice", {"verified": True}),
        refresh("that ends no session", as_="alice"),
        update("a password without a confirmation", "people", "$alice", {"password": NEW}),
        update("a password without the old one", "people", "$alice", passwords()),
        refresh("a new password ends sessions", as_="alice"),
        sign_in("alice", says="alice signs in anew", password=NEW),
        update("an e-mail address", "people", "$alice", {"email": "alice2@example.com"}),
        refresh("a new address ends sessions", as_="alice"),
        update("an e-mail address that is taken", "people", "$alice", {"email": "bob@example.com"}),
        update("no e-mail address", "people", "$alice", {"email": ""}),
        update("the first address again", "people", "$alice", {"email": "alice@example.com"}),
        sign_in("alice", says="alice signs in once more", password=NEW),
        update("a token key", "people", "$alice", {"tokenKey": "t" * 40}),
        refresh("a new token key ends sessions", as_="alice"),
    ),
)

MANAGED = Scenario(
    "users_managed",
    "Whom the manage rule names may do what superusers do to an account.",
    (
        *EVERYBODY,
        change(
            "bob manages",
            "people",
            manageRule="@request.auth.name = 'Bob'",
            updateRule="@request.auth.id != ''",
        ),
        update("others may not", "people", "$carol", {"verified": True}, "alice"),
        update("an e-mail address", "people", "$alice", {"email": "managed@example.com"}, "bob"),
        update("being verified", "people", "$alice", {"verified": True}, "bob"),
        update("a password", "people", "$alice", passwords(), "bob"),
        view("an address is seen", "people", "$alice", "bob"),
        listing("addresses are seen in a list", "people", "bob", sort="name", fields="name,email"),
        create("a verified account", "people", {"email": "m@example.com", **passwords(verified=True)}, "bob"),
    ),
)

IMPERSONATED = Scenario(
    "users_impersonated",
    "A superuser gets a token of somebody else, which cannot be prolonged.",
    (
        *EVERYBODY,
        Request(
            name="a token of alice",
            method="POST",
            path=f"{COLLECTIONS}/people/impersonate/$alice",
            as_="superuser",
            body={},
            save={"borrowed_token": "token"},
        ),
        refresh("it is given back as it is", as_="borrowed"),
        flow("a token for a while", "impersonate/$alice", {"duration": 600}, "superuser"),
        flow("a token for less than nothing", "impersonate/$alice", {"duration": -1}, "superuser"),
        flow("a token for nonsense", "impersonate/$alice", {"duration": "abc"}, "superuser"),
        flow("a token of nobody", "impersonate/missing", {}, "superuser"),
        flow("a guest gets none", "impersonate/$alice", {}),
        flow("a user gets none", "impersonate/$alice", {}, "bob"),
    ),
)

SCENARIOS = (VISIBLE, OWN, BY_SUPERUSER, MANAGED, IMPERSONATED)
