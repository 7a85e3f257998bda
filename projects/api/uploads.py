"""Writes that bring files: received on the disk, checked with the write, stored, then written for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import structlog
from django.conf import settings
from starlette.requests import Request

from projects.api.bodies import chunks, form_values, read_body, refuse_if_announced_larger
from projects.api.dispatch import read, write
from projects.api.multipart import FileLimit, FormReader, too_large
from projects.api.requests import header
from projects.context import current_project
from projects.files.finishing import NotWholeError, finish
from projects.files.parts import PartBusyError
from projects.files.saving import abandon, discard_spooled, reserve_uploads, store_upload
from projects.files.threads import in_files_pool, in_storage_pool
from projects.records.call import Call
from projects.records.files import UnstoredFiles
from projects.records.uploads import UnfinishedUpload
from projects.schema.collection import CollectionSchema
from projects.schema.fields.coerce import to_texts
from projects.schema.fields.file import FileField, NewFile

T = TypeVar("T")

log = structlog.get_logger("mbaas.files")


@dataclass(slots=True)
class Submission:
    """A body whose values may be, or hold, the ``files`` that came with it."""

    values: dict[str, Any]
    files: list[NewFile] = field(default_factory=list)


def is_multipart(request: Request) -> bool:
    return header(request, b"content-type").startswith("multipart/form-data")


async def read_submission(request: Request, collection_name: str) -> Submission:
    """A record's body with its files, as many and as large as the collection's file fields take.

    Raises what ``read_body`` does, and StorageError when the disk fails.
    """
    if not is_multipart(request):
        return Submission(await read_body(request))

    def look_up(call: Call) -> CollectionSchema | None:
        return call.schema.get(collection_name)

    collection = await read(request, look_up)
    fields = {one.name: one for one in collection.file_fields} if collection is not None else {}
    values_limit = settings.MBAAS_MAX_BODY_BYTES
    body_limit = values_limit + sum(file_limit(one) * one.most for one in fields.values())

    def limit_of(part: str) -> int | None:
        found = fields.get(part.strip("+"))
        return file_limit(found) if found is not None else None

    return await read_form(request, values_limit, body_limit, limit_of, put_file)


def file_limit(one: FileField) -> int:
    """How many bytes a file for the field may have."""
    return min(one.largest, settings.MBAAS_MAX_FILE_BYTES)


def put_file(values: dict[str, Any], name: str, file: NewFile) -> None:
    """Add a file to the names that a body has under ``name``."""
    values[name] = [*to_texts(values.get(name)), file]


async def read_form(
    request: Request,
    values_limit: int,
    body_limit: int,
    limit_of: FileLimit,
    put: Callable[[dict[str, Any], str, NewFile], None],
) -> Submission:
    """A multipart body; ``put(values, part name, file)`` says where in its values a file belongs."""
    refuse_if_announced_larger(request, body_limit)
    reader = FormReader(
        request.headers["content-type"], values_limit=values_limit, body_limit=body_limit, file_limit=limit_of
    )
    form = await reader.read(chunks(request))
    files = [file for _, file in form.files]
    try:
        values = form_values(form.values)
        for name, file in form.files:
            put(values, name, file)
    except BaseException:
        await discard(files)
        raise
    return Submission(values, files)


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a write answers that found files which are not stored yet: they are noted, it is undone."""

    files: tuple[NewFile, ...]


Work = Callable[[Call], T]
Wrap = Callable[[Work[T]], Work[T | Reserved]]


async def write_storing(
    request: Request,
    files: Sequence[NewFile],
    run: Callable[[Wrap[T]], Awaitable[T | Reserved]],
) -> T:
    """What ``run(wrap)`` gives, a write of which each ``work(call)`` is wrapped, with its files stored.

    The write runs twice: once to see that it succeeds and which files it takes, and again when they are
    stored. What it does not take, and everything if it fails, leaves nothing behind. Raises what ``run``
    raises, and StorageError.
    """
    reserved: list[NewFile] = []
    for file in files:
        file.upload.granted = True
    try:
        answer = await _run(files, run)
        while isinstance(answer, Reserved):
            reserved += answer.files
            await _store(answer.files)
            answer = await _run(files, run)
        # The second time it may have been done already, by the same request sent twice.
        if unused := [file for file in reserved if not file.upload.wanted]:
            await asyncio.shield(_abandon(request, unused))
        return answer
    except BaseException:
        if reserved:
            await asyncio.shield(_abandon(request, reserved))
        raise
    finally:
        if files:
            await discard(files)


async def _run(files: Sequence[NewFile], run: Callable[[Wrap[T]], Awaitable[T | Reserved]]) -> T | Reserved:
    """``run``, again for each upload of its own that is whole and was not put into the storage yet (a crash)."""
    for _ in range(settings.MBAAS_MAX_FILES_PER_REQUEST):
        try:
            return await run(partial(_or_reserve, files))
        except UnfinishedUpload as needed:
            try:
                await finish(current_project(), needed.row)
            except (NotWholeError, PartBusyError):
                raise needed.as_error() from None
    raise too_large()


def _or_reserve(files: Sequence[NewFile], work: Work[T]) -> Work[T | Reserved]:
    if not files:
        return work

    def attempt(call: Call) -> T | Reserved:
        for file in files:
            file.upload.wanted = False
        try:
            with call.session.savepoint():
                answer = work(call)
                if missing := tuple(one for one in files if one.upload.wanted and not one.upload.stored):
                    raise UnstoredFiles(missing)
                return answer
        except UnstoredFiles as needed:
            reserve_uploads(call.session, needed.files)
            return Reserved(needed.files)

    return attempt


async def _store(files: tuple[NewFile, ...]) -> None:
    project = current_project()
    for file in files:
        storing = asyncio.ensure_future(in_storage_pool(project, partial(store_upload, project, file.upload)))
        try:
            await asyncio.shield(storing)
        except asyncio.CancelledError:
            # What a thread is still writing cannot be removed yet.
            await asyncio.wait([storing])
            raise


async def _abandon(request: Request, files: list[NewFile]) -> None:
    try:
        await write(request, lambda call: abandon(call.session, files))
    except Exception:
        # The rows are pending still, so the sweeper finds the objects when their time is over.
        log.exception("uploads that came to nothing are left to the sweeper", count=len(files))


async def discard(files: Sequence[NewFile]) -> None:
    """Take off the disk what was not stored."""
    await in_files_pool(lambda: discard_spooled(files))
