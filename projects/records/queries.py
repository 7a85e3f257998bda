"""Compiled reads: one statement per collection, rule, filter shape and sort, kept with the schema version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import orjson
import sqlalchemy as sa

from projects.errors import ApiError, bad_request
from projects.records.access import class_of_caller, new_scope, now
from projects.records.call import Call
from projects.records.ranked import found_in, is_rank, is_ranked, rank_order, ranked_page
from projects.records.rows import Values, reader
from projects.records.totals import snapshot_columns, total
from projects.rules import Parsed, RuleError, RuleForbidden, Scope, Statement, parse_filter, parse_rule
from projects.rules.inputs import MACROS
from projects.rules.sort import MAX_SORT_KEYS
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.search import searchable_fields
from projects.schema.views.settle import sources_of


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a collection: ``rule`` is the condition the caller is under ("" for none), ``search`` what
    ``search_query`` made of the words to search by."""

    collection: CollectionSchema
    rule: str = ""
    filter: str = ""
    sort: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    page: Statement
    count: Statement
    # The ids of the collections that both read, and whether the answer also depends on the time.
    tables: tuple[str, ...]
    is_volatile: bool
    # Whether the page's rows end with the total.
    is_ranked: bool


def as_client_error(error: RuleError) -> ApiError:
    """A client's filter or sort that is wrong says no more than that; rule names are not for guests."""
    if isinstance(error, RuleForbidden):
        return ApiError(403, error.message)
    return bad_request()


def fetch_page(call: Call, query: Query, *, limit: int, offset: int) -> list[Values]:
    """One page of the records that the rule and the filter let through. Raises 400, 403 for the filter."""
    return fetch_counted(call, query, limit=limit, offset=offset)[0]


def fetch_counted(call: Call, query: Query, *, limit: int, offset: int) -> tuple[list[Values], int | None]:
    """``fetch_page``, and how many records there are where that is known by the way."""
    parsed, plan = _prepare(call, query)
    params = plan.page.params(
        constants_of(parsed), call.request, now(), limit=limit, offset=offset, search=query.search
    )
    read = reader(call, query.collection)
    rows = call.session.rows(plan.page.sql, params, plan.page.anew)
    if not plan.is_ranked:
        return [read.values(row) for row in rows], None
    return [read.values(row[:-1]) for row in rows], rows[0][-1] if rows else None


def count(call: Call, query: Query) -> int:
    """How many records the rule and the filter let through."""
    parsed, plan = _prepare(call, query)
    params = plan.count.params(constants_of(parsed), call.request, now(), search=query.search)
    return total(call, plan.count, plan.tables, params, keep=not plan.is_volatile)


def fetch_one(call: Call, collection: CollectionSchema, rule: str, record_id: str) -> Values | None:
    """The record with that id if it satisfies the rule."""
    statement = call.schema.derived.get(("one", collection.id, rule), lambda: _one(call, collection, rule))
    row = call.session.row(statement.sql, statement.params((), call.request, now(), id=record_id))
    return reader(call, collection).values(row) if row else None


def fetch_by_ids(call: Call, collection: CollectionSchema, rule: str, ids: list[str]) -> dict[str, Values]:
    """Those of the records named by ``ids`` that satisfy the rule, by id."""
    if not ids:
        return {}
    statement = call.schema.derived.get(("ids", collection.id, rule), lambda: _by_ids(call, collection, rule))
    read = reader(call, collection)
    params = statement.params((), call.request, now(), ids=orjson.dumps(ids).decode())
    found = (read.values(row) for row in call.session.rows(statement.sql, params))
    return {values["id"]: values for values in found}


def ids_satisfying(call: Call, collection: CollectionSchema, rule: str, ids: list[str]) -> set[str]:
    """Those of ``ids`` whose records satisfy the rule."""
    key = ("satisfying", collection.id, rule)
    statement = call.schema.derived.get(key, lambda: _by_ids(call, collection, rule, only_id=True))
    params = statement.params((), call.request, now(), ids=orjson.dumps(ids).decode())
    return {row[0] for row in call.session.rows(statement.sql, params)}


def constants_of(parsed: Parsed | None) -> Any:
    return parsed.constants if parsed else ()


def _prepare(call: Call, query: Query) -> tuple[Parsed | None, _Plan]:
    try:
        parsed = parse_filter(query.filter) if query.filter else None
        key = (
            "list",
            query.collection.id,
            query.rule,
            parsed and parsed.key,
            query.sort,
            class_of_caller(call),
            bool(query.search),
        )
        return parsed, call.schema.derived.get(key, lambda: _compile(call, query, parsed))
    except RuleError as error:
        raise as_client_error(error) from error


