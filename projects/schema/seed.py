"""The collections that every project has from its first moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from projects.schema import alter, store
from projects.schema.auth_options import default_auth_options
from projects.schema.collection import SUPERUSERS, CollectionSchema, CollectionType
from projects.schema.dates import date_text
from projects.schema.defaults import new_collection
from projects.schema.draft import complete
from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.base import Field
from projects.schema.fields.file import FileField
from projects.schema.fields.password import PasswordField
from projects.schema.fields.text import TextField
from projects.schema.ids import collection_id, field_id

if TYPE_CHECKING:
    from projects.databases import Session

_SUPERUSER_TOKEN_SECONDS: Final = 86_400
_USERS_ID: Final = "_pb_users_auth_"
_SEED_FAILED: Final = "Failed to create the system collections."

# Whose a row is: the user himself sees (and may delete) what the sign-in flows wrote about him.
_OWN: Final = (
    "@request.auth.id != '' && recordRef = @request.auth.id && collectionRef = @request.auth.collectionId"
)
_SELF: Final = "id = @request.auth.id"


def _text(
    name: str, *, required: bool = True, hidden: bool = False, system: bool = True, most: int = 0
) -> Field:
    return TextField(
        id=field_id("text", name), name=name, system=system, required=required, hidden=hidden, max=most
    )


def _dates(*, system: bool) -> tuple[Field, ...]:
    return (
        AutodateField(id=field_id("autodate", "created"), name="created", system=system, on_create=True),
        AutodateField(
            id=field_id("autodate", "updated"), name="updated", system=system, on_create=True, on_update=True
        ),
    )


def _collection(
    kind: CollectionType, name: str, fields: tuple[Field, ...], *indexes: str, **rest: Any
) -> CollectionSchema:
    draft = new_collection(kind)
    return complete(
        replace(
            draft,
            id=rest.pop("id", collection_id(kind, name)),
            name=name,
            system=rest.pop("system", True),
            fields=(*draft.fields, *fields),
            indexes=indexes,
            **rest,
        )
    )


def _owned(name: str, fields: tuple[Field, ...], *indexes: str, **rest: Any) -> CollectionSchema:
    owner = (_text("collectionRef"), _text("recordRef"))
    return _collection(
        "base",
        name,
        (*owner, *fields, *_dates(system=True)),
        *indexes,
        list_rule=_OWN,
        view_rule=_OWN,
        **rest,
    )


def system_collections() -> tuple[CollectionSchema, ...]:
    """The collections of a new project, without times, in the order of the wire contract."""
    superuser_options = default_auth_options()
    superuser_options["authToken"]["duration"] = _SUPERUSER_TOKEN_SECONDS
    users_options = default_auth_options()
    users_options["oauth2"]["mappedFields"].update(name="name", avatarURL="avatar")
    avatar = FileField(
        id=field_id("file", "avatar"),
        name="avatar",
        max_select=1,
        mime_types=("image/jpeg", "image/png", "image/svg+xml", "image/gif", "image/webp"),
    )
    code = PasswordField(
        id=field_id("password", "password"), name="password", system=True, hidden=True, required=True, cost=8
    )
    return (
        _owned(
            "_mfas",
            (_text("method"),),
            "CREATE INDEX `idx_mfas_collectionRef_recordRef` ON `_mfas` (collectionRef,recordRef)",
        ),
        _owned(
            "_otps",
            (code, _text("sentTo", required=False, hidden=True)),
            "CREATE INDEX `idx_otps_collectionRef_recordRef` ON `_otps` (collectionRef, recordRef)",
        ),
        _owned(
            "_externalAuths",
            (_text("provider"), _text("providerId")),
            "CREATE UNIQUE INDEX `idx_externalAuths_record_provider`"
            " ON `_externalAuths` (collectionRef, recordRef, provider)",
            "CREATE UNIQUE INDEX `idx_externalAuths_collection_provider`"
            " ON `_externalAuths` (collectionRef, provider, providerId)",
            delete_rule=_OWN,
        ),
        _owned(
            "_authOrigins",
            (_text("fingerprint"),),
            "CREATE UNIQUE INDEX `idx_authOrigins_unique_pairs`"
            " ON `_authOrigins` (collectionRef, recordRef, fingerprint)",
            delete_rule=_OWN,
        ),
        _collection("auth", SUPERUSERS, _dates(system=True), options=superuser_options),
        _collection(
            "auth",
            "users",
            (_text("name", required=False, system=False, most=255), avatar, *_dates(system=False)),
            id=_USERS_ID,
            system=False,
            options=users_options,
            list_rule=_SELF,
            view_rule=_SELF,
            create_rule="",
            update_rule=_SELF,
            delete_rule=_SELF,
        ),
    )


def seed_system_collections(session: Session) -> None:
    """Create the system collections and ``users`` with their tables in a new project's database."""
    start = datetime.now(UTC)
    for number, collection in enumerate(system_collections()):
        # One millisecond apart, so that lists by creation have one order.
        now = date_text(start + timedelta(milliseconds=number))
        dated = replace(collection, created=now, updated=now)
        alter.create(session, dated, _SEED_FAILED)
        store.insert_collection(session, dated)
    store.raise_version(session)
