"""The one place where a rule meets a caller: may this be asked at all, and under which condition."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from projects.context import Engine
from projects.errors import forbidden
from projects.records.call import Call
from projects.rules import Parsed, Scope, Statement, Undecidable, compile_predicate, parse_rule
from projects.rules.possible import compile_possible
from projects.rules.predicate import Predicate
from projects.schema.collection import CollectionSchema, ProjectSchema

SUPERUSERS_ONLY = "Only superusers can perform this action."
# How every statement of the record path names the record's table.
ALIAS = "r"


def now() -> datetime:
    return datetime.now(UTC)


def condition_for(call: Call, rule: str | None) -> str:
    """The expression that limits the caller: ``""`` when nothing does. Raises 403 for a superusers' rule."""
    if call.principal.is_superuser:
        return ""
    if rule is None:
        raise forbidden(SUPERUSERS_ONLY)
    return rule


def new_scope(call: Call, collection: CollectionSchema, *, searching: bool = False) -> Scope:
    """A statement over the collection's stored records. ``searching``: one that goes through all of them, made for
    callers of one ``class_of_caller`` alone."""
    signed_in = searching and bool(call.principal.id)
    return Scope(
        call.schema, collection, call.session.engine, alias=ALIAS, searching=searching, signed_in=signed_in
    )


def class_of_caller(call: Call) -> tuple[bool, bool]:
    """Callers of the same class have the same plans: superusers or not, signed in or not."""
    return call.principal.is_superuser, bool(call.principal.id)


def satisfies(call: Call, collection: CollectionSchema, rule: str, record: Mapping[str, Any]) -> bool:
    """Whether ``record``, stored or not, satisfies ``rule`` for the caller.

    Decided in Python where the record and the request are enough, else by SQL over the record as a row
    of literals.
    """
    if not rule.strip():
        return True
    predicate = rule_predicate(call.schema, collection, rule)
    if predicate is not None:
        return predicate.test(record, call.request, now())
    return row_satisfies(call, collection, rule, lambda scope: scope.rule(parse_rule(rule)), (), record)


def rule_predicate(schema: ProjectSchema, collection: CollectionSchema, rule: str) -> Predicate | None:
    """The rule as a Python predicate; None when only SQL can decide it."""
    return schema.derived.get(
        ("predicate", collection.id, rule), lambda: _predicate(schema, collection, rule)
    )


def _predicate(schema: ProjectSchema, collection: CollectionSchema, rule: str) -> Predicate | None:
    try:
        return compile_predicate(parse_rule(rule), schema, collection)
    except Undecidable:
        return None


def row_satisfies(
    call: Call,
    collection: CollectionSchema,
    key: Hashable,
    condition: Callable[[Scope], sa.ColumnElement[bool]],
    constants: Sequence[Any],
    record: Mapping[str, Any],
) -> bool:
    """Whether SQL finds ``condition(scope)`` true of ``record`` as a row of literals.

    ``key`` names the condition: its statement is compiled once per schema version. ``constants`` are those of
    a client's filter.
    """
    statement = call.schema.derived.get(
        ("check", collection.id, key), lambda: _check_statement(call, collection, condition)
    )
    return _run_check(call, collection, statement, constants, record)


def part_satisfies(
    call: Call, collection: CollectionSchema, parsed: Parsed, record: Mapping[str, Any]
) -> bool:
    """``satisfies`` for a part of a rule: compiled for this one question, it takes the place of no rule's plan."""
    try:
        predicate = compile_predicate(parsed, call.schema, collection)
    except Undecidable:
        statement = _check_statement(call, collection, lambda scope: scope.rule(parsed))
        return _run_check(call, collection, statement, (), record)
    return predicate.test(record, call.request, now())


def _run_check(
    call: Call,
    collection: CollectionSchema,
    statement: Statement,
    constants: Sequence[Any],
    record: Mapping[str, Any],
) -> bool:
    params = statement.params(
        constants, call.request, now(), **literal_values(collection, record, call.session.engine)
    )
    return call.session.row(statement.sql, params) is not None


def literal_values(collection: CollectionSchema, record: Mapping[str, Any], engine: Engine) -> dict[str, Any]:
    """The values of ``literal_columns`` that make them the record."""
    return {f"v{i}": field.to_db(record[field.name], engine) for i, field in enumerate(collection.fields)}


def literal_columns(collection: CollectionSchema, engine: Engine) -> list[tuple[str, sa.ColumnElement[Any]]]:
    """A record as parameters that behave like its table's columns, by the fields' names."""
    return [
        (field.name, _literal(f"v{i}", field.column_type(engine), engine))
        for i, field in enumerate(collection.fields)
    ]


def _check_statement(
    call: Call, collection: CollectionSchema, condition: Callable[[Scope], sa.ColumnElement[bool]]
) -> Statement:
    engine = call.session.engine
    scope = Scope(call.schema, collection, engine, alias=ALIAS, stored=False)
    where = condition(scope)
    columns = [column.label(name) for name, column in literal_columns(collection, engine)]
    row = sa.select(*columns).subquery(ALIAS)
    return scope.render(sa.select(sa.literal_column("1")).select_from(scope.from_clause(row)).where(where))


def _literal(name: str, column: str, engine: Engine) -> sa.ColumnElement[Any]:
    """A parameter that behaves like a column of that definition: its type, its collation."""
    kind = column.split(maxsplit=1)[0].upper()
    if kind == "JSONB":
        return sa.cast(sa.bindparam(name), JSONB())
    types: dict[str, Any] = {"NUMERIC": sa.Numeric(), "DOUBLE": sa.Double(), "BOOLEAN": sa.Boolean()}
    if kind in types:
        return sa.cast(sa.bindparam(name), types[kind])
    text = sa.cast(sa.bindparam(name), sa.Text())
    return text.collate("C") if engine == "postgresql" else text


def could_satisfy(call: Call, collection: CollectionSchema, rule: str | None) -> bool:
    """Whether the caller might satisfy ``rule`` with some record and body: false only when it is sure already."""
    if call.principal.is_superuser:
        return True
    if rule is None:
        return False
    if not rule.strip():
        return True
    test = call.schema.derived.get(
        ("possible", collection.id, rule),
        lambda: compile_possible(parse_rule(rule), call.schema, collection),
    )
    return test(call.request, now())
