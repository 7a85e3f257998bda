"""File tokens: what an address of a protected file carries. They last minutes and open nothing else.

JWTs like those of sign-in, with ``type`` "file" and a key of their own: neither can stand for the other.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final

import jwt
from django.conf import settings

from projects.accounts.collections import is_superusers
from projects.accounts.superusers import find_superuser
from projects.accounts.tokens import ALGORITHM, derive_key, is_genuine
from projects.context import ProjectHandle
from projects.errors import unauthorized
from projects.principal import GUEST, Principal
from projects.records.call import Call
from projects.records.rows import find
from projects.schema.collection import SUPERUSERS, CollectionSchema
from projects.schema.fields.coerce import is_storable

_TYPE: Final = "file"
_LONGEST: Final = 1024
# Who has no record of their own: the bearer of a service key.
_SERVICE: Final = "service"


def issue_file_token(call: Call) -> str:
    """A token by which the caller may see protected files for a while. Raises 401 for guests."""
    principal = call.principal
    collection = call.schema.get(principal.collection_id or SUPERUSERS)
    if principal.kind == "guest" or collection is None:
        raise unauthorized()
    record_id = principal.id or _SERVICE
    key = _key(call, collection, principal, record_id)
    if key is None:
        raise unauthorized()
    payload = {
        "collectionId": collection.id,
        "exp": int(time.time()) + int(collection.options["fileToken"]["duration"]),
        "id": record_id,
        "type": _TYPE,
    }
    return jwt.encode(payload, key, ALGORITHM)


def principal_of_file_token(call: Call, token: str) -> Principal:
    """Who a file token stands for; a guest when it is forged, expired, revoked or of another project."""
    collection_id, record_id = _read(token) if len(token) <= _LONGEST and token.isascii() else ("", "")
    collection = call.schema.get(collection_id)
    if not record_id or collection is None or collection.id != collection_id or not collection.is_auth:
        return GUEST
    if is_superusers(collection):
        found = find_superuser(call.session.project, record_id)
        record = found.record() if found is not None else None
        principal = Principal("superuser", collection.id, collection.name, record)
        if found is None and record_id != _SERVICE:
            return GUEST
    else:
        principal = Principal("user", collection.id, collection.name, find(call, collection, record_id))
        if principal.record is None:
            return GUEST
    key = _key(call, collection, principal, record_id)
    return principal if key is not None and is_genuine(token, key) else GUEST


@lru_cache(maxsize=1000)
def _read(token: str) -> tuple[str, str]:
    """The collection's and the record's id in a token, unchecked; empty for anything that could not be one."""
    try:
        data = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, RecursionError):
        return "", ""
    names = data.get("collectionId"), data.get("id")
    if data.get("type") != _TYPE or not all(isinstance(name, str) and is_storable(name) for name in names):
        return "", ""
    return str(names[0]), str(names[1])


def _key(call: Call, collection: CollectionSchema, principal: Principal, record_id: str) -> bytes | None:
    project: ProjectHandle = call.session.project
    secret = str(collection.options["fileToken"]["secret"])
    if not is_superusers(collection):
        assert principal.record is not None
        return derive_key(secret, "mbaas file token", project.uid, str(principal.record["tokenKey"]))
    if record_id == _SERVICE:
        return derive_key(settings.SECRET_KEY, "mbaas service's file token", project.uid, secret)
    person = find_superuser(project, record_id)
    if person is None:
        return None
    return derive_key(
        settings.SECRET_KEY,
        "mbaas superuser's file token",
        project.uid,
        secret,
        str(person.person),
        person.standing,
        person.password,
    )
