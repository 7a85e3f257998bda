"""Tables, columns and indexes of collections: a small DDL of our own, the same on both engines.

Every statement runs in the session's transaction, together with the metadata. Names are quoted; they were
checked before (letters, digits and ``_``; names of indexes anything printable but quotes).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

import psycopg.errors
from django.conf import settings

from projects.schema.collection import CollectionSchema
from projects.schema.fields.base import Field
from projects.schema.index_parts import Index, IndexColumn, Token, condition_columns, render_condition
from projects.schema.names import TEMPORARY_PREFIX

if TYPE_CHECKING:
    from projects.databases import Session

# No field can have this name (see names.py).
ROWID: Final = "_rowid_"


# How long a table that no statement can keep busy any longer is tried for.
_LOCK_GRACE_SECONDS: Final = 5
LockMode = Literal["SHARE", "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"]


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def run(session: Session, statement: str) -> int:
    """Execute a statement that has no parameters; returns the number of changed rows."""
    # psycopg reads % in every statement.
    return session.execute(statement.replace("%", "%%") if session.engine == "postgresql" else statement)


def take_table(session: Session, table: str, mode: LockMode) -> None:
    """On PostgreSQL: lock the table for what follows, without keeping others waiting for long.

    Whoever waits for a lock keeps all who come later waiting too, readers behind one long query. So each try is
    short, and between tries they go on. Raises LockNotAvailable when there was no moment for it.
    """
    if session.engine == "sqlite":
        return
    until = time.monotonic() + settings.MBAAS_STATEMENT_TIMEOUT_MS / 1000 + _LOCK_GRACE_SECONDS
    pause = 0.05
    while True:
        try:
            with session.savepoint():
                session.execute(f"SET LOCAL lock_timeout = {settings.MBAAS_SCHEMA_LOCK_MS:d}")
                run(session, f"LOCK TABLE {quote(table)} IN {mode} MODE")
                return
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > until:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 1.0)


def create_table(session: Session, collection: CollectionSchema) -> None:
    """The collection's table, without its indexes. Rows keep their insertion order: SQLite's own rowid,
    on PostgreSQL a column of that kind (``@rowid`` sorts by it, and lists without a sort)."""
    columns = [
        _id_column(session) if field.name == "id" else _column(session, field, field.name)
        for field in sorted(collection.fields, key=lambda field: field.name != "id")
    ]
    if session.engine == "postgresql":
        columns.append(f"{quote(ROWID)} BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE")
    run(session, f"CREATE TABLE {quote(collection.table)} ({', '.join(columns)})")


def drop_table(session: Session, collection: CollectionSchema) -> None:
    run(session, f"DROP TABLE {quote(collection.table)}")


def rename_table(session: Session, old: str, new: str) -> None:
    if old.lower() == new.lower():
        # SQLite knows no difference of case, so the name in between is another one.
        between = f"{TEMPORARY_PREFIX}table"
        run(session, f"ALTER TABLE {quote(old)} RENAME TO {quote(between)}")
        old = between
    run(session, f"ALTER TABLE {quote(old)} RENAME TO {quote(new)}")


def add_column(session: Session, table: str, field: Field) -> None:
    run(session, f"ALTER TABLE {quote(table)} ADD COLUMN {_column(session, field, field.name)}")


def drop_column(session: Session, table: str, name: str) -> None:
    run(session, f"ALTER TABLE {quote(table)} DROP COLUMN {quote(name)}")


def rename_columns(session: Session, table: str, names: Mapping[str, str]) -> None:
    """Rename columns (old to new), swaps and changes of case included."""
    between = {old: f"{TEMPORARY_PREFIX}{number}" for number, old in enumerate(names)}
    for old, new in names.items():
        in_the_way = any(new.lower() == other.lower() for other in names)
        if not in_the_way:
            between[old] = new
        run(session, f"ALTER TABLE {quote(table)} RENAME COLUMN {quote(old)} TO {quote(between[old])}")
    for old, new in names.items():
        if between[old] != new:
            run(session, f"ALTER TABLE {quote(table)} RENAME COLUMN {quote(between[old])} TO {quote(new)}")


def convert_column(session: Session, table: str, field: Field) -> None:
    """Turn the column between one text and a JSON list of texts (whichever ``field`` now is), keeping data.

    Of a list only its last value stays, as in the wire contract.
    """
    value = _conversion(session, field, quote(field.name))
    if session.engine == "postgresql":
        _retype_column(session, table, field, value)
    else:
        _replace_column(session, table, field, value)


def _retype_column(session: Session, table: str, field: Field, value: str) -> None:
    """One rewrite of the table: an UPDATE of all rows takes five times as long (20 s against 4 s for a million),
    while nobody may read it."""
    column = quote(field.name)
    definition = field.column_definition(session.engine)
    kind = definition.partition(" NOT NULL")[0].partition(" DEFAULT ")[0]
    default = definition.partition(" DEFAULT ")[2]
    steps = ["DROP DEFAULT", f"TYPE {kind} USING {value}"]
    steps += [f"SET DEFAULT {default}"] if default else []
    steps.append("SET NOT NULL" if " NOT NULL" in definition else "DROP NOT NULL")
    run(
        session, f"ALTER TABLE {quote(table)} " + ", ".join(f"ALTER COLUMN {column} {step}" for step in steps)
    )


def _replace_column(session: Session, table: str, field: Field, value: str) -> None:
    """Define the column anew as ``field`` is, holding ``value``, an expression over the old one."""
    passing = f"{TEMPORARY_PREFIX}convert"
    column, between = quote(field.name), quote(passing)
    run(session, f"ALTER TABLE {quote(table)} ADD COLUMN {_column(session, field, passing)}")
    run(session, f"UPDATE {quote(table)} SET {between} = {value}")
    run(session, f"ALTER TABLE {quote(table)} DROP COLUMN {column}")
    run(session, f"ALTER TABLE {quote(table)} RENAME COLUMN {between} TO {column}")


def _conversion(session: Session, field: Field, column: str) -> str:
    if field.is_list:
        made = "json_array" if session.engine == "sqlite" else "jsonb_build_array"
        empty = "'[]'" if session.engine == "sqlite" else "'[]'::jsonb"
        return f"CASE WHEN COALESCE({column}, '') = '' THEN {empty} ELSE {made}({column}) END"
    last = f"json_extract({column}, '$[#-1]')" if session.engine == "sqlite" else f"{column}->>-1"
    return last if field.nullable else f"COALESCE({last}, '')"


def allow_null(session: Session, table: str, field: Field) -> None:
    """Make the column one that may be null; no value changes."""
    column = quote(field.name)
    if session.engine == "postgresql":
        run(
            session,
            f"ALTER TABLE {quote(table)} ALTER COLUMN {column} DROP NOT NULL, ALTER COLUMN {column} DROP DEFAULT",
        )
    else:
        _replace_column(session, table, field, column)


def forbid_null(session: Session, table: str, field: Field) -> None:
    """Make the column one that may not be null, with the type's zero value where it was."""
    column = quote(field.name)
    zero = field.column_type(session.engine).partition(" DEFAULT ")[2]
    if session.engine == "postgresql":
        run(session, f"UPDATE {quote(table)} SET {column} = {zero} WHERE {column} IS NULL")
        run(
            session,
            f"ALTER TABLE {quote(table)} ALTER COLUMN {column} SET DEFAULT {zero},"
            f" ALTER COLUMN {column} SET NOT NULL",
        )
    else:
        _replace_column(session, table, field, f"COALESCE({column}, {zero})")


