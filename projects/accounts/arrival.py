"""What every request begins with: the project's collections as they are now, and who is asking.

On PostgreSQL each of the two is a round trip, and most requests come from an end user of a project whose collections
were read before. So both are asked in one statement, made by the collections that were last seen; where they have
changed since, or the token is nobody's, it is asked again in the plain way.
"""

from __future__ import annotations

from typing import Any

from projects.accounts.principals import bare_token, resolve_principal
from projects.accounts.tokens import Claims, auth_collection, read_claims, remember_user
from projects.databases import Session
from projects.databases.postgresql.lanes import OUTDATED
from projects.principal import Principal
from projects.records.call import Call
from projects.records.rows import quoted, reader
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.store import VERSION, forget_last_seen, last_seen, load_schema, remember_schema


def arrive(session: Session, authorization: str) -> tuple[ProjectSchema, Principal]:
    """The schema, and who the ``Authorization`` header stands for: see ``resolve_principal``."""
    if session.engine == "postgresql" and not session.has_begun and not session.remembers("schema"):
        _ask_for_both(session, authorization)
    schema = load_schema(session)
    return schema, resolve_principal(session, schema, authorization)


def _ask_for_both(session: Session, authorization: str) -> None:
    """Have the session remember the schema and the end user, if one statement can tell both."""
    seen, token = last_seen(session.project.uid), bare_token(authorization)
    claims = read_claims(token)
    if seen is None or claims is None:
        return
    call = Call(session, seen)
    collection = auth_collection(call, claims)
    if collection is None:
        return
    try:
        row = _row(call, collection, claims)
    except OUTDATED:
        # Made for collections that have changed: who runs this again must not try it a second time.
        forget_last_seen(session.project.uid)
        raise
    if row is None or int(row[0]) != seen.version:
        return
    remember_schema(session, seen)
    remember_user(call, token, collection, reader(call, collection).values(row[1:]))


def _row(call: Call, collection: CollectionSchema, claims: Claims) -> tuple[Any, ...] | None:
    columns = reader(call, collection).columns
    sql = call.schema.derived.get(
        ("arrival", collection.id),
        lambda: f"SELECT ({VERSION}), {columns} FROM {quoted(collection.table)} WHERE id = %s",
    )
    return call.session.peek(sql, (claims.id,))
