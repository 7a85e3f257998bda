"""Bringing a record back to a former state: by an update, or by creating it anew, like any other write.

Only what differs is written, and what cannot be as it was is left out and named: a file that was removed, a relation
to a record that is gone, a value that its field does not take any more or that another record has by now. Passwords
and token keys are never brought back: they may have been changed because somebody knew them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from projects.errors import ApiError, FieldError
from projects.records.auth_fields import NOTHING_HASHED, HashedPasswords, PasswordWork
from projects.records.call import Call
from projects.records.create import create_record
from projects.records.linked import among, ids_parameter
from projects.records.rows import Values, quoted
from projects.records.update import update_record
from projects.records.visible import visible
from projects.schema.collection import CollectionSchema
from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.file import FileField
from projects.schema.fields.password import PasswordField, PasswordHash
from projects.schema.fields.relation import MISSING_RECORDS, RelationField

OTHER_EMAIL = FieldError("validation_other_email", "It was said of another e-mail address.")
# No hash of anything: nobody signs in with it until the password is set anew.
_UNUSABLE = "!restored"


@dataclass(slots=True)
class Wanted:
    """What is to be written for a former state, and the fields of it that will stay as they are."""

    body: dict[str, Any]
    skipped: dict[str, FieldError] = field(default_factory=dict)

    def skip(self, name: str, error: FieldError) -> None:
        self.skipped[name] = error
        self.body.pop(name, None)
        if name == "email" and "verified" in self.body:
            self.skip("verified", OTHER_EMAIL)


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """The record as it is now, and the fields that are not as they were then, each with the reason."""

    record: Values
    skipped: Mapping[str, FieldError]


def wanted_for(call: Call, collection: CollectionSchema, then: Values, current: Values | None) -> Wanted:
    """What would make ``current`` (None: there is no record) what it was ``then``.

    Fields that the caller could not read in that state are left out, whatever was in them.
    """
    seen = visible(call, collection, then)
    wanted = Wanted({})
    for item in collection.fields:
        name = item.name
        if name not in seen or isinstance(item, AutodateField | PasswordField):
            continue
        if name == "id" and current is not None:
            continue
        value = then[name]
        if isinstance(item, FileField):
            value = _files(wanted, item, then, current)
        elif isinstance(item, RelationField):
            value = _relations(call, wanted, item, value)
        if (item.empty() if current is None else current[name]) != value:
            wanted.body[name] = value
    if collection.is_auth and "verified" in wanted.body:
        email = wanted.body.get("email", current["email"] if current else "")
        if email != then["email"]:
            wanted.skip("verified", OTHER_EMAIL)
    return wanted


def bring_back(
    call: Call,
    collection: CollectionSchema,
    then: Values,
    current: Values | None,
    wanted: Wanted,
    if_match: str = "",
) -> BroughtBack:
    """Write what can be written of ``wanted``. Raises what an update or a creation raises, by the caller's rules."""
    if current is None:
        return _create(call.with_method("POST"), collection, then, wanted)
    changing = call.with_method("PATCH")

    def change() -> Values:
        return update_record(changing, collection, current["id"], wanted.body, if_match=if_match)

    return _write(call, wanted, change, current)


def _create(call: Call, collection: CollectionSchema, then: Values, wanted: Wanted) -> BroughtBack:
    hashed = NOTHING_HASHED
    if collection.is_auth:
        # Of no use to anybody: it is never the password, only a stand-in for one until the hash takes its place.
        plain = secrets.token_urlsafe(24)
        wanted.body |= {"password": plain, "passwordConfirm": plain}
        hashed = HashedPasswords(PasswordWork({"password": plain}), {"password": PasswordHash(_UNUSABLE)})
    dates = {
        item.name: then[item.name]
        for item in collection.fields
        if isinstance(item, AutodateField) and not item.on_update and then[item.name]
    }
    return _write(call, wanted, lambda: create_record(call, collection, wanted.body, hashed, dates))


def _write(
    call: Call, wanted: Wanted, write: Callable[[], Values], current: Values | None = None
) -> BroughtBack:
    while True:
        try:
            with call.session.savepoint():
                return BroughtBack(write(), wanted.skipped)
        except ApiError as error:
            blamed = [name for name in wanted.body if name in error.data]
            if error.status != 400 or not blamed or not {"id", "password"}.isdisjoint(blamed):
                raise
            for name in blamed:
                found = error.data[name]
                assert isinstance(found, FieldError)
                wanted.skip(name, found)
            if current is not None and not wanted.body:
                # The rule let it pass, and there is nothing left that could be written.
                return BroughtBack(current, wanted.skipped)


def _files(wanted: Wanted, item: FileField, then: Values, current: Values | None) -> Any:
    """The files of then that the record still has. The others were removed when the record let go of them."""
    names = item.values_of(then[item.name])
    own = item.values_of(current[item.name]) if current else []
    gone = [name for name in names if name not in own]
    if not gone:
        return then[item.name]
    wanted.skipped[item.name] = FieldError(
        "validation_file_gone", "Files that the record let go of are not kept.", {"files": gone}
    )
    kept = [name for name in names if name in own]
    if not kept and current is not None:
        # Rather the file that is there than none.
        return current[item.name]
    return item.normalize(kept)


def _relations(call: Call, wanted: Wanted, item: RelationField, value: Any) -> Any:
    """The records of then that still are."""
    ids = item.values_of(value)
    target = call.schema.get(item.collection_id)
    if not ids or target is None or not target.has_table:
        return value
    there = existing(call, target, ids)
    gone = [id_ for id_ in ids if id_ not in there]
    if not gone:
        return value
    wanted.skipped[item.name] = FieldError(MISSING_RECORDS.code, MISSING_RECORDS.message, {"ids": gone})
    return item.normalize([id_ for id_ in ids if id_ in there])


def existing(call: Call, collection: CollectionSchema, ids: list[str]) -> set[str]:
    """Which of the ids are records."""
    session = call.session
    sql = f"SELECT id FROM {quoted(collection.table)} WHERE {among('id', session.engine)}"
    return {row[0] for row in session.rows(sql, (ids_parameter(session, ids),))}
