"""What the review of rules finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

# error: whoever asks may do what hardly anybody means to allow; warning: a hole that opens with some records or
# requests; notice: looser than usual, and perhaps meant.
Severity = Literal["error", "warning", "notice"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "notice")


@dataclass(frozen=True, slots=True)
class RuleWarning:
    """One hole. ``rule``: the rule's wire name; ``field``: the field that it is about, or ""; ``position``: the index
    (from 0) in the rule's text where the part at fault starts; ``hint``: what would close it. ``because_of``: names
    of other collections whose rules make it one."""

    code: str
    severity: Severity
    collection: str
    rule: str
    message: str
    hint: str
    field: str = ""
    position: int = 0
    because_of: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "collection": self.collection,
            "rule": self.rule,
            "field": self.field,
            "message": self.message,
            "position": self.position,
            "hint": self.hint,
        }
