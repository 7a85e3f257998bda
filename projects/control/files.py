"""A project's files for the people of the console: what superusers of the project may see, under the same right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from projects.accounts.file_tokens import issue_file_token
from projects.accounts.superusers import superuser_by_email
from projects.context import ProjectHandle
from projects.control.actor import Actor
from projects.control.roles import Action, require
from projects.databases import Session, read_session
from projects.databases.file_lists import (
    FileFilter,
    LeftOver,
    Usage,
    count_files,
    count_left_over,
    get_file,
    list_files,
    list_left_over,
    usage,
)
from projects.databases.stored_files import FileRow, used_bytes
from projects.errors import forbidden, invalid_fields, not_found
from projects.files.own_storage import check_file_storage, seal_file_storage
from projects.files.previews import preview
from projects.files.probe import StorageFailure, probe_storage
from projects.files.saving import quota_of
from projects.files.storages import PLACEMENT, SETTING, StorageName, open_storage, storage_of, usual_storage
from projects.models import Project
from projects.principal import Principal, RequestInfo
from projects.records.call import Call
from projects.schema.collection import SUPERUSERS, ProjectSchema
from projects.schema.fields.file import FileField
from projects.schema.store import load_schema

# So many objects without a record are shown; their number and size are said of all.
_LEFT_OVER_SHOWN = 50


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A record's file with the names of its collection and field."""

    row: FileRow
    collection: str
    field: str
    protected: bool


@dataclass(frozen=True, slots=True)
class StorageReport:
    """What a project's files take, in bytes, and what is on its way out of the storage.

    ``names`` are the collections by id. ``quota``: 0 for none. ``target``: where new files go.
    """

    used: int
    quota: int
    target: StorageName
    usage: tuple[Usage, ...]
    names: Mapping[str, str]
    left_over: tuple[LeftOver, ...]
    left_over_count: int
    left_over_size: int


class FileListing:
    """The files that were asked for, as a paginator reads them: ``count()`` and slices, each one statement."""

    def __init__(self, project: ProjectHandle, wanted: FileFilter) -> None:
        self._project = project
        self._wanted = wanted

    def count(self) -> int:
        with read_session(self._project) as session:
            return count_files(session, self._wanted)

    def __getitem__(self, part: slice) -> list[FileEntry]:
        start = part.start or 0
        with read_session(self._project) as session:
            schema = load_schema(session)
            rows = list_files(session, self._wanted, offset=start, limit=part.stop - start)
        return [_entry(schema, row) for row in rows]


def find_files(actor: Actor, project: Project, *, collection: str = "", text: str = "") -> FileListing:
    """The project's files, the newest first; of one collection (by name), with ``text`` in a name.

    Raises ApiError 403, 404; 404 also for a collection that is not there.
    """
    require(actor, project, Action.DATA_SUPERUSER)
    handle, collection_id = project.handle(), ""
    if collection:
        with read_session(handle) as session:
            found = load_schema(session).get(collection)
        if found is None:
            raise not_found()
        collection_id = found.id
    return FileListing(handle, FileFilter(collection_id, text.replace("\0", "").strip()))


def collections_with_files(actor: Actor, project: Project) -> list[str]:
    """The names of the collections that have a file field. Raises ApiError 403, 404."""
    require(actor, project, Action.DATA_SUPERUSER)
    with read_session(project.handle()) as session:
        return sorted(one.name for one in load_schema(session).collections if one.file_fields)


def file_preview(actor: Actor, project: Project, key: str) -> tuple[FileRow, bytes]:
    """A thumb of a file, of a protected one too. Blocks.

    Raises ApiError 403, 404 (also when there can be no thumb of it), StorageError.
    """
    require(actor, project, Action.DATA_SUPERUSER)
    with read_session(project.handle()) as session:
        row = get_file(session, key)
    made = preview(project.handle(), row) if row is not None else None
    if made is None:
        raise not_found()
    return made


def file_address(actor: Actor, project: Project, key: str) -> str:
    """Where the app API serves the file to this person as a download, below the project's base URL.

    It holds for as long as the token in it, and is worth nothing to others after that. Raises ApiError 403, 404.
    """
    require(actor, project, Action.DATA_SUPERUSER)
    with read_session(project.handle()) as session:
        row = get_file(session, key)
        if row is None:
            raise not_found()
        token = issue_file_token(_as_superuser(session, actor))
    path = "/".join(quote(part, safe="") for part in (row.collection, row.record, row.name))
    return f"/api/files/{path}?{urlencode({'download': '1', 'token': token})}"


def _as_superuser(session: Session, actor: Actor) -> Call:
    """A call of the actor's own superuser record. Raises ApiError 403 for who has none."""
    schema = load_schema(session)
    collection = schema.get(SUPERUSERS)
    person = superuser_by_email(session.project, actor.user.email) if actor.user is not None else None
    if collection is None or person is None:
        raise forbidden()
    principal = Principal("superuser", collection.id, collection.name, person.record())
    return Call(session, schema, RequestInfo(principal))


def storage_report(actor: Actor, project: Project) -> StorageReport:
    """What the project's files take, by collection, and the objects that no record has. Raises ApiError 403, 404."""
    require(actor, project, Action.DATA_SUPERUSER)
    handle = project.handle()
    with read_session(handle) as session:
        count, size = count_left_over(session)
        return StorageReport(
            used=used_bytes(session),
            quota=quota_of(handle),
            target=storage_of(handle),
            usage=tuple(usage(session)),
            names={one.id: one.name for one in load_schema(session).collections},
            left_over=tuple(list_left_over(session, limit=_LEFT_OVER_SHOWN)),
            left_over_count=count,
            left_over_size=size,
        )


def probe_project_storage(
    actor: Actor, project: Project, value: Mapping[str, Any] | None
) -> StorageFailure | None:
    """Write, read and delete a small object in the bucket that ``value`` names, as ``fileStorage`` does. Blocks.

    Without one in the storage that the installation gives the project. A blank secret is the one that is kept.
    Raises ApiError 400 by field, 403, 404.
    """
    require(actor, project, Action.PROJECT_EDIT)
    if value is None:
        own = {name: kept for name, kept in project.settings.items() if name not in (SETTING, PLACEMENT)}
    else:
        if error := check_file_storage(value):
            raise invalid_fields("The storage cannot be tested.", {SETTING: error})
        own = {SETTING: seal_file_storage(value, project.settings.get(SETTING))}
    handle = replace(project.handle(), settings=tuple(own.items()))
    return probe_storage(lambda: open_storage(handle, usual_storage(handle)))


def _entry(schema: ProjectSchema, row: FileRow) -> FileEntry:
    collection = schema.get(row.collection)
    field = collection.field_by_id.get(row.field) if collection is not None else None
    return FileEntry(
        row,
        collection.name if collection is not None else row.collection,
        field.name if field is not None else row.field,
        isinstance(field, FileField) and field.protected,
    )
