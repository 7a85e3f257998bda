"""Small worlds for the tests of the language: collections with real tables and records, without the records room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from projects.databases import Session
from projects.principal import RequestInfo
from projects.rules import Scope, Undecidable, compile_predicate, parse_filter, parse_rule
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.ddl import create_table
from projects.schema.fields.base import Field
from projects.schema.fields.registry import field_from_json
from projects.schema.links import create_links, link_table, linked_fields

NOW = datetime(2026, 11, 23, 15, 15, 8, 206408, tzinfo=UTC)
GUEST = RequestInfo()
Record = Mapping[str, Any]


def field(name: str, type_: str, **options: Any) -> Field:
    return field_from_json({"id": name, "name": name, "type": type_, **options})


def collection(
    name: str, *fields: Field, type_: Any = "base", list_rule: str | None = "", **rest: Any
) -> CollectionSchema:
    """A collection whose id is its name. Auth collections get the fields that the language treats specially."""
    own = [field("id", "text", primaryKey=True)]
    if type_ == "auth":
        own += [
            field("email", "email"),
            field("emailVisibility", "bool"),
            field("tokenKey", "text", hidden=True),
        ]
    return CollectionSchema(
        id=name, name=name, type=type_, fields=(*own, *fields), list_rule=list_rule, **rest
    )


def relation(name: str, target: str, most: int = 1) -> Field:
    return field(name, "relation", collectionId=target, maxSelect=most)


@dataclass(frozen=True)
class World:
    session: Session
    schema: ProjectSchema
    records: Mapping[str, Sequence[Record]]
    searching: bool = False

    def collection(self, name: str) -> CollectionSchema:
        found = self.schema.get(name)
        assert found is not None
        return found

    def with_list_rule(self, name: str, rule: str | None) -> World:
        """The same data where another list rule holds for one collection."""
        collections = tuple(
            replace(c, list_rule=rule) if c.name == name else c for c in self.schema.collections
        )
        return replace(self, schema=ProjectSchema(self.schema.version + 1, collections))

    def by_sql(self, name: str, rule: str, request: RequestInfo = GUEST) -> list[str]:
        """The ids of the records that satisfy a rule, as the database says."""
        scope = self.scope(name)
        return self._ids(scope, scope.rule(parse_rule(rule)), (), request)

    def by_sql_together(
        self, name: str, rules: Sequence[str], request: RequestInfo = GUEST
    ) -> list[list[str]]:
        """The same for each of many rules, in one query: as the columns of a list of all records."""
        scope = self.scope(name)
        answers = [sa.case((scope.rule(parse_rule(rule)), 1), else_=0) for rule in rules]
        query = sa.select(*scope.columns("id"), *answers).select_from(scope.from_clause())
        statement = scope.render(query)
        rows = self.session.rows(statement.sql, statement.params((), request, NOW))
        return [sorted(row[0] for row in rows if row[i]) for i in range(1, len(rules) + 1)]

    def by_predicate(self, name: str, rule: str, request: RequestInfo = GUEST) -> list[str] | None:
        """The same as Python says; None when it cannot."""
        try:
            predicate = compile_predicate(parse_rule(rule), self.schema, self.collection(name))
        except Undecidable:
            return None
        test = predicate.bind(request, NOW)
        found = sorted(record["id"] for record in self.records[name] if test(record))
        assert found == sorted(r["id"] for r in self.records[name] if predicate.test(r, request, NOW))
        return found

    def answer(self, name: str, rule: str, request: RequestInfo = GUEST) -> list[str]:
        """The ids that both ways give; they must agree."""
        found = self.by_sql(name, rule, request)
        in_python = self.by_predicate(name, rule, request)
        assert in_python is None or in_python == found, f"SQL says {found}, Python {in_python}: {rule}"
        return found

    def filtered(
        self, name: str, text: str, request: RequestInfo = GUEST, *, superuser: bool = False
    ) -> list[str]:
        """The ids that a client's filter finds."""
        scope = self.scope(name)
        parsed = parse_filter(text)
        return self._ids(scope, scope.filter(parsed, superuser=superuser), parsed.constants, request)

    def sorted_by(
        self, name: str, text: str, request: RequestInfo = GUEST, *, superuser: bool = False
    ) -> list[str]:
        """The ids in the order of a client's sort."""
        scope = self.scope(name)
        order = scope.sort(text, superuser=superuser)
        query = sa.select(*scope.columns("id")).select_from(scope.from_clause()).order_by(*order)
        statement = scope.render(query)
        return [row[0] for row in self.session.rows(statement.sql, statement.params((), request, NOW))]

    def scope(self, name: str) -> Scope:
        return Scope(self.schema, self.collection(name), self.session.engine, searching=self.searching)

    def _ids(self, scope: Scope, condition: Any, constants: Any, request: RequestInfo) -> list[str]:
        query = sa.select(*scope.columns("id")).select_from(scope.from_clause()).where(condition)
        statement = scope.render(query)
        rows = self.session.rows(statement.sql, statement.params(constants, request, NOW))
        return sorted(row[0] for row in rows)


def make_world(
    session: Session, collections: Iterable[CollectionSchema], records: Mapping[str, Iterable[Record]]
) -> World:
    """Make the tables, normalise the records as the fields do, and store them."""
    schema = ProjectSchema(1, tuple(collections))
    stored: dict[str, list[Record]] = {}
    for made in schema.collections:
        create_table(session, made)
        create_links(session, made)
        stored[made.name] = []
        for given in records.get(made.name, ()):
            record = {
                f.name: f.normalize(given[f.name]) if f.name in given else f.zero() for f in made.fields
            }
            names = ", ".join(f'"{name}"' for name in record)
            places = ", ".join("?" for _ in record)
            values = [f.to_db(record[f.name], session.engine) for f in made.fields]
            session.execute(session.sql(f'INSERT INTO "{made.table}" ({names}) VALUES ({places})'), values)
            for linked in linked_fields(made):
                sql = session.sql(f'INSERT INTO "{link_table(made, linked)}" (record, target) VALUES (?, ?)')
                session.execute_many(sql, [(record["id"], target) for target in record[linked.name]])
            stored[made.name].append(record)
    return World(session, schema, stored)
