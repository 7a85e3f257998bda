"""``auth-methods``: which ways to sign in a collection offers."""

from __future__ import annotations

from typing import Any

from projects.accounts.answers import picked
from projects.accounts.collections import auth_collection
from projects.records.call import Call


def auth_methods(call: Call, collection_name: str) -> dict[str, Any]:
    """What the SDKs' ``listAuthMethods`` reads; the last three keys are for clients of older servers.

    Raises 404.
    """
    collection = auth_collection(call, collection_name)
    password = collection.options["passwordAuth"]
    fields = list(password["identityFields"]) if password["enabled"] else []
    answer = {
        "password": {"identityFields": fields, "enabled": password["enabled"]},
        # A way that this server cannot carry out is not offered, whatever the collection's options say.
        "oauth2": {"providers": [], "enabled": False},
        "mfa": {"enabled": False, "duration": 0},
        "otp": {"enabled": False, "duration": 0},
        "authProviders": None,
        "usernamePassword": "username" in fields,
        "emailPassword": "email" in fields,
    }
    return picked(answer, call.request.query)
