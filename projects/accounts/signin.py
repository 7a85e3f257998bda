"""``auth-with-password``, in three steps: find whose password it would be, check it, let them in.

The check takes 20 ms of a core and runs between the two sessions, on a thread that holds no database.
An unknown identity goes the same way as a wrong password, through a check that cannot succeed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from projects.accounts.answers import LOADING, VALIDATING, check_auth_rule, new_session, superuser_answer
from projects.accounts.collections import auth_collection, is_superusers
from projects.accounts.passwords import Match, matches
from projects.accounts.superusers import find_superuser, issue_superuser_token, superuser_by_email
from projects.errors import ApiError, FieldError, bad_request, forbidden, invalid_fields
from projects.records.access import satisfies
from projects.records.call import Call
from projects.records.rows import Values, find, quoted, reader, update
from projects.schema.collection import CollectionSchema
from projects.schema.fields.coerce import is_storable
from projects.schema.fields.password import PasswordHash
from projects.schema.indexes import parse_index

FAILED: Final = "Failed to authenticate."
LONGEST: Final = 255  # bytes of an identity or a password

_REQUIRED = FieldError("validation_required", "Cannot be blank.")
_TOO_LONG = FieldError(
    "validation_length_out_of_range",
    f"The length must be between 1 and {LONGEST}.",
    {"max": LONGEST, "min": 1},
)
_NOT_A_CHOICE = FieldError("validation_in_invalid", "Must be a valid value.")


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    identity: str
    password: str
    field: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Claim:
    """Somebody says to be ``identity`` of a collection.

    ``record_id`` and ``stored`` (the hash) are empty where nobody has that identity. ``subject`` is what
    wrong passwords are counted for.
    """

    collection_id: str
    collection_name: str
    identity: str
    password: str
    record_id: str = ""
    stored: str = ""

    @property
    def subject(self) -> str:
        return f"{self.collection_id}/{self.identity}"

    def check(self) -> Match:
        """Whether the password is right. Slow: see the module."""
        return matches(self.password, self.stored)


def claim_identity(call: Call, collection_name: str, body: Mapping[str, Any] | None) -> Claim:
    """Read what a client sent and find whom it means. ``body`` is None when it could not be read.

    Raises 404 for the collection, 403 where passwords are not used, 400 for the body.
    """
    collection = auth_collection(call, collection_name)
    options = collection.options["passwordAuth"]
    if not options["enabled"]:
        raise forbidden("The collection is not configured to allow password authentication.")
    given = _read(body, options["identityFields"])
    record_id, stored = _look_up(call, collection, given)
    return Claim(collection.id, collection.name, given.identity, given.password, record_id, stored)


def sign_in(call: Call, claim: Claim, upgrade: PasswordHash | None = None) -> dict[str, Any]:
    """The answer to a right password: ``{record, token}``. With ``upgrade`` it needs a write session.

    Raises 400 when the account or its password changed since, 403 when the ``authRule`` refuses.
    """
    collection = auth_collection(call, claim.collection_id)
    if is_superusers(collection):
        return _sign_in_superuser(call, collection, claim)
    record = find(call, collection, claim.record_id)
    if record is None or record["password"] != claim.stored:
        raise bad_request(FAILED)
    check_auth_rule(call, collection, record, "password")
    _refuse_single_factor(call, collection, record)
    if upgrade is not None:
        # The same password in another form: nothing that a reader of the change log could see.
        update(call, collection, record["id"], {"password": upgrade})
    return new_session(call, collection, record)


def _sign_in_superuser(call: Call, collection: CollectionSchema, claim: Claim) -> dict[str, Any]:
    superuser = find_superuser(call.session.project, claim.record_id)
    if superuser is None or superuser.password != claim.stored:
        raise bad_request(FAILED)
    record = superuser.record()
    check_auth_rule(call, collection, record, "password")
    _refuse_single_factor(call, collection, record)
    token = issue_superuser_token(call.session.project, collection, superuser)
    return superuser_answer(call, collection, record, token)


def _refuse_single_factor(call: Call, collection: CollectionSchema, record: Values) -> None:
    """A collection that demands two factors is not entered with one: there is no second one yet."""
    mfa = collection.options["mfa"]
    if mfa["enabled"] and satisfies(call, collection, mfa["rule"], record):
        raise ApiError(403, "The collection requires a second factor, which this server cannot check yet.")


def _read(body: Mapping[str, Any] | None, identity_fields: list[str]) -> Credentials:
    if body is None:
        raise bad_request(LOADING)
    names = ("identity", "password", "identityField")
    values = {name: "" if body.get(name) is None else body[name] for name in names}
    if not all(isinstance(value, str) for value in values.values()):
        raise bad_request(LOADING)
    errors: dict[str, FieldError] = {}
    for name in ("identity", "password"):
        size = len(values[name].encode("utf-8", "replace"))
        if not size or size > LONGEST:
            errors[name] = _TOO_LONG if size else _REQUIRED
    if values["identityField"] and values["identityField"] not in identity_fields:
        errors["identityField"] = _NOT_A_CHOICE
    if errors:
        raise invalid_fields(VALIDATING, errors)
    return Credentials(values["identity"], values["password"], values["identityField"])


def _look_up(call: Call, collection: CollectionSchema, given: Credentials) -> tuple[str, str]:
    """``(record id, stored hash)`` of the first record with that identity; empty texts where there is none."""
    if not is_storable(given.identity):
        return "", ""
    if is_superusers(collection):
        superuser = superuser_by_email(call.session.project, given.identity)
        return (superuser.id, superuser.password) if superuser else ("", "")
    for name in _fields_to_try(collection, given):
        field = collection.field_by_name.get(name)
        if field is None or field.kind != "text":
            continue
        row = call.session.row(_identity_sql(call, collection, name), (given.identity,))
        if row is not None:
            record = reader(call, collection).values(row)
            return record["id"], str(record["password"])
    return "", ""


def _fields_to_try(collection: CollectionSchema, given: Credentials) -> Iterator[str]:
    """The field that the client named, else all identity fields; the e-mail first for what looks like one."""
    if given.field:
        yield given.field
        return
    names = list(collection.options["passwordAuth"]["identityFields"])
    if "@" in given.identity:
        names.sort(key=lambda name: name != "email")
    yield from names


def _identity_sql(call: Call, collection: CollectionSchema, name: str) -> str:
    """Identities are compared as their unique index compares them: exactly, unless it ignores case."""

    def statement() -> str:
        columns, column = reader(call, collection).columns, quoted(name)
        same = f"{column} = ?"
        if _ignores_case(collection, name):
            sqlite = call.session.engine == "sqlite"
            same = f"{column} = ? COLLATE NOCASE" if sqlite else f"lower({column}) = lower(?)"
        return call.session.sql(
            f"SELECT {columns} FROM {quoted(collection.table)} WHERE {same} AND {column} != '' LIMIT 1"
        )

    return call.schema.derived.get(("identity", collection.id, name), statement)


def _ignores_case(collection: CollectionSchema, name: str) -> bool:
    for text in collection.indexes:
        index = parse_index(text)
        if index.unique and len(index.columns) == 1 and index.columns[0].name.lower() == name.lower():
            return index.columns[0].collation == "NOCASE"
    return False
