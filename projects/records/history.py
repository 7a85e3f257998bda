"""History: what became of a record, change by change, from the change log.

Each change wrote down the record as it was before it, so a state is the image of the change that ended it, and the
last one is the record itself. Whoever is no superuser sees the states that the collection's ``historyRule`` allows of
themselves, each through the same eyes as a read of it would have been.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from projects.errors import FieldError, bad_request, invalid_fields, not_found
from projects.records.access import condition_for, satisfies
from projects.records.call import Call
from projects.records.list import Page
from projects.records.pick import parse_pick
from projects.records.rows import quoted, reader
from projects.records.states import Eras, State, eras_of
from projects.records.visible import viewer
from projects.schema.collection import SUPERUSERS, CollectionSchema

VIEWS = "Views have no history: their records are those of other collections."
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. ``before`` is None for a creation, ``after`` for a deletion."""

    seq: int
    action: str
    actor: str | None
    at: str
    before: State | None
    after: State | None

    @property
    def shown(self) -> State:
        """What the change made; for a deletion, what it took."""
        state = self.after or self.before
        assert state is not None
        return state


def with_history(call: Call, name: str) -> CollectionSchema:
    """The collection with that name. Raises 404, and 400 for one without records of its own."""
    collection = call.collection(name)
    if collection.is_view:
        raise bad_request(VIEWS)
    if not collection.has_table:
        raise not_found()
    return collection


def record_history(call: Call, name: str, record_id: str, params: Mapping[str, str]) -> dict[str, Any]:
    """A page of the record's changes, the newest first; ``params``: perPage, cursor, fields.

    There may be a record with that id, or not any more, or never have been: the answer to who may see none of its
    states is the same. Raises 404 for the collection, 403 where only superusers see histories, 400 for ``params``.
    """
    collection = with_history(call, name)
    rule = condition_for(call, collection.history_rule)
    page, pick = Page.of(params), parse_pick(params.get("fields", ""))
    size = min(page.size, settings.MBAAS_HISTORY_PAGE)
    below = _cursor(params.get("cursor", ""))
    found: list[Entry] = []
    for entry in entries(call, collection, record_id, below):
        if not satisfies(call, collection, rule, entry.shown.values):
            continue
        found.append(entry)
        if len(found) > size:
            break
    shown = [_show(call, collection, rule, entry) for entry in found[:size]]
    return {
        "items": [pick(item) for item in shown] if pick else shown,
        "perPage": size,
        # From the last change that was shown: how many were not is nobody's business.
        "nextCursor": str(found[size - 1].seq) if len(found) > size else None,
    }


def entries(
    call: Call, collection: CollectionSchema, record_id: str, below: int = _LARGEST
) -> Iterator[Entry]:
    """The record's changes with numbers below ``below``, the newest first: at most MBAAS_HISTORY_SCAN."""
    eras, size = eras_of(call.session, collection), settings.MBAAS_HISTORY_PAGE
    most, read, first = settings.MBAAS_HISTORY_SCAN, reader(call, collection), True
    after = None
    while most > 0:
        rows = _rows(call, eras, record_id, below, min(size, most), with_record=first)
        for seq, action, actor, at, before, exists, *current in rows:
            if first:
                later = None if below == _LARGEST else _first_from(call, eras, record_id, below)
                now = State(read.values(current)) if exists is not None else None
                after = eras.state(*later) if later else now
            first, below = False, seq
            state = eras.state(seq, before)
            if state or after:
                yield Entry(seq, action, actor, at, state, after)
            after = state
        if len(rows) < min(size, most):
            return
        most -= len(rows)


def _rows(
    call: Call, eras: Eras, record_id: str, below: int, limit: int, *, with_record: bool
) -> list[tuple[Any, ...]]:
    """Rows of the log, each with the record as it is: read together, or a change in between would belie them."""
    collection, session = eras.collection, call.session
    columns, join = "NULL", ""
    if with_record:
        columns = ", ".join(f"r.{quoted(name)}" for name in ("id", *reader(call, collection).names))
        join = f" LEFT JOIN {quoted(collection.table)} AS r ON r.id = c.record"
    sql = (
        f"SELECT c.seq, c.action, c.actor, c.created, c.before, {columns} FROM _changes AS c{join}"
        " WHERE c.collection = ? AND c.record = ? AND c.seq > ? AND c.seq < ? ORDER BY c.seq DESC LIMIT ?"
    )
    return session.rows(session.sql(sql), (collection.id, record_id, eras.floor, below, limit))


def _first_from(call: Call, eras: Eras, record_id: str, seq: int) -> tuple[int, str | None] | None:
    """Number and image of the record's first change from ``seq`` on."""
    sql = (
        "SELECT seq, before FROM _changes WHERE collection = ? AND record = ? AND seq > ? AND seq >= ?"
        " ORDER BY seq LIMIT 1"
    )
    row = call.session.row(call.session.sql(sql), (eras.collection.id, record_id, eras.floor, seq))
    return (row[0], row[1]) if row else None


def _cursor(text: str) -> int:
    if not text:
        return _LARGEST
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        error = FieldError(
            "validation_invalid_cursor", "The cursor is not valid here: begin with an empty one."
        )
        raise invalid_fields("The cursor is invalid.", {"cursor": error})
    return int(text)


def _show(call: Call, collection: CollectionSchema, rule: str, entry: Entry) -> dict[str, Any]:
    # Not told which records there are: what they were is not what the database would say of them today.
    see = viewer(call, collection)
    record = see(entry.shown.values)
    out = {
        "seq": entry.seq,
        "action": entry.action,
        "at": entry.at,
        "actor": _actor(call, entry.actor),
        "record": record,
        "changed": [],
        "before": None,
    }
    if entry.action == "update" and entry.before is not None:
        before = entry.before.values
        if satisfies(call, collection, rule, before):
            earlier = see(before)
            names = [name for name in {**earlier, **record} if earlier.get(name) != record.get(name)]
            out["changed"] = names
            out["before"] = {name: earlier[name] for name in names if name in earlier}
    if call.principal.is_superuser:
        out["removedFields"] = list(entry.shown.removed)
    return out


def _actor(call: Call, actor: str | None) -> dict[str, str] | None:
    """Who made the change. Which superuser it was is for superusers to know."""
    if actor is None:
        return None
    collection_id, _, record_id = actor.partition("/")
    collection = call.schema.get(collection_id) if record_id else None
    name = collection.name if collection is not None else ""
    if not record_id or name == SUPERUSERS:
        return {"kind": "superuser", "id": record_id if call.principal.is_superuser else ""}
    return {"kind": "user", "id": record_id, "collectionId": collection_id, "collectionName": name}
