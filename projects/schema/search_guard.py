"""PostgreSQL: refuses what would leave a search index behind its records.

A write that began before its collection was searched, or was searched by other fields, waits while the index is
built, and would then go on as it was planned: without the index. So a trigger looks at the end of each transaction
whether the index was written with the records. What it refuses is run again, from the schema as it is by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from projects.schema import ddl
from projects.schema.collection import CollectionSchema
from projects.schema.ddl import literal, quote
from projects.schema.fields.base import Field

if TYPE_CHECKING:
    from projects.databases import Session


def create(session: Session, collection: CollectionSchema, index: str, fields: Sequence[Field]) -> None:
    """Guard the table named ``index``, whose column ``written`` is the transaction that wrote a row last."""
    follow(session, collection, index)
    columns = ", ".join(quote(field.name) for field in fields)
    ddl.run(
        session,
        f"CREATE CONSTRAINT TRIGGER {quote(index)} AFTER INSERT OR DELETE OR UPDATE OF {columns}"
        f" ON {quote(collection.table)} DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW EXECUTE FUNCTION {quote(_function(index))}()",
    )


def follow(session: Session, collection: CollectionSchema, index: str) -> None:
    """Write the trigger's function, anew when the collection has another name."""
    table = quote(collection.table)
    body = f"""
DECLARE key text := CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END;
BEGIN
  IF (CASE WHEN EXISTS (SELECT FROM {table} WHERE id = key)
    THEN EXISTS (SELECT FROM {quote(index)} WHERE record = key AND written = pg_current_xact_id())
    ELSE NOT EXISTS (SELECT FROM {quote(index)} WHERE record = key)
  END) THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'the search index has changed' USING ERRCODE = 'undefined_table';
END"""
    ddl.run(
        session,
        f"CREATE OR REPLACE FUNCTION {quote(_function(index))}() RETURNS trigger LANGUAGE plpgsql"
        f" AS {literal(body)}",
    )


def drop(session: Session, index: str) -> None:
    """With the trigger that calls it."""
    ddl.run(session, f"DROP FUNCTION {quote(_function(index))}() CASCADE")


def settle(session: Session) -> None:
    """Look now at what was written so far: a table that is still to be looked at cannot be changed."""
    if session.engine == "postgresql":
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        session.execute("SET CONSTRAINTS ALL DEFERRED")


def _function(index: str) -> str:
    return f"{index}_guard"
