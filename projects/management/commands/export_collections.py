"""``manage.py export_collections``."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from projects.control.actor import COMMAND
from projects.control.collections import export_collections
from projects.management.base import ControlCommand


class Command(ControlCommand):
    help = "Print a project's collections (no records) as JSON that import_collections reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="the project's ref")

    def run(self, options: dict[str, Any]) -> None:
        data = export_collections(COMMAND, self.find_project(options["ref"]))
        self.stdout.write(json.dumps(data, indent=2, ensure_ascii=False))
