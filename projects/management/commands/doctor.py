"""``manage.py doctor``."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from django.core.management.base import CommandParser

from projects.control.doctor import Finding, examine
from projects.management.base import ControlCommand

_MARKS = {"ok": "ok", "warning": "WARNING", "error": "ERROR"}


class Command(ControlCommand):
    help = (
        "Check configuration, databases, placements and limits, and say what to fix. "
        "The exit code is 1 when something does not work, 0 when there are warnings at most."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for scripts: a list of findings")

    def run(self, options: dict[str, Any]) -> None:
        findings = examine()
        if options["json"]:
            self.stdout.write(json.dumps([dataclasses.asdict(f) for f in findings], indent=2))
        else:
            self._show(findings)
        if any(f.level == "error" for f in findings):
            sys.exit(1)

    def _show(self, findings: list[Finding]) -> None:
        styles = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "error": self.style.ERROR}
        width = max(len(f.check) for f in findings)
        for finding in findings:
            mark = styles[finding.level](f"{_MARKS[finding.level]:>7}")
            self.stdout.write(f"{mark}  {finding.check:<{width}}  {finding.message}")
            if finding.fix:
                self.stdout.write(f"{'':9}{'':<{width}}  → {finding.fix}")
        errors = sum(f.level == "error" for f in findings)
        warnings = sum(f.level == "warning" for f in findings)
        verdict = "All is well." if not errors + warnings else f"{errors} error(s), {warnings} warning(s)."
        self.stdout.write(verdict)
