"""Which names collections and fields may have: one rule for both engines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from projects.errors import FieldError
from projects.schema.collection import CollectionType
from projects.schema.fields.checks import BLANK, length_between

# PostgreSQL cuts longer identifiers off, silently; so both engines refuse them.
MAX_NAME: Final = 63
MAX_ID: Final = 100

_WORD: Final = re.compile(r"[A-Za-z0-9_]+")
# Tables that belong to the engines, to Django and to its apps stand beside the collections'.
_RESERVED_PREFIXES: Final = (
    "sqlite_", "pg_", "django_", "auth_", "account_", "socialaccount_", "mfa_", "usersessions_",
)  # fmt: skip
_RESERVED_FIELDS: Final = frozenset(
    {"collectionid", "collectionname", "expand", "null", "true", "false", "_rowid_"}
    # System columns of every PostgreSQL table.
    | {"tableoid", "xmin", "xmax", "cmin", "cmax", "ctid"}
)
TEMPORARY_PREFIX: Final = "_mbaas_tmp_"  # columns and tables on their way to another name
_RESERVED_AUTH_FIELDS: Final = frozenset({"passwordconfirm", "oldpassword"})

_MALFORMED: Final = FieldError("validation_match_invalid", "Must be in a valid format.")
INTERNAL_NAME: Final = FieldError(
    "validation_collection_name_invalid", "The name shouldn't match with an existing internal table."
)
_VIA: Final = FieldError("validation_found_via", 'The value cannot contain "_via_".')


def collection_name_complaint(name: str, *, system: bool = False) -> FieldError | None:
    """What is wrong with a collection's name by itself. ``system``: names with ``_`` in front are allowed."""
    lowered = name.lower()
    if found := _word_complaint(name):
        return found
    if lowered.startswith(_RESERVED_PREFIXES) or (lowered.startswith("_") and not system):
        return INTERNAL_NAME
    return None


def taken_name_complaint(name: str, names: Iterable[str], ids: Iterable[str]) -> FieldError | None:
    """Whether another collection has the name or, as its id, the same text (whatever the case of both)."""
    lowered = name.lower()
    if any(lowered == other.lower() for other in names):
        return FieldError(
            "validation_collection_name_exists", "Collection name must be unique (case insensitive)."
        )
    if any(lowered == other.lower() for other in ids):
        return FieldError(
            "validation_collection_name_id_duplicate", "The name must not match an existing collection id."
        )
    return None


def id_complaint(collection_id: str) -> FieldError | None:
    if not collection_id:
        return BLANK
    if found := length_between(collection_id, 1, MAX_ID):
        return found
    return None if _WORD.fullmatch(collection_id) else _MALFORMED


def field_name_complaint(name: str, kind: CollectionType) -> FieldError | None:
    """What is wrong with a field's name by itself in a collection of the type."""
    if found := _word_complaint(name):
        return found
    lowered = name.lower()
    if lowered in _RESERVED_FIELDS or lowered.startswith(TEMPORARY_PREFIX):
        return FieldError("validation_not_in_invalid", "Must not be in list.")
    if kind == "auth" and lowered in _RESERVED_AUTH_FIELDS:
        return FieldError("validation_reserved_field_name", "The field name is reserved and cannot be used.")
    return None


def _word_complaint(name: str) -> FieldError | None:
    if not name:
        return BLANK
    if found := length_between(name, 1, MAX_NAME):
        return found
    if not _WORD.fullmatch(name):
        return _MALFORMED
    return _VIA if "_via_" in name else None
