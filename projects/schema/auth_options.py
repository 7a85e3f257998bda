"""What only auth collections have: their options' shape, defaults, merging and the wire form.

Options are nested dicts by wire names, as in the wire contract; ``authRule`` and ``manageRule`` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from projects.schema.fields.options import MalformedError, as_flag, as_integer, as_text, as_texts
from projects.schema.ids import new_secret
from projects.schema.mail_templates import (
    AUTH_ALERT,
    CONFIRM_EMAIL_CHANGE,
    OTP,
    RESET_PASSWORD,
    VERIFICATION,
)

# Lifetimes in seconds.
_TOKENS: Final = {
    "authToken": 432_000,
    "passwordResetToken": 1_800,
    "emailChangeToken": 1_800,
    "verificationToken": 86_400,
    "fileToken": 180,
}
TOKEN_NAMES: Final = tuple(_TOKENS)
# In ``authToken``: the secret that came from PocketBase. While it is the secret, PocketBase's own tokens hold too.
POCKETBASE_SECRET: Final = "pocketbaseSecret"  # noqa: S105 - the name of an option
TEMPLATE_NAMES: Final = ("verificationTemplate", "resetPasswordTemplate", "confirmEmailChangeTemplate")

# The order of keys is the one of the wire contract.
_DEFAULTS: Final[Mapping[str, Any]] = {
    "authRule": "",
    "manageRule": None,
    "authAlert": {"enabled": True, "emailTemplate": AUTH_ALERT},
    "oauth2": {
        "providers": [],
        "mappedFields": {"id": "", "name": "", "username": "", "avatarURL": ""},
        "enabled": False,
    },
    "passwordAuth": {"enabled": True, "identityFields": ["email"]},
    "mfa": {"enabled": False, "duration": 600, "rule": ""},
    "otp": {"enabled": False, "duration": 180, "length": 8, "emailTemplate": OTP},
    **{name: {"duration": duration} for name, duration in _TOKENS.items()},
    "verificationTemplate": VERIFICATION,
    "resetPasswordTemplate": RESET_PASSWORD,
    "confirmEmailChangeTemplate": CONFIRM_EMAIL_CHANGE,
}

Reader = Callable[[Any], Any]
_TEMPLATE: Final[Mapping[str, Any]] = {"subject": as_text, "body": as_text}
_TOKEN: Final[Mapping[str, Any]] = {"duration": as_integer, "secret": as_text}


def _texts(value: Any) -> list[str]:
    return list(as_texts(value))


def as_rule(value: Any) -> str | None:
    """A rule of the wire: null, or an expression. Raises MalformedError."""
    return None if value is None else as_text(value)


def _flag_or_null(value: Any) -> bool | None:
    return None if value is None else as_flag(value)


def _object_or_null(value: Any) -> dict[str, Any] | None:
    if value is not None and not isinstance(value, dict):
        raise MalformedError("expected an object")
    return value


_PROVIDER: Final[Mapping[str, Reader]] = {
    "pkce": _flag_or_null,
    "name": as_text,
    "clientId": as_text,
    "clientSecret": as_text,
    "authURL": as_text,
    "tokenURL": as_text,
    "userInfoURL": as_text,
    "displayName": as_text,
    "extra": _object_or_null,
}
_NEW_PROVIDER: Final = {
    key: None if reader in (_flag_or_null, _object_or_null) else "" for key, reader in _PROVIDER.items()
}
# Readers that take null as a value; everywhere else null leaves what was there.
_NULLABLE: Final = (as_rule, _flag_or_null, _object_or_null)

_SHAPE: Final[Mapping[str, Any]] = {
    "authRule": as_rule,
    "manageRule": as_rule,
    "authAlert": {"enabled": as_flag, "emailTemplate": _TEMPLATE},
    "oauth2": {
        "enabled": as_flag,
        "mappedFields": {"id": as_text, "name": as_text, "username": as_text, "avatarURL": as_text},
    },
    "passwordAuth": {"enabled": as_flag, "identityFields": _texts},
    "mfa": {"enabled": as_flag, "duration": as_integer, "rule": as_text},
    "otp": {"enabled": as_flag, "duration": as_integer, "length": as_integer, "emailTemplate": _TEMPLATE},
    **dict.fromkeys(TOKEN_NAMES, _TOKEN),
    **dict.fromkeys(TEMPLATE_NAMES, _TEMPLATE),
}


def default_auth_options() -> dict[str, Any]:
    """A new auth collection's options, with random token secrets."""
    options: dict[str, Any] = _copy(_DEFAULTS)
    for name in TOKEN_NAMES:
        options[name]["secret"] = new_secret()
    return options


def merge_auth_options(current: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """``current`` with what a client sent laid over it: objects key by key, everything else replaced.

    Another ``authRule`` brings another token secret: who signed in under the old one signs in again, also
    when it comes back. Raises MalformedError for JSON of the wrong type; unknown keys are ignored.
    """
    merged = _merged(_copy(current), _SHAPE, data)
    token, before = merged["authToken"], current["authToken"]
    if (merged["authRule"] or "") != (current["authRule"] or "") and token["secret"] == before["secret"]:
        token["secret"] = new_secret()
    sent = data.get("oauth2")
    if isinstance(sent, Mapping) and sent.get("providers") is not None:
        merged["oauth2"]["providers"] = _providers(current["oauth2"]["providers"], sent["providers"])
    return merged


def public_auth_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they leave the API: without token and client secrets."""
    out = {key: _copy(options[key]) for key in _DEFAULTS}
    for name in TOKEN_NAMES:
        out[name] = {"duration": options[name]["duration"]}
    out["oauth2"] = {
        "providers": [
            {key: value for key, value in provider.items() if key != "clientSecret"}
            for provider in options["oauth2"]["providers"]
        ],
        "mappedFields": dict(options["oauth2"]["mappedFields"]),
        "enabled": options["oauth2"]["enabled"],
    }
    return out


def _merged(target: dict[str, Any], shape: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    for key, reader in shape.items():
        if key not in data:
            continue
        value = data[key]
        if isinstance(reader, Mapping):
            if value is None:
                continue
            if not isinstance(value, Mapping):
                raise MalformedError("expected an object")
            target[key] = _merged(dict(target[key]), reader, value)
        elif value is not None or reader in _NULLABLE:
            target[key] = reader(value)
    return target


def _providers(current: list[dict[str, Any]], data: Any) -> list[dict[str, Any]]:
    """A list replaces the list, but a provider sent again without its secret keeps the stored one."""
    if not isinstance(data, list):
        raise MalformedError("expected a list")
    known = {provider["name"]: provider for provider in current}
    merged = []
    for sent in data:
        if not isinstance(sent, Mapping):
            raise MalformedError("expected an object")
        before = known.get(as_text(sent.get("name") or ""), _NEW_PROVIDER)
        merged.append(_merged(dict(before), _PROVIDER, sent))
    return merged


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
