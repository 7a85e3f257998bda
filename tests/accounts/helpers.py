"""Shorthands of the accounts tests: calls, users, and what a sign-in does from end to end."""

from __future__ import annotations

from typing import Any

from projects.accounts.passwords import do_password_work
from projects.accounts.principals import resolve_principal
from projects.accounts.signin import claim_identity, sign_in
from projects.context import ProjectHandle
from projects.databases import Session, write_session
from projects.errors import ApiError
from projects.models import ConsoleUser, Membership
from projects.principal import GUEST, Principal, RequestInfo
from projects.records.auth_fields import NOTHING_HASHED, UnhashedPasswords
from projects.records.call import Call
from projects.records.create import create_record
from projects.records.rows import Values
from projects.records.update import update_record
from projects.schema import CollectionSchema, ProjectSchema, create_collection, load_schema, update_collection

SUPERUSER = Principal("superuser")
PASSWORD = "correct horse 1"
ALICE = "alice@example.com"


def call_on(session: Session, principal: Principal = GUEST, **request: Any) -> Call:
    return Call(session, load_schema(session), RequestInfo(principal, **request))


def any_rule(rule: str, schema: ProjectSchema, collection: CollectionSchema) -> None:
    """Every rule is in order."""


def make_collection(session: Session, name: str, *fields: dict[str, Any], **rest: Any) -> CollectionSchema:
    data = {"name": name, "fields": list(fields), "type": "auth", **rest}
    return create_collection(session, data, validate_rule=any_rule)


def change_collection(session: Session, which: str, **data: Any) -> CollectionSchema:
    return update_collection(session, which, data, validate_rule=any_rule, confirm=True)


def create(call: Call, name: str, body: dict[str, Any]) -> Values:
    """As the API does it: passwords are hashed between two tries."""
    hashed = NOTHING_HASHED
    while True:
        try:
            return create_record(call, call.collection(name), body, hashed)
        except UnhashedPasswords as needed:
            hashed = do_password_work(needed.work)


def change(call: Call, name: str, record_id: str, body: dict[str, Any]) -> Values:
    hashed = NOTHING_HASHED
    while True:
        try:
            return update_record(call, call.collection(name), record_id, body, hashed)
        except UnhashedPasswords as needed:
            hashed = do_password_work(needed.work)


def sign_up(session: Session, email: str = ALICE, collection: str = "users", **values: Any) -> Values:
    body = {"email": email, "password": PASSWORD, "passwordConfirm": PASSWORD, **values}
    return create(call_on(session, SUPERUSER), collection, body)


def enter(
    session: Session,
    identity: str = ALICE,
    password: str = PASSWORD,
    collection: str = "users",
    principal: Principal = GUEST,
    query: dict[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The answer of auth-with-password; ``{"status", "message", "data"}`` when it is refused."""
    body = {"identity": identity, "password": password, **more}
    call = call_on(session, principal, method="POST", query=query or {})
    try:
        claim = claim_identity(call.with_body(body), collection, body)
        match = claim.check()
        if not match.right:
            return {"status": 400, "message": "Failed to authenticate.", "data": {}}
        return sign_in(call.with_body(body), claim, match.upgrade)
    except ApiError as error:
        return error.as_json()


def token_of(session: Session, *args: Any, **kwargs: Any) -> str:
    return str(enter(session, *args, **kwargs)["token"])


def who(session: Session, authorization: str) -> Principal:
    return resolve_principal(session, load_schema(session), authorization)


def person(email: str = "owner@example.com", **fields: Any) -> ConsoleUser:
    return ConsoleUser.objects.create_user(email, PASSWORD, **fields)


def join(handle: ProjectHandle, user: ConsoleUser, role: str = "owner") -> Membership:
    return Membership.objects.create(project_id=handle.uid, user=user, role=role)


def copy_of(source: ProjectHandle, target: ProjectHandle) -> None:
    """Make the target's users and collections' secrets the same as the source's, row by row."""
    with write_session(source) as session:
        options = session.rows("SELECT id, options FROM _collections")
        columns = ", ".join(f'"{f.name}"' for f in call_on(session).collection("users").fields)
        users = session.rows(f"SELECT {columns} FROM users")
    with write_session(target) as session:
        for collection_id, text in options:
            session.execute(
                session.sql("UPDATE _collections SET options = ? WHERE id = ?"), (text, collection_id)
            )
        session.execute("DELETE FROM users")
        marks = ", ".join("?" for _ in columns.split(","))
        for row in users:
            session.execute(session.sql(f"INSERT INTO users ({columns}) VALUES ({marks})"), row)
        session.execute("UPDATE _params SET value = value || '1' WHERE key = 'schema_version'")
