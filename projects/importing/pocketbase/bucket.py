"""The files of a PocketBase that keeps them in a bucket of a service that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import unquote

from projects.context import ProjectHandle
from projects.files.s3_account import S3Account
from projects.files.storage import ObjectMissingError
from projects.importing.pocketbase.errors import ImportRefusedError
from projects.importing.pocketbase.stored import SourceFile, is_safe

_ORIGINAL: Final = "original-filename"


class BucketFiles:
    """Reads with the account that PocketBase's settings name."""

    def __init__(self, project: ProjectHandle, account: S3Account) -> None:
        from projects.files.s3 import S3Storage

        self._storage = S3Storage(project, account)

    def size(self, where: tuple[str, str, str]) -> int | None:
        """0: to know it would take a request for every file."""
        return 0 if is_safe(where) else None

    @contextmanager
    def open(self, where: tuple[str, str, str]) -> Iterator[SourceFile]:
        name = "/".join(where)
        if not is_safe(where):
            raise FileNotFoundError(name)
        try:
            content, size, noted = self._storage.fetch(name)
        except ObjectMissingError as error:
            raise FileNotFoundError(name) from error
        with closing(content):
            yield SourceFile(content, size, unquote(noted.get(_ORIGINAL, "")) or where[2])


def is_in_bucket(settings: Mapping[str, Any] | None) -> bool:
    """Whether PocketBase keeps its files in a bucket."""
    given = (settings or {}).get("s3")
    return isinstance(given, Mapping) and bool(given.get("enabled"))


def bucket_of(settings: Mapping[str, Any] | None) -> S3Account:
    """The account that PocketBase's settings name. Raises ImportRefusedError when they name none."""
    given = (settings or {}).get("s3")
    texts = {
        name: str(given.get(name) or "") if isinstance(given, Mapping) else ""
        for name in ("bucket", "endpoint", "region", "accessKey", "secret")
    }
    # Without keys the machine's own credentials would be tried, which are nobody else's business.
    if not (texts["bucket"] and texts["endpoint"] and texts["accessKey"] and texts["secret"]):
        raise ImportRefusedError("PocketBase's settings name no bucket with its endpoint and keys.")
    endpoint = texts["endpoint"]
    return S3Account(
        bucket=texts["bucket"],
        endpoint=endpoint if "://" in endpoint else f"https://{endpoint}",
        region=texts["region"],
        access_key=texts["accessKey"],
        secret_key=texts["secret"],
        path_style=isinstance(given, Mapping) and bool(given.get("forcePathStyle")),
    )
