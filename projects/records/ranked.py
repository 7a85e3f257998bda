"""What a search finds, as SQL: the rows to go through, and the page of those that are ranked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from django.conf import settings
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from projects.context import Engine
from projects.records.rows import quoted
from projects.records.totals import snapshot_columns
from projects.rules import RuleError, Scope, Statement
from projects.rules.inputs import Read
from projects.rules.sql import Order, Ref
from projects.schema.collection import CollectionSchema
from projects.schema.search import found_sql

# The sort key that the best come first by.
RANK: Final = "@rank"
_ALIAS: Final = "_found"
_RANKED: Final = Ref(_ALIAS, "rank")


def is_rank(key: str) -> bool:
    """Whether a key of ``sort`` is @rank, in either direction."""
    return key.strip().lstrip("+-") == RANK


def rank_order(descending: bool) -> Order:
    """The best first, or last."""
    return Order(_RANKED, descending, nullable=False)


def is_ranked(order: Sequence[object]) -> bool:
    return any(isinstance(one, Order) and one.value is _RANKED for one in order)


def found_in(collection: CollectionSchema, engine: Engine, alias: str, *, one_by_one: bool) -> sa.FromClause:
    """The collection's rows, called ``alias``, that the query ``search``, a parameter of the statement's, finds.

    ``one_by_one``: as few of them will be taken as come first, so they are not to be joined all at once.
    """
    return _Found(collection, engine, alias, one_by_one)


class _Found(sa.FromClause):
    inherit_cache = False
    named_with_column = False

    def __init__(self, collection: CollectionSchema, engine: Engine, alias: str, one_by_one: bool) -> None:
        self.parts = found_sql(engine, collection)
        self.table = quoted(collection.table)
        self.engine = engine
        self.alias_name = alias
        self.one_by_one = one_by_one


@compiles(_Found)
def _found(element: _Found, compiler: SQLCompiler, **options: Any) -> str:
    quote = compiler.preparer.quote_identifier
    alias, found, table = quote(element.alias_name), quote(_ALIAS), compiler.post_process_text(element.table)  # type: ignore[no-untyped-call]
    query = sa.bindparam("search", type_=sa.types.NullType())
    text = ""
    for at, part in enumerate(element.parts):
        text += compiler.process(query, **options) if at else ""
        text += compiler.post_process_text(part)  # type: ignore[no-untyped-call]
    if element.one_by_one and element.engine == "postgresql":
        # OFFSET 0 keeps PostgreSQL from reading the whole table to join it with some thousand rows.
        row = f"LATERAL (SELECT * FROM {table} WHERE id = {found}.record OFFSET 0) AS {alias}"
        return f"({text}) AS {found} CROSS JOIN {row}"
    # On SQLite the order of a CROSS JOIN is the order of its loops.
    join = "CROSS JOIN" if element.engine == "sqlite" else "JOIN"
    return f"({text}) AS {found} {join} {table} AS {alias} ON {alias}.id = {found}.record"


def ranked_page(
    scope: Scope,
    source: sa.FromClause,
    where: Sequence[sa.ColumnElement[bool]],
    order: Sequence[sa.ColumnElement[Any]],
) -> tuple[Statement, Statement]:
    """The page ``limit``, ``offset`` in an order that ranks, and how many records its pages have.

    A row of the page ends with that number. To rank costs more than to find, so of what is found, the rules allow
    and the filter lets through, the MBAAS_SEARCH_RANKED that changed last are ranked: the pages are of those.
    Raises RuleError where the order is random.
    """
    keys = [one for one in order if isinstance(one, Order)]
    if len(keys) < len(order):
        raise RuleError("what is ranked is not in random order")
    (own_id,) = scope.columns("id")
    newest = (
        sa.select(own_id.label("id"), *(key.value.label(f"k{at}") for at, key in enumerate(keys)))
        .select_from(source)
        .where(*where)
        .order_by(Order(Ref(_ALIAS, "number"), descending=True, nullable=False))
        .limit(sa.bindparam("ranked", settings.MBAAS_SEARCH_RANKED, type_=sa.BigInteger()))
    )
    candidates = scope.render(newest)
    collection, engine = scope.collection, scope.engine
    mark = "?" if engine == "sqlite" else "%s"
    names = ", ".join(f"k{at}" for at in range(len(keys)))
    directions = ["".join(map(str, key.parts[1:])) for key in keys]
    sorting, again = (
        ", ".join(f"{source}.k{at}{direction}" for at, direction in enumerate(directions))
        for source in ("_newest", "_page")
    )
    # Whole records are read for the page alone.
    alias = quoted(scope.alias)
    columns = ", ".join(f"{alias}.{quoted(field.name)}" for field in collection.fields)
    sql = (
        f"SELECT {columns}, _page.total FROM"
        f" (SELECT id, {names}, count(*) OVER () AS total FROM ({candidates.sql}) AS _newest"
        f" ORDER BY {sorting} LIMIT {mark} OFFSET {mark}) AS _page"
        f" CROSS JOIN {quoted(collection.table)} AS {alias} WHERE {alias}.id = _page.id ORDER BY {again}"
    )
    own: list[Read] = [lambda given: given.extra["limit"], lambda given: given.extra["offset"]]
    total = ", ".join(["count(*)", *map(str, snapshot_columns(engine))])
    return (
        Statement(sql, (*candidates.binders, *own), anew=True),
        Statement(f"SELECT {total} FROM ({candidates.sql}) AS _newest", candidates.binders, anew=True),
    )
