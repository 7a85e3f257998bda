"""Which storage a project's files are in: the installation's disk or bucket, or a bucket of its own.

A file's row names its storage, so a project can have files in two while it moves from one to the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from django.conf import settings

from projects import crypto
from projects.context import ProjectHandle
from projects.files.disk import DiskStorage
from projects.files.s3_account import S3Account
from projects.files.storage import Storage, StorageMisconfiguredError

StorageName = Literal["disk", "s3", "own"]

# The project's setting that names a bucket of its own.
SETTING: Final = "fileStorage"
# The one that says where new files go, other than they would: set while a project moves, and after it.
PLACEMENT: Final = "filesPlacement"
NAMES: Final[tuple[StorageName, ...]] = ("disk", "s3", "own")


def storage_of(project: ProjectHandle) -> StorageName:
    """Where the project's new files go."""
    chosen = project.setting(PLACEMENT)
    for name in NAMES:
        if name == chosen and (name != "own" or project.setting(SETTING)):
            return name
    return usual_storage(project)


def usual_storage(project: ProjectHandle) -> StorageName:
    """Where they go unless ``filesPlacement`` says something else."""
    if project.setting(SETTING):
        return "own"
    return "s3" if settings.MBAAS_FILES_STORAGE == "s3" else "disk"


def open_storage(project: ProjectHandle, name: str) -> Storage:
    """The project's part of the storage with that name. Raises StorageMisconfiguredError."""
    if name == "disk":
        return DiskStorage(project)
    # Loaded when there is a bucket to reach: boto3 takes a third of a second and 30 MB.
    from projects.files.s3 import S3Storage

    return S3Storage(project, installation_account() if name == "s3" else own_account(project))


def installation_account() -> S3Account:
    """The bucket of the settings. Raises StorageMisconfiguredError when they name none."""
    if not settings.MBAAS_FILES_S3_BUCKET:
        raise StorageMisconfiguredError("MBAAS_FILES_S3_BUCKET is not set")
    return S3Account(
        bucket=settings.MBAAS_FILES_S3_BUCKET,
        endpoint=settings.MBAAS_FILES_S3_ENDPOINT,
        region=settings.MBAAS_FILES_S3_REGION,
        access_key=settings.MBAAS_FILES_S3_ACCESS_KEY,
        secret_key=settings.MBAAS_FILES_S3_SECRET_KEY,
        prefix=settings.MBAAS_FILES_S3_PREFIX,
        path_style=settings.MBAAS_FILES_S3_PATH_STYLE,
    )


def own_account(project: ProjectHandle) -> S3Account:
    """The bucket that the project itself named. Raises StorageMisconfiguredError when it named none."""
    stored: Any = project.setting(SETTING)
    if not isinstance(stored, Mapping):
        raise StorageMisconfiguredError("the project has no file storage of its own")
    return account_of(stored)


def account_of(stored: Mapping[str, Any]) -> S3Account:
    """The account that a project's setting describes; its secret key is stored encrypted."""
    try:
        secret = crypto.decrypt(str(stored.get("secretKey", "")))
    except crypto.SecretUnreadableError as error:
        raise StorageMisconfiguredError(str(error)) from error
    return S3Account(
        bucket=str(stored.get("bucket", "")),
        endpoint=str(stored.get("endpoint", "")),
        region=str(stored.get("region", "")),
        access_key=str(stored.get("accessKey", "")),
        secret_key=secret,
        prefix=str(stored.get("prefix", "")),
        path_style=bool(stored.get("pathStyle", False)),
    )