def holds_null(session: Session, table: str, field: Field) -> bool:
    return bool(session.row(f"SELECT 1 FROM {quote(table)} WHERE {quote(field.name)} IS NULL LIMIT 1"))


def holds_data(session: Session, table: str, field: Field) -> bool:
    """Whether any row has a value other than the zero one in the field's column."""
    return bool(session.row(f"SELECT 1 FROM {quote(table)} WHERE {_is_set(session, field)} LIMIT 1"))


def holds_several(session: Session, table: str, field: Field) -> bool:
    """Whether any row's list has more than one value."""
    length = "json_array_length" if session.engine == "sqlite" else "jsonb_array_length"
    return bool(session.row(f"SELECT 1 FROM {quote(table)} WHERE {length}({quote(field.name)}) > 1 LIMIT 1"))


def holds_rows(session: Session, table: str) -> bool:
    return bool(session.row(f"SELECT 1 FROM {quote(table)} LIMIT 1"))


def _is_set(session: Session, field: Field) -> str:
    column = quote(field.name)
    if field.kind == "number":
        return f"{column} <> 0"
    if field.kind == "bool":
        return column
    if field.kind == "json":
        return f"{column} IS NOT NULL"
    if field.kind == "list":
        return f"{column} <> '[]'"
    if field.kind == "geo":
        lon, lat = (_coordinate(session, column, key) for key in ("lon", "lat"))
        return f"({lon} <> 0 OR {lat} <> 0)"
    return f"{column} <> ''"


