"""Counts, sums and the like over the records that a caller may list, by groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from projects.context import Engine
from projects.errors import ApiError, FieldError, invalid_fields
from projects.records.access import class_of_caller, condition_for, now
from projects.records.call import Call
from projects.records.list import Page, searched
from projects.records.queries import Query, as_client_error, conditions, constants_of, rendered, source_for
from projects.rules import Parsed, RuleError, Scope, Statement, parse_filter
from projects.rules.sql import Fragment, Order
from projects.schema.collection import CollectionSchema
from projects.schema.fields.base import Field
from projects.schema.fields.coerce import canonical_number
from projects.schema.fields.relation import RelationField

MAX_GROUPS: Final = 8
MAX_SELECTED: Final = 20
_ITEM: Final = re.compile(r"(count|sum|avg|min|max)(?:\(([\w.]+)\))?", re.ASCII)
_KEY: Final = re.compile(r"([\w.]+?)(?::(year|month|day|hour))?", re.ASCII)
# Of a date's canonical text, which sorts as time does: 2026-11-23T07.
_DATE_PARTS: Final = {"year": 4, "month": 7, "day": 10, "hour": 13}

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """``names`` and ``convert``: what each column of the statement is called and how its value becomes JSON."""

    statement: Statement
    names: tuple[str, ...]
    convert: tuple[Convert, ...]


def aggregate_records(call: Call, collection_name: str, params: Mapping[str, str]) -> dict[str, Any]:
    """One item for each group that ``params`` (group, select, filter, search, sort, page, perPage) ask for.

    Only records that the caller may list count, and only fields that it may filter by; to go through a relation it
    must be able to list the related records. Raises 404 for an unknown collection, 403 where only superusers may
    list, 400 for what cannot be read.
    """
    collection = call.collection(collection_name)
    rule = condition_for(call, collection.list_rule)
    query = Query(collection, rule, params.get("filter", ""), search=searched(call, collection, params))
    page = Page.of(params)
    parsed, plan = _prepare(
        call, query, params.get("group", ""), params.get("select") or "count", params.get("sort", "")
    )
    given = plan.statement.params(
        constants_of(parsed), call.request, now(), limit=page.size, offset=page.offset, search=query.search
    )
    items = [
        {name: convert(value) for name, convert, value in zip(plan.names, plan.convert, row, strict=True)}
        for row in call.session.rows(plan.statement.sql, given, plan.statement.anew)
    ]
    return page.answer(-1, items)


def _refused(parameter: str, text: str, reason: str) -> ApiError:
    error = FieldError("validation_invalid_aggregate", f'"{text}": {reason}')
    return invalid_fields("The aggregate is invalid.", {parameter: error})


def _prepare(call: Call, query: Query, group: str, select: str, sort: str) -> tuple[Parsed | None, _Plan]:
    try:
        parsed = parse_filter(query.filter) if query.filter else None
        asked = (group, select, sort)
        key = (
            "aggregate",
            query.collection.id,
            query.rule,
            parsed and parsed.key,
            class_of_caller(call),
            bool(query.search),
            *asked,
        )
        return parsed, call.schema.derived.get(key, lambda: _compile(call, query, parsed, *asked))
    except RuleError as error:
        raise as_client_error(error) from error


def _compile(call: Call, query: Query, parsed: Parsed | None, group: str, select: str, sort: str) -> _Plan:
    scope, where = conditions(call, query, parsed)
    reader = _Reader(call, query.collection, scope)
    keys = [reader.key(text) for text in _listed(group, "group", MAX_GROUPS)]
    values = [reader.value(text) for text in _listed(select, "select", MAX_SELECTED)]
    columns = {column.name: column for column in (*values, *keys)}
    order = _order(sort, columns, [key.name for key in keys])
    statement = (
        sa.select(*(column.sql.label(f"c{at}") for at, column in enumerate(columns.values())))
        .select_from(source_for(call, query, scope))
        .where(*where)
        .group_by(*(Fragment(str(list(columns).index(key.name) + 1)) for key in keys))
        .order_by(*order)
        .limit(sa.bindparam("limit", type_=sa.BigInteger()))
        .offset(sa.bindparam("offset", type_=sa.BigInteger()))
    )
    return _Plan(
        rendered(query, scope, statement),
        tuple(columns),
        tuple(column.convert for column in columns.values()),
    )


def _listed(text: str, parameter: str, most: int) -> list[str]:
    items = [item.strip() for item in text.split(",") if item.strip()]
    if len(items) > most:
        raise _refused(parameter, text, f"there may be at most {most}.")
    return list(dict.fromkeys(items))


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    sql: sa.ColumnElement[Any]
    convert: Convert


def _order(sort: str, columns: Mapping[str, _Column], keys: Sequence[str]) -> list[Fragment]:
    """By what was asked for, then by the groups, so that pages do not overlap."""
    order, seen = [], set()
    for item in [part.strip() for part in sort.split(",") if part.strip()] + list(keys):
        name = item.lstrip("+-")
        if name not in columns:
            raise _refused("sort", item, "it is neither a group nor selected.")
        if name not in seen:
            seen.add(name)
            place = list(columns).index(name)
            # By its place among the columns: the expression stands in one place only. Nulls are the least.
            way = "DESC NULLS LAST" if item.startswith("-") else "ASC NULLS FIRST"
            order.append(Fragment(f"{place + 1} {way}"))
    return order


class _Reader:
    """Makes columns of what a client names, under the rules of client filters and sorts."""

    def __init__(self, call: Call, collection: CollectionSchema, scope: Scope) -> None:
        self._call = call
        self._collection = collection
        self._scope = scope
        self._engine: Engine = call.session.engine

    def key(self, text: str) -> _Column:
        match = _KEY.fullmatch(text)
        if match is None:
            raise _refused("group", text, "it is a field, or of a date its :year, :month, :day or :hour.")
        path, part = match.groups()
        field = self._field("group", text, path)
        sql = self._sql(path)
        if part is None:
            return _Column(text, sql, _or_null(field.db_reader(self._engine) or _same))
        if field.kind != "date":
            raise _refused("group", text, "only a date has a year, month, day and hour.")
        return _Column(text, Fragment("substr(", sql, f", 1, {_DATE_PARTS[part]})"), _same)

    def value(self, text: str) -> _Column:
        match = _ITEM.fullmatch(text)
        if match is None or (match[2] is None and match[1] != "count"):
            raise _refused("select", text, "it is count, or count, sum, avg, min or max of (a field).")
        function, path = match.groups()
        if path is None:
            return _Column(text, Fragment("COUNT(*)"), _same)
        field = self._field("select", text, path)
        sql = self._sql(path)
        if field.kind not in ("number", "bool"):
            # An empty text or date is no value.
            sql = Fragment("NULLIF(", sql, ", '')")
        if function == "count":
            return _Column(text, Fragment("COUNT(", sql, ")"), _same)
        if function in ("min", "max"):
            if field.kind == "bool":
                raise _refused("select", text, "true and false have no order.")
            reads = canonical_number if field.kind == "number" else _same
            return _Column(text, Fragment(f"{function.upper()}(", sql, ")"), _or_null(reads))
        if field.kind not in ("number", "bool"):
            raise _refused("select", text, "only numbers, and how many are true, can be summed.")
        # As doubles, which the numbers are: a sum of whole ones may leave 64 bits.
        real = Fragment("CAST(", sql, " AS INTEGER)") if field.kind == "bool" else sql
        summed = Fragment(f"{function.upper()}(CAST(", real, " AS DOUBLE PRECISION))")
        if function == "sum":
            return _Column(text, Fragment("COALESCE(", summed, ", 0)"), canonical_number)
        return _Column(text, summed, _or_null(canonical_number))

    def _sql(self, path: str) -> sa.ColumnElement[Any]:
        """The value as a sort sees it: what is refused there is refused here."""
        (order,) = self._scope.sort(path, superuser=self._call.principal.is_superuser)
        assert isinstance(order, Order)
        return order.value

    def _field(self, parameter: str, text: str, path: str) -> Field:
        collection: CollectionSchema | None = self._collection
        field: Field | None = None
        *through, last = path.split(".")
        for name in through:
            field = collection.field_by_name.get(name) if collection else None
            if not isinstance(field, RelationField) or field.is_list:
                raise _refused(parameter, text, "it goes through single relations to a field.")
            collection = self._call.schema.get(field.collection_id)
        field = collection.field_by_name.get(last) if collection else None
        if field is None or field.is_list or field.kind in ("json", "geo"):
            raise _refused(parameter, text, "it is no field with one plain value.")
        if field.type == "password" or (
            collection and collection.is_auth and last == "email" and not self._call.principal.is_superuser
        ):
            # Others' addresses are theirs to show, record by record.
            raise _refused(parameter, text, "it cannot be told.")
        return field


def _same(value: Any) -> Any:
    return value


def _or_null(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)
