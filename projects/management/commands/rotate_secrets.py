"""``manage.py rotate_secrets``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from projects.control.actor import COMMAND
from projects.control.placements import rotate_secrets
from projects.crypto import SecretUnreadableError
from projects.management.base import ControlCommand


class Command(ControlCommand):
    help = "Encrypt all stored secrets anew with the first of MBAAS_SECRET_KEYS; the old keys can then go."

    def run(self, options: dict[str, Any]) -> None:
        try:
            count = rotate_secrets(COMMAND)
        except SecretUnreadableError as error:
            raise CommandError(f"Nothing was changed: {error}.") from error
        self.note(f"{count} secret(s) encrypted with the newest key.")
