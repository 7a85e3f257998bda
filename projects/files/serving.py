"""Which file an address names, and whether the caller may have it. One read of an index for a public one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from projects.accounts.file_tokens import principal_of_file_token
from projects.databases import Session
from projects.databases.stored_files import FileRow, find_files
from projects.errors import not_found
from projects.files.thumbs import Thumb, thumb_of
from projects.principal import RequestInfo
from projects.records.access import satisfies
from projects.records.call import Call
from projects.records.rows import find
from projects.schema.collection import CollectionSchema
from projects.schema.fields.coerce import is_storable
from projects.schema.fields.file import FileField
from projects.schema.store import load_schema

CONTEXT = "protectedFile"


@dataclass(frozen=True, slots=True)
class FileRequest:
    """An address's parts. ``thumb`` is the size that was asked for, ``accept`` what the client can show."""

    collection: str
    record: str
    name: str
    thumb: str = ""
    token: str = ""
    accept: str = ""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """The file to serve. ``wanted``: a thumb of it that can be made and is not there yet.

    ``negotiated``: for another ``Accept`` it would be another file.
    """

    row: FileRow
    protected: bool
    wanted: Thumb | None = None
    negotiated: bool = False


def find_file(session: Session, asked: FileRequest, info: Callable[[], RequestInfo]) -> FoundFile:
    """The file, or the thumb of it, that the address names. ``info()``: the request, for a view rule.

    Raises 404 when there is none, when the caller may not see a protected one, and when the record it
    belonged to is gone: nobody learns which.
    """
    schema = load_schema(session)
    collection = schema.get(asked.collection)
    if collection is None:
        raise not_found("Missing or invalid collection context.")
    if not is_storable(asked.name + asked.record):
        raise not_found()
    thumb = thumb_of(asked.name, asked.thumb, asked.accept) if asked.thumb else None
    names = (asked.name,) if thumb is None else (asked.name, thumb.name)
    rows = session.remember(
        ("files", collection.id, asked.record, names),
        lambda: {row.name: row for row in find_files(session, collection.id, asked.record, names)},
    )
    row = rows.get(asked.name)
    # A thumb has no address of its own.
    if row is None or row.variant_of:
        raise not_found()
    field = collection.field_by_id.get(row.field)
    if not isinstance(field, FileField):
        raise not_found()
    if field.protected:
        _require_view(Call(session, schema, info()), collection, field, asked)
    if thumb is None or not thumb.is_offered(field, row):
        return FoundFile(row, field.protected)
    made = rows.get(thumb.name)
    if made is not None and made.variant_of == row.key:
        return FoundFile(made, field.protected, None, negotiated=True)
    return FoundFile(row, field.protected, thumb, negotiated=True)


def _require_view(call: Call, collection: CollectionSchema, field: FileField, asked: FileRequest) -> None:
    """Raises 404 unless the bearer of the address's token may view the record, and read the field of it."""
    principal = principal_of_file_token(call, asked.token)
    call = replace(call, request=replace(call.request, principal=principal, context=CONTEXT))
    if principal.is_superuser:
        return
    record = find(call, collection, asked.record)
    rule = collection.view_rule
    if rule is None or record is None or not satisfies(call, collection, rule, record):
        raise not_found()
    if field.read_rule and not satisfies(call, collection, field.read_rule, record):
        raise not_found()
