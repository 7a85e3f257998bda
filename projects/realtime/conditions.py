"""Who may hear of a record: a collection's rule and a subscription's own filter, as tests of one record."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Protocol

import structlog

from projects.principal import RequestInfo
from projects.realtime.client import identity
from projects.records.access import now, row_satisfies, rule_predicate, satisfies
from projects.records.call import Call
from projects.rules import Parsed, Predicate, RuleError, Undecidable, compile_predicate, parse_filter
from projects.schema.collection import CollectionSchema, ProjectSchema

log = structlog.get_logger("mbaas.realtime")

Values = Mapping[str, Any]


class Condition(Protocol):
    def key(self, request: RequestInfo) -> Hashable:
        """Requests with equal keys get equal answers."""

    def test(self, call: Call, record: Values) -> bool: ...


class Fixed:
    """Everyone, or nobody."""

    def __init__(self, answer: bool) -> None:
        self._answer = answer

    def key(self, request: RequestInfo) -> Hashable:
        return None

    def test(self, call: Call, record: Values) -> bool:
        return self._answer


EVERYONE, NOBODY = Fixed(True), Fixed(False)


class ByPredicate:
    """Decided in Python."""

    def __init__(self, predicate: Predicate) -> None:
        self._predicate = predicate

    def key(self, request: RequestInfo) -> Hashable:
        return self._predicate.request_key(request)

    def test(self, call: Call, record: Values) -> bool:
        return self._predicate.test(record, call.request, now())


class RuleBySql:
    """A rule that reads other records."""

    def __init__(self, collection: CollectionSchema, rule: str) -> None:
        self._collection = collection
        self._rule = rule

    def key(self, request: RequestInfo) -> Hashable:
        return identity(request.principal)

    def test(self, call: Call, record: Values) -> bool:
        return satisfies(call, self._collection, self._rule, record)


class FilterBySql:
    """A client's filter that reads other records."""

    def __init__(self, collection: CollectionSchema, parsed: Parsed, superuser: bool) -> None:
        self._collection = collection
        self._parsed = parsed
        self._superuser = superuser

    def key(self, request: RequestInfo) -> Hashable:
        return identity(request.principal)

    def test(self, call: Call, record: Values) -> bool:
        parsed, superuser = self._parsed, self._superuser
        try:
            return row_satisfies(
                call,
                self._collection,
                ("filter", parsed.key, superuser),
                lambda scope: scope.filter(parsed, superuser=superuser),
                parsed.constants,
                record,
            )
        except RuleError:
            # It goes through a relation into records that the client may not list.
            return False


def rule_condition(schema: ProjectSchema, collection: CollectionSchema, rule: str | None) -> Condition:
    """For those who are no superusers."""
    if rule is None:
        return NOBODY
    if not rule.strip():
        return EVERYONE
    try:
        predicate = rule_predicate(schema, collection, rule)
    except RuleError as error:
        log.error("a stored rule does not compile", collection=collection.name, error=error.message)
        return NOBODY
    return ByPredicate(predicate) if predicate is not None else RuleBySql(collection, rule)


def filter_condition(
    schema: ProjectSchema, collection: CollectionSchema, text: str, *, superuser: bool
) -> Condition:
    """A filter that is wrong, or reads what its client may not, lets nothing through."""
    if not text:
        return EVERYONE
    try:
        parsed = parse_filter(text)
        return ByPredicate(
            compile_predicate(parsed, schema, collection, client_filter=True, superuser=superuser)
        )
    except Undecidable:
        return FilterBySql(collection, parsed, superuser)
    except RuleError:
        return NOBODY
