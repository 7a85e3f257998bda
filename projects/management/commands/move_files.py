"""``manage.py move_files``."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.template.defaultfilters import filesizeformat
from tqdm import tqdm

from projects.control.actor import COMMAND
from projects.control.file_moves import begin_move, record_move
from projects.databases import read_session
from projects.databases.file_lists import count_outside
from projects.files.moving import move_files
from projects.files.probe import probe_storage
from projects.files.storage import StorageError
from projects.files.storages import StorageName, open_storage
from projects.management.base import ControlCommand
from projects.models import Project

_STORAGES: dict[str, StorageName] = {"local": "disk", "disk": "disk", "s3": "s3", "own": "own"}


class Command(ControlCommand):
    help = (
        "Move a project's files to another storage while they are served. Each is checked by its checksum;"
        " new ones go to the new storage from the start. Stopped in between, it goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="the project's name in addresses")
        parser.add_argument(
            "--to",
            required=True,
            choices=_STORAGES,
            help="local (or disk): this server's disk; s3: the installation's bucket; own: the project's",
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be moved")
        parser.add_argument("--no-progress", action="store_true", help="no progress bar")

    def run(self, options: dict[str, Any]) -> None:
        project, target = self.find_project(options["ref"]), _STORAGES[options["to"]]
        with read_session(project.handle()) as session:
            count, size = count_outside(session, target)
        if options["dry_run"]:
            self.note(f"{_files(count)} ({filesizeformat(size)}) would be moved to {target}.")
            return
        if failure := probe_storage(lambda: open_storage(project.handle(), target)):
            raise CommandError(f"{target} cannot be used: {failure.step}: {failure.error}")
        project, switched = begin_move(COMMAND, project, target)
        tally = _Tally()
        quiet = options["no_progress"] or not sys.stderr.isatty()
        try:
            with tqdm(total=size, unit="B", unit_scale=True, disable=quiet, file=sys.stderr) as bar:
                self._move(project, target, tally, bar)
                if switched:
                    # Until now a server may have taken files for the old storage.
                    time.sleep(settings.MBAAS_PROJECT_CACHE_SECONDS)
                    self._move(project, target, tally, bar)
        except KeyboardInterrupt:
            raise CommandError("Interrupted. Run this again to go on where it was.") from None
        except StorageError as error:
            raise CommandError(
                f"Stopped, a storage does not work: {error}. Run this again when it does."
            ) from error
        finally:
            self._report(project, target, tally)
            record_move(
                COMMAND, project, target, files=tally.files, size=tally.size, left=len(tally.problems)
            )
        if tally.problems:
            raise CommandError(f"{_files(len(tally.problems))} could not be moved and stayed as they were.")

    def _move(self, project: Project, target: StorageName, tally: _Tally, bar: Any) -> None:
        for move in move_files(project.handle(), target):
            bar.update(move.row.size)
            if not move.problem:
                tally.files += 1
                tally.size += move.row.size
            elif move.row.key not in tally.problems:
                tally.problems.add(move.row.key)
                bar.clear()
                place = f"{move.row.collection}/{move.row.record}/{move.row.name}"
                self.note(f"{place}, object {move.row.key} in {move.row.storage}: {move.problem}")

    def _report(self, project: Project, target: StorageName, tally: _Tally) -> None:
        with read_session(project.handle()) as session:
            coming, _ = count_outside(session, target, state="pending")
        self.note(
            f"{_files(tally.files)} ({filesizeformat(tally.size)}) moved to {target},"
            f" {_files(len(tally.problems))} left behind. The old objects are removed within the hour."
        )
        if coming:
            self.note(f"{_files(coming)} still on the way to another storage: run this again later.")


@dataclass
class _Tally:
    """What was done so far; ``problems`` are the keys of files that stayed."""

    files: int = 0
    size: int = 0
    problems: set[str] = field(default_factory=set)


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"
