"""Files in a bucket of any service that speaks S3, each project's below its own prefix.

Everything goes through django-storages' S3 storage and the client that it makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from storages.backends.s3 import S3Storage as Backend

from projects.context import ProjectHandle
from projects.files.disk import disk_error
from projects.files.s3_account import S3Account
from projects.files.storage import (
    ObjectInfo,
    ObjectMissingError,
    Reader,
    StorageError,
    StorageFullError,
    StorageMisconfiguredError,
    StorageUnavailableError,
)

# How often a bucket is asked before it counts as unavailable.
ATTEMPTS = 3
_MISSING = {"404", "NoSuchKey", "NotFound"}
_WRONG = {
    "403", "AccessDenied", "InvalidAccessKeyId", "NoSuchBucket", "PermanentRedirect", "SignatureDoesNotMatch",
    "AuthorizationHeaderMalformed", "InvalidBucketName", "AllAccessDisabled",
}  # fmt: skip
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}
# What DeleteObjects takes at once.
_DELETED_TOGETHER = 1000


class S3Storage:
    """One project's prefix ``<prefix>/<uid>/`` in a bucket."""

    def __init__(self, project: ProjectHandle, account: S3Account) -> None:
        self._bucket = account.bucket
        self._uid = project.uid
        self._prefix = "/".join(part for part in (account.prefix.strip("/"), project.uid) if part)
        self._backend = _backend(account, settings.MBAAS_FILES_TIMEOUT_SECONDS)

    @property
    def client(self) -> Any:
        """The boto3 client, of this thread."""
        return self._backend.connection.meta.client

    def name(self, key: str) -> str:
        """The object's whole name in the bucket."""
        return f"{self._prefix}/{key}"

    def save(self, key: str, path: Path, content_type: str) -> None:
        with _errors(key), open(path, "rb") as opened:
            content = File(opened, name=key)
            content.content_type = content_type  # type: ignore[attr-defined]
            self._backend.save(f"{self._uid}/{key}", content)

    def open(self, key: str, start: int, size: int) -> Reader:
        with _errors(key):
            if not size:
                return _Nothing()
            found = self.client.get_object(
                Bucket=self._bucket, Key=self.name(key), Range=f"bytes={start}-{start + size - 1}"
            )
            return _Body(key, found["Body"])

    def fetch(self, name: str) -> tuple[Reader, int, Mapping[str, str]]:
        """An object that is none of ours, by its whole name in the bucket, with its size and what is noted of it.

        Raises StorageError.
        """
        with _errors(name):
            found = self.client.get_object(Bucket=self._bucket, Key=name)
            return _Body(name, found["Body"]), int(found["ContentLength"]), found.get("Metadata", {})

    def local_path(self, key: str) -> str | None:
        return None

    def size(self, key: str) -> int:
        with _errors(key):
            return int(self._backend.size(f"{self._uid}/{key}"))

    def delete(self, key: str) -> None:
        with _errors(key):
            self._backend.delete(f"{self._uid}/{key}")

    def copy(self, key: str, to: str) -> None:
        """Copy an object within the bucket, which does it itself. Raises StorageError."""
        source = {"Bucket": self._bucket, "Key": self.name(key)}
        with _errors(key):
            # In parts where it is too large for one call (5 GB).
            self.client.copy(source, self._bucket, self.name(to))

    def upload_address(self, key: str, *, size: int, content_type: str, seconds: int) -> str:
        """An address that takes one PUT of exactly ``size`` bytes of that type for ``seconds``: both are signed."""
        given = {"ContentLength": size, "ContentType": content_type}
        return self._signed("put_object", key, seconds, given)

    def download_address(self, key: str, *, seconds: int, headers: Mapping[str, str]) -> str:
        """An address that gives the object for ``seconds``. ``headers``: boto3's ``Response…`` arguments."""
        return self._signed("get_object", key, seconds, headers)

    def _signed(self, method: str, key: str, seconds: int, given: Mapping[str, Any]) -> str:
        with _errors(key):
            address: str = self.client.generate_presigned_url(
                method, Params={"Bucket": self._bucket, "Key": self.name(key), **given}, ExpiresIn=seconds
            )
            return address

    def objects(self) -> Iterator[ObjectInfo]:
        start = len(self._prefix) + 1
        with _errors("all"):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{self._prefix}/"):
                for found in page.get("Contents", ()):
                    yield ObjectInfo(found["Key"][start:], int(found["Size"]))

    def delete_all(self) -> None:
        waiting: list[str] = []
        for found in self.objects():
            waiting.append(found.key)
            if len(waiting) == _DELETED_TOGETHER:
                self._delete_many(waiting)
                waiting = []
        if waiting:
            self._delete_many(waiting)

    def _delete_many(self, keys: list[str]) -> None:
        with _errors("all"):
            answer = self.client.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": self.name(key)} for key in keys], "Quiet": True},
            )
        if failed := answer.get("Errors"):
            raise StorageUnavailableError(f"{len(failed)} objects were not deleted: {failed[0]}")


class _Backend(Backend):  # type: ignore[misc]
    """Django-storages' S3 storage with one session: each thread's would read boto3's models from disk anew."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Sessions are not made for several threads at once; the clients that they make are.
        self._making = Lock()
        self._session: Any = None

    def _create_session(self) -> Any:
        if self._session is None:
            self._session = super()._create_session()
        return self._session

    @property
    def connection(self) -> Any:
        with self._making:
            return super().connection


@lru_cache(maxsize=64)
def _backend(account: S3Account, seconds: int) -> _Backend:
    """The account's storage, shared by all projects in it: its clients (one per thread) are dear."""
    return _Backend(
        bucket_name=account.bucket,
        endpoint_url=account.endpoint or None,
        region_name=account.region or None,
        access_key=account.access_key or None,
        secret_key=account.secret_key or None,
        location=account.prefix.strip("/"),
        default_acl=None,
        file_overwrite=True,
        client_config=Config(
            connect_timeout=min(seconds, 5),
            read_timeout=seconds,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            max_pool_connections=settings.MBAAS_FILES_THREADS,
            signature_version="s3v4",
            s3={"addressing_style": "path" if account.path_style else "auto"},
            # Services other than Amazon's do not all know the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


class _Body:
    """An answer's body; its connection is held until it is read or closed."""

    def __init__(self, key: str, body: Any) -> None:
        self._key = key
        self._body = body

    def read(self, size: int) -> bytes:
        with _errors(self._key):
            data: bytes = self._body.read(size)
            return data

    def close(self) -> None:
        self._body.close()


class _Nothing:
    def read(self, size: int) -> bytes:
        return b""

    def close(self) -> None: ...


@contextmanager
def _errors(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _client_error(error, key) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageUnavailableError(f"{key}: {error}") from error
    except FileNotFoundError as error:
        raise ObjectMissingError(f"{key}: {error}") from error
    except OSError as error:
        raise disk_error(error, key) from error


def _client_error(error: Any, key: str) -> StorageError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = f"{key}: {error}"
    if code in _MISSING:
        return ObjectMissingError(text)
    if code in _WRONG:
        return StorageMisconfiguredError(text)
    return (StorageFullError if code in _FULL else StorageUnavailableError)(text)
