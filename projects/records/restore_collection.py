"""Restore of a whole collection: its records as they were at a moment, from the change log.

A record's state at a moment is the image of its first change after it, whatever has been written since, the
restoration itself included. So it goes in steps, each a transaction of its own with its entries in the change log, and
one that is cut short has brought back some records and not others, and is simply asked for again.

First go the records that were made since, which may hold values that must be unique; then those come back that were
deleted; then the changed ones are changed back. Each is repeated as long as that helps: a record may need another one,
or the value of another one, that comes back later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from django.conf import settings

from projects.databases import Session
from projects.databases.changes import XID
from projects.databases.deadline import bound_transaction
from projects.errors import ApiError, FieldError, invalid_fields, tree_as_json
from projects.records.bring_back import bring_back, wanted_for
from projects.records.call import Call
from projects.records.delete import delete_records
from projects.records.history import with_history
from projects.records.linked import among, ids_parameter
from projects.records.retention import log_start
from projects.records.rows import Values, quoted, reader
from projects.records.states import Eras, State, eras_of
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text
from projects.schema.progress import step

FAILED = "Failed to restore the collection."
TOO_LONG = (
    "Too much has changed to try it out in the time there is for that. The restoration itself goes in steps."
)
Phase = Literal["delete", "create", "update"]
# The problems that an answer names; of the others it gives the number.
_NAMED: Final = 100
# How often a phase goes through the records at most: how long a chain of records may be that need each other.
_PASSES: Final = 20
_IN_PART = "Restored in part: these fields stay as they are."


@dataclass(frozen=True, slots=True)
class Problems:
    """Records of one pass that are not, or not in all fields, what they were."""

    count: int = 0
    named: tuple[dict[str, Any], ...] = ()

    def with_one(self, record_id: str, action: Phase, error: ApiError) -> Problems:
        entry = {
            "id": record_id,
            "action": action,
            "message": error.message,
            "data": tree_as_json(error.data),
        }
        named = (*self.named, entry) if len(self.named) < _NAMED else self.named
        return Problems(self.count + 1, named)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a restoration has come: what one step hands to the next.

    ``until`` is the last change of before its beginning: what others make meanwhile stays. ``last`` is the last record
    id of this pass, ``written`` how many records this pass has written, ``passes`` how many its phase has made.
    ``others``: what became of records of other collections, by name and action, because they depended on some that
    went. ``again``: those that could not go are tried once more, now that nothing of then is missing.
    """

    at: str
    phase: Phase = "delete"
    until: int = 0
    last: str = ""
    written: int = 0
    passes: int = 1
    created: int = 0
    updated: int = 0
    deleted: int = 0
    others: tuple[tuple[str, str, int], ...] = ()
    refused: Problems = Problems()
    missing: Problems = Problems()
    partial: Problems = Problems()
    again: bool = False
    finished: bool = False

    def as_json(self) -> dict[str, Any]:
        others: dict[str, dict[str, int]] = {}
        for name, action, count in self.others:
            counts = others.setdefault(name, {})
            counts[action] = counts.get(action, 0) + count
        parts = (self.refused, self.missing, self.partial)
        named = [entry for part in parts for entry in part.named]
        return {
            "at": self.at,
            "created": self.created,
            "updated": self.updated,
            "deleted": self.deleted,
            "others": others,
            "problems": {"count": sum(part.count for part in parts), "items": named[:_NAMED]},
        }


class _Undo(Exception):
    """The dry run has come to its end."""


def restore_step(call: Call, name: str, progress: Progress) -> Progress:
    """Do the next part of it; ``finished`` is true when nothing is left.

    The rules are not asked: it is for superusers. Raises 404, 400 for a moment that is not past or before the
    collection's, 410 for one that the change log does not reach back to.
    """
    collection = with_history(call, name)
    eras = eras_of(call.session, collection)
    if not progress.until:
        progress = replace(progress, until=_begin(call, collection, progress.at))
    with step(call.session, collection.name, _told(progress)):
        found = _changed_since(call, eras, progress)
        current = _current(call, collection, [record_id for record_id, _ in found])
        for_phase = {"delete": _delete, "create": _create, "update": _update}[progress.phase]
        progress = for_phase(call, collection, found, current, progress)
    if len(found) == settings.MBAAS_RESTORE_STEP:
        return replace(progress, last=found[-1][0])
    return _next_pass(progress)


def restore_tried(call: Call, name: str, at: str) -> Progress:
    """What a restoration would come to, found out by doing it and undoing it again, all in this transaction.

    Raises 503 when that takes longer than MBAAS_RESTORE_DRY_RUN_MS, and as ``restore_step``.
    """
    deadline = bound_transaction(call.session, settings.MBAAS_RESTORE_DRY_RUN_MS)
    progress = Progress(at)
    try:
        with call.session.savepoint():
            while not progress.finished:
                if deadline():
                    raise ApiError(503, TOO_LONG)
                progress = restore_step(call, name, progress)
            raise _Undo
    except _Undo:
        return progress


def _begin(call: Call, collection: CollectionSchema, at: str) -> int:
    """The number of the last change so far. Raises 400, 410."""
    if at >= now_text():
        error = FieldError("validation_invalid_date", "Must be a moment in the past.")
        raise invalid_fields(FAILED, {"at": error})
    if at < collection.created:
        error = FieldError("validation_invalid_date", "The collection did not exist then.")
        raise invalid_fields(FAILED, {"at": error})
    log_start(call.session).check_moment(at)
    return _last_seq(call.session) or 1


