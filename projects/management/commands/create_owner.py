"""``manage.py create_owner``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from projects.control.actor import COMMAND
from projects.control.people import create_person
from projects.management.base import ControlCommand


class Command(ControlCommand):
    help = (
        "Add a person to the console who runs the installation (an operator), or with --plain just a person."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument(
            "--plain", action="store_true", help="no operator: sees the projects they belong to"
        )
        self.add_password_argument(parser)

    def run(self, options: dict[str, Any]) -> None:
        password = self.read_password(options)
        user = create_person(
            COMMAND,
            email=options["email"],
            password=password,
            name=options["name"],
            is_operator=not options["plain"],
        )
        self.note(f"{user.email} can sign in at /admin/.")
