"""One step of an import: rows that were read become records in one transaction, and the refused ones are told of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from projects.errors import FieldError
from projects.importing.tables.gently import gently
from projects.importing.tables.preparing import INVALID, Given, NewRecords, Values
from projects.importing.tables.rows import Refused
from projects.records.auth_fields import rotate_token_key
from projects.records.bulk import Update, find_many, insert_records, update_records
from projects.records.call import Call
from projects.records.files import unknown_files
from projects.records.rows import existing_ids
from projects.records.write import NOT_UNIQUE
from projects.schema.collection import CollectionSchema
from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.relation import MISSING_RECORDS, RelationField
from projects.schema.record_values import touch_dates, validate_values

NOT_STORED: Final = "The row was refused by the database."


@dataclass(slots=True)
class Outcome:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class New:
    """A record that is ready, and the row that it comes from."""

    given: Given
    values: Values


def prepare_new(collection: CollectionSchema, rows: Sequence[Given]) -> tuple[list[New], list[Refused]]:
    """New records of rows, checked as far as that goes without the database."""
    maker = NewRecords(collection)
    ready: list[New] = []
    refused: list[Refused] = []
    for given in gently(rows):
        values = maker.values(given.values)
        if errors := maker.errors(values):
            refused.append(Refused(given.row.line, INVALID, errors, given.row.values))
        else:
            ready.append(New(given, values))
    return ready, refused


def store_new(call: Call, collection: CollectionSchema, rows: Sequence[New]) -> Outcome:
    """Store new records; one whose id is taken is refused."""
    outcome = Outcome()
    there = existing_ids(call, collection, [one.values["id"] for one in rows])
    fitting: list[New] = []
    for one in rows:
        if one.values["id"] in there:
            outcome.refused.append(_refused(one.given, {"id": NOT_UNIQUE}))
        else:
            there.add(one.values["id"])
            fitting.append(one)
    missing = _missing_relations(call, collection, [one.values for one in fitting])
    outcome.refused += [_refused(fitting[place].given, errors) for place, errors in missing.items()]
    fitting = [one for place, one in enumerate(fitting) if place not in missing]
    refused = insert_records(call, collection, [one.values for one in fitting])
    outcome.refused += [
        _refused(fitting[place].given, errors, NOT_STORED) for place, errors in refused.items()
    ]
    outcome.created = len(fitting) - len(refused)
    return outcome


def store_or_update(call: Call, collection: CollectionSchema, rows: Sequence[Given]) -> Outcome:
    """Update the records whose ids rows name, and create the others. Of a record only what its row names changes."""
    outcome = Outcome()
    for part in _each_once(rows):
        known = find_many(call, collection, [given.values["id"] for given in part if given.values.get("id")])
        new = [given for given in part if given.values.get("id") not in known]
        ready, refused = prepare_new(collection, new)
        outcome.refused += refused
        _add(outcome, store_new(call, collection, ready))
        _add(
            outcome,
            _update(call, collection, [given for given in part if given.values.get("id") in known], known),
        )
    return outcome


def _update(
    call: Call, collection: CollectionSchema, rows: Sequence[Given], known: dict[str, Values]
) -> Outcome:
    outcome = Outcome()
    updates: list[tuple[Given, Update]] = []
    kept = _kept(collection)
    for given in gently(rows):
        before = known[given.values["id"]]
        changed = {
            name: value
            for name, value in given.values.items()
            if value != before[name] and (value or name not in kept)
        }
        if not changed:
            outcome.unchanged += 1
            continue
        rotate_token_key(collection, before, changed)
        changed = {**touch_dates(collection), **changed}
        errors: dict[str, Any] = {**validate_values(collection, {**before, **changed}, old=before)}
        errors.update(unknown_files(collection, changed, before))
        if errors:
            outcome.refused.append(Refused(given.row.line, INVALID, errors, given.row.values))
        else:
            updates.append((given, Update(before, changed)))
    missing = _missing_relations(call, collection, [update.changed for _, update in updates])
    outcome.refused += [_refused(updates[place][0], errors) for place, errors in missing.items()]
    updates = [one for place, one in enumerate(updates) if place not in missing]
    refused = update_records(call, collection, [update for _, update in updates])
    outcome.refused += [_refused(updates[place][0], errors, NOT_STORED) for place, errors in refused.items()]
    outcome.updated = len(updates) - len(refused)
    return outcome


def _kept(collection: CollectionSchema) -> set[str]:
    """Fields that an empty cell does not empty: nobody means that there."""
    dates = {one.name for one in collection.fields if isinstance(one, AutodateField)}
    secrets = {one.name for one in collection.password_fields}
    return dates | secrets | ({"tokenKey"} if collection.is_auth else set())


def _each_once(rows: Sequence[Given]) -> Iterator[list[Given]]:
    """The rows in their order, in parts in which no id comes twice."""
    part: list[Given] = []
    ids: set[str] = set()
    for given in rows:
        record_id = given.values.get("id", "")
        if record_id in ids:
            yield part
            part, ids = [], set()
        if record_id:
            ids.add(record_id)
        part.append(given)
    if part:
        yield part


def _missing_relations(
    call: Call, collection: CollectionSchema, records: Sequence[Values]
) -> dict[int, dict[str, FieldError]]:
    """Errors of the records, by their place, that name others which do not exist. Those before them exist."""
    missing: dict[int, dict[str, FieldError]] = {}
    for one in collection.fields:
        if not isinstance(one, RelationField):
            continue
        named = [one.values_of(values[one.name]) if one.name in values else [] for values in records]
        wanted = {record_id for ids in named for record_id in ids}
        if not wanted:
            continue
        target = call.schema.get(one.collection_id)
        there = existing_ids(call, target, sorted(wanted)) if target is not None else set()
        own = target is not None and target.id == collection.id
        for place, ids in enumerate(named):
            if any(record_id not in there for record_id in ids):
                missing.setdefault(place, {})[one.name] = MISSING_RECORDS
            if own and place not in missing and "id" in records[place]:
                there.add(records[place]["id"])
    return missing


def _refused(given: Given, errors: dict[str, FieldError], message: str = INVALID) -> Refused:
    return Refused(given.row.line, message, errors, given.row.values)


def _add(outcome: Outcome, other: Outcome) -> None:
    outcome.created += other.created
    outcome.updated += other.updated
    outcome.unchanged += other.unchanged
    outcome.refused += other.refused
