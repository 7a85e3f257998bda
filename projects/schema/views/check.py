"""What only the database can say of a view: whether it runs, and whether its records can be told apart."""

from __future__ import annotations

import sqlite3
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import psycopg

from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.views.errors import ViewError
from projects.schema.views.render import view_sql

if TYPE_CHECKING:
    from projects.databases import Session

SAMPLE: Final = 10
# Records that are looked at for a repeated id: all of them would be a scan of everything behind the view.
_LOOKED_AT: Final = 1_000
_BAD_IDS: Final = "the query could return records with empty or invalid ids"


def check_view(session: Session, schema: ProjectSchema, view: CollectionSchema) -> None:
    """Raises ViewError."""
    text = view_sql(schema, view, session.engine).sql
    try:
        # What fails ends a transaction that writes, so it must not be the caller's.
        with session.savepoint() if session.is_writing else nullcontext():
            if _row(session, f"SELECT 1 FROM ({text}) AS v WHERE id IS NULL OR id = '' LIMIT 1"):
                raise ViewError(_BAD_IDS)
            some = f"SELECT id FROM ({text}) AS v LIMIT {_LOOKED_AT}"
            if _row(session, f"SELECT 1 FROM ({some}) AS w GROUP BY id HAVING COUNT(*) > 1 LIMIT 1"):
                raise ViewError("the query returns several records with the same id")
    except (sqlite3.OperationalError, psycopg.ProgrammingError, psycopg.DataError) as error:
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise  # interrupted, disk full
        raise ViewError(str(error).partition("\n")[0].rstrip(".")) from None


def sample_rows(session: Session, schema: ProjectSchema, view: CollectionSchema) -> list[tuple[Any, ...]]:
    """The first records, in the order of the fields. ``check_view`` comes before."""
    columns = ", ".join(f'"{field.name}"' for field in view.fields)
    text = view_sql(schema, view, session.engine).sql
    return session.rows(_escaped(session, f"SELECT {columns} FROM ({text}) AS v LIMIT {SAMPLE}"))


def _row(session: Session, text: str) -> tuple[Any, ...] | None:
    return session.row(_escaped(session, text))


def _escaped(session: Session, text: str) -> str:
    # psycopg reads % in every statement.
    return text.replace("%", "%%") if session.engine == "postgresql" else text
