"""``manage.py import_collections``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import CommandError, CommandParser

from projects.control.actor import COMMAND
from projects.control.collections import import_collections
from projects.management.base import ControlCommand

_SIGNS = {"create": "+", "update": "~", "delete": "-"}


class Command(ControlCommand):
    help = (
        "Create and update a project's collections from JSON: what export_collections printed, or PocketBase's own "
        "export. All or nothing; prints what changes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="the project's ref")
        parser.add_argument("file", help="the JSON file; - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        parser.add_argument(
            "--delete-missing",
            action="store_true",
            help="what the file does not name goes: collections, fields",
        )
        parser.add_argument("--confirm", action="store_true", help="stored values may be lost")

    def run(self, options: dict[str, Any]) -> None:
        data = {**_read(options["file"]), "deleteMissing": options["delete_missing"]}
        diff = import_collections(
            COMMAND,
            self.find_project(options["ref"]),
            data,
            confirm=options["confirm"],
            dry_run=options["dry_run"],
        )
        for entry in diff["collections"]:
            self._show(entry)
        for warning in diff["warnings"]:
            where = f"{warning['collection']}.{warning['rule']}"
            self.note(f"{warning['severity']}: {where}: {warning['message']} {warning['hint']}")
        if not diff["collections"]:
            self.note("Nothing changes.")
        elif options["dry_run"] and diff["confirmationRequired"]:
            self.note("Stored values would be lost: the import needs --confirm.")

    def _show(self, entry: dict[str, Any]) -> None:
        self.stdout.write(f"{_SIGNS[entry['change']]} {entry['name']}")
        fields, indexes = entry.get("fields", {}), entry.get("indexes", {})
        for name in entry.get("options", {}):
            self.stdout.write(f"    ~ {name}")
        for sign, kind in (("+", "added"), ("-", "removed"), ("~", "changed")):
            for name in fields.get(kind, ()):
                self.stdout.write(f"    {sign} field {name}")
            for text in indexes.get(kind, ()):
                self.stdout.write(f"    {sign} {text}")
        for old, new in fields.get("renamed", {}).items():
            self.stdout.write(f"    ~ field {old} is called {new}")
        for name in entry["lost"]:
            self.stdout.write(f"    ! {name} holds values that would be lost")


def _read(name: str) -> dict[str, Any]:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        data = orjson.loads(raw)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except orjson.JSONDecodeError as error:
        raise CommandError(f"{name} is no JSON: {error}.") from error
    # PocketBase's console exports the list alone.
    if isinstance(data, list):
        return {"collections": data}
    if not isinstance(data, dict):
        raise CommandError(f"{name} holds neither a list of collections nor an object with one.")
    return data
