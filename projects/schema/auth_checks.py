"""What is wrong with an auth collection's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from projects.errors import ErrorTree, FieldError
from projects.schema.auth_options import TEMPLATE_NAMES, TOKEN_NAMES
from projects.schema.collection import CollectionSchema
from projects.schema.draft import has_unique_index
from projects.schema.fields.checks import BLANK, at_least, between, complaints, length_between
from projects.schema.oauth2_providers import PROVIDERS

_SHORTEST: Final = 10  # seconds, of everything that expires
_LONGEST_TOKEN: Final = 94_670_856  # seconds: three years
_LONGEST_CODE: Final = 86_400  # seconds that a one-time code or a first factor may wait

Errors = dict[str, FieldError | ErrorTree]


def auth_option_errors(collection: CollectionSchema, mfa_rule_error: FieldError | None) -> Errors:
    """Errors by wire name, rules aside (``mfa.rule``'s is handed in, and counts while MFA is on)."""
    options = collection.options
    found: Errors = {
        "authAlert": _nested("emailTemplate", _template_errors(options["authAlert"]["emailTemplate"])),
        "oauth2": _oauth2_errors(options["oauth2"]),
        "passwordAuth": _password_errors(collection),
        "mfa": _mfa_errors(options, mfa_rule_error),
        "otp": _otp_errors(options["otp"]),
    }
    found.update({name: _token_errors(options[name]) for name in TOKEN_NAMES})
    found.update({name: _template_errors(options[name]) for name in TEMPLATE_NAMES})
    return {name: errors for name, errors in found.items() if errors}


def _nested(key: str, errors: Errors) -> Errors:
    return {key: errors} if errors else {}


def _required_between(value: int, least: int, most: int) -> FieldError | None:
    return between(value, least, most) if value else BLANK


def _template_errors(template: Mapping[str, str]) -> Errors:
    return {key: BLANK for key in ("subject", "body") if not template[key]}


def _token_errors(token: Mapping[str, Any]) -> Errors:
    return complaints(
        duration=_required_between(token["duration"], _SHORTEST, _LONGEST_TOKEN),
        secret=length_between(token["secret"], 30, 255) if token["secret"] else BLANK,
    )


def _otp_errors(otp: Mapping[str, Any]) -> Errors:
    errors = _nested("emailTemplate", _template_errors(otp["emailTemplate"]))
    if otp["enabled"]:
        length = at_least(otp["length"], 4) if otp["length"] else BLANK
        errors.update(
            complaints(duration=_required_between(otp["duration"], _SHORTEST, _LONGEST_CODE), length=length)
        )
    return errors


def _mfa_errors(options: Mapping[str, Any], rule_error: FieldError | None) -> Errors:
    mfa = options["mfa"]
    if not mfa["enabled"]:
        return {}
    ways = sum(bool(options[name]["enabled"]) for name in ("passwordAuth", "otp", "oauth2"))
    too_few = FieldError(
        "validation_mfa_not_enough_auths", "MFA requires at least 2 auth methods to be enabled."
    )
    return complaints(
        enabled=too_few if ways < 2 else None,
        duration=_required_between(mfa["duration"], _SHORTEST, _LONGEST_CODE),
        rule=rule_error,
    )


def _password_errors(collection: CollectionSchema) -> Errors:
    password = collection.options["passwordAuth"]
    if not password["enabled"]:
        return {}
    if not password["identityFields"]:
        return {"identityFields": BLANK}
    for name in password["identityFields"]:
        if name not in collection.field_by_name:
            message = f"Invalid or missing field {name}".rstrip() + "."
            return {"identityFields": FieldError("validation_missing_field", message, {"fieldName": name})}
        if not has_unique_index(collection, name):
            unique = FieldError(
                "validation_missing_unique_constraint",
                f"The field {name} doesn't have a UNIQUE constraint.",
                {"fieldName": name},
            )
            return {"identityFields": unique}
    return {}


def _oauth2_errors(oauth2: Mapping[str, Any]) -> Errors:
    if not oauth2["enabled"]:
        return {}
    tree: dict[str, ErrorTree] = {}
    seen: set[str] = set()
    for at, provider in enumerate(oauth2["providers"]):
        name = provider["name"]
        found = complaints(
            name=_provider_name_error(name, seen),
            clientId=None if provider["clientId"] else BLANK,
            clientSecret=None if provider["clientSecret"] else BLANK,
        )
        seen.add(name)
        if found:
            tree[str(at)] = found
    return {"providers": tree} if tree else {}


def _provider_name_error(name: str, seen: set[str]) -> FieldError | None:
    if not name:
        return BLANK
    if name not in PROVIDERS:
        return FieldError(
            "validation_missing_provider", f"Invalid or missing provider with name {name}.", {"name": name}
        )
    if name in seen:
        return FieldError(
            "validation_duplicated_provider", f"The provider {name} is already registered.", {"name": name}
        )
    return None
