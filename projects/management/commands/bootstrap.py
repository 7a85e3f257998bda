"""``manage.py bootstrap``."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from projects.control import bootstrap
from projects.management.base import ControlCommand
from projects.models import Project


class Command(ControlCommand):
    help = (
        "Make an installation ready to serve: tables, the embedded placement, the first owner "
        "(MBAAS_ADMIN_EMAIL and MBAAS_ADMIN_PASSWORD, else admin@example.com with a random password) and the "
        "project “demo”. Does nothing where all of it is there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="without the project “demo”")

    def run(self, options: dict[str, Any]) -> None:
        bootstrap.migrate_control_plane()
        bootstrap.ensure_local_placement()
        email, password = os.environ.get("MBAAS_ADMIN_EMAIL", ""), os.environ.get("MBAAS_ADMIN_PASSWORD", "")
        # Shown before anything else can fail: a password made up and not shown would lock everybody out.
        self._show_owner(bootstrap.ensure_owner(email=email, password=password))
        if settings.MBAAS_DEMO_PROJECT and not options["no_demo"]:
            self._show_demo(bootstrap.ensure_demo())

    def _show_owner(self, owner: bootstrap.FirstOwner | None) -> None:
        if owner is None:
            return
        if owner.password:
            self.stdout.write("The console's first owner; the password is shown this once:")
            self.stdout.write(f"\n    e-mail    {owner.user.email}\n    password  {owner.password}\n")
        else:
            self.stdout.write(f"The console's first owner is {owner.user.email}.")
        self.stdout.flush()

    def _show_demo(self, demo: Project | None) -> None:
        if demo is None:
            return
        from projects.control.demo import USERS

        people = ", ".join(f"{email} / {password}" for email, password in USERS.items())
        self.stdout.write(f"The project “{demo.ref}” is ready at /p/{demo.ref}; its users: {people}")
