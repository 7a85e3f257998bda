"""A rule as this engine's SQL, and how the engine would run it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from projects.records.access import new_scope, now
from projects.records.call import Call
from projects.records.explain.operands import HIDDEN, is_secret_field
from projects.records.explain.question import Question
from projects.rules.paths import Column
from projects.rules.review.stored import StoredRule
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.indexes import parse_index
from projects.schema.links import link_name, linked_fields

_ALIASED = re.compile(r'(?:"((?:[^"]|"")+)"|\b(\w+)) AS (?:"([^"]+)"|(\w+))')
_STEP = re.compile(r"(SCAN|SEARCH) (\S+)(?: USING (.+?))?(?: \((.+)\))?(?: LEFT-JOIN)?$")
_INDEX = re.compile(r"(?:COVERING )?INDEX (\S+)")


@dataclass(frozen=True, slots=True)
class RuleSql:
    """The statement that a list under the rule begins with. ``tables``: names of the collections whose records it
    reads; ``request``: names of the request values and macros."""

    text: str
    parameters: list[Any]
    tables: tuple[str, ...]
    request: tuple[str, ...]


def sql_of(question: Question) -> RuleSql:
    rule, call = question.rule, question.call
    scope = new_scope(call, rule.collection, searching=True)
    where = scope.rule(rule.parsed)
    query = sa.select(*scope.columns("id")).select_from(scope.from_clause()).where(where)
    statement = scope.render(query)
    names = (found.name for id_ in scope.tables if (found := call.schema.get(id_)))
    parameters = statement.params((), call.request, now())
    return RuleSql(statement.sql, parameters, tuple(sorted(names)), tuple(sorted(scope.reads)))


def shown_parameters(call: Call, parameters: Iterable[Any]) -> list[Any]:
    """Parameters as JSON can hold them, without what stands in the account and is a secret."""
    principal = call.principal
    home = call.schema.get(principal.collection_id) if principal.collection_id else None
    secrets = {
        value
        for name, value in (principal.record or {}).items()
        if is_secret_field(home, name) and isinstance(value, str)
    }
    return [HIDDEN if value in secrets else _plain(value) for value in parameters]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def plan_of(question: Question, sql: RuleSql) -> list[dict[str, Any]]:
    """The tables that the engine reads, in its order: ``collection``, ``access`` (scan, index), ``index``, and a
    sentence. What the planner decides depends on how many records there are."""
    session = question.call.session
    if session.engine == "sqlite":
        details = [str(row[3]) for row in session.rows(f"EXPLAIN QUERY PLAN {sql.text}", sql.parameters)]
        steps = _sqlite_steps(details, sql.text)
    else:
        (found,) = session.rows(f"EXPLAIN (FORMAT JSON) {sql.text}", sql.parameters)
        document = found[0] if isinstance(found[0], list) else orjson.loads(found[0])
        steps = _postgresql_steps(document[0]["Plan"])
    names = _table_names(question.call.schema)
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for table, index in steps:
        if table in names:
            seen.setdefault((table, index), _step(question.rule, names[table], index))
    return list(seen.values())


def _sqlite_steps(details: list[str], text: str) -> Iterator[tuple[str, str]]:
    """Table and index ("": all of it) of each step; lists and subqueries are no tables."""
    aliases = {m[3] or m[4]: (m[1] or m[2]).replace('""', '"') for m in _ALIASED.finditer(text)}
    for detail in details:
        if found := _STEP.match(detail):
            table = aliases.get(found[2], found[2])
            using = found[3] or ""
            index = _INDEX.search(using)
            name = index[1] if index else ("the primary key" if "PRIMARY KEY" in using else using)
            # A scan along an index reads all of it too.
            yield table, name if found[1] == "SEARCH" else ""


def _postgresql_steps(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    pending = [plan]
    while pending:
        node = pending.pop(0)
        below = list(node.get("Plans", ()))
        if "Relation Name" in node:
            bitmap = [one for one in below if "Index Name" in one]
            index = node.get("Index Name") or (bitmap[0]["Index Name"] if bitmap else "")
            yield node["Relation Name"], index
        pending[:0] = below


@dataclass(frozen=True, slots=True)
class _Table:
    collection: CollectionSchema
    field: str = ""

    @property
    def words(self) -> str:
        return f"{self.collection.name}.{self.field}" if self.field else self.collection.name


def _table_names(schema: ProjectSchema) -> dict[str, _Table]:
    names: dict[str, _Table] = {}
    for collection in schema.collections:
        if collection.has_table:
            names[collection.table] = _Table(collection)
        for field in linked_fields(collection):
            names[link_name(collection.id, field.id)] = _Table(collection, field.name)
    return names


def _step(rule: StoredRule, table: _Table, index: str) -> dict[str, Any]:
    if index:
        name = "its own index" if index.startswith(("_rel_", "sqlite_autoindex")) else index
        sentence = f"Looks {table.words} up by {name}."
    elif table.collection is rule.collection and not table.field:
        sentence = f"Goes through all of {table.words}{_without_index(rule)}."
    else:
        sentence = f"Goes through all of {table.words}."
    return {
        "collection": table.collection.name,
        "access": "index" if index else "scan",
        "index": index or None,
        "sentence": sentence,
    }


def _without_index(rule: StoredRule) -> str:
    """Which of the record's fields that the rule compares lead no index."""
    leading = {"id"}
    for text in rule.collection.indexes:
        index = parse_index(text)
        if index.columns and not index.columns[0].function:
            leading.add(index.columns[0].name.lower())
    fields: dict[str, None] = {}
    for leaf in rule.leaves:
        for meaning in (leaf.left, leaf.right):
            if isinstance(meaning, Column) and meaning.is_own and meaning.field.type != "relation":
                fields[meaning.field.name] = None
    missing = [name for name in fields if name.lower() not in leading]
    return f": no index begins with {' or '.join(missing)}" if missing else ""
