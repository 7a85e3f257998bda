"""Who asks: from the ``Authorization`` header to a Principal."""

from __future__ import annotations

from projects.accounts.collections import is_superusers
from projects.accounts.service_keys import PUBLIC_PREFIX, SERVICE_PREFIX, is_service_key
from projects.accounts.superusers import superuser_of
from projects.accounts.tokens import read_claims, user_of
from projects.databases import Session
from projects.principal import GUEST, Principal
from projects.records.call import Call
from projects.schema.collection import ProjectSchema

SERVICE = Principal("superuser")


def resolve_principal(session: Session, schema: ProjectSchema, authorization: str) -> Principal:
    """Who the token says is asking, with or without ``Bearer``; a guest when it is unknown or has expired.

    An end user costs one read by primary key.
    """
    token = bare_token(authorization)
    if not token or token.startswith(PUBLIC_PREFIX):
        return GUEST
    if token.startswith(SERVICE_PREFIX):
        return SERVICE if is_service_key(session.project, token) else GUEST
    claims = read_claims(token)
    if claims is None:
        return GUEST
    call = Call(session, schema)
    collection = schema.get(claims.collection_id)
    if collection is not None and is_superusers(collection):
        return superuser_of(call, token, claims)
    return user_of(call, token, claims)


def bare_token(authorization: str) -> str:
    """The header without its scheme (RFC 6750), which clients may leave out."""
    return authorization[7:] if authorization[:7].lower() == "bearer " else authorization
