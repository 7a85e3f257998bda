"""Signing in to each auth collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from projects.schema.collection import SUPERUSERS
from sdk_schemas.audience import Api, Offer
from sdk_schemas.fields import EXAMPLE_PHRASE, Json
from sdk_schemas.operation import Operation, json_body, parameter, path_parameter
from sdk_schemas.records import record_example, ref

_SHAPE: Final = (parameter("expand"), parameter("fields"))
_TOGGLED: Final[Json] = {
    "type": "object",
    "properties": {"enabled": {"type": "boolean"}, "duration": {"type": "integer"}},
    "required": ["enabled", "duration"],
}
METHODS: Final[Json] = {
    "type": "object",
    "required": ["password", "oauth2", "mfa", "otp"],
    "properties": {
        "password": {
            "type": "object",
            "required": ["enabled", "identityFields"],
            "properties": {
                "enabled": {"type": "boolean"},
                "identityFields": {"type": "array", "items": {"type": "string"}},
            },
        },
        "oauth2": {
            "type": "object",
            "required": ["enabled", "providers"],
            "properties": {
                "enabled": {"type": "boolean"},
                "providers": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
            },
        },
        "mfa": _TOGGLED,
        "otp": _TOGGLED,
    },
}


def operations(api: Api) -> Iterable[Operation]:
    for offer in api.offers:
        if offer.is_auth:
            yield from _of(offer, api.superuser)


def _of(offer: Offer, superuser: bool) -> Iterator[Operation]:
    root, name, tag = f"/api/collections/{offer.name}", offer.name, offer.name
    yield Operation(
        id=f"{name}_authMethods",
        method="get",
        path=f"{root}/auth-methods",
        tag=tag,
        summary=f"The ways to sign in to {name}",
        access="open",
        parameters=(parameter("fields"),),
        answer=ref("AuthMethods"),
        refusals=(400, 404),
    )
    if not offer.signs_in:
        return
    answer = ref(f"{offer.type_name}Auth")
    if offer.collection.options["passwordAuth"]["enabled"]:
        yield Operation(
            id=f"{name}_authWithPassword",
            method="post",
            path=f"{root}/auth-with-password",
            tag=tag,
            summary=f"Sign in to {name} with a password",
            access="open",
            parameters=_SHAPE,
            body=json_body(_password_body(offer), example=_password_example(offer)),
            answer=answer,
            refusals=(400, 403, 404),
        )
    yield Operation(
        id=f"{name}_authRefresh",
        method="post",
        path=f"{root}/auth-refresh",
        tag=tag,
        summary="A new token for the one that is sent",
        access="rule",
        parameters=_SHAPE,
        answer=answer,
        refusals=(400, 401, 403, 404),
    )
    if superuser and name != SUPERUSERS:
        yield Operation(
            id=f"{name}_impersonate",
            method="post",
            path=f"{root}/impersonate/{{id}}",
            tag=tag,
            summary="A token of that user, which cannot be refreshed",
            access="superuser",
            parameters=(
                path_parameter("id", f"The id of a record of `{name}`.", example=record_example(offer)["id"]),
                *_SHAPE,
            ),
            body=json_body(
                {"type": "object", "properties": {"duration": {"type": "integer", "minimum": 0}}},
                example={"duration": 3600},
                required=False,
            ),
            answer=answer,
            refusals=(400, 401, 403, 404),
        )


def _password_body(offer: Offer) -> Json:
    fields: list[str] = offer.collection.options["passwordAuth"]["identityFields"]
    return {
        "type": "object",
        "required": ["identity", "password"],
        "properties": {
            "identity": {
                "type": "string",
                "minLength": 1,
                "description": f"The value of {' or '.join(fields)}.",
            },
            "password": {"type": "string", "format": "password", "minLength": 1},
            "identityField": {
                "type": "string",
                "enum": fields,
                "description": "The field meant by `identity`; left out, all are tried.",
            },
        },
    }


def _password_example(offer: Offer) -> Json:
    fields = offer.collection.options["passwordAuth"]["identityFields"]
    identity = "alice@example.com" if "email" in fields or not fields else "alice"
    return {"identity": identity, "password": EXAMPLE_PHRASE}
