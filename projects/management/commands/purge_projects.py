"""``manage.py purge_projects``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from projects.control.actor import COMMAND
from projects.control.deletion import due_for_purge, purge_project
from projects.management.base import ControlCommand


class Command(ControlCommand):
    help = "Remove for good the projects in deletion whose grace period is over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--ref", help="only this project, even before its grace period is over")
        parser.add_argument("--confirm", metavar="REF", help="with --ref: the same ref once more")

    def run(self, options: dict[str, Any]) -> None:
        if options["ref"]:
            project = self.find_project(options["ref"])
            if options["confirm"] != project.ref:
                raise CommandError(
                    f"All data of {project.ref} will be gone: confirm with --confirm {project.ref}."
                )
            purge_project(COMMAND, project, before_due=True)
            self.note(f"Removed {options['ref']}.")
            return
        failed = 0
        for project in due_for_purge():
            try:
                purge_project(COMMAND, project)
            except Exception as error:  # noqa: BLE001 (reported; the others go on)
                failed += 1
                self.note(f"{project.ref}: {error}")
            else:
                self.note(f"Removed {project.ref}.")
        if failed:
            raise CommandError(f"{failed} project(s) could not be removed.")
