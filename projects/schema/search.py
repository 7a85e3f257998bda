"""What lists are searched by: an index of words for each collection with searchable fields.

The first of the fields is the *head*, whose words count most (a title), the others are the *body*. On SQLite the
index is an FTS5 table; as a row's number there must not change, and those of a collection's table may (VACUUM), a
second table says which record a number is. On PostgreSQL it is a table of records and their tsvectors with a GIN
index. The words are made by ``search_text`` on both, never by the engine's own parser, so both find the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from projects.context import Engine
from projects.schema import ddl, search_guard
from projects.schema.collection import CollectionSchema
from projects.schema.ddl import quote
from projects.schema.fields.base import Field
from projects.schema.progress import step
from projects.schema.search_text import plain_text, words_of

if TYPE_CHECKING:
    from projects.databases import Session

_PREFIX: Final = "_fts_"
# Stands between two fields, so that no phrase goes over the end of one. Nobody can look for it.
_BORDER: Final = "\ue000"
# What a tsvector can hold: places up to this one, and so many characters (of up to four bytes, in a megabyte).
_LAST_PLACE: Final = 16_383
_LONGEST_VECTOR: Final = 200_000
# Records that are read and written at once when an index is filled.
_CHUNK: Final = 1000


def searchable_fields(collection: CollectionSchema) -> tuple[Field, ...]:
    return tuple(field for field in collection.fields if field.searchable) if collection.has_table else ()


def index_table(collection: CollectionSchema) -> str:
    """The name of the collection's index, another one when other fields are searchable: who goes by the state before
    does not find it."""
    text = "\n".join((collection.id, *_order(collection)))
    return _PREFIX + blake2b(text.encode(), digest_size=10).hexdigest()


def numbers_table(collection: CollectionSchema) -> str:
    """SQLite: the table that says which record a row of the index is."""
    return f"{index_table(collection)}_records"


def _order(collection: CollectionSchema) -> tuple[str, ...]:
    """The ids of the searchable fields, the head's first."""
    ids = [field.id for field in searchable_fields(collection)]
    return (*ids[:1], *sorted(ids[1:]))


@dataclass(frozen=True, slots=True)
class Words:
    """What a record is found by."""

    head: tuple[str, ...]
    body: tuple[str, ...]

    @classmethod
    def of(cls, fields: Sequence[Field], values: Mapping[str, Any]) -> Words:
        left = min(settings.MBAAS_SEARCH_MAX_CHARACTERS, _LONGEST_VECTOR)
        head: list[str] = []
        body: list[str] = []
        for at, field in enumerate(fields):
            text = str(values[field.name] or "")[:left]
            left -= len(text)
            words = words_of(plain_text(text) if field.type == "editor" else text)
            if at == 0:
                head = words
            elif words:
                body += [_BORDER, *words] if body else words
        return cls(tuple(head), tuple(body))

    def vector(self) -> str:
        """As the text of a tsvector."""
        places: dict[str, list[str]] = {}
        for at, word in enumerate((*self.head, _BORDER, *self.body), 1):
            found = places.setdefault(word, [])
            # What has no place is found all the same, though in no phrase.
            if at <= _LAST_PLACE:
                found.append(f"{at}A" if at <= len(self.head) else str(at))
        places.pop(_BORDER, None)
        return " ".join(
            f"'{word}':{','.join(found)}" if found else f"'{word}'" for word, found in places.items()
        )


