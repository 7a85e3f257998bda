"""``manage.py create_project``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from projects.control.actor import COMMAND
from projects.control.projects import create_project
from projects.management.base import ControlCommand


class Command(ControlCommand):
    help = "Create a project with its own database. Prints its uid."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="its name in addresses: 3 to 40 of a-z, 0-9 and single hyphens")
        parser.add_argument("--name", default="", help="what people call it (default: the ref)")
        parser.add_argument(
            "--owner", metavar="EMAIL", help="who owns it (default: nobody; operators see it)"
        )
        parser.add_argument("--placement", default="", help="where it lives (default: the default placement)")

    def run(self, options: dict[str, Any]) -> None:
        owner = self.find_person(options["owner"]) if options["owner"] else None
        project = create_project(
            COMMAND, options["ref"], name=options["name"], placement=options["placement"], owner=owner
        )
        self.note(f"Created {project.ref} on {project.placement.name}; its API is at /p/{project.ref}.")
        self.stdout.write(project.uid)
