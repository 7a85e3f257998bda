"""Whether a rule can hold at all for who asks, before there is a record or a body to ask it of.

There is no negation in the language: a rule only gets wider when a comparison in it is taken for true. So what
reads anything but the signed-in account is, and a rule that is refused even so is refused whatever comes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from projects.principal import RequestInfo
from projects.rules.ast import Comparison, fold
from projects.rules.gates import gate_of
from projects.rules.inputs import Input, Inputs
from projects.rules.parse import Parsed
from projects.rules.resolve import Resolver
from projects.schema.collection import CollectionSchema, ProjectSchema

Test = Callable[[RequestInfo, datetime], bool]


def compile_possible(parsed: Parsed, schema: ProjectSchema, collection: CollectionSchema) -> Test:
    """``test(request, now)``: false only when no record and no body can make the rule hold for its principal."""
    resolver = Resolver(schema, collection, parsed.constants, guarded=False)

    def leaf(comparison: Comparison) -> Test:
        left, right = resolver.sides(comparison)
        if not (isinstance(left, Input) and isinstance(right, Input)):
            return _possible
        if not all(name.startswith("@request.auth.") for name in left.reads | right.reads):
            return _possible
        gate = gate_of(left, comparison.operator, right)
        return lambda request, now: gate.test(Inputs((), request, now))

    return fold(parsed.ast, leaf, _joined)


def _possible(_request: RequestInfo, _now: datetime) -> bool:
    return True


def _joined(operator: str, tests: list[Test]) -> Test:
    decide = any if operator == "or" else all
    return lambda request, now: decide(test(request, now) for test in tests)
