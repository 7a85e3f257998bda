"""The tokens of end users: HS256 JWTs (RFC 7519) that a changed password, e-mail or secret ends.

Claims as in the wire contract: ``id``, ``type`` ("auth"), ``collectionId``, ``refreshable``, ``exp``.
The key is made of the record's token key, the collection's secret **and the project's uid**: a token holds
in the project that issued it and nowhere else, even when every row was copied from there.

A collection that came from PocketBase also lets in the tokens that PocketBase issued, for as long as it keeps the
secret that it came with.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import jwt

from projects.accounts.collections import is_superusers
from projects.context import ProjectHandle
from projects.principal import GUEST, Principal
from projects.records.call import Call
from projects.records.rows import Values, find
from projects.schema.auth_options import POCKETBASE_SECRET
from projects.schema.collection import CollectionSchema
from projects.schema.fields.coerce import is_storable

ALGORITHM: Final = "HS256"
AUTH: Final = "auth"
# Longer ones are not ours: ours have about 250 characters.
_LONGEST: Final = 1024
# Tokens whose reading is remembered: a request's costs 150 µs the first time, a few after that.
_REMEMBERED: Final = 10_000
# The last second of the year 9999, the end of the dates that clients can read.
_LATEST: Final = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of itself. Nothing of it is true before the signature was checked."""

    id: str
    collection_id: str
    refreshable: bool


def issue_token(
    project: ProjectHandle,
    collection: CollectionSchema,
    record: Values,
    *,
    refreshable: bool = True,
    seconds: int = 0,
) -> str:
    """A token for ``record``; it lasts ``seconds``, or as long as the collection's tokens do."""
    lasting = seconds or token_seconds(collection)
    key = _key(project, collection, record)
    return encode_token(key, Claims(record["id"], collection.id, refreshable), lasting)


def token_seconds(collection: CollectionSchema) -> int:
    """How long a token of the collection lasts."""
    return int(collection.options["authToken"]["duration"])


def encode_token(key: bytes, claims: Claims, seconds: int) -> str:
    payload = {
        "collectionId": claims.collection_id,
        "exp": min(int(time.time()) + seconds, _LATEST),
        "id": claims.id,
        "refreshable": claims.refreshable,
        "type": AUTH,
    }
    return jwt.encode(payload, key, ALGORITHM)


def read_claims(token: str) -> Claims | None:
    """The claims of an auth token, unchecked; None for anything that could not be one."""
    # What is remembered is bounded in size too, whatever is sent.
    return _read_claims(token) if len(token) <= _LONGEST and token.isascii() else None


@lru_cache(maxsize=_REMEMBERED)
def _read_claims(token: str) -> Claims | None:
    try:
        data = jwt.decode(token, options={"verify_signature": False})
    # A payload of nothing but brackets is too deep for the JSON reader.
    except (jwt.InvalidTokenError, RecursionError):
        return None
    record_id, collection_id = _name(data.get("id")), _name(data.get("collectionId"))
    if data.get("type") != AUTH or not record_id or not collection_id:
        return None
    return Claims(record_id, collection_id, data.get("refreshable") is True)


def _name(value: object) -> str:
    """``value`` if a database can be asked for it, else ``""``."""
    return value if isinstance(value, str) and is_storable(value) else ""


def is_genuine(token: str, key: bytes) -> bool:
    """Whether ``key`` signed the token and it has not expired."""
    return _signed_until(token, key) > time.time()


@lru_cache(maxsize=_REMEMBERED)
def _signed_until(token: str, key: bytes) -> float:
    """When a token that ``key`` signed expires (Unix time); 0 when it did not, or the token never does.

    One algorithm: never what the token's header asks for. What was found is remembered, since it cannot
    change: another key is another question.
    """
    try:
        end = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            options={"require": ["exp"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )["exp"]
    except (jwt.InvalidTokenError, RecursionError):
        return 0
    return end if isinstance(end, int | float) else 0


def user_of(call: Call, token: str, claims: Claims) -> Principal:
    """The end user whose token it is; a guest when it is forged, expired, revoked or of another project.

    One read by primary key.
    """
    user, until = call.session.remember(("user", token), lambda: _find_user(call, token, claims))
    return user if until > time.time() else GUEST


def remember_user(call: Call, token: str, collection: CollectionSchema, record: Values) -> None:
    """Spare ``user_of`` its read: ``record`` is the one that the token's claims name, in their ``auth_collection``."""
    call.session.remember(("user", token), lambda: _owner(call, token, collection, record))


def auth_collection(call: Call, claims: Claims) -> CollectionSchema | None:
    """The collection of the end user that a token speaks of."""
    collection = call.schema.get(claims.collection_id)
    if collection is None or collection.id != claims.collection_id:
        return None
    return collection if collection.is_auth and not is_superusers(collection) else None


def _find_user(call: Call, token: str, claims: Claims) -> tuple[Principal, float]:
    """Whose token it is, and until when."""
    collection = auth_collection(call, claims)
    record = find(call, collection, claims.id) if collection is not None else None
    if collection is None or record is None:
        return GUEST, math.inf
    return _owner(call, token, collection, record)


def _owner(call: Call, token: str, collection: CollectionSchema, record: Values) -> tuple[Principal, float]:
    until = _signed_until(token, _key(call.session.project, collection, record))
    if not until and (theirs := _pocketbase_key(collection, record)):
        until = _signed_until(token, theirs)
    return Principal("user", collection.id, collection.name, record), until


def _key(project: ProjectHandle, collection: CollectionSchema, record: Values) -> bytes:
    secret = str(collection.options["authToken"]["secret"])
    return derive_key(secret, "mbaas user token", project.uid, str(record["tokenKey"]))


def _pocketbase_key(collection: CollectionSchema, record: Values) -> bytes | None:
    """The key of PocketBase's own tokens (the wire contract's form); None where it is worth nothing (any more).

    A record without a token key would leave the secret alone as the key of everybody: it has none.
    """
    token = collection.options["authToken"]
    secret, token_key = str(token["secret"]), str(record["tokenKey"])
    if not token_key or not secret or token.get(POCKETBASE_SECRET) != secret:
        return None
    return f"{token_key}{secret}".encode()


def derive_key(secret: str, *parts: str) -> bytes:
    """32 bytes from ``secret`` for one purpose: no two lists of ``parts`` give the same."""
    message = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.digest(secret.encode(), message.encode(), hashlib.sha256)
