"""HS256 tokens signed with the user's own key and the collection's secret."""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import orjson

SECRET = "the-collection's-secret-of-the-limit"
_HEADER = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")


class RefusedError(Exception):
    """The token is nobody's, the rule refuses, or there is no such record: the status says which."""

    def __init__(self, status: int) -> None:
        self.status = status


def issue(user: str, key: str) -> str:
    claims = {"id": user, "type": "auth", "collectionId": "_pb_users_auth_", "exp": int(time.time()) + 86_400}
    signed = _HEADER + b"." + urlsafe_b64encode(orjson.dumps(claims)).rstrip(b"=")
    return (signed + b"." + _signature(signed, key)).decode()


def claimed(token: str) -> Any:
    """The claims, not yet verified. Raises RefusedError."""
    try:
        payload = token.split(".")[1]
        return orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        raise RefusedError(401) from None


def verify(token: str, claims: Any, key: str) -> None:
    """Raises RefusedError when ``token`` was not signed with ``key`` or has expired."""
    signed, _, signature = token.encode().rpartition(b".")
    if not hmac.compare_digest(signature, _signature(signed, key)) or claims["exp"] < time.time():
        raise RefusedError(401)


def _signature(signed: bytes, key: str) -> bytes:
    return urlsafe_b64encode(hmac.digest((key + SECRET).encode(), signed, "sha256")).rstrip(b"=")
