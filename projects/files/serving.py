"""Which file an address names, and whether the caller may have it. One read of an index for a public one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from projects.accounts.file_tokens import principal_of_file_token
from projects.databases import Session
from projects.databases.stored_files import FileRow, find_files, find_named
from projects.errors import not_found
from projects.files.thumbs import Thumb, thumb_of
from projects.principal import RequestInfo
from projects.records.access import satisfies
from projects.records.call import Call
from projects.records.queries import fetch_one
from projects.records.rows import find
from projects.schema.collection import CollectionSchema
from projects.schema.fields.coerce import is_storable
from projects.schema.fields.file import FileField
from projects.schema.store import load_schema
from projects.schema.views.settle import sources_of

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
    call = Call(session, schema)
    look = _of_view if collection.is_view else _of_record
    rows, field = session.remember(
        ("files", collection.id, asked.record, names), lambda: look(call, collection, asked, names)
    )
    row = rows.get(asked.name)
    # A thumb has no address of its own.
    if row is None or row.variant_of or field is None:
        raise not_found()
    if field.protected:
        _require_view(replace(call, request=info()), collection, field, asked)
    if thumb is None or not thumb.is_offered(field, row):
        return FoundFile(row, field.protected)
    made = rows.get(thumb.name)
    if made is not None and made.variant_of == row.key:
        return FoundFile(made, field.protected, None, negotiated=True)
    return FoundFile(row, field.protected, thumb, negotiated=True)


_Found = tuple[Mapping[str, FileRow], FileField | None]


def _of_record(call: Call, collection: CollectionSchema, asked: FileRequest, names: Sequence[str]) -> _Found:
    """The record's own files with these names, and the field that has the one that is asked for."""
    rows = {row.name: row for row in find_files(call.session, collection.id, asked.record, names)}
    row = rows.get(asked.name)
    field = collection.field_by_id.get(row.field) if row is not None else None
    return rows, field if isinstance(field, FileField) else None


def _of_view(call: Call, view: CollectionSchema, asked: FileRequest, names: Sequence[str]) -> _Found:
    """The same for a view's record: it names files of the records that the view is made of."""
    fields = view.file_fields
    record = fetch_one(call, view, "", asked.record) if fields else None
    naming = [field for field in fields if record and asked.name in field.values_of(record[field.name] or ())]
    if not naming:
        return {}, None
    sources = sources_of(call.schema, view)
    found = [row for row in find_named(call.session, names) if row.collection in sources]
    own = [row for row in found if row.name == asked.name and not row.variant_of]
    # Most views have the ids of what they show. Names are as good as unique; two of one name are not told apart.
    own = [row for row in own if row.record == asked.record] or own
    if len(own) != 1:
        return {}, None
    return {row.name: row for row in found if row.key == own[0].key or row.variant_of == own[0].key}, naming[
        0
    ]


def _require_view(call: Call, collection: CollectionSchema, field: FileField, asked: FileRequest) -> None:
    """Raises 404 unless the bearer of the address's token may view the record, and read the field of it."""
    principal = principal_of_file_token(call, asked.token)
    call = replace(call, request=replace(call.request, principal=principal, context=CONTEXT))
    if principal.is_superuser:
        return
    rules = [collection.view_rule, field.read_rule or ""]
    if not all(rule is not None and _holds(call, collection, rule, asked.record) for rule in rules):
        raise not_found()


def _holds(call: Call, collection: CollectionSchema, rule: str, record_id: str) -> bool:
    """Whether there is such a record, and the rule lets the caller have it."""
    if collection.is_view:
        return fetch_one(call, collection, rule, record_id) is not None
    record = find(call, collection, record_id)
    return record is not None and satisfies(call, collection, rule, record)
