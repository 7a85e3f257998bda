"""Small images of files for people of the console: the thumb that every image has, made where nobody asked yet.

Never the file itself: a page of previews decodes nothing that was not made here.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial

import structlog

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.databases.stored_files import FileRow, attach_variant, find_files, release_pending, reserve
from projects.files.images import UnfitImageError, make_thumb
from projects.files.spool import new_key, remove_spooled, spool_folder
from projects.files.storages import open_storage
from projects.files.thumbs import (
    ALWAYS,
    PENDING_SECONDS,
    Thumb,
    can_have_thumbs,
    fetch_copy,
    image_threads,
    store_thumb,
    thumb_of,
    thumb_row,
)

log = structlog.get_logger("mbaas.files")


def preview(project: ProjectHandle, row: FileRow) -> tuple[FileRow, bytes] | None:
    """The file's thumb and its bytes; None for what is no image, or a broken one. Blocks. Raises StorageError."""
    thumb = thumb_of(row.name, ALWAYS, "")
    if thumb is None or not can_have_thumbs(row):
        return None
    made = _find(project, row, thumb)
    if made is None:
        try:
            _make(project, row, thumb)
        except UnfitImageError as error:
            log.info("no preview of an image", file=row.name, reason=str(error))
            return None
        made = _find(project, row, thumb)
    if made is None:
        # Its file went meanwhile.
        return None
    with closing(open_storage(project, made.storage).open(made.key, 0, made.size)) as reader:
        return made, b"".join(iter(lambda: reader.read(made.size), b""))


def _find(project: ProjectHandle, row: FileRow, thumb: Thumb) -> FileRow | None:
    with read_session(project) as session:
        found = find_files(session, row.collection, row.record, [thumb.name])
    return next((one for one in found if one.variant_of == row.key), None)


def _make(project: ProjectHandle, row: FileRow, thumb: Thumb) -> None:
    form = thumb.form_for(row)
    storage = open_storage(project, row.storage)
    copy = spool_folder() / new_key()
    try:
        path = storage.local_path(row.key)
        if path is None:
            fetch_copy(storage, row, copy)
            path = str(copy)
        # On the threads that bound what images take of the machine, whoever asks.
        data = image_threads().submit(partial(make_thumb, path, thumb.size, form)).result()
    finally:
        remove_spooled(copy)
    made = thumb_row(project, row, thumb, form, data)
    with write_session(project) as session:
        reserve(session, [made], seconds=PENDING_SECONDS)
    attached = False
    try:
        store_thumb(project, made, data)
        with write_session(project) as session:
            attached = attach_variant(session, made) == made.key
    finally:
        if not attached:
            with write_session(project) as session:
                release_pending(session, [made.key])
