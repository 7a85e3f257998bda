"""The import of a whole PocketBase: into an empty project, in steps, and going on where it stopped.

First the collections, all or none, with a mark in the same transaction; then records, files and settings. Whatever ends
it in between (kill -9 too) leaves whole steps, and the same command goes on. Once it is done it is not done again: what
was deleted here since would come back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from projects.context import ProjectHandle
from projects.control import audit
from projects.control.actor import Actor
from projects.control.projects import change_project
from projects.control.roles import Action, require
from projects.databases import Session, read_session, write_session
from projects.importing.pocketbase.bucket import BucketFiles, bucket_of, is_in_bucket
from projects.importing.pocketbase.errors import ImportRefusedError
from projects.importing.pocketbase.files import copy_files, measure_files
from projects.importing.pocketbase.mark import Mark, begin_mark, end_mark, read_mark
from projects.importing.pocketbase.mending import Mended, mend
from projects.importing.pocketbase.records import Wanted, copy_records
from projects.importing.pocketbase.report import Report, Taken
from projects.importing.pocketbase.settings import app_name, translate_settings
from projects.importing.pocketbase.source import Source, open_source
from projects.models import Project
from projects.records.batch_limits import SETTING as BATCH
from projects.rules import validate_rule
from projects.schema.auth_options import POCKETBASE_SECRET
from projects.schema.collection import SUPERUSERS, CollectionSchema, ProjectSchema
from projects.schema.ddl import holds_rows
from projects.schema.importing import import_collections
from projects.schema.store import load_schema, lock_schema, raise_version, update_collection_row

# ``watch(step, done, total)``: the step ("posts", "posts: files") has done so many of its records or files.
Watch = Callable[[str, int, int], None]

FilesFrom = Literal["", "folder", "bucket"]

# System collections whose rows say something of users that is worth having; the others' live for minutes.
_OF_USERS: Final = ("_externalAuths", "_authOrigins")
# What stands beside the data folder and is code or pages of PocketBase's.
_BESIDE: Final = {
    "pb_hooks": "Hooks and jobs in JavaScript or Go are not run here.",
    "pb_migrations": "The collections were taken as they are; migrations are not run here.",
    "pb_public": "Pages are not served here.",
}


def import_pocketbase(
    actor: Actor,
    project: Project,
    path: Path,
    *,
    dry_run: bool = False,
    files: FilesFrom = "",
    watch: Watch = lambda step, done, total: None,
) -> Report:
    """Bring the PocketBase at ``path`` (data folder, or a backup's zip file) into the project.

    ``dry_run``: only say what would be taken. ``files``: where they are; must be said when PocketBase keeps them in a
    bucket, which is then asked with the keys of its settings.

    Raises SourceError, ImportRefusedError, ApiError 403, 404.
    """
    for action in (Action.PROJECT_EDIT, Action.SCHEMA_EDIT, Action.DATA_SUPERUSER):
        require(actor, project, action)
    with open_source(path) as found:
        if files == "bucket":
            source = replace(found, files=BucketFiles(project.handle(), bucket_of(found.settings)))
        elif files or dry_run or not is_in_bucket(found.settings):
            source = found
        else:
            raise ImportRefusedError(
                "PocketBase keeps its files in a bucket. Say whether they are to be fetched from there (--files bucket)"
                " or are in the data folder after all (--files folder)."
            )
        return _Import(actor, project, source, path, Report(dry_run=dry_run), watch).run()


class _Import:
    def __init__(
        self, actor: Actor, project: Project, source: Source, path: Path, report: Report, watch: Watch
    ) -> None:
        self._actor = actor
        self._project = project
        self._handle: ProjectHandle = project.handle()
        self._source = source
        self._path = path
        self._report = report
        self._watch = watch

    def run(self) -> Report:
        with read_session(self._handle) as session:
            mark = self._refuse(session)
            schema = load_schema(session)
        system = [one for one in schema.collections if one.system]
        own = [item for item in self._source.collections if not item["system"]]
        mended = mend(system, own, self._report)
        taken = {one.id: Taken(one.name, one.type) for one in mended.collections}
        self._measure(mended, taken)
        settings = self._settings()
        self._note_the_rest(mended)
        if self._report.dry_run:
            return self._report
        if mark is None:
            mark = self._make_collections(mended)
        else:
            self._report.resumed = True
        self._copy(mended, taken)
        name = app_name(self._source.settings) if self._project.name == self._project.ref else ""
        if settings or name:
            change_project(self._actor, self._project, name=name or None, settings=settings)
        with write_session(self._handle) as session:
            end_mark(session, mark)
        self._record()
        return self._report

    def _refuse(self, session: Session) -> Mark | None:
        """The mark of an import that is to go on; None for a new one. Raises ImportRefusedError."""
        mark = read_mark(session)
        if mark is None:
            _require_empty(session, load_schema(session))
        elif mark.source != self._source.identity:
            raise ImportRefusedError("An import of another PocketBase has begun in this project.")
        elif mark.done:
            raise ImportRefusedError(
                f"This PocketBase was imported into the project already, on {mark.done}. For a newer state of it,"
                " import it into a new project."
            )
        return mark

    def _measure(self, mended: Mended, taken: dict[str, Taken]) -> None:
        for collection in mended.collections:
            self._report.collections.append(taken[collection.id])
            if collection.has_table:
                taken[collection.id].source_records = self._source.count(collection.name)
                measure_files(self._source, collection, collection.name, taken[collection.id])

    def _make_collections(self, mended: Mended) -> Mark:
        with write_session(self._handle) as session:
            lock_schema(session)
            # Somebody may have been quicker.
            if (mark := self._refuse(session)) is not None:
                return mark
            if mended.items:
                data = {"collections": list(mended.items), "deleteMissing": True}
                import_collections(session, data, validate_rule=validate_rule)
            _keep_secrets(session, {one.id for one in mended.collections})
            begin_mark(session, self._source.identity)
            mark = read_mark(session)
        assert mark is not None
        return mark

    def _copy(self, mended: Mended, taken: dict[str, Taken]) -> None:
        for collection in mended.collections:
            if collection.has_table:
                self._copy_records(collection.name, taken[collection.id])
        users = {one.id for one in mended.collections if one.is_auth}
        for name in _OF_USERS:
            if self._source.columns(name):
                about = Taken(name, "base", source_records=self._source.count(name))
                self._report.collections.append(about)
                self._copy_records(name, about, lambda values: values["collectionRef"] in users)
        for collection in mended.collections:
            one = taken[collection.id]
            if one.source_files:
                step, total = f"{one.name}: files", one.source_files
                copy_files(
                    self._handle, self._source, collection, one, self._report, self._counted(step, total)
                )

    def _copy_records(self, name: str, taken: Taken, wanted: Wanted | None = None) -> None:
        advance = self._counted(name, taken.source_records)
        copy_records(self._handle, self._source, name, taken, self._report, advance, wanted)

    def _counted(self, step: str, total: int) -> Callable[[int], None]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            self._watch(step, done, total)

        return advance

    def _settings(self) -> dict[str, Any]:
        settings = translate_settings(self._source.settings, self._report)
        self._report.settings = sorted(settings)
        if settings.get(BATCH, {}).get("enabled") is False:
            self._report.note("changed", f"settings.{BATCH}", "Batch requests are off, as they were.")
        return settings

    def _note_the_rest(self, mended: Mended) -> None:
        report, source = self._report, self._source
        people = source.count(SUPERUSERS) if source.columns(SUPERUSERS) else 0
        report.note(
            "left",
            SUPERUSERS,
            f"{people} superusers: people who run a project are its members here. Add them in the admin, or with"
            " create_owner; their passwords and tokens were not taken.",
        )
        report.note("left", "_mfas, _otps", "Codes that live for minutes.")
        report.note("left", "auxiliary.db", "Logs.")
        if self._path.is_dir() and any((self._path / "backups").glob("*.zip")):
            report.note("left", "backups", "Backups that PocketBase made; they stay where they are.")
        for name, reason in _BESIDE.items():
            if self._path.is_dir() and (self._path.resolve().parent / name).exists():
                report.note("left", name, reason)
        for collection in mended.collections:
            if collection.is_auth:
                _note_ways_in(collection, report)

    def _record(self) -> None:
        report = self._report
        details = {
            "records": sum(one.records for one in report.collections),
            "files": sum(one.files for one in report.collections),
            "collections": len(report.collections),
            "closed": [note.about for note in report.of_kind("closed")],
            "lost": len(report.of_kind("lost")),
        }
        audit.record(self._actor, "pocketbase.imported", project=self._project, details=details)


def _require_empty(session: Session, schema: ProjectSchema) -> None:
    own = [one for one in schema.collections if not one.system]
    made = [one.name for one in own if one.name != "users"]
    if made:
        raise ImportRefusedError(
            f"The project is not empty, it has the collections {', '.join(made)}. Make a new one with create_project."
        )
    for one in own:
        if one.has_table and holds_rows(session, one.table):
            raise ImportRefusedError(
                f"The project is not empty, {one.name} has records. Make a new one with create_project."
            )


def _keep_secrets(session: Session, ids: Collection[str]) -> None:
    """From now on the tokens that PocketBase issued hold, for as long as their secret does."""
    for collection in load_schema(session).collections:
        if collection.id in ids and collection.is_auth:
            token = collection.options["authToken"]
            options = {
                **collection.options,
                "authToken": {**token, POCKETBASE_SECRET: token["secret"]},
            }
            update_collection_row(session, replace(collection, options=options))
    raise_version(session)


def _note_ways_in(collection: CollectionSchema, report: Report) -> None:
    ways = {"oauth2": "OAuth2", "otp": "one-time codes", "mfa": "a second factor"}
    for key, name in ways.items():
        if collection.options[key]["enabled"]:
            what = (
                "whoever needs it cannot sign in yet" if key == "mfa" else "nobody can sign in that way yet"
            )
            reason = f"The options for {name} were taken, but {what}: this server does not do it so far."
            report.note("changed", f"{collection.name}.{key}", reason)
