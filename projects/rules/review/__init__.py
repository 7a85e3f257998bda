"""What a project's rules let happen: who passes each of them, and the classic holes, without running anything.

``review_schema(schema)`` and ``review_collections(schema, collections)`` give RuleWarnings; ``overview(schema)`` says
of every collection and operation whom the rule lets through. All three only read a schema: no database, no record.
They ask "what if": a rule is settled (settling.py) under an assumption, say that a guest asks of a record without an
owner, and what each comparison comes to is said by the language's own evaluator.
"""

from __future__ import annotations

from projects.rules.review.all import review_collections, review_schema
from projects.rules.review.audience import Audience
from projects.rules.review.overview import overview, rules_report
from projects.rules.review.warnings import RuleWarning, Severity

__all__ = [
    "Audience",
    "RuleWarning",
    "Severity",
    "overview",
    "review_collections",
    "review_schema",
    "rules_report",
]
