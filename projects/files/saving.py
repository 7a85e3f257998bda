"""From a file on the disk to an object in the project's storage, noted before it is there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog
from django.conf import settings

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.stored_files import FileRow, QuotaExceededError, release_pending, reserve
from projects.errors import ApiError
from projects.files.spool import remove_spooled
from projects.files.storages import open_storage, storage_of
from projects.schema.dates import now_text
from projects.schema.fields.file import NewFile, Upload

log = structlog.get_logger("mbaas.files")

# The project's setting that limits what its files take, in bytes.
QUOTA_SETTING = "filesQuotaBytes"


def quota_of(project: ProjectHandle) -> int:
    """How many bytes the project's files may take; 0: no limit."""
    own = project.setting(QUOTA_SETTING)
    quota: int = own if isinstance(own, int) else settings.MBAAS_FILES_QUOTA_BYTES
    return quota


def reserve_uploads(session: Session, files: Iterable[NewFile]) -> None:
    """Note the files in the project's database before they are stored. Raises ApiError 400 over the quota."""
    project = session.project
    storage = storage_of(project)
    rows = [pending_row(file.upload, storage) for file in files]
    try:
        reserve(session, rows, seconds=settings.MBAAS_FILES_PENDING_SECONDS, quota=quota_of(project))
    except QuotaExceededError:
        raise over_quota() from None


def over_quota() -> ApiError:
    return ApiError(400, "The project's files may take no more space.")


def pending_row(upload: Upload, storage: str) -> FileRow:
    """The row of a file that is no record's yet; from now on the upload belongs in that storage."""
    # Decided once: while the project moves to another storage, a later look at its settings may say that one.
    upload.storage = storage
    return FileRow(
        key=upload.key,
        storage=storage,
        state="pending",
        collection="",
        record="",
        field="",
        name="",
        variant_of="",
        original=upload.original,
        size=upload.size,
        type=upload.type,
        checksum=upload.checksum,
        created=now_text(),
    )


def store_upload(project: ProjectHandle, upload: Upload) -> None:
    """Put a reserved file into the project's storage. Blocks. Raises StorageError."""
    open_storage(project, upload.storage).save(upload.key, Path(upload.path), upload.type)
    upload.stored = True


def abandon(session: Session, files: Sequence[NewFile]) -> None:
    """Reserved files that come to no record after all: their objects, if there are any, are removed."""
    release_pending(session, [file.upload.key for file in files])


def discard_spooled(files: Iterable[NewFile]) -> None:
    """Take off the disk what was not moved into a storage. Blocks."""
    for file in files:
        if file.upload.path:
            remove_spooled(file.upload.path)
