"""``manage.py create_token``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from projects.control.actor import COMMAND
from projects.control.tokens import create_token
from projects.management.base import ControlCommand


class Command(ControlCommand):
    help = "Make a personal token for the control API. Prints the token, once and alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whom it stands for")
        parser.add_argument("--name", default="command line", help="what it is for")
        parser.add_argument("--days", type=int, default=90, help="how long it holds (default: 90)")

    def run(self, options: dict[str, Any]) -> None:
        user = self.find_person(options["email"])
        new = create_token(COMMAND, user, name=options["name"], days=options["days"])
        self.note(f"A token of {user.email} until {new.token.expires_at:%Y-%m-%d}. It cannot be shown again.")
        self.stdout.write(new.text)
