"""Assumptions about who asks and what is empty, and what a comparison comes to under one.

What is decided is decided by the language's evaluator: two values of the request by its gate, the record's own values
by a predicate over a record of zero values, a missing related record by the comparison of null.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from projects.principal import Principal, RequestInfo
from projects.rules.ast import Operand
from projects.rules.errors import Undecidable
from projects.rules.gates import gate_of
from projects.rules.inputs import Input, Inputs
from projects.rules.parse import Parsed
from projects.rules.paths import Column, Element, Meaning
from projects.rules.predicate import compile_predicate
from projects.rules.review.sources import Emptiness, account_fields, source_of
from projects.rules.review.stored import Leaf
from projects.rules.values import Plain, compare

_NOW = datetime(2000, 1, 1, tzinfo=UTC)
_SAMPLE_ID = "sampleaccount01"

GUEST = RequestInfo()


@dataclass(frozen=True, slots=True)
class Supposed:
    """``request`` asks. ``known``: the fields of its account that are settled, None for all; ``empty``: what leads to
    nothing in the record, or was left out of the request."""

    request: RequestInfo
    known: frozenset[str] | None = None
    empty: Emptiness | None = None

    def decide(self, leaf: Leaf) -> bool | None:
        """What the comparison comes to; None when the assumption does not say."""
        comparison = leaf.comparison
        sides = ((comparison.left, leaf.left), (comparison.right, leaf.right))
        if not all(self._is_known(operand, meaning) for operand, meaning in sides):
            return None
        inputs = Inputs((), self.request, _NOW)
        sign = comparison.operator
        if isinstance(leaf.left, Input) and isinstance(leaf.right, Input):
            return gate_of(leaf.left, sign, leaf.right).test(inputs)
        if (own := self._of_own_record(leaf)) is not None:
            return own
        return compare(_value(leaf.left, inputs), sign, _value(leaf.right, inputs))

    def _is_known(self, operand: Operand, meaning: Meaning) -> bool:
        if self.empty is not None and self.empty.covers(operand):
            return True
        source = source_of(meaning)
        if source == "fixed":
            return True
        return source == "account" and (self.known is None or account_fields(meaning) <= self.known)

    def _of_own_record(self, leaf: Leaf) -> bool | None:
        rule = leaf.rule
        part = Parsed(rule.parsed.key, leaf.comparison, rule.parsed.constants, True, rule.parsed.text)
        try:
            predicate = compile_predicate(part, rule.schema, rule.collection)
        except Undecidable:
            return None
        zeros = {field.name: field.empty() for field in rule.collection.fields}
        return predicate.test(zeros, self.request, _NOW)


def _value(meaning: Meaning, inputs: Inputs) -> Plain:
    """Of what leads to no record: null, and no values."""
    if isinstance(meaning, Input):
        value: Plain = meaning.read(inputs)
        return value
    return 0 if isinstance(meaning, Column | Element) and meaning.modifier == "length" else None


def guest(empty: Emptiness | None = None) -> Supposed:
    return Supposed(GUEST, None, empty)


def account_without(names: frozenset[str], empty: Emptiness | None = None) -> Supposed:
    """Somebody signed in, in whose account ``names`` are empty and of which nothing else is known."""
    principal = Principal("user", "", "", {"id": _SAMPLE_ID, **dict.fromkeys(names, "")})
    return Supposed(RequestInfo(principal), names | {"id"}, empty)
