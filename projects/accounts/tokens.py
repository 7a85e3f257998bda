"""The tokens of end users: HS256 JWTs (RFC 7519) that a changed password, e-mail or secret ends.

Claims as in the wire contract: ``id``, ``type`` ("auth"), ``collectionId``, ``refreshable``, ``exp``.
The key is made of the record's token key, the collection's secret **and the project's uid**: a token holds
in the project that issued it and nowhere else, even when every row was copied from there.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Any, Final

import jwt

from projects.accounts.collections import SUPERUSERS_ID
from projects.context import ProjectHandle
from projects.principal import GUEST, Principal
from projects.records.call import Call
from projects.records.rows import Values, find
from projects.schema.collection import CollectionSchema
from projects.schema.fields.coerce import is_storable

ALGORITHM: Final = "HS256"
AUTH: Final = "auth"
# Longer ones are not ours: ours have about 250 characters.
_LONGEST: Final = 4096
# The last second of the year 9999; JSON dates go no further.
_LATEST: Final = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of itself. Nothing of it is true before the signature was checked."""

    id: str
    collection_id: str
    refreshable: bool
    type: str


def issue(
    project: ProjectHandle,
    collection: CollectionSchema,
    record: Values,
    *,
    refreshable: bool = True,
    seconds: int | None = None,
) -> str:
    """A token for ``record`` that lasts ``seconds``, or as long as the collection's tokens do."""
    lasting = seconds or int(collection.options["authToken"]["duration"])
    return encode(_key(project, collection, record), record["id"], collection.id, refreshable, lasting)


def encode(key: bytes, record_id: str, collection_id: str, refreshable: bool, seconds: int) -> str:
    claims = {
        "collectionId": collection_id,
        "exp": min(int(time.time()) + seconds, _LATEST),
        "id": record_id,
        "refreshable": refreshable,
        "type": AUTH,
    }
    return jwt.encode(claims, key, ALGORITHM)


def read_claims(token: str) -> Claims | None:
    """The claims of an auth token, unchecked; None for anything that could not be one."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    try:
        data = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError, ValueError):
        return None
    claims = Claims(
        data.get("id"), data.get("collectionId"), data.get("refreshable") is True, data.get("type")
    )
    texts = (claims.id, claims.collection_id)
    if claims.type != AUTH or not all(isinstance(text, str) and text and is_storable(text) for text in texts):
        return None
    return claims


def is_genuine(token: str, key: bytes) -> bool:
    """Whether ``key`` signed the token and it has not expired. One algorithm: never what the header asks for."""
    try:
        jwt.decode(token, key, algorithms=[ALGORITHM], options={"require": ["exp"]})
    except (jwt.InvalidTokenError, RecursionError, ValueError):
        return False
    return True


def user_of(call: Call, token: str, claims: Claims) -> Principal:
    """The end user whose token it is; a guest when it is forged, expired, revoked or of another project.

    One read by primary key.
    """
    collection = call.schema.get(claims.collection_id)
    if collection is None or collection.id != claims.collection_id or not collection.is_auth:
        return GUEST
    # The table of superusers is empty: they are people of the control plane (see superusers).
    if collection.id == SUPERUSERS_ID:
        return GUEST
    record = find(call, collection, claims.id)
    if record is None or not is_genuine(token, _key(call.session.project, collection, record)):
        return GUEST
    return Principal("user", collection.id, collection.name, record)


def derive_key(purpose: str, *parts: Any) -> bytes:
    """32 bytes that only who knows all ``parts`` can make; no two lists of parts give the same."""
    parts_text = "".join(f"{len(text)}:{text}" for text in map(str, parts))
    return hmac.digest(purpose.encode(), parts_text.encode(), hashlib.sha256)


def _key(project: ProjectHandle, collection: CollectionSchema, record: Values) -> bytes:
    return derive_key(
        "mbaas user token", project.uid, collection.options["authToken"]["secret"], record["tokenKey"]
    )
