"""``manage.py create_key``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from projects.control.actor import COMMAND
from projects.control.keys import create_key
from projects.management.base import ControlCommand
from projects.models import ApiKey


class Command(ControlCommand):
    help = "Make an API key of a project. Prints the key, once and alone; only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="the project's ref")
        parser.add_argument(
            "--kind",
            required=True,
            choices=ApiKey.Kind.values,
            help="service: full access, for servers only; public: names an app, for clients",
        )
        parser.add_argument("--name", default="", help="what it is for")

    def run(self, options: dict[str, Any]) -> None:
        project = self.find_project(options["ref"])
        new = create_key(COMMAND, project, kind=options["kind"], name=options["name"])
        self.note(f"A {new.key.kind} key of {project.ref}. Keep it now: it cannot be shown again.")
        self.stdout.write(new.text)
