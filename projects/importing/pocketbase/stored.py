"""The files of a PocketBase's records, where its data folder or its backup has them.

Names come from a database that somebody else wrote: one that could lead anywhere but to its own record's folder is
not looked for.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from projects.files.storage import Reader
from projects.importing.pocketbase.snapshot import UNREADABLE

_STORAGE: Final = "storage"
# What PocketBase itself leaves of a name; also what can stand in an address and a header as it is.
_NAME: Final = re.compile(r"(?!\.+$)[A-Za-z0-9_.*\-+=#]{1,255}")
_FOLDER: Final = re.compile(r"[A-Za-z0-9_\-]{1,255}")
# Beside each file PocketBase keeps what its client called it.
_FACTS: Final = ".attrs"
_LARGEST_FACTS: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that is open: ``content`` has ``size`` bytes; ``original`` is its client's name for it."""

    content: Reader
    size: int
    original: str


class SourceFiles(Protocol):
    """Where files are. ``where``: (collection's id, record's id, stored name)."""

    def size(self, where: tuple[str, str, str]) -> int | None:
        """Its size in bytes, 0 where that is not known; None when it is not there."""

    def open(self, where: tuple[str, str, str]) -> AbstractContextManager[SourceFile]:
        """Raises FileNotFoundError, OSError, and what else ``UNREADABLE`` names."""


def is_safe(where: tuple[str, str, str]) -> bool:
    """Whether the names can be a file of a record."""
    collection, record, name = where
    return bool(_FOLDER.fullmatch(collection) and _FOLDER.fullmatch(record) and _NAME.fullmatch(name))


class FolderFiles:
    def __init__(self, folder: Path) -> None:
        self._root = (folder / _STORAGE).resolve()

    def size(self, where: tuple[str, str, str]) -> int | None:
        path = self._path(where)
        return path.stat().st_size if path is not None else None

    @contextmanager
    def open(self, where: tuple[str, str, str]) -> Iterator[SourceFile]:
        path = self._path(where)
        if path is None:
            raise FileNotFoundError("/".join(where))
        with open(path, "rb") as content:
            yield SourceFile(content, path.stat().st_size, self._original(path))

    def _path(self, where: tuple[str, str, str]) -> Path | None:
        """The file; None when it is none, or a link that leads out of the storage."""
        path = self._root.joinpath(*where)
        if not is_safe(where) or not path.is_file() or not path.resolve().is_relative_to(self._root):
            return None
        return path

    def _original(self, path: Path) -> str:
        facts = path.with_name(path.name + _FACTS)
        try:
            with open(facts, "rb") as opened:
                return _client_name(opened.read(_LARGEST_FACTS), path.name)
        except OSError:
            return path.name


class BackupFiles:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        # The last of that name, as every tool takes it.
        self._infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}

    def size(self, where: tuple[str, str, str]) -> int | None:
        info = self._info(where)
        return info.file_size if info is not None else None

    @contextmanager
    def open(self, where: tuple[str, str, str]) -> Iterator[SourceFile]:
        info = self._info(where)
        if info is None:
            raise FileNotFoundError("/".join(where))
        with self._archive.open(info) as content:
            yield SourceFile(content, info.file_size, self._original(info))

    def _info(self, where: tuple[str, str, str]) -> zipfile.ZipInfo | None:
        return self._infos.get("/".join((_STORAGE, *where))) if is_safe(where) else None

    def _original(self, info: zipfile.ZipInfo) -> str:
        name = info.filename.rpartition("/")[2]
        facts = self._infos.get(info.filename + _FACTS)
        if facts is None:
            return name
        try:
            with self._archive.open(facts) as opened:
                return _client_name(opened.read(_LARGEST_FACTS), name)
        except UNREADABLE:
            return name


def _client_name(facts: bytes, otherwise: str) -> str:
    try:
        name = json.loads(facts)["user.metadata"]["original-filename"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return otherwise
    return name.replace("\0", "")[:255] if isinstance(name, str) and name else otherwise
