"""Thumbs of images: which are offered, and making one once, to be kept beside its file.

A thumb is stored like a file: reserved before its object is there, gone when its file is. A process makes
each one once however many ask; of two processes that make the same, one's is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.lanes import lanes
from projects.databases.stored_files import FileRow, attach_variant, release_pending, reserve
from projects.errors import ApiError
from projects.files.images import FORMATS, TYPES, Format, Size, UnfitImageError, make_thumb
from projects.files.spool import new_key, remove_spooled, spool_folder
from projects.files.storage import Storage
from projects.files.storages import open_storage, storage_of
from projects.files.threads import in_files_pool, in_storage_pool
from projects.schema.dates import now_text
from projects.schema.fields.file import FileField

log = structlog.get_logger("mbaas.files")

# Offered for every image, whatever its field lists (the wire contract's own previews).
ALWAYS: Final = "100x100"
# How long one may be on its way into the storage.
PENDING_SECONDS: Final = 3600
_STEP_BYTES: Final = 1024 * 1024
# Images that no thumb could be made of, so that not every request tries again.
_REMEMBERED: Final = 10_000
_BUSY: Final = "Too many thumbs are being made. Please try again shortly."


@dataclass(frozen=True, slots=True)
class Thumb:
    """A thumb that was asked for. ``form`` is None for that of the image; ``name`` is its stored name."""

    text: str
    size: Size
    form: Format | None
    name: str

    def is_offered(self, field: FileField, row: FileRow) -> bool:
        """Whether there is, or can be, such a thumb of the file."""
        listed = self.text == ALWAYS or self.text in (field.thumbs or ())
        return listed and can_have_thumbs(row)

    def form_for(self, row: FileRow) -> Format:
        return self.form or FORMATS[row.type]


def can_have_thumbs(row: FileRow) -> bool:
    """Whether the file is an image of a kind that thumbs are made of."""
    return row.type in FORMATS and row.size > 0


def thumb_of(name: str, text: str, accept: str) -> Thumb | None:
    """The thumb that a request asks for; None for what is no size."""
    size = Size.parse(text)
    if size is None:
        return None
    form: Format | None = "AVIF" if "image/avif" in accept else "WEBP" if "image/webp" in accept else None
    ending = f".{form.lower()}" if form else ""
    return Thumb(text, size, form, f"{text}_{name}{ending}")


class _Making:
    """The thumbs that this process makes at the moment, in one event loop."""

    def __init__(self) -> None:
        self.tasks: dict[tuple[str, str], asyncio.Task[bool]] = {}


_makings: dict[int, _Making] = {}
_unfit: OrderedDict[tuple[str, str], None] = OrderedDict()


async def ensure_thumb(project: ProjectHandle, row: FileRow, thumb: Thumb) -> bool:
    """Make the thumb of a stored file unless that is under way already; says whether there is one now.

    Raises ApiError 503 when too many are waiting, and StorageError.
    """
    key = (row.key, thumb.name)
    if key in _unfit:
        return False
    loop = asyncio.get_running_loop()
    making = _makings.setdefault(id(loop), _Making())
    task = making.tasks.get(key)
    if task is None:
        if len(making.tasks) >= settings.MBAAS_IMAGE_QUEUE:
            raise ApiError(503, _BUSY, headers={"Retry-After": "1"})
        task = making.tasks[key] = loop.create_task(_make(project, row, thumb))
        task.add_done_callback(lambda _: making.tasks.pop(key, None))
    # Whoever asked first may go away: the others still wait for it.
    return await asyncio.shield(task)


async def _make(project: ProjectHandle, row: FileRow, thumb: Thumb) -> bool:
    form = thumb.form_for(row)
    storage = open_storage(project, row.storage)
    path, is_copy = await _local_copy(project, storage, row)
    try:
        work = partial(make_thumb, path, thumb.size, form)
        data = await asyncio.get_running_loop().run_in_executor(image_threads(), work)
    except UnfitImageError as error:
        log.info("no thumb of an image", file=row.name, thumb=thumb.text, reason=str(error))
        _unfit[row.key, thumb.name] = None
        while len(_unfit) > _REMEMBERED:
            _unfit.popitem(last=False)
        return False
    finally:
        if is_copy:
            await in_files_pool(lambda: remove_spooled(path))
    return await _keep(project, thumb_row(project, row, thumb, form, data), data)


@cache
def image_threads() -> ThreadPoolExecutor:
    """The threads that decode images: all of the process's, so that they bound its work."""
    return ThreadPoolExecutor(settings.MBAAS_IMAGE_THREADS, thread_name_prefix="images")


async def _local_copy(project: ProjectHandle, storage: Storage, row: FileRow) -> tuple[str, bool]:
    """The file on this machine's disk, and whether that is a copy made for us."""
    if path := storage.local_path(row.key):
        return path, False
    copy = spool_folder() / new_key()
    await in_storage_pool(project, lambda: fetch_copy(storage, row, copy))
    return str(copy), True


def fetch_copy(storage: Storage, row: FileRow, copy: Path) -> None:
    """The file as ``copy`` on this machine's disk; whole or not at all. Blocks. Raises StorageError."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    reader = storage.open(row.key, 0, row.size)
    try:
        with open(copy, "xb") as out:
            while data := reader.read(_STEP_BYTES):
                out.write(data)
    except BaseException:
        remove_spooled(copy)
        raise
    finally:
        reader.close()


def thumb_row(project: ProjectHandle, row: FileRow, thumb: Thumb, form: Format, data: bytes) -> FileRow:
    """The row of a thumb that is about to be stored."""
    return replace(
        row,
        key=new_key(),
        storage=storage_of(project),
        state="pending",
        name=thumb.name,
        variant_of=row.key,
        size=len(data),
        type=TYPES[form],
        checksum=hashlib.sha256(data).hexdigest(),
        created=now_text(),
    )


async def _keep(project: ProjectHandle, made: FileRow, data: bytes) -> bool:
    """Store the thumb beside its file; False when the file is gone meanwhile."""

    def note(session: Session) -> None:
        reserve(session, [made], seconds=PENDING_SECONDS)

    def attach(session: Session) -> bool:
        there = attach_variant(session, made)
        if there != made.key:
            # Its file is gone, or another process was quicker.
            release_pending(session, [made.key])
        return bool(there)

    await lanes().write(project, note)
    try:
        await in_storage_pool(project, lambda: store_thumb(project, made, data))
    except BaseException:
        await lanes().write(project, lambda session: release_pending(session, [made.key]))
        raise
    return await lanes().write(project, attach)


def store_thumb(project: ProjectHandle, made: FileRow, data: bytes) -> None:
    """Put a reserved thumb into its storage. Blocks. Raises StorageError."""
    path = spool_folder() / new_key()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.write_bytes(data)
        open_storage(project, made.storage).save(made.key, path, made.type)
    finally:
        remove_spooled(path)
