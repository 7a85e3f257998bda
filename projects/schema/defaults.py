"""The fields, indexes and options that every collection of a type starts with, and scaffolds."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, Final

from projects.schema.auth_options import default_auth_options
from projects.schema.collection import CollectionSchema, CollectionType
from projects.schema.fields.base import Field
from projects.schema.fields.boolean import BoolField
from projects.schema.fields.email import EmailField
from projects.schema.fields.password import PasswordField
from projects.schema.fields.text import TextField
from projects.schema.ids import DEFAULT_ID_AUTOGENERATE, DEFAULT_ID_PATTERN, field_id

ID_FIELD: Final = TextField(
    id=field_id("text", "id"),
    name="id",
    system=True,
    required=True,
    primary_key=True,
    min=15,
    max=15,
    pattern=DEFAULT_ID_PATTERN,
    autogenerate_pattern=DEFAULT_ID_AUTOGENERATE,
)

AUTH_FIELDS: Final[tuple[Field, ...]] = (
    PasswordField(
        id=field_id("password", "password"), name="password", system=True, hidden=True, required=True, min=8
    ),
    TextField(
        id=field_id("text", "tokenKey"),
        name="tokenKey",
        system=True,
        hidden=True,
        required=True,
        min=30,
        max=60,
        autogenerate_pattern="[a-zA-Z0-9]{50}",
    ),
    EmailField(id=field_id("email", "email"), name="email", system=True, required=True),
    BoolField(id=field_id("bool", "emailVisibility"), name="emailVisibility", system=True),
    BoolField(id=field_id("bool", "verified"), name="verified", system=True),
)

# What a client cannot change of system fields.
_FORCED: Final[dict[str, dict[str, Any]]] = {
    "password": {"system": True, "hidden": True, "required": True, "write_rule": None},
    "tokenKey": {
        "system": True,
        "hidden": True,
        "required": True,
        "nullable": False,
        "read_rule": None,
        "write_rule": None,
        "searchable": False,
    },
    # An address is shown account by account, which a search cannot respect.
    "email": {"system": True, "hidden": False, "nullable": False, "searchable": False},
    "emailVisibility": {"system": True, "nullable": False},
    "verified": {"system": True, "nullable": False},
}


def with_system_fields(kind: CollectionType, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """``fields`` with the type's system fields: forced where given, added (id first) where not."""
    out = [_forced_id(field) for field in fields]
    if not any(isinstance(field, TextField) and field.name == "id" for field in out):
        out.insert(0, ID_FIELD)
    if kind == "auth":
        for default in AUTH_FIELDS:
            at = next((i for i, field in enumerate(out) if field.name == default.name), None)
            if at is None:
                out.append(default)
            elif type(out[at]) is not type(default):
                out[at] = replace(default, id=out[at].id)
            else:
                out[at] = replace(out[at], **_FORCED[default.name])
    return tuple(out)


def _forced_id(field: Field) -> Field:
    if field.name != "id" or not isinstance(field, TextField):
        return field
    return replace(
        field,
        system=True,
        required=True,
        hidden=False,
        nullable=False,
        read_rule=None,
        write_rule=None,
        primary_key=True,
        pattern=field.pattern or DEFAULT_ID_PATTERN,
    )


def auth_index_texts(collection_id: str, table: str) -> dict[str, str]:
    """The unique indexes that an auth collection cannot do without, by field."""
    # Names of indexes are bounded (63 bytes); ids may be longer.
    suffix = collection_id[:45]
    return {
        "tokenKey": f"CREATE UNIQUE INDEX `idx_tokenKey_{suffix}` ON `{table}` (`tokenKey`)",
        "email": f"CREATE UNIQUE INDEX `idx_email_{suffix}` ON `{table}` (`email`) WHERE `email` != ''",
    }


def new_collection(kind: CollectionType) -> CollectionSchema:
    """A collection of the type with its system fields and default options; no id and no name yet."""
    if kind == "view":
        return CollectionSchema(id="", name="", type=kind, options={"viewQuery": ""})
    return CollectionSchema(
        id="",
        name="",
        type=kind,
        fields=with_system_fields(kind, ()),
        options=default_auth_options() if kind == "auth" else {},
    )


def scaffold(kind: CollectionType) -> CollectionSchema:
    """What a client may start from when it composes a new collection of the type."""
    collection = new_collection(kind)
    if kind != "auth":
        return collection
    placeholder = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(10))
    return replace(collection, indexes=tuple(auth_index_texts(placeholder, "").values()))