def create_index(session: Session, collection: CollectionSchema) -> None:
    """The index of a collection that has searchable fields, filled from its records."""
    if not searchable_fields(collection):
        return
    index = quote(index_table(collection))
    if session.engine == "sqlite":
        # Words are folded before they come here: the tokenizer only parts them, at spaces.
        ddl.run(
            session,
            f"CREATE VIRTUAL TABLE {index} USING fts5(head, body, tokenize = 'ascii', columnsize = 0)",
        )
        columns = "number INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE"
        ddl.run(session, f"CREATE TABLE {quote(numbers_table(collection))} ({columns})")
        _fill(session, collection)
        return
    columns = 'record TEXT COLLATE "C" NOT NULL, words TSVECTOR NOT NULL'
    own = "number BIGINT GENERATED ALWAYS AS IDENTITY, written XID8 NOT NULL DEFAULT pg_current_xact_id()"
    ddl.run(session, f"CREATE TABLE {index} ({columns}, {own})")
    _fill(session, collection)
    # All rows before the indexes, which are built at once in a third of the time.
    ddl.run(session, f"ALTER TABLE {index} ADD PRIMARY KEY (record), ADD UNIQUE (number)")
    # A search also reads the list of what is not yet in its place: it is kept short (in KiB).
    name = quote(f"{index_table(collection)}_words")
    ddl.run(session, f"CREATE INDEX {name} ON {index} USING GIN (words) WITH (gin_pending_list_limit = 256)")
    # How often a word occurs decides how it is looked for.
    ddl.run(session, f"ANALYZE {index}")
    search_guard.create(session, collection, index_table(collection), searchable_fields(collection))


def drop_index(session: Session, collection: CollectionSchema) -> None:
    """The collection's table must be the caller's alone."""
    if not searchable_fields(collection):
        return
    if session.engine == "sqlite":
        ddl.run(session, f"DROP TABLE {quote(numbers_table(collection))}")
    else:
        search_guard.drop(session, index_table(collection))
    ddl.run(session, f"DROP TABLE {quote(index_table(collection))}")


def drop_outdated_index(session: Session, old: CollectionSchema, new: CollectionSchema) -> None:
    """Before the columns change, when the table is the caller's alone: the index, if ``new`` has another one."""
    if _is_outdated(old, new):
        drop_index(session, old)


def create_missing_index(
    session: Session, old: CollectionSchema, new: CollectionSchema, *, dropped: bool
) -> None:
    """After the columns changed. ``dropped``: whether ``drop_outdated_index`` was called before.

    Where only what is searched changes, readers go on meanwhile and search by the old index until it is replaced.
    """
    if not _is_outdated(old, new):
        if searchable_fields(new) and old.table != new.table and session.engine == "postgresql":
            search_guard.follow(session, new, index_table(new))
        return
    if searchable_fields(new):
        with step(session, new.name, "building the search index"):
            ddl.take_table(session, new.table, "SHARE ROW EXCLUSIVE")
            create_index(session, new)
    if not dropped and searchable_fields(old):
        ddl.take_table(session, new.table, "ACCESS EXCLUSIVE")
        drop_index(session, old)


def _is_outdated(old: CollectionSchema, new: CollectionSchema) -> bool:
    if _order(old) != _order(new):
        return True
    # To set empty values where there were none is a write of every row, which the guard would take for an old one.
    return any(field.nullable != new.field_by_id[field.id].nullable for field in searchable_fields(old))


def _fill(session: Session, collection: CollectionSchema) -> None:
    last = 0
    for chunk in _stored(session, collection):
        if session.engine == "postgresql":
            add(session, collection, chunk)
            continue
        index, numbers = quote(index_table(collection)), quote(numbers_table(collection))
        session.execute_many(
            f"INSERT INTO {numbers} (number, record) VALUES (?, ?)",
            [(at, record_id) for at, (record_id, _) in enumerate(chunk, last + 1)],
        )
        session.execute_many(
            f"INSERT INTO {index} (rowid, head, body) VALUES (?, ?, ?)",
            [
                (at, " ".join(words.head), " ".join(words.body))
                for at, (_, words) in enumerate(chunk, last + 1)
            ],
        )
        last += len(chunk)


