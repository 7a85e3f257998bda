"""What the commands share: an operation's refusal becomes a clear error, not a stack trace."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from projects.errors import ApiError, ErrorTree, FieldError
from projects.models import ConsoleUser, Project, normalize_email


class ControlCommand(BaseCommand):
    """Subclasses write ``run``. Notes go to standard error, results to standard output."""

    # The system checks load everything; ``check`` and ``doctor`` are for that.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(options)
        except ApiError as error:
            raise CommandError(sentence(error)) from error
        except (OperationalError, ProgrammingError) as error:
            if "no such table" in str(error) or "does not exist" in str(error):
                raise CommandError(
                    "The control plane's database is not set up: run `manage.py bootstrap` (or `migrate`) first."
                ) from error
            raise CommandError(f"The control plane's database cannot be used: {error}") from error

    def run(self, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def note(self, text: str) -> None:
        """Something for the person who watches."""
        self.stderr.write(text, style_func=lambda plain: plain)

    def find_project(self, ref: str) -> Project:
        project = Project.objects.select_related("placement").filter(ref=ref).first()
        if project is None:
            raise CommandError(f"No project has the ref {ref!r}.")
        return project

    def find_person(self, email: str) -> ConsoleUser:
        user = ConsoleUser.objects.filter(email=normalize_email(email)).first()
        if user is None:
            raise CommandError(
                f"Nobody here has the e-mail {email!r}; add them with `manage.py create_owner`."
            )
        return user

    def add_password_argument(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input, for scripts"
        )

    def read_password(self, options: dict[str, Any]) -> str:
        """A new password: from standard input, or asked for twice."""
        if options["password_stdin"]:
            return sys.stdin.readline().rstrip("\r\n")
        if not sys.stdin.isatty():
            raise CommandError("There is nobody to ask for the password: give it with --password-stdin.")
        first = getpass.getpass("Password: ")
        if first != getpass.getpass("Password (again): "):
            raise CommandError("The two passwords are not the same.")
        return first


def sentence(error: ApiError) -> str:
    """An operation's refusal in words: its message and what is wrong with which field."""
    details = _details(error.data)
    return f"{error.message} {' '.join(details)}".strip()


def _details(tree: ErrorTree, path: str = "") -> list[str]:
    out = []
    for name, value in tree.items():
        if isinstance(value, FieldError):
            out.append(f"{path}{name}: {value.message}")
        else:
            out += _details(value, f"{path}{name}.")
    return out