def conditions(call: Call, query: Query, parsed: Parsed | None) -> tuple[Scope, list[sa.ColumnElement[bool]]]:
    """A statement's scope, and what the rule and the filter ask of a record."""
    scope = new_scope(call, query.collection, searching=True)
    where = _rule(scope, query.rule)
    if parsed is not None:
        where.append(scope.filter(parsed, superuser=call.principal.is_superuser))
    return scope, where


def order_of(call: Call, query: Query, scope: Scope) -> list[sa.ColumnElement[Any]]:
    """ORDER BY as the client asks for it: without a word what is found best first, or as records were made."""
    superuser, sort = call.principal.is_superuser, query.sort
    if not query.search:
        if sort and searchable_fields(query.collection):
            # As one types, a search has no word yet.
            sort = ",".join(key for key in sort.split(",") if not is_rank(key))
        return scope.sort(sort, superuser=superuser) if sort else scope.default_order()
    if not sort:
        return [rank_order(descending=False), *scope.default_order()]
    keys = sort.split(",")
    if len(keys) > MAX_SORT_KEYS:
        raise RuleError(f"more than {MAX_SORT_KEYS} sort fields")
    order: list[sa.ColumnElement[Any]] = []
    for key in keys:
        if is_rank(key):
            order.append(rank_order(key.strip().startswith("-")))
        else:
            order += scope.sort(key, superuser=superuser)
    return order


def source_for(call: Call, query: Query, scope: Scope, *, one_by_one: bool = False) -> sa.FromClause:
    """FROM, once all conditions and orders are made: what they go through is joined to it."""
    if not query.search:
        return scope.from_clause()
    return scope.from_clause(
        found_in(query.collection, call.session.engine, scope.alias, one_by_one=one_by_one)
    )


def rendered(query: Query, scope: Scope, select: sa.Select[Any]) -> Statement:
    """The statement. How a search is best done depends on how often its words occur."""
    return replace(scope.render(select), anew=bool(query.search))


def _compile(call: Call, query: Query, parsed: Parsed | None) -> _Plan:
    scope, where = conditions(call, query, parsed)
    order = order_of(call, query, scope)
    ranked = bool(query.search) and is_ranked(order)
    # After the sort: to sort through a relation hides what its list rule hides, from the total too.
    source = source_for(call, query, scope, one_by_one=ranked)
    if ranked:
        page, counting = ranked_page(scope, source, where, order)
    else:
        page = rendered(
            query,
            scope,
            sa.select(*columns_of(scope, query.collection))
            .select_from(source)
            .where(*where)
            .order_by(*order)
            .limit(sa.bindparam("limit", type_=sa.BigInteger()))
            .offset(sa.bindparam("offset", type_=sa.BigInteger())),
        )
        columns = (sa.func.count(), *snapshot_columns(call.session.engine))
        counting = rendered(query, scope, sa.select(*columns).select_from(source).where(*where))
    is_volatile = not MACROS.keys().isdisjoint(scope.reads)
    return _Plan(page, counting, tables_of(call.schema, scope), is_volatile, ranked)


def tables_of(schema: ProjectSchema, scope: Scope) -> tuple[str, ...]:
    """The tables behind everything that the scope reads, views included."""
    read = (schema.get(collection_id) for collection_id in scope.tables)
    return tuple(sorted({id_ for found in read if found is not None for id_ in sources_of(schema, found)}))


def _rule(scope: Scope, rule: str) -> list[sa.ColumnElement[bool]]:
    return [scope.rule(parse_rule(rule))] if rule.strip() else []


def columns_of(scope: Scope, collection: CollectionSchema) -> Any:
    return scope.columns(*(field.name for field in collection.fields))


def _one(call: Call, collection: CollectionSchema, rule: str) -> Statement:
    scope = new_scope(call, collection)
    where = _rule(scope, rule)
    (own_id,) = scope.columns("id")
    query = (
        sa.select(*columns_of(scope, collection))
        .select_from(scope.from_clause())
        .where(own_id == sa.bindparam("id"), *where)
    )
    return scope.render(query)


def _by_ids(call: Call, collection: CollectionSchema, rule: str, *, only_id: bool = False) -> Statement:
    scope = new_scope(call, collection)
    where = _rule(scope, rule)
    if call.session.engine == "sqlite":
        given = sa.func.json_each(sa.bindparam("ids")).table_valued("value")
    else:
        given = sa.func.json_array_elements_text(sa.cast(sa.bindparam("ids"), sa.JSON())).table_valued(
            "value"
        )
    (own_id,) = scope.columns("id")
    query = (
        sa.select(*(scope.columns("id") if only_id else columns_of(scope, collection)))
        .select_from(scope.from_clause())
        .where(own_id.in_(sa.select(given.c.value)), *where)
    )
    return scope.render(query)
