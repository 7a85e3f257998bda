"""Superusers, and the system collections that belong to accounts."""

from __future__ import annotations

from tests.oracle.scenarios.building import (
    PASSWORD,
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

SUPERUSERS = "_superusers"


def account(**values: Json) -> dict[str, Json]:
    return {"email": "second@example.com", "password": PASSWORD, "passwordConfirm": PASSWORD, **values}


ACCOUNTS = Scenario(
    "superusers",
    "Superusers are accounts of the collection _superusers.",
    (
        listing("the first superuser", SUPERUSERS, "superuser"),
        listing("a guest does not see them", SUPERUSERS),
        create("a guest does not make one", SUPERUSERS, account(), "guest"),
        create("a second superuser", SUPERUSERS, account(), save={"second": "id"}),
        create("an address that is taken", SUPERUSERS, account()),
        create("a short password", SUPERUSERS, account(password="short", passwordConfirm="short")),
        sign_in("second", SUPERUSERS, says="the second superuser signs in"),
        view("one superuser", SUPERUSERS, "$second", "superuser"),
        update("verified stays", SUPERUSERS, "$second", {"verified": False}, "second"),
        update("an address", SUPERUSERS, "$second", {"email": "third@example.com"}),
        Request(
            name="the token from before the new address",
            method="GET",
            path="/api/collections",
            as_="second",
        ),
        delete("the second superuser goes", SUPERUSERS, "$second"),
        delete("the last superuser stays", SUPERUSERS, "$superuser"),
    ),
)

FORBIDDEN_BODY = {
    "collectionRef": "$people_collection",
    "recordRef": "$alice",
    "provider": "google",
    "providerId": "1",
    "fingerprint": "f",
    "method": "password",
}

OWN = ("_externalAuths", "_authOrigins", "_mfas", "_otps")

SYSTEM = Scenario(
    "superusers_system_collections",
    "What belongs to an account is seen by its owner and made by nobody.",
    (
        people(),
        sign_up("alice"),
        sign_up("bob"),
        sign_in("alice"),
        sign_in("bob"),
        *(listing(f"{name} as a guest", name) for name in OWN),
        *(create(f"{name} made by a user", name, FORBIDDEN_BODY, "alice") for name in OWN),
        *(create(f"{name} without anything", name, {}) for name in OWN),
        create("a superuser links an account", "_externalAuths", FORBIDDEN_BODY, save={"link": "id"}),
        create("the same link again", "_externalAuths", FORBIDDEN_BODY),
        listing("the owner sees the link", "_externalAuths", "alice"),
        listing("others do not", "_externalAuths", "bob"),
        delete("others do not delete it", "_externalAuths", "$link", "bob"),
        delete("the owner does", "_externalAuths", "$link", "alice"),
        listing("where alice signed in from", "_authOrigins", "alice", fields="collectionRef,recordRef"),
        delete("alice goes", "people", "$alice"),
        listing(
            "and with her where she signed in from",
            "_authOrigins",
            "superuser",
            filter="recordRef = '$alice'",
        ),
    ),
)

SCENARIOS = (ACCOUNTS, SYSTEM)