def _stored(session: Session, collection: CollectionSchema) -> Iterator[list[tuple[str, Words]]]:
    """Every record's words, some at a time."""
    fields = searchable_fields(collection)
    columns = ", ".join(quote(field.name) for field in fields)
    rowid = "rowid" if session.engine == "sqlite" else quote(ddl.ROWID)
    sql = session.sql(
        f"SELECT {rowid}, id, {columns} FROM {quote(collection.table)}"
        f" WHERE {rowid} > ? ORDER BY {rowid} LIMIT {_CHUNK}"
    )
    last = -(2**62)
    while rows := session.rows(sql, (last,)):
        last = rows[-1][0]
        names = [field.name for field in fields]
        yield [(row[1], Words.of(fields, dict(zip(names, row[2:], strict=True)))) for row in rows]


def add(session: Session, collection: CollectionSchema, records: Sequence[tuple[str, Words]]) -> None:
    """Make records found by their words that are not in the index."""
    index = quote(index_table(collection))
    if session.engine == "postgresql":
        _write_vectors(session, index, records)
        return
    numbers = quote(numbers_table(collection))
    session.execute_many(
        f"INSERT INTO {numbers} (record) VALUES (?)", [(record_id,) for record_id, _ in records]
    )
    session.execute_many(
        f"INSERT INTO {index} (rowid, head, body) SELECT number, ?, ? FROM {numbers} WHERE record = ?",
        [(" ".join(words.head), " ".join(words.body), record_id) for record_id, words in records],
    )


def replace(session: Session, collection: CollectionSchema, records: Sequence[tuple[str, Words]]) -> None:
    """Make records found by these words and no others; they are the newest of the index then."""
    if session.engine == "postgresql":
        _write_vectors(
            session,
            quote(index_table(collection)),
            records,
            " ON CONFLICT (record) DO UPDATE SET words = EXCLUDED.words, number = DEFAULT, written = DEFAULT",
        )
        return
    remove(session, collection, [record_id for record_id, _ in records])
    add(session, collection, records)


def _write_vectors(
    session: Session, index: str, records: Sequence[tuple[str, Words]], conflict: str = ""
) -> None:
    session.execute(
        f"INSERT INTO {index} (record, words)"
        " SELECT record, CAST(words AS tsvector) FROM unnest(%s::text[], %s::text[]) AS given (record, words)"
        + conflict,
        ([record_id for record_id, _ in records], [words.vector() for _, words in records]),
    )


def remove(session: Session, collection: CollectionSchema, record_ids: Sequence[str]) -> None:
    """Make records found no more."""
    index = quote(index_table(collection))
    if session.engine == "postgresql":
        session.execute(f"DELETE FROM {index} WHERE record = ANY(%s)", (list(record_ids),))
        return
    numbers = quote(numbers_table(collection))
    given = [(record_id,) for record_id in record_ids]
    session.execute_many(
        f"DELETE FROM {index} WHERE rowid = (SELECT number FROM {numbers} WHERE record = ?)", given
    )
    session.execute_many(f"DELETE FROM {numbers} WHERE record = ?", given)


def found_sql(engine: Engine, collection: CollectionSchema) -> tuple[str, ...]:
    """A SELECT of ``(record, rank, number)`` around the places of the query that it finds by.

    The best rank is the least; one that was changed later has a higher number.
    """
    index = quote(index_table(collection))
    if engine == "sqlite":
        numbers = quote(numbers_table(collection))
        source = f"{index} AS f CROSS JOIN {numbers} AS n ON n.number = f.rowid"
        before = "SELECT n.record AS record, f.rowid AS number, _search_rank("
        return before, f", f.head, f.body) AS rank FROM {source} WHERE f.{index} MATCH ", ""
    # Weights as in projects/search_rank.py; 1: a long text counts less. No part of the work is given to another
    # process, which takes longer to start than this.
    rank = "-ts_rank('{0.2, 0.2, 0.2, 1}', i.words, q.query, 1)"
    before = f"SELECT i.record AS record, {rank} AS rank, i.number AS number FROM {index} AS i, (SELECT CAST("
    return before, " AS tsquery) AS query) AS q WHERE i.words @@ q.query AND i.number <> -pg_backend_pid()"
