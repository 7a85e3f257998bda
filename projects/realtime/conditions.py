"""Who may hear of a record: a collection's rule and a subscription's own filter, as tests of one record."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

import structlog

from projects.principal import RequestInfo
from projects.realtime.client import identity
from projects.realtime.offline import require_database
from projects.records.access import now, row_satisfies, rule_predicate, satisfies
from projects.records.call import Call
from projects.rules import Parsed, Predicate, RuleError, Undecidable, compile_predicate, parse_filter
from projects.schema.collection import CollectionSchema, ProjectSchema

log = structlog.get_logger("mbaas.realtime")

Values = Mapping[str, Any]
# Of a record, for the request it was bound to; the call says where to look further.
Test: TypeAlias = Callable[[Call, Values], bool]


class Condition(Protocol):
    def key(self, request: RequestInfo) -> Hashable:
        """Requests with equal keys get equal answers."""

    def bind(self, request: RequestInfo) -> Test:
        """The test for one request. On an offline session it may raise NeedsDatabaseError."""


class Nobody:
    def key(self, request: RequestInfo) -> Hashable:
        return None

    def bind(self, request: RequestInfo) -> Test:
        return lambda _call, _record: False


class ByPredicate:
    """Decided in Python."""

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate

    def key(self, request: RequestInfo) -> Hashable:
        return self._predicate.request_key(request)

    def bind(self, request: RequestInfo) -> Test:
        predicate = self._predicate
        if predicate.volatile:
            return lambda _call, record: predicate.test(record, request, now())
        test = predicate.bind(request, now())
        return lambda _call, record: test(record)


class RuleBySql:
    """A rule that reads other records."""

    def __init__(self, collection: CollectionSchema, rule: str) -> None:
        self._collection = collection
        self._rule = rule

    def key(self, request: RequestInfo) -> Hashable:
        return identity(request.principal)

    def bind(self, request: RequestInfo) -> Test:
        return lambda call, record: self._test(call, request, record)

    def _test(self, call: Call, request: RequestInfo, record: Values) -> bool:
        require_database(call.session)
        return satisfies(replace(call, request=request), self._collection, self._rule, record)


class FilterBySql:
    """A client's filter that reads other records."""

    def __init__(self, collection: CollectionSchema, parsed: Parsed, superuser: bool) -> None:
        self._collection = collection
        self._parsed = parsed
        self._superuser = superuser

    def key(self, request: RequestInfo) -> Hashable:
        return identity(request.principal)

    def bind(self, request: RequestInfo) -> Test:
        return lambda call, record: self._test(call, request, record)

    def _test(self, call: Call, request: RequestInfo, record: Values) -> bool:
        require_database(call.session)
        parsed, superuser = self._parsed, self._superuser
        try:
            return row_satisfies(
                replace(call, request=request),
                self._collection,
                ("filter", parsed.key, superuser),
                lambda scope: scope.filter(parsed, superuser=superuser),
                parsed.constants,
                record,
            )
        except RuleError:
            # It goes through a relation into records that the client may not list.
            return False


def rule_conditions(
    schema: ProjectSchema, collection: CollectionSchema, rule: str | None
) -> tuple[Condition, ...]:
    """What those who are no superusers must fulfil."""
    if rule is None:
        return (Nobody(),)
    if not rule.strip():
        return ()
    try:
        predicate = rule_predicate(schema, collection, rule)
    except RuleError as error:
        log.error("a stored rule does not compile", collection=collection.name, error=error.message)
        return (Nobody(),)
    return (ByPredicate(predicate) if predicate is not None else RuleBySql(collection, rule),)


def filter_conditions(
    schema: ProjectSchema, collection: CollectionSchema, text: str, *, superuser: bool
) -> tuple[Condition, ...]:
    """A filter that is wrong, or reads what its client may not, lets nothing through."""
    if not text:
        return ()
    try:
        parsed = parse_filter(text)
    except RuleError:
        return (Nobody(),)
    try:
        predicate = compile_predicate(parsed, schema, collection, client_filter=True, superuser=superuser)
    except Undecidable:
        return (FilterBySql(collection, parsed, superuser),)
    except RuleError:
        return (Nobody(),)
    return (ByPredicate(predicate),)
