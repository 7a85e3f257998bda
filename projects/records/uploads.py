"""Uploads that came before the write: a body has their ids where the files belong, as ``with_uploads`` puts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from projects.databases.uploads import GUEST_OWNER, UPLOAD_ID, UploadRow, find_upload
from projects.errors import FieldError, forbidden, invalid_fields, not_found
from projects.principal import Principal
from projects.records.access import could_satisfy
from projects.records.call import Call
from projects.schema.collection import CollectionSchema
from projects.schema.fields.coerce import to_texts
from projects.schema.fields.file import FileField, NewFile, Upload

UNFINISHED: Final = FieldError("validation_upload_unfinished", "The upload is not finished.")
_UNKNOWN: Final = FieldError(
    "validation_invalid_upload",
    "There is no such upload for this field: it has expired, or was used already.",
)
_NO_FILE_FIELD: Final = FieldError("validation_invalid_field", "Must be the name of a file field.")


class UnfinishedUpload(Exception):
    """The write takes an upload that is not in the storage: undo it, see whether it is whole, then write again.

    ``as_error()`` is the refusal if it cannot be finished.
    """

    def __init__(self, row: UploadRow, field: str, message: str) -> None:
        super().__init__("an upload is to be finished")
        self.row = row
        self._field = field
        self._message = message

    def as_error(self) -> Exception:
        return invalid_fields(self._message, {self._field: UNFINISHED})


def owner_of(principal: Principal) -> str:
    """Whose uploads a caller may go on with."""
    if principal.kind == "guest":
        return GUEST_OWNER
    return f"{principal.collection_id}/{principal.id}" if principal.kind == "user" else "superuser"


def may_use(principal: Principal, row: UploadRow) -> bool:
    """What a guest uploaded is for whoever knows its id: they may have signed up since."""
    return principal.is_superuser or row.owner in (GUEST_OWNER, owner_of(principal))


def own_upload(call: Call, upload_id: str) -> UploadRow:
    """The caller's upload of that id. Raises 404."""
    row = find_upload(call.session, upload_id) if UPLOAD_ID.fullmatch(upload_id) else None
    if row is None or row.is_due or not may_use(call.principal, row):
        raise not_found()
    return row


def upload_target(call: Call, collection_name: str, field_name: str) -> tuple[CollectionSchema, FileField]:
    """The field that an upload is for. The rules themselves are asked when a record gets it.

    Raises 404 for an unknown collection, 403 when the caller can neither create nor update a record of it whatever
    it is like, 400 when it has no such file field.
    """
    collection = call.collection(collection_name)
    rules = () if collection.is_view else (collection.create_rule, collection.update_rule)
    if not any(could_satisfy(call, collection, rule) for rule in rules):
        raise forbidden()
    field = collection.field_by_name.get(field_name)
    if not isinstance(field, FileField) or (field.hidden and not call.principal.is_superuser):
        raise invalid_fields("Failed to create upload.", {"field": _NO_FILE_FIELD})
    return collection, field


def with_uploads(
    call: Call, collection: CollectionSchema, body: Mapping[str, Any], message: str
) -> Mapping[str, Any]:
    """``body`` with the files that the ids of uploads in its file fields stand for.

    Raises 400 (``message``) for an upload that is not there for the caller and the field, and UnfinishedUpload.
    """
    if not collection.file_fields:
        return body
    found: dict[str, Any] = {}
    for field in collection.file_fields:
        for key in (field.name, f"{field.name}+", f"+{field.name}"):
            texts = to_texts(body[key]) if key in body else []
            if any(UPLOAD_ID.fullmatch(text) for text in texts):
                found[key] = [_file_of(call, collection, field, text, message) for text in texts]
    return {**body, **found} if found else body


def _file_of(call: Call, collection: CollectionSchema, field: FileField, text: str, message: str) -> str:
    if isinstance(text, NewFile) or not UPLOAD_ID.fullmatch(text):
        return text
    row = find_upload(call.session, text)
    if (
        row is None
        or row.is_due
        or not may_use(call.principal, row)
        or (row.file.collection, row.file.field) != (collection.id, field.id)
    ):
        raise invalid_fields(message, {field.name: _UNKNOWN})
    if not row.stored:
        raise UnfinishedUpload(row, field.name, message)
    file = row.file
    upload = Upload(
        file.key, file.original, file.size, file.type, file.checksum, stored=True, upload_id=row.id
    )
    return NewFile(file.name, upload)
