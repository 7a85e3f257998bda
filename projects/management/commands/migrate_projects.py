"""``manage.py migrate_projects``."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from projects.databases import migrate_database
from projects.management.base import ControlCommand
from projects.models import Project


class Command(ControlCommand):
    help = (
        "Bring every project's database to this version. Stopped in between, it goes on where it was; "
        "what fails is reported, and the others go on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--ref", action="append", help="only this project (may be given several times)")
        parser.add_argument("--no-progress", action="store_true", help="no progress bar")

    def run(self, options: dict[str, Any]) -> None:
        # Snapshots: the list stays the same while a server makes and removes projects.
        projects = [p.handle() for p in self._chosen(options["ref"])]
        migrated, failures = 0, 0
        quiet = options["no_progress"] or not sys.stderr.isatty()
        with tqdm(projects, unit="project", disable=quiet, file=sys.stderr) as bar:
            for handle in bar:
                bar.set_postfix_str(handle.ref)
                try:
                    # Says at once that there is nothing to do for what an earlier run has done.
                    migrated += migrate_database(handle)
                except Exception as error:  # noqa: BLE001 (each failure is one project's)
                    if not Project.objects.filter(pk=handle.uid).exists():
                        continue
                    failures += 1
                    bar.clear()
                    self.note(f"{handle.ref} ({handle.uid}): {type(error).__name__}: {error}")
        current = len(projects) - migrated - failures
        self.note(f"{migrated} migrated, {current} were up to date, {failures} failed.")
        if failures:
            raise CommandError(
                f"{failures} project(s) are not migrated; run this again when the cause is gone."
            )

    def _chosen(self, refs: list[str] | None) -> list[Project]:
        if refs:
            return [self.find_project(ref) for ref in refs]
        return list(Project.objects.select_related("placement").order_by("uid"))
