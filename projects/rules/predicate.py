"""Rules as Python functions over one record: the same answers as the SQL of compare.py gives, without a database."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projects.principal import RequestInfo
from projects.rules.errors import Undecidable
from projects.rules.formula import (
    MAX_PYTHON_DEPTH,
    Compare,
    Formula,
    Joined,
    NoneFalse,
    Readable,
    Shown,
    Some,
    depth_of,
    formula_of,
    is_own_list,
    leaves,
    quantified,
    reads_in,
)
from projects.rules.inputs import MACROS, Inputs
from projects.rules.parse import Parsed, parse_rule
from projects.rules.parts import Part, Record, Test
from projects.rules.paths import Column, Element, Function, Given, Meaning, Row
from projects.rules.quantifiers import part_of
from projects.rules.request_values import request_area
from projects.rules.resolve import Resolver
from projects.rules.values import json_text
from projects.schema.collection import CollectionSchema, ProjectSchema


@dataclass(frozen=True, slots=True)
class Predicate:
    """A compiled rule.

    ``reads``: the names of the request values and macros it reads; ``volatile``: some of them are macros, so that
    the answer depends on the time too.
    """

    reads: frozenset[str]
    volatile: bool
    _part: Part
    _keys: tuple[Callable[[RequestInfo], Hashable], ...]

    def bind(self, request: RequestInfo, now: datetime) -> Test:
        """The rule for one request: for many records, a good deal faster than ``test``."""
        bound = self._part(Inputs((), request, now))
        if isinstance(bound, bool):
            return _always if bound else _never
        return bound

    def test(self, record: Record, request: RequestInfo, now: datetime) -> bool:
        """Whether ``record`` (API values by field name, all fields) satisfies the rule."""
        bound = self._part(Inputs((), request, now))
        return bound if isinstance(bound, bool) else bound(record)

    def decided(self, request: RequestInfo, now: datetime) -> bool | None:
        """The answer for every record alike; None when it depends on the record."""
        bound = self._part(Inputs((), request, now))
        return bound if isinstance(bound, bool) else None

    def request_key(self, request: RequestInfo) -> Hashable:
        """Equal for requests that the rule cannot tell apart at one moment."""
        return tuple(key(request) for key in self._keys)


def compile_predicate(
    parsed: Parsed,
    schema: ProjectSchema,
    collection: CollectionSchema,
    *,
    client_filter: bool = False,
    superuser: bool = False,
) -> Predicate:
    """Raises Undecidable when the rule reads other records; RuleError, RuleForbidden as Scope does."""
    resolver = Resolver(schema, collection, parsed.constants, guarded=client_filter and not superuser)
    resolver.check_names(parsed.ast)

    def rule_of_own(text: str) -> Formula:
        rule = parse_rule(text)
        reading = Resolver(schema, collection, rule.constants)
        return quantified(formula_of(rule.ast, reading, lists_decide=_is_at_hand))

    formula = quantified(formula_of(parsed.ast, resolver, lists_decide=_is_at_hand, rule_of_own=rule_of_own))
    _check(formula)
    reads = reads_in(formula)
    requested = sorted(name for name in reads if name not in MACROS)
    return Predicate(
        frozenset(reads),
        len(requested) < len(reads),
        part_of(formula),
        tuple(_request_key(name) for name in requested),
    )


def _always(_record: Record) -> bool:
    return True


def _never(_record: Record) -> bool:
    return False


def _check(formula: Formula) -> None:
    """Raises Undecidable when the formula reads other records too."""
    pending = [formula]
    while pending:
        item = pending.pop()
        if isinstance(item, Joined):
            pending.extend(item.items)
        elif isinstance(item, Some) and depth_of(item) > MAX_PYTHON_DEPTH:
            raise Undecidable("the rule is nested too deep")
    for leaf in leaves(formula):
        if isinstance(leaf, Readable):
            raise Undecidable("a rule for reading other records takes part")
        if isinstance(leaf, Shown):
            _check_own(leaf.column)
        elif isinstance(leaf, Compare | NoneFalse):
            _check_own(leaf.left)
            _check_own(leaf.right)


def _check_own(meaning: Meaning) -> None:
    if isinstance(meaning, Function):
        for argument in meaning.arguments:
            _check_own(argument)
    elif (isinstance(meaning, Column) and not meaning.is_own) or (
        isinstance(meaning, Element) and not _is_at_hand(meaning.row)
    ):
        raise Undecidable("the rule reads other records")


def _is_at_hand(row: Row) -> bool:
    """Whether the record or the request has the values of a list."""
    return isinstance(row, Given) or is_own_list(row)


_ABSENT = object()


def _request_key(name: str) -> Callable[[RequestInfo], Hashable]:
    area, _, key = name.removeprefix("@request.").partition(".")
    if area in ("method", "context"):
        return lambda request: str(getattr(request, area))
    if name == "@request.auth.collectionId":
        return lambda request: request.principal.collection_id
    if name == "@request.auth.collectionName":
        return lambda request: request.principal.collection_name
    if area == "auth":
        return lambda request: _hashable((request.principal.record or {}).get(key))
    return lambda request: _hashable(request_area(request, area).get(key, _ABSENT))


def _hashable(value: Any) -> Hashable:
    return value if value is _ABSENT or isinstance(value, Hashable) else json_text(value)