def _coordinate(session: Session, column: str, key: str) -> str:
    if session.engine == "sqlite":
        return f"json_extract({column}, '$.{key}')"
    return f"({column}->>'{key}')::double precision"


def create_index(session: Session, collection: CollectionSchema, index: Index) -> None:
    """Build the index. Every column of it must be a field of the collection."""
    unique = "UNIQUE " if index.unique else ""
    columns = ", ".join(_index_column(session, collection, column) for column in index.columns)
    where = f" WHERE {_condition(collection, index.where)}" if index.where else ""
    run(
        session,
        f"CREATE {unique}INDEX {quote(index.name)} ON {quote(collection.table)} ({columns}){where}",
    )


def drop_index(session: Session, name: str) -> None:
    run(session, f"DROP INDEX {quote(name)}")


def column_of(collection: CollectionSchema, name: str) -> Field | None:
    """The field with that name, whatever the case."""
    lowered = name.lower()
    return next((field for field in collection.fields if field.name.lower() == lowered), None)


def _index_column(session: Session, collection: CollectionSchema, column: IndexColumn) -> str:
    field = column_of(collection, column.name)
    assert field is not None
    text = quote(field.name)
    if column.function:
        text = f"{column.function}({text})"
    if session.engine == "sqlite":
        text += f" COLLATE {column.collation}" if column.collation else ""
    elif column.collation in ("NOCASE", "RTRIM") and field.kind == "text":
        # The same equality on PostgreSQL: our columns compare bytes, so lower() folds ASCII only.
        text = f"{'lower' if column.collation == 'NOCASE' else 'rtrim'}({text})"
    elif column.function:
        text = f"({text})"
    return f"{text} {column.order}" if column.order else text


def _condition(collection: CollectionSchema, where: tuple[Token, ...]) -> str:
    positions = condition_columns(where)
    out = []
    for at, token in enumerate(where):
        if at in positions:
            field = column_of(collection, token.value)
            assert field is not None
            out.append(Token("quoted", quote(field.name), token.value))
        elif token.kind == "string":
            out.append(Token("string", literal(token.value), token.value))
        elif token.text == "==":
            out.append(Token("symbol", "=", "="))
        elif token.kind == "number" and _is_beside_bool(collection, where, at, positions):
            truth = "FALSE" if float(token.value) == 0 else "TRUE"
            out.append(Token("word", truth, truth))
        else:
            out.append(token)
    return render_condition(tuple(out), lambda token: token.text)


def _is_beside_bool(
    collection: CollectionSchema, where: Sequence[Token], at: int, columns: Iterable[int]
) -> bool:
    """Whether the number at ``at`` is compared with a bool column (PostgreSQL keeps the two apart)."""
    for other in (at - 2, at + 2):
        if other in columns:
            field = column_of(collection, where[other].value)
            if field is not None and field.kind == "bool":
                return True
    return False


def _id_column(session: Session) -> str:
    collation = "" if session.engine == "sqlite" else ' COLLATE "C"'
    return f'"id" TEXT{collation} PRIMARY KEY NOT NULL'


def _column(session: Session, field: Field, name: str) -> str:
    return f"{quote(name)} {field.column_definition(session.engine)}"


def relation_exists(session: Session, name: str) -> bool:
    """Whether the project's database has a table, index or view of that name, whatever the case."""
    if session.engine == "sqlite":
        return bool(session.row("SELECT 1 FROM sqlite_master WHERE lower(name) = lower(?)", (name,)))
    return bool(
        session.row(
            "SELECT 1 FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND lower(relname) = lower(%s)",
            (name,),
        )
    )
