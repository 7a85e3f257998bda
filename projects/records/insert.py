"""PostgreSQL: a new record, its entry in the change log and the check of what it names, in one round trip."""

from __future__ import annotations

from projects.records.call import Call
from projects.records.changelog import CREATED_AFTER_MADE, Change, actor_of, announce_later
from projects.records.rows import Values, insert_beside, is_beside, quoted, row_parameters
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text
from projects.schema.fields.relation import RelationField


def inserts_at_once(call: Call, collection: CollectionSchema) -> bool:
    """Whether ``insert_at_once`` is for this collection. Passwords are hashed and files stored only for a record that
    is otherwise in order, so that theirs are looked at first."""
    return call.session.engine == "postgresql" and not (collection.is_auth or collection.file_fields)


def insert_at_once(call: Call, collection: CollectionSchema, values: Values) -> bool:
    """Store a new record and append it to the change log; says False, and writes nothing, when a record that it names
    is not there. Those that are there are held until the transaction ends.

    Raises the driver's IntegrityError when a unique index refuses it.
    """
    named: dict[str, list[str]] = {}
    for field in _relations(call, collection):
        if ids := field.values_of(values[field.name]):
            named[field.name] = list(dict.fromkeys(ids))
    session = call.session
    sql = call.schema.derived.get(
        ("insert at once", collection.id, *named), lambda: _statement(call, collection, tuple(named))
    )
    if sql is None:
        return False
    parameters = [*named.values(), *row_parameters(call, collection, values), *map(len, named.values())]
    ask = session.row if is_beside(call, collection) else session.row_of_all
    row = ask(sql, [*parameters, collection.id, actor_of(call.principal), now_text()])
    if row is None:
        return False
    insert_beside(call, collection, values)
    announce_later(call, collection, "create", row[0], Change(values["id"], None, values))
    return True


def _relations(call: Call, collection: CollectionSchema) -> tuple[RelationField, ...]:
    return call.schema.derived.get(
        ("relations", collection.id),
        lambda: tuple(field for field in collection.fields if isinstance(field, RelationField)),
    )


def _statement(call: Call, collection: CollectionSchema, names: tuple[str, ...]) -> str | None:
    """The statement for a record whose relations ``names`` are not empty; None when one leads nowhere."""
    held, conditions = [], []
    for number, name in enumerate(names):
        field = collection.field_by_name[name]
        assert isinstance(field, RelationField)
        target = call.schema.get(field.collection_id)
        if target is None:
            return None
        table = f"held_{number}"
        held.append(f"{table} AS (SELECT id FROM {quoted(target.table)} WHERE id = ANY(%s) FOR KEY SHARE), ")
        conditions.append(f"(SELECT count(*) FROM {table}) = %s")
    columns = ", ".join(quoted(field.name) for field in collection.fields)
    marks = ", ".join("%s" for _ in collection.fields)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"WITH {''.join(held)}made AS (INSERT INTO {quoted(collection.table)} ({columns})"
        f" SELECT {marks}{where} RETURNING id) {CREATED_AFTER_MADE}"
    )
