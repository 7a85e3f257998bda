"""``manage.py import_pocketbase``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from projects.control.actor import COMMAND
from projects.importing.pocketbase.errors import ImportRefusedError, SourceError
from projects.importing.pocketbase.report import Report
from projects.importing.pocketbase.run import import_pocketbase
from projects.management.base import ControlCommand


class Command(ControlCommand):
    help = (
        "Bring a PocketBase (0.23 or newer) into an empty project: collections, rules, records, users with their"
        " passwords and tokens, files, settings. Stopped in between, it goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="the ref of an empty project")
        parser.add_argument("source", help="PocketBase's pb_data folder, or a backup of it (zip)")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be taken")
        parser.add_argument(
            "--files",
            choices=("folder", "bucket"),
            default="",
            help="where its files are, when its settings name a bucket; bucket: they are fetched with those keys",
        )
        parser.add_argument("--json", action="store_true", help="the report as JSON")
        parser.add_argument("--no-progress", action="store_true", help="no progress bar")

    def run(self, options: dict[str, Any]) -> None:
        project = self.find_project(options["ref"])
        quiet = options["no_progress"] or not sys.stderr.isatty()
        with _Progress(quiet) as progress:
            try:
                report = import_pocketbase(
                    COMMAND,
                    project,
                    Path(options["source"]),
                    dry_run=options["dry_run"],
                    files=options["files"],
                    watch=progress.watch,
                )
            except SourceError as error:
                raise CommandError(str(error)) from error
            except ImportRefusedError as error:
                raise CommandError(str(error)) from error
            except KeyboardInterrupt:
                raise CommandError("Interrupted. Run this again to go on where it was.") from None
        self._show(report, as_json=options["json"])

    def _show(self, report: Report, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
            return
        for line in report.lines():
            self.stdout.write(line)


class _Progress:
    """A bar for each step of the import."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._step = ""
        self._bar: Any = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def watch(self, step: str, done: int, total: int) -> None:
        if step != self._step:
            if self._bar is not None:
                self._bar.close()
            self._step = step
            self._bar = tqdm(total=total, desc=step, disable=self._quiet, file=sys.stderr)
        self._bar.update(done - self._bar.n)
