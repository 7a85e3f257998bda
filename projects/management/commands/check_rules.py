"""``manage.py check_rules``."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from django.core.management.base import CommandParser

from projects.control.actor import COMMAND
from projects.control.collections import report_rules
from projects.management.base import ControlCommand

_WORDS: Final = {
    "public": "PUBLIC",
    "signed_in": "signed in",
    "owner": "owner",
    "expression": "expression",
    "superusers": "superusers",
}
_OPERATIONS: Final = ("list", "view", "create", "update", "delete", "manage")


class Command(ControlCommand):
    help = (
        "Show whom a project's rules let through, and warn of the classic holes in them. Exits with 1 when there are "
        "errors; with --strict also when there are warnings."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="the project's ref")
        parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
        parser.add_argument("--strict", action="store_true", help="warnings, too, are a reason to fail")

    def run(self, options: dict[str, Any]) -> None:
        report = report_rules(COMMAND, self.find_project(options["ref"]))
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            self._show(report)
        failing = {"error", "warning"} if options["strict"] else {"error"}
        if any(warning["severity"] in failing for warning in report["warnings"]):
            sys.exit(1)

    def _show(self, report: dict[str, Any]) -> None:
        rows: list[tuple[str, ...]] = [("", *_OPERATIONS)]
        for collection in report["collections"]:
            if not collection["system"]:
                rules = collection["rules"]
                rows.append((collection["name"], *(_word(rules.get(name)) for name in _OPERATIONS)))
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())
        self.stdout.write("\n* guests pass with some records or requests\n" if _any_star(rows) else "")
        for warning in report["warnings"]:
            where = f"{warning['collection']}.{warning['rule']}"
            self.stdout.write(f"{warning['severity']}: {where} ({warning['code']}, at {warning['position']})")
            self.stdout.write(f"    {warning['message']}")
            self.stdout.write(f"    {warning['hint']}")
        if not report["warnings"]:
            self.stdout.write("No warnings.")


def _word(entry: dict[str, Any] | None) -> str:
    if entry is None:
        return "-"
    return _WORDS[entry["audience"]] + ("*" if entry["guests"] == "sometimes" else "")


def _any_star(rows: list[tuple[str, ...]]) -> bool:
    return any(cell.endswith("*") for row in rows for cell in row)
