"""What stands in FROM for a collection: its table, or the SELECT of a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from projects.context import Engine
from projects.rules.sql import Name
from projects.schema.collection import CollectionSchema, ProjectSchema

if TYPE_CHECKING:
    from projects.schema.views.render import RenderedView, ViewOrder


class _ViewSource(sa.ClauseElement):
    """A view's SELECT in parentheses: text that was written from a checked tree, and holds no parameter."""

    inherit_cache = False

    def __init__(self, text: str) -> None:
        self.text = text


@compiles(_ViewSource)
def _view_source(element: _ViewSource, compiler: SQLCompiler, **_options: Any) -> str:
    # Where % marks parameters, one that is meant is doubled.
    return f"({compiler.post_process_text(element.text)})"  # type: ignore[no-untyped-call]


class _Aliased(sa.FromClause):
    """A source under a name, as an element of FROM."""

    inherit_cache = False
    named_with_column = False

    def __init__(self, source: sa.ClauseElement, alias: str) -> None:
        self.source = source
        self.alias_name = alias


@compiles(_Aliased)
def _aliased(element: _Aliased, compiler: SQLCompiler, **options: Any) -> str:
    source = compiler.process(element.source, **options)
    return f"{source} AS {compiler.preparer.quote_identifier(element.alias_name)}"


def source_of(schema: ProjectSchema, collection: CollectionSchema, engine: Engine) -> sa.ClauseElement:
    """The collection's rows, to be given an alias."""
    if not collection.is_view:
        return Name(collection.table)
    return _ViewSource(_rendered(schema, collection, engine).sql)


def from_element(
    schema: ProjectSchema, collection: CollectionSchema, engine: Engine, alias: str
) -> sa.FromClause:
    """The collection's rows under ``alias``."""
    if collection.is_view:
        return _Aliased(source_of(schema, collection, engine), alias)
    return sa.table(sa.sql.quoted_name(collection.table, True)).alias(sa.sql.quoted_name(alias, True))


def view_order(schema: ProjectSchema, view: CollectionSchema, engine: Engine) -> tuple[ViewOrder, ...]:
    """What a view's records are sorted by where nothing else is asked for."""
    return _rendered(schema, view, engine).order


def _rendered(schema: ProjectSchema, view: CollectionSchema, engine: Engine) -> RenderedView:
    return schema.derived.get(("view", view.id, engine), lambda: _render(schema, view, engine))


def _render(schema: ProjectSchema, view: CollectionSchema, engine: Engine) -> RenderedView:
    # The parser is loaded only by those who have views.
    from projects.schema.views.render import view_sql

    return view_sql(schema, view, engine)
