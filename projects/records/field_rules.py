"""Rules of single fields: to whom one shows itself (``readRule``), by whom it lets itself be set (``writeRule``)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import structlog

from projects.errors import FieldError, invalid_fields
from projects.principal import RequestInfo
from projects.records.access import now, rule_predicate, satisfies
from projects.records.call import Call
from projects.records.queries import ids_satisfying
from projects.records.rows import Values
from projects.rules import RuleError
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.record_values import named_fields

log = structlog.get_logger("mbaas.records")

FORBIDDEN = FieldError("validation_forbidden_field", "You are not allowed to set this field.")

ReadTest = Callable[[Values], bool]


def readers(
    call: Call, collection: CollectionSchema, names: Sequence[str], records: Sequence[Values]
) -> list[tuple[str, ReadTest]]:
    """For each of the fields ``names``, which have a rule, the test of who reads it in a record.

    ``records`` are those that will be tested: what only the database can tell is asked once for all of them.
    """
    fields = collection.field_by_name
    return [(name, rule_test(call, collection, fields[name].read_rule or "", records)) for name in names]


def rule_test(call: Call, collection: CollectionSchema, rule: str, records: Sequence[Values]) -> ReadTest:
    """Whether the caller satisfies ``rule`` with a record, one of ``records`` where they are several."""
    try:
        predicate = rule_predicate(call.schema, collection, rule)
        if predicate is not None:
            return predicate.bind(call.request, now())
        if len(records) > 1:
            allowed = ids_satisfying(call, collection, rule, [values["id"] for values in records])
            return lambda values: values["id"] in allowed
    except RuleError as error:
        log.error(
            "a rule about what is shown does not compile", collection=collection.name, error=error.message
        )
        return lambda _values: False
    return lambda values: satisfies(call, collection, rule, values)


def reading_key(schema: ProjectSchema, collection: CollectionSchema, request: RequestInfo) -> Hashable:
    """Equal for requests to which every field of any record shows itself alike; None when no field has a rule."""
    rules = {field.read_rule for field in collection.fields if field.read_rule and not field.hidden}
    if not rules:
        return None
    predicates = [rule_predicate(schema, collection, rule) for rule in sorted(rules)]
    if any(predicate is None for predicate in predicates):
        return (request.principal.collection_id, request.principal.id)
    return tuple(predicate.request_key(request) for predicate in predicates if predicate is not None)


def check_written(
    call: Call,
    collection: CollectionSchema,
    record: Values,
    values: Mapping[str, Any],
    body: Mapping[str, Any],
    message: str,
    *,
    is_new: bool,
) -> None:
    """Refuse values of fields that the caller may not set, named one by one. Raises 400 with ``message``.

    ``record`` is what the rules are asked about: as it would be when it is new, else as it is. ``values`` are what
    the fields that ``body`` names would get. To leave a field as it is needs no leave, except where its value is
    kept from the caller, who could guess it by trying.
    """
    ruled = call.schema.derived.get(("written", collection.id), lambda: _ruled(collection))
    if not ruled or call.principal.is_superuser:
        return
    named = named_fields(collection, body)
    errors = {}
    for name in ruled:
        if name in named and _changes(call, collection, name, record, values[name], is_new=is_new):
            rule = collection.field_by_name[name].write_rule or ""
            if not satisfies(call, collection, rule, record):
                errors[name] = FORBIDDEN
    if errors:
        raise invalid_fields(message, errors)


def _ruled(collection: CollectionSchema) -> tuple[str, ...]:
    return tuple(field.name for field in collection.fields if field.write_rule)


def _changes(
    call: Call, collection: CollectionSchema, name: str, record: Values, value: Any, *, is_new: bool
) -> bool:
    field = collection.field_by_name[name]
    if is_new:
        return bool(value != field.empty())
    unread = field.read_rule and not satisfies(call, collection, field.read_rule, record)
    return bool(unread or value != record[name])
