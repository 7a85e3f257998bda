"""``manage.py change_password``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from projects.control.actor import COMMAND
from projects.control.people import change_password
from projects.management.base import ControlCommand


class Command(ControlCommand):
    help = "Give a person of the console a new password. Ends their sessions and personal tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        self.add_password_argument(parser)

    def run(self, options: dict[str, Any]) -> None:
        user = self.find_person(options["email"])
        change_password(COMMAND, user, password=self.read_password(options))
        self.note(f"The password of {user.email} is changed.")
