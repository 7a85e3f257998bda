"""The records that name others by a relation: found for a whole level of ``expand`` by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa

from projects.records.access import ALIAS, condition_for, new_scope, now
from projects.records.call import Call
from projects.records.rows import Values, reader
from projects.rules import Scope, Statement, parse_rule
from projects.rules.engines import EngineSql, Sql
from projects.rules.sources import from_element
from projects.rules.sql import Fragment, Name, Ref
from projects.rules.writer import ENGINES
from projects.schema.collection import CollectionSchema
from projects.schema.fields.relation import RelationField
from projects.schema.links import link_table

# Of each record, as the wire contract has it.
MAX_RELATED: Final = 1000
# What FROM holds beside the records themselves: the ids that are named, and the records that were chosen.
_GIVEN: Final = "given"
_CHOSEN: Final = "chosen"
# Columns of ours; no field has such names.
_PARENT: Final = "_given_"
_PLACE: Final = "_rowid_"
_NAMED: Final = Ref(_GIVEN, "value")
_EACH: Final = sa.bindparam("each", type_=sa.BigInteger())
_IN_ALL: Final = sa.bindparam("in_all", type_=sa.BigInteger())


def fetch_naming(
    call: Call,
    collection: CollectionSchema,
    relation: RelationField,
    ids: Sequence[str],
    *,
    each: int,
    in_all: int,
) -> list[tuple[str, Values]]:
    """Records of ``collection`` that the caller may view, each beside the one of ``ids`` that its ``relation`` names.

    At most ``each`` for an id, the first in the order of the collection, in which they come. By a relation that a
    record keeps from the caller it is not found. At most ``in_all``: who gets as many may have missed some.
    """
    if not ids:
        return []
    rules = [condition_for(call, collection.view_rule)]
    if relation.read_rule:
        rules.append(condition_for(call, relation.read_rule))
    key = ("naming", collection.id, relation.id, *rules)
    statement = call.schema.derived.get(key, lambda: _statement(call, collection, relation, rules))
    given = orjson.dumps(list(ids)).decode()
    params = statement.params((), call.request, now(), ids=given, each=each, in_all=in_all)
    read = reader(call, collection)
    return [(row[0], read.values(row[1:])) for row in call.session.rows(statement.sql, params)]


def _statement(
    call: Call, collection: CollectionSchema, relation: RelationField, rules: list[str]
) -> Statement:
    scope = new_scope(call, collection)
    engine = ENGINES[scope.engine]
    where = [_names(collection, relation, engine)]
    where += [scope.rule(parse_rule(rule)) for rule in rules if rule.strip()]
    names = [field.name for field in collection.fields]
    if collection.is_view:
        query = _numbered(scope, names, where)
    elif scope.engine == "sqlite":
        query = _looked_up(scope, names, where, engine)
    else:
        query = _lateral(scope, names, where, engine)
    return scope.render(query.limit(_IN_ALL))


def _names(collection: CollectionSchema, relation: RelationField, engine: EngineSql) -> Sql:
    column = Ref(ALIAS, relation.name)
    if not relation.is_list:
        return Fragment(column, " = ", _NAMED)
    if collection.is_view:
        return engine.list_holds(column, _NAMED)
    link = Name(link_table(collection, relation))
    return Fragment(Ref(ALIAS, "id"), " IN (SELECT record FROM ", link, " WHERE target = ", _NAMED, ")")


def _given(scope: Scope) -> sa.FromClause:
    ids: sa.ColumnElement[Any] = sa.bindparam("ids")
    if scope.engine == "sqlite":
        return sa.func.json_each(ids).table_valued("value", name=_GIVEN)
    return sa.func.json_array_elements_text(sa.cast(ids, sa.JSON())).table_valued("value", name=_GIVEN)


def _looked_up(scope: Scope, names: list[str], where: list[Sql], engine: EngineSql) -> sa.Select[Any]:
    """SQLite has no LATERAL: the rows of each id's records are a list that the table is looked up by."""
    found = (
        sa.select(engine.row_order(ALIAS))
        .select_from(scope.from_clause())
        .where(*where)
        .order_by(*scope.default_order())
        .limit(_EACH)
    )
    place = engine.row_order(_CHOSEN)
    chosen = from_element(scope.schema, scope.collection, scope.engine, _CHOSEN)
    return (
        sa.select(_NAMED, *(Ref(_CHOSEN, name) for name in names))
        .select_from(_given(scope).join(chosen, place.in_(found)))
        .order_by(place)
    )


def _lateral(scope: Scope, names: list[str], where: list[Sql], engine: EngineSql) -> sa.Select[Any]:
    found = (
        sa.select(*_labelled(names), engine.row_order(ALIAS).label(_PLACE))
        .select_from(scope.from_clause())
        .where(*where)
        .order_by(*scope.default_order())
        .limit(_EACH)
        .lateral(_CHOSEN)
    )
    return (
        sa.select(_NAMED, *(Ref(_CHOSEN, name) for name in names))
        .select_from(_given(scope).join(found, sa.true()))
        .order_by(Ref(_CHOSEN, _PLACE))
    )


def _numbered(scope: Scope, names: list[str], where: list[Sql]) -> sa.Select[Any]:
    """A view is worked out once, for all ids together, not once for each."""
    order: list[str | sa.ClauseElement] = []
    for key in scope.default_order():
        order += [", ", key] if order else [key]
    number = Fragment("row_number() OVER (PARTITION BY ", _NAMED, " ORDER BY ", *order, ")")
    found = (
        sa.select(_NAMED.label(_PARENT), *_labelled(names), number.label(_PLACE))
        .select_from(scope.from_clause().join(_given(scope), sa.true()))
        .where(*where)
        .subquery(_CHOSEN)
    )
    place = Ref(_CHOSEN, _PLACE)
    return (
        sa.select(Ref(_CHOSEN, _PARENT), *(Ref(_CHOSEN, name) for name in names))
        .select_from(found)
        .where(Fragment(place, " <= ", _EACH))
        .order_by(place)
    )


def _labelled(names: list[str]) -> list[sa.ColumnElement[Any]]:
    return [Ref(ALIAS, name).label(name) for name in names]
