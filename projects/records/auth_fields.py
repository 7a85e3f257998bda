"""The rules of an auth record's own fields: who may set which, and what a new password or e-mail ends.

They hold for every write of an auth collection (HTTP, batch, sync, console), so create and update ask
them. The order and the codes are the wire contract's: the form around the password and the fields kept
for managers come first, and only when nothing is wrong there the fields' own checks.

A hash takes 20 ms of a core, which no transaction waits for. A write that meets a plain password raises
``UnhashedPasswords`` and is undone; the caller hashes outside of any transaction and writes again with the
result. So nothing is hashed for a write that the rule or a field's check refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from projects.errors import FieldError, invalid_fields
from projects.records.call import Call
from projects.records.rows import Values, find
from projects.records.visible import is_manager
from projects.schema.collection import CollectionSchema
from projects.schema.fields.coerce import to_text
from projects.schema.fields.password import PasswordHash
from projects.schema.fields.text import TextField

REQUIRED = FieldError("validation_required", "Cannot be blank.")
MISMATCH = FieldError("validation_values_mismatch", "Values don't match.")
WRONG_OLD_PASSWORD = FieldError("validation_invalid_old_password", "Missing or invalid old password.")
TAKEN_ID = FieldError("validation_invalid_auth_id", "Invalid or duplicated auth record id.")

_PENDING = PasswordHash("pending")
# Set by their owners on sign-up, later by the flows that prove them, or by a manager.
_MANAGED = ("email", "verified")


@dataclass(frozen=True, slots=True, repr=False)
class PasswordWork:
    """What is to be hashed and checked outside the transaction. It holds plain passwords: never log it.

    ``plain`` by field; ``old`` is what the client gave as the present password, to be checked against
    ``stored``, the hash of ``record_id`` in the collection of that id and name. ``sign_up``: a new account
    made by somebody who is not a superuser.
    """

    plain: Mapping[str, str] = field(default_factory=dict)
    collection_id: str = ""
    collection_name: str = ""
    sign_up: bool = False
    record_id: str = ""
    old: str = ""
    stored: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class HashedPasswords:
    """What became of a PasswordWork: hashes by field, and the stored hash that ``old`` matched ("": none)."""

    work: PasswordWork = PasswordWork()
    hashes: Mapping[str, PasswordHash] = field(default_factory=dict)
    proved: str = ""


NOTHING_HASHED = HashedPasswords()


class UnhashedPasswords(Exception):
    """The write needs hashes first: do ``work``, then write again with its HashedPasswords."""

    def __init__(self, work: PasswordWork) -> None:
        super().__init__("passwords are to be hashed")
        self.work = work


def taken_for_granted(work: PasswordWork) -> HashedPasswords:
    """``work`` as if it were done and its old password right, for a write that will be undone."""
    return HashedPasswords(work, dict.fromkeys(work.plain, _PENDING), work.stored)


def check_auth_create(
    call: Call, collection: CollectionSchema, values: Values, body: Mapping[str, Any], message: str
) -> None:
    """Refuse what a new auth record may not say of itself. Raises 400 by field with ``message``."""
    if not collection.is_auth:
        return
    errors = _confirmation_errors(body)
    if values["verified"] and not is_manager(call, collection, values):
        errors["verified"] = MISMATCH
    if errors:
        raise invalid_fields(message, errors)


def check_auth_id(
    call: Call, collection: CollectionSchema, values: Values, body: Mapping[str, Any], message: str
) -> None:
    """Refuse an id that an account of another collection has: rules compare ``@request.auth.id`` alone, so who could
    choose it would pass for the other. Ids of our own making are nobody's. Raises 400 with ``message``."""
    if not (collection.is_auth and "id" in body):
        return
    others = (other for other in call.schema.collections if other.is_auth and other.has_table)
    if any(other is not collection and find(call, other, values["id"]) is not None for other in others):
        raise invalid_fields(message, {"id": TAKEN_ID})


def check_auth_update(
    call: Call,
    collection: CollectionSchema,
    before: Values,
    changed: Values,
    body: Mapping[str, Any],
    hashed: HashedPasswords,
    message: str,
) -> None:
    """Refuse changes of an auth record that need its old password or a manager.

    Raises 400 by field with ``message``, and UnhashedPasswords when the old password is still to be checked.
    """
    if not collection.is_auth:
        return
    changes_password = any(to_text(body.get(name)) for name in ("password", "passwordConfirm", "oldPassword"))
    managed = [name for name in _MANAGED if name in changed and changed[name] != before[name]]
    if not (changes_password or managed):
        return
    manager = is_manager(call, collection, before)
    errors = {} if manager else dict.fromkeys(managed, MISMATCH)
    if changes_password:
        errors.update(_confirmation_errors(body))
        old = to_text(body.get("oldPassword"))
        if not manager and not old:
            errors["oldPassword"] = REQUIRED
        elif not manager and not errors and not _proved(before, old, hashed):
            # Only now, that everything else is in order: a check costs as much as a hash.
            if hashed.work.old != old:
                plain, stored = _plain(collection, changed), str(before["password"])
                raise UnhashedPasswords(
                    PasswordWork(plain, collection.id, collection.name, False, before["id"], old, stored)
                )
            errors["oldPassword"] = WRONG_OLD_PASSWORD
    if errors:
        raise invalid_fields(message, errors)


def without_plain(collection: CollectionSchema, values: Values) -> Values:
    """``values`` as rules see them before the hashing: what is in a password field is nobody's text."""
    plain = _plain(collection, values)
    return {**values, **dict.fromkeys(plain, _PENDING)} if plain else values


def hash_passwords(
    call: Call, collection: CollectionSchema, values: Values, hashed: HashedPasswords, *, is_new: bool
) -> None:
    """Put hashes in place of the plain passwords among ``values``. Raises UnhashedPasswords."""
    plain = _plain(collection, values)
    if any(hashed.work.plain.get(name) != text for name, text in plain.items()):
        sign_up = is_new and collection.is_auth and not call.principal.is_superuser
        raise UnhashedPasswords(PasswordWork(plain, collection.id, collection.name, sign_up))
    for name in plain:
        values[name] = hashed.hashes[name]


def rotate_token_key(collection: CollectionSchema, before: Values, changed: Values) -> None:
    """A new password or e-mail gets a new token key, which ends every session of the record."""
    if not collection.is_auth:
        return
    renewed = any(name in changed and changed[name] != before[name] for name in ("password", "email"))
    token_key = collection.field_by_name["tokenKey"]
    if renewed and changed.get("tokenKey", before["tokenKey"]) == before["tokenKey"]:
        assert isinstance(token_key, TextField)
        changed["tokenKey"] = token_key.generated()


def _confirmation_errors(body: Mapping[str, Any]) -> dict[str, FieldError]:
    password, confirm = to_text(body.get("password")), to_text(body.get("passwordConfirm"))
    errors: dict[str, FieldError] = {}
    if not password:
        errors["password"] = REQUIRED
    if not confirm:
        errors["passwordConfirm"] = REQUIRED
    elif confirm != password:
        errors["passwordConfirm"] = MISMATCH
    return errors


def _plain(collection: CollectionSchema, values: Mapping[str, Any]) -> dict[str, str]:
    return {
        item.name: values[item.name]
        for item in collection.password_fields
        if values.get(item.name) and not isinstance(values[item.name], PasswordHash)
    }


def _proved(before: Values, old: str, hashed: HashedPasswords) -> bool:
    """Whether ``old`` was found to match the very hash that the record has now."""
    return bool(hashed.proved) and hashed.proved == before["password"] and hashed.work.old == old
