"""Removing objects that are no record's any more: claimed with a lease, removed, then forgotten.

A commit that lets go of a file rings a bell; a worker answers it. What a crash left, of the file or of the
ringing, an hourly sweep finds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Final

import psycopg.errors
import structlog

from projects.context import ProjectHandle
from projects.databases import DatabaseMissingError, read_session, write_session
from projects.databases.stored_files import FileRow, claim_removable, forget, has_removable, on_release
from projects.files.parts import PartBusyError, discard_part, remove_parts
from projects.files.storage import StorageError
from projects.files.storages import open_storage, storage_of

log = structlog.get_logger("mbaas.files")

_TOGETHER: Final = 100
_LEASE_SECONDS: Final = 600


def remove_released(project: ProjectHandle) -> int:
    """Remove every object that can be removed now; returns how many. Blocks.

    One that its storage does not give up is tried again when its lease is over.
    """
    removed = 0
    while True:
        with write_session(project) as session:
            rows = claim_removable(session, limit=_TOGETHER, lease_seconds=_LEASE_SECONDS)
        if not rows:
            return removed
        gone = [row for row in rows if _remove(project, row)]
        with write_session(project) as session:
            forget(session, gone)
        removed += len(gone)


def _remove(project: ProjectHandle, row: FileRow) -> bool:
    try:
        if not row.variant_of:
            # It may have been an upload that was never finished.
            discard_part(project.uid, row.key)
        open_storage(project, row.storage).delete(row.key)
    except (StorageError, PartBusyError) as error:
        log.warning("an object was not removed", project=project.ref, key=row.key, error=str(error))
        return False
    return True


def needs_removal(project: ProjectHandle) -> bool:
    with read_session(project) as session:
        return has_removable(session)


def remove_everything(project: ProjectHandle) -> None:
    """Remove all objects of a project that is about to be dropped, wherever they are. Blocks.

    Those on the disk go with the project's folder. Raises StorageError.
    """
    remove_parts(project.uid)
    names: set[str] = {storage_of(project)}
    try:
        with read_session(project) as session:
            names.update(name for (name,) in session.rows("SELECT DISTINCT storage FROM _files"))
    except (DatabaseMissingError, psycopg.errors.UndefinedTable):
        # An earlier try came further than this one.
        log.info("the project's database is gone already", project=project.ref)
    for name in names - {"disk"}:
        open_storage(project, name).delete_all()


class Bell:
    """Hands the projects that rang to ``answer(uid)``, on a thread of its own: ringing never waits."""

    def __init__(self, answer: Callable[[str], None]) -> None:
        self._answer = answer
        self._rang: set[str] = set()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="files-bell", daemon=True).start()

    def ring(self, project: ProjectHandle) -> None:
        with self._changed:
            self._rang.add(project.uid)
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._rang:
                    self._changed.wait()
                rang, self._rang = self._rang, set()
            for uid in rang:
                try:
                    self._answer(uid)
                except Exception:
                    # The queue is out of reach: the sweep finds what is left.
                    log.exception("a removal of files was not queued", uid=uid)


@cache
def _bell() -> Bell:
    from projects.files.tasks import remove_files

    return Bell(remove_files.delay)


def start_removal() -> None:
    """From now on a release of files in this process rings for their removal."""
    on_release(_ring)


def _ring(project: ProjectHandle) -> None:
    _bell().ring(project)
