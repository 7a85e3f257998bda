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
    view,
)
from tests.oracle.table import Json, Scenario

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
        view("one superuser", SUPERUSERS, "$superuser", "superuser"),
        delete("the last superuser stays", SUPERUSERS, "$superuser"),
        create("a second superuser", SUPERUSERS, account()),
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
