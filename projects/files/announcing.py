"""The beginning of an upload that comes before its record: whom and what it is for, and room for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings

from projects.databases.stored_files import FileRow, QuotaExceededError, reserve
from projects.databases.uploads import Kind, UploadRow, new_upload_id, note_upload
from projects.errors import ApiError
from projects.files.saving import over_quota, quota_of
from projects.files.spool import new_key
from projects.files.storages import storage_of
from projects.records.call import Call
from projects.records.uploads import owner_of, upload_target
from projects.schema.dates import now_text

# What a client may say of an upload, in bytes.
LONGEST_METADATA = 4096


def announce_upload(
    call: Call,
    collection_name: str,
    field_name: str,
    *,
    size: int,
    original: str,
    kind: Kind = "tus",
    metadata: str = "",
) -> UploadRow:
    """Note an upload of ``size`` bytes for a file field; the room for it counts from now on.

    Raises what ``upload_target`` does, 413 when the field takes no file of that size, and 400 over the quota.
    """
    collection, field = upload_target(call, collection_name, field_name)
    largest = min(field.largest, settings.MBAAS_MAX_FILE_BYTES)
    if size > largest:
        raise ApiError(413, f"The file may have {largest} bytes.")
    project = call.session.project
    storage = storage_of(project)
    if kind == "direct" and storage == "disk":
        raise ApiError(400, "The project's files are on the server's disk: upload them to the server.")
    file = FileRow(
        key=new_key(),
        storage=storage,
        state="pending",
        collection=collection.id,
        record="",
        field=field.id,
        name="",
        variant_of="",
        original=original,
        size=size,
        type="",
        checksum="",
        created=now_text(),
    )
    seconds = settings.MBAAS_UPLOADS_EXPIRE_SECONDS
    try:
        reserve(call.session, [file], seconds=seconds, quota=quota_of(project))
    except QuotaExceededError:
        raise over_quota() from None
    upload_id, owner = new_upload_id(), owner_of(call.principal)
    note_upload(call.session, upload_id, key=file.key, owner=owner, kind=kind, metadata=metadata)
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    return UploadRow(upload_id, owner, kind, metadata, stored=False, due=due, file=file)
