"""Rules as Python functions over one record: the same answers as the SQL of compare.py gives, without a database."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projects.principal import RequestInfo
from projects.rules.ast import Comparison, fold
from projects.rules.errors import Undecidable
from projects.rules.inputs import MACROS, Input, Inputs
from projects.rules.parse import Parsed
from projects.rules.parts import Bound, Part, Record, Test, comparison_part
from projects.rules.request_values import request_area
from projects.rules.resolve import Changed, Column, Meaning, Resolver, is_email_of_account
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
    reads: set[str] = set()
    undecidable = False

    def leaf(comparison: Comparison) -> Part:
        nonlocal undecidable
        left, right = resolver.sides(comparison)
        for meaning in (left, right):
            reads.update(_reads(meaning))
        if not (_is_decidable(left) and _is_decidable(right)):
            undecidable = True
            return lambda _given: False
        part = comparison_part(comparison, left, right)
        if resolver.guarded and any(isinstance(m, Column) and is_email_of_account(m) for m in (left, right)):
            return _joined("and", [part, lambda _given: _shows_email])
        return part

    part = fold(parsed.ast, leaf, _joined)
    if undecidable:
        raise Undecidable("the rule reads other records")
    requested = sorted(name for name in reads if name not in MACROS)
    return Predicate(
        frozenset(reads), len(requested) < len(reads), part, tuple(_request_key(name) for name in requested)
    )


def _always(_record: Record) -> bool:
    return True


def _never(_record: Record) -> bool:
    return False


def _shows_email(record: Record) -> bool:
    return bool(record.get("emailVisibility"))


def _is_decidable(meaning: Meaning) -> bool:
    return not isinstance(meaning, Column) or meaning.is_own


def _reads(meaning: Meaning) -> frozenset[str]:
    if isinstance(meaning, Input):
        return meaning.reads
    if isinstance(meaning, Changed):
        return meaning.value.reads
    return meaning.start.id.reads if meaning.start else frozenset()


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


def _joined(operator: str, parts: list[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    # An "and" is decided by its first false part, an "or" by its first true one.
    decisive = operator == "or"

    def bind(given: Inputs) -> Bound:
        tests: list[Test] = []
        for part in parts:
            bound = part(given)
            if not isinstance(bound, bool):
                tests.append(bound)
            elif bound is decisive:
                return decisive
        if not tests:
            return not decisive
        if len(tests) == 1:
            return tests[0]
        if len(tests) == 2:
            first, second = tests
            if decisive:
                return lambda record: first(record) or second(record)
            return lambda record: first(record) and second(record)
        if decisive:
            return lambda record: any(test(record) for test in tests)
        return lambda record: all(test(record) for test in tests)

    return bind