def _told(progress: Progress) -> str:
    done = progress.created + progress.updated + progress.deleted
    return f"restoring: {done} records so far"


def _next_pass(progress: Progress) -> Progress:
    """What comes after a pass through all records."""
    helped = progress.written > 0 and progress.passes < _PASSES
    same = replace(progress, last="", written=0, passes=progress.passes + 1)
    other = replace(same, passes=1)
    match progress.phase:
        case "delete":
            return replace(other, finished=True) if progress.again else replace(other, phase="create")
        case "create":
            if progress.missing.count and helped:
                return replace(same, missing=Problems())
            return replace(other, phase="update")
        case "update":
            if progress.partial.count and helped:
                return replace(same, partial=Problems())
            if progress.refused.count:
                return replace(other, phase="delete", refused=Problems(), again=True)
            return replace(other, finished=True)


def _changed_since(call: Call, eras: Eras, progress: Progress) -> list[tuple[str, State | None]]:
    """The next records that changed after the moment, with what they were at it (None: they were not)."""
    sql = (
        "SELECT c.record, c.seq, c.before FROM _changes AS c JOIN ("
        " SELECT min(seq) AS seq FROM _changes WHERE collection = ? AND record > ? AND seq > ? AND seq <= ?"
        f" AND created > ? GROUP BY record ORDER BY record LIMIT {settings.MBAAS_RESTORE_STEP:d}"
        ") AS first ON c.seq = first.seq ORDER BY c.record"
    )
    params = (eras.collection.id, progress.last, eras.floor, progress.until, progress.at)
    rows = call.session.rows(call.session.sql(sql), params)
    return [(record_id, eras.state(seq, before)) for record_id, seq, before in rows]


def _current(call: Call, collection: CollectionSchema, ids: Sequence[str]) -> dict[str, Values]:
    """Those of the records that there are, held against others' changes."""
    session, read = call.session, reader(call, collection)
    lock = "" if session.engine == "sqlite" else " ORDER BY id FOR UPDATE"
    where = among("id", session.engine)
    sql = f"SELECT {read.columns} FROM {quoted(collection.table)} WHERE {where}{lock}"
    rows = session.rows(sql, (ids_parameter(session, ids),))
    return {values["id"]: values for values in map(read.values, rows)}


_Found = Sequence[tuple[str, State | None]]


def _delete(
    call: Call, collection: CollectionSchema, found: _Found, current: dict[str, Values], progress: Progress
) -> Progress:
    newer = [current[record_id] for record_id, state in found if state is None and record_id in current]
    if not newer:
        return progress
    since = _last_seq(call.session)
    refused = progress.refused
    try:
        delete_records(call, collection, newer)
    except ApiError:
        # Some required relation points to one of them: the others go.
        for record in newer:
            try:
                delete_records(call, collection, [record])
            except ApiError as error:
                refused = refused.with_one(record["id"], "delete", error)
    gone = len(newer) - (refused.count - progress.refused.count)
    others = _became_of_others(call, collection, since)
    return replace(
        progress, deleted=progress.deleted + gone, refused=refused, others=progress.others + others
    )


def _create(
    call: Call, collection: CollectionSchema, found: _Found, current: dict[str, Values], progress: Progress
) -> Progress:
    for record_id, state in found:
        if state is None or record_id in current:
            continue
        wanted = wanted_for(call, collection, state.values, None)
        try:
            # Fields that it leaves out are looked at again, and told of, when the changed records are.
            bring_back(call, collection, state.values, None, wanted)
        except ApiError as error:
            missing = progress.missing.with_one(record_id, "create", error)
            progress = replace(progress, missing=missing)
        else:
            progress = replace(progress, created=progress.created + 1, written=progress.written + 1)
    return progress


def _update(
    call: Call, collection: CollectionSchema, found: _Found, current: dict[str, Values], progress: Progress
) -> Progress:
    for record_id, state in found:
        if state is None or record_id not in current:
            continue
        record = current[record_id]
        wanted = wanted_for(call, collection, state.values, record)
        try:
            if wanted.body:
                bring_back(call, collection, state.values, record, wanted)
        except ApiError as error:
            progress = replace(progress, partial=progress.partial.with_one(record_id, "update", error))
            continue
        if wanted.body:
            progress = replace(progress, updated=progress.updated + 1, written=progress.written + 1)
        if wanted.skipped:
            told = ApiError(400, _IN_PART, dict(wanted.skipped))
            progress = replace(progress, partial=progress.partial.with_one(record_id, "update", told))
    return progress


def _last_seq(session: Session) -> int:
    row = session.row("SELECT max(seq) FROM _changes")
    return row[0] if row and row[0] else 0


def _became_of_others(
    call: Call, collection: CollectionSchema, since: int
) -> tuple[tuple[str, str, int], ...]:
    """What this transaction did to records of other collections after change ``since``."""
    mine = f" AND xid = {XID}" if call.session.engine == "postgresql" else ""
    sql = (
        "SELECT collection, action, count(*) FROM _changes WHERE seq > ? AND collection <> ?"
        f"{mine} GROUP BY collection, action ORDER BY collection, action"
    )
    rows = call.session.rows(call.session.sql(sql), (since, collection.id))
    return tuple((call.collection(id_).name, f"{action}d", count) for id_, action, count in rows)
