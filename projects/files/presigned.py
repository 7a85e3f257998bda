"""Addresses into a bucket that hold for a short while: bytes go past the server, what it decides does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from projects.context import ProjectHandle
from projects.databases.stored_files import FileRow
from projects.databases.uploads import UploadRow
from projects.files.headers import Header
from projects.files.storages import open_storage

_UNKNOWN_TYPE: Final = "application/octet-stream"
# What a bucket can be told to say of an object, by the header.
_SAID: Final = {
    b"content-type": "ResponseContentType",
    b"content-disposition": "ResponseContentDisposition",
    b"cache-control": "ResponseCacheControl",
}


@dataclass(frozen=True, slots=True)
class Presigned:
    """Where a client is to send its file by PUT, with these headers."""

    url: str
    headers: dict[str, str]


def presign_upload(project: ProjectHandle, row: UploadRow, content_type: str) -> Presigned:
    """An address for the upload's bytes: so many and of that type, no others. Raises StorageError."""
    from projects.files.s3 import S3Storage

    storage = open_storage(project, row.file.storage)
    assert isinstance(storage, S3Storage)
    kind = content_type or _UNKNOWN_TYPE
    url = storage.upload_address(
        row.file.key, size=row.file.size, content_type=kind, seconds=settings.MBAAS_FILES_PRESIGN_SECONDS
    )
    return Presigned(url, {"Content-Type": kind})


def presign_download(project: ProjectHandle, row: FileRow, headers: Iterable[Header]) -> str:
    """An address of the file in its bucket that says of it what ``headers`` do. Raises StorageError."""
    from projects.files.s3 import S3Storage

    storage = open_storage(project, row.storage)
    assert isinstance(storage, S3Storage)
    said = {_SAID[name]: value.decode("latin-1") for name, value in headers if name in _SAID}
    return storage.download_address(row.key, seconds=settings.MBAAS_FILES_REDIRECT_SECONDS, headers=said)
